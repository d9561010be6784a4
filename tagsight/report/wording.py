"""Names of labels, and formats of numbers, in the figures and on the page."""

from collections.abc import Sequence

from tagsight.evaluation.labellings import LABELS, Labelling

# Names of labels from outside the clusters, in the order of the page's table.
LABEL_NAMES = {
    "body_part": "Body part",
    "modality": "Modality",
    "model": "Scanner model",
    "manufacturer": "Maker",
    "site": "Site",
}
MINUS = "\N{MINUS SIGN}"
SPACE = "\N{NO-BREAK SPACE}"


def percent(share: float) -> str:
    """Write a share: no decimals above 10 %, one below.

    >>> percent(0.312), percent(0.0312), percent(-0.0312)
    ('31\\xa0%', '3.1\\xa0%', '−3.1\\xa0%')
    """
    return f"{_hundredths(share)}{SPACE}%"


def interval(bounds: Sequence[float]) -> str:
    """Write an interval of shares.

    >>> interval([0.0312, 0.251])
    '3.1 to 25\\xa0%'
    """
    return f"{_hundredths(bounds[0])} to {percent(bounds[1])}"


def number(value: float | None, digits: int = 3) -> str:
    """Write a number to `digits` significant digits; a dash for None.

    >>> number(0.28341), number(-16.42), number(None)
    ('0.283', '−16.4', '–')
    """
    if value is None:
        return "–"
    text = f"{value:.{digits}g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        text = f"{mantissa}{SPACE}×{SPACE}10^{int(exponent)}"
    return text.replace("-", MINUS)


def score(value: float | None) -> str:
    """Write a coefficient of agreement to two decimals; a dash for None.

    >>> score(0.7), score(-0.014), score(None)
    ('0.70', '−0.01', '–')
    """
    return "–" if value is None else f"{value:.2f}".replace("-", MINUS)


def ami(value: float) -> str:
    """Write adjusted mutual information as in articles.

    >>> ami(0.8), ami(-0.014)
    ('.80', '−.01')
    """
    return f"{value:.2f}".replace("0.", ".", 1).replace("-", MINUS)


def p_value(p: float | None) -> str:
    """Write a p-value as in articles.

    >>> p_value(0.0002), p_value(0.034), p_value(None)
    ('<\\xa0.001', '.034', '–')
    """
    if p is None:
        return "–"
    if p < 0.001:
        return f"<{SPACE}.001"
    return f"{p:.3f}".removeprefix("0")


def in_words(reason: str) -> str:
    """Write a reason, of a closed list, for readers.

    >>> in_words("pixels_incomplete"), in_words("not_dicom")
    ('pixels incomplete', 'not DICOM')
    """
    return reason.replace("_", " ").replace("dicom", "DICOM").replace("DICOMdir", "DICOMDIR")


def labelling_name(labelling: Labelling, unit: str) -> str:
    """Return the name of a labelling, its own called clusters or labels.

    >>> labelling_name(LABELS, "cluster")
    'these clusters'
    """
    return f"these {unit}s" if labelling == LABELS else of_unit(labelling.name, unit)


def of_unit(text: str, unit: str) -> str:
    """Return a text with the body part in the place of the region in a flat run.

    >>> of_unit("modality and region", "cluster")
    'modality and body part'
    """
    return text.replace("region", "body part") if unit == "cluster" else text


def _hundredths(share: float) -> str:
    digits = 0 if abs(share) >= 0.0995 else 1
    text = f"{100 * share:.{digits}f}".replace("-", MINUS)
    return "0" if text in ("0.0", f"{MINUS}0.0") else text
