"""The table of the test of looks: what each labelling explains inside each stratum."""

from collections.abc import Mapping
from typing import Any

from tagsight.evaluation import labellings
from tagsight.evaluation.labellings import LABELS, MANUFACTURER, MODEL, Labelling, Stratum
from tagsight.evaluation.pair_statistic import UNDIVIDED
from tagsight.evaluation.pair_tests import corrected_verdict
from tagsight.report import wording
from tagsight.report.pair_sentences import Pair

Figures = Mapping[str, Any]


def pair_table(pair: Pair, scanners: Figures, unit: str) -> list[dict[str, Any]]:
    """Return for each stratum its name, its question and a row for each labelling.

    pair, scanners: of evaluation.json; unit: what a group is called. A labelling that the run
    cannot have has no row.
    """
    return [
        {
            "name": wording.of_unit(stratum.name, unit),
            "question": stratum.question,
            "rows": [
                _row(labelling, stratum, pair, scanners, unit)
                for labelling in labellings.LABELLINGS
                if stratum.key in pair.get(labelling.key, {})
            ],
        }
        for stratum in labellings.STRATA
    ]


def _row(
    labelling: Labelling, stratum: Stratum, pair: Pair, scanners: Figures, unit: str
) -> dict[str, Any]:
    figures = pair[labelling.key][stratum.key]
    return {
        "labelling": wording.labelling_name(labelling, unit),
        "own": labelling == LABELS,
        "share": share(figures),
        "note": note(labelling, stratum, pair, scanners, unit),
        **{
            name: figures[name]
            for name in ("n", "paired", "labels", "p", "p_holm", "smallest", "reason")
        },
        "less": figures["equivalence"]["less"],
        "less_p": figures["equivalence"]["p"],
        "undivided": figures["reason"] == UNDIVIDED,
    }


def share(figures: Figures) -> str:
    """Return `31 % (28 to 34 %)`; a dash where it is undefined."""
    if figures["explained"] is None:
        return "–"
    text, bounds = wording.percent(figures["explained"]), figures["ci95"]
    return text if bounds is None or not any(bounds) else f"{text} ({wording.interval(bounds)})"


def note(labelling: Labelling, stratum: Stratum, pair: Pair, scanners: Figures, unit: str) -> str:
    """Return what a row says of scanners; empty where it says nothing."""
    own, figures = pair[LABELS.key][stratum.key], pair[labelling.key][stratum.key]
    machines = labelling in (MANUFACTURER, MODEL) and corrected_verdict(figures) == "explain"
    if machines and own["explained"] is not None and figures["explained"] >= own["explained"]:
        return f"as much as these {unit}s, or more"
    if labelling == LABELS and stratum.key == f"modality_{scanners['by']}":
        said = {
            "scanners": f"so these {unit}s are scanners more than anatomy",
            "coincide": "scanners or anatomy: cannot be told",
        }
        return said.get(scanners["verdict"], "")
    return ""
