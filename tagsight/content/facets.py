"""The facets of an image: closed words for how it was imaged, each made of a few tags.

A facet has no word (null) where the tags don't tell. Each reader reads the header of one image
(`header.ImageHeader`) and names its paragraph of the standard or the maker's document. Words of
descriptions are a facet's second source; some facets have no other.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from tagsight.content.header import ImageHeader
from tagsight.content.readers import (
    acquisitions,
    exposures,
    image_types,
    kernels,
    nuclear,
    planes,
    ultrasound,
    views,
    weighting,
)

CT, MR, US = (frozenset([kind]) for kind in ("CT", "MR", "US"))
PROJECTIONS = frozenset(["CR", "DX", "MG", "RG", "IO", "PX", "RF"])
SECTIONS = frozenset(["CT", "MR", "PT", "NM"])
EMISSION = frozenset(["PT", "NM"])
C_ARM = frozenset(["XA", "RF"])
ALL = frozenset[str]()
# Facet -> a word that tags give -> words of descriptions that say the same, and more.
MORE_EXACT: dict[str, dict[str, frozenset[str]]] = {
    "plane": {"OBL": frozenset(["SHORT", "LONG"])},
    "weighting": {
        "EPI": frozenset(["DWI", "ADC", "FA", "BOLD", "PERF", "T2*"]),
        "DWI": frozenset(["ADC", "FA"]),
        "T2*": frozenset(["SWI", "BOLD", "PERF"]),
        "T1": frozenset(["MRA", "LGE", "PERF", "FLOW", "MAP"]),
        "T2": frozenset(["MAP", "DWI"]),  # of diffusion, the image without gradients
        "SSFP": frozenset(["MAP", "LGE"]),
    },
    "acquisition": {
        "2D": frozenset(["CINE"]),
        "RECON": frozenset(["TOMO"]),
        "RUN": frozenset(["CINE"]),
    },
    "mode": {"COLOR": frozenset(["DOPPLER"]), "B": frozenset(["ELASTO", "CEUS"])},
    "kernel": {"sharp": frozenset(["lung", "bone"])},
    "localizer": {"LOC": frozenset(["BOLUS"])},
    "reformat": {"MPR": frozenset(["CPR"])},
    "suppression": {"FS": frozenset(["WE", "DIXON"])},
}


@dataclass(frozen=True)
class Facet:
    """A facet of images.

    kinds: whose tags are read, empty for all; keywords: tags that it reads; read: its reader, None
    where descriptions alone tell; words: all that there are; more_exact: a word that tags give ->
    words of descriptions that say the same and more, and take its place.
    """

    name: str
    kinds: frozenset[str]
    keywords: tuple[str, ...]
    read: Callable[[ImageHeader], str | None] | None
    words: tuple[str, ...]
    more_exact: Mapping[str, frozenset[str]] = field(default_factory=dict)


def facets(
    kernel_table: pl.DataFrame, described: Mapping[str, Collection[tuple[str, str]]]
) -> tuple[Facet, ...]:
    """Return all facets, in the order in which a name has their words.

    kernel_table: columns maker, pattern, word; described: kind -> pairs of facet and word that its
    descriptions can have; those of a facet that no tag tells make one more.
    """
    kernel = kernels.kernel_reader(kernel_table)
    rows = [
        (SECTIONS, image_types.localizer, image_types.SCOUT_KEYWORDS, image_types.LOCALIZERS),
        (MR, weighting.weighting, weighting.KEYWORDS, weighting.WORDS),
        (MR, weighting.suppression, weighting.SUPPRESSION_KEYWORDS, weighting.SUPPRESSIONS),
        (CT, kernel, kernels.KEYWORDS, kernels.WORDS),
        (CT, exposures.thickness, ("SliceThickness",), exposures.THICKNESSES),
        (PROJECTIONS | C_ARM, views.view, views.KEYWORDS, views.WORDS),
        (C_ARM, exposures.angle, exposures.ANGLE_KEYWORDS, exposures.ANGLES),
        (
            EMISSION | MR | C_ARM | {"MG"},
            acquisitions.acquisition,
            acquisitions.ACQUISITION_KEYWORDS,
            acquisitions.ACQUISITIONS,
        ),
        (PROJECTIONS, exposures.intent, ("PresentationIntentType",), ("raw",)),
        (US, ultrasound.mode, ultrasound.MODE_KEYWORDS, ultrasound.MODES),
        (US, ultrasound.transducer, ("TransducerType",), ultrasound.TRANSDUCERS),
        (US, ultrasound.exam, ("ImageType",), ultrasound.EXAMS),
        (EMISSION, nuclear.tracer, ("Radiopharmaceutical",), nuclear.TRACERS),
        (EMISSION | CT, nuclear.correction, nuclear.CORRECTION_KEYWORDS, nuclear.CORRECTIONS),
        (SECTIONS, planes.plane, ("ImageOrientationPatient",), planes.WORDS),
        (SECTIONS | C_ARM, image_types.reformat, image_types.KEYWORDS, image_types.REFORMATS),
        (CT | MR, acquisitions.contrast, acquisitions.CONTRAST_KEYWORDS, acquisitions.AGENTS),
        (SECTIONS, acquisitions.position, ("PatientPosition",), acquisitions.POSITIONS),
        (ALL, views.side, views.SIDE_KEYWORDS, ("L", "R", "B")),
    ]
    own = [Facet(read.__name__, kinds, keys, read, words) for kinds, read, keys, words in rows]
    return _with_described(own, described)


def _with_described(
    own: list[Facet], described: Mapping[str, Collection[tuple[str, str]]]
) -> tuple[Facet, ...]:
    """The facets with all words of descriptions, and those that only descriptions have."""
    known = {facet.name: facet for facet in own}
    pairs = sorted(frozenset().union(*described.values()))
    names = dict.fromkeys([*known, *(name for name, _ in pairs)])
    result = []
    for name in names:
        kinds = frozenset(kind for kind in described if name in dict(described[kind]))
        facet = known.get(name, Facet(name, kinds, (), None, ()))
        words = tuple(dict.fromkeys([*facet.words, *(word for of, word in pairs if of == name)]))
        result.append(replace(facet, words=words, more_exact=MORE_EXACT.get(name, {})))
    return tuple(result)
