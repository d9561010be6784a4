"""The facets of an image: closed words for how it was imaged, each made of a few tags.

A facet has no word (null) where the tags don't tell. Each reader reads the header of one image
(`header.ImageHeader`) and names its paragraph of the standard or the maker's document. Words of
descriptions are a facet's second source; some facets have no other.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import partial, update_wrapper

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
from tagsight.terms.facet_words import FacetWords

CT, MR, US = (frozenset([kind]) for kind in ("CT", "MR", "US"))
PROJECTIONS = frozenset(["CR", "DX", "MG", "RG", "IO", "PX", "RF"])
SECTIONS = frozenset(["CT", "MR", "PT", "NM"])
EMISSION = frozenset(["PT", "NM"])
C_ARM = frozenset(["XA", "RF"])
ACQUIRED = EMISSION | C_ARM | {"MR", "MG"}
ALL = frozenset[str]()
Reader = Callable[[ImageHeader], str | None]
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
    read: Reader | None
    words: tuple[str, ...]
    more_exact: Mapping[str, frozenset[str]] = field(default_factory=dict)


def facets(
    words: FacetWords,
    kernel_table: pl.DataFrame,
    described: Mapping[str, Collection[tuple[str, str]]],
) -> tuple[Facet, ...]:
    """Return all facets, in the order in which a name has their words.

    words: of spellings; kernel_table: columns maker, pattern, word; described: kind -> pairs of
    facet and word that its descriptions can have; those of a facet that no tag tells make one more.
    """

    def by_table(read: Callable[[FacetWords, ImageHeader], str | None]) -> Reader:
        return update_wrapper(partial(read, words), read)

    rows = [
        (
            SECTIONS,
            by_table(image_types.localizer),
            image_types.SCOUT_KEYWORDS,
            image_types.LOCALIZERS,
        ),
        (MR, by_table(weighting.weighting), weighting.KEYWORDS, weighting.WORDS),
        (
            MR,
            by_table(weighting.suppression),
            weighting.SUPPRESSION_KEYWORDS,
            weighting.SUPPRESSIONS,
        ),
        (CT, kernels.kernel_reader(kernel_table), kernels.KEYWORDS, kernels.WORDS),
        (CT, exposures.thickness, ("SliceThickness",), exposures.THICKNESSES),
        (PROJECTIONS, by_table(views.view), views.KEYWORDS, ()),
        (C_ARM, exposures.angle, exposures.ANGLE_KEYWORDS, exposures.ANGLES),
        (
            ACQUIRED,
            by_table(acquisitions.acquisition),
            acquisitions.ACQUISITION_KEYWORDS,
            acquisitions.ACQUISITIONS,
        ),
        (PROJECTIONS, by_table(exposures.intent), ("PresentationIntentType",), ()),
        (US, ultrasound.mode, ultrasound.MODE_KEYWORDS, ultrasound.MODES),
        (US, by_table(ultrasound.transducer), ("TransducerType",), ()),
        (US, by_table(ultrasound.exam), ("ImageType",), ()),
        (EMISSION, by_table(nuclear.tracer), nuclear.TRACER_KEYWORDS, ()),
        (
            EMISSION | CT,
            by_table(nuclear.correction),
            nuclear.CORRECTION_KEYWORDS,
            nuclear.CORRECTIONS,
        ),
        (SECTIONS, planes.plane, ("ImageOrientationPatient",), planes.WORDS),
        (
            SECTIONS | C_ARM,
            by_table(image_types.reformat),
            image_types.KEYWORDS,
            image_types.REFORMATS,
        ),
        (
            CT | MR,
            by_table(acquisitions.contrast),
            acquisitions.CONTRAST_KEYWORDS,
            acquisitions.AGENTS,
        ),
        (SECTIONS, by_table(acquisitions.position), ("PatientPosition",), acquisitions.POSITIONS),
        (ALL, by_table(views.side), views.SIDE_KEYWORDS, ()),
    ]
    own = [
        Facet(read.__name__, kinds, keywords, read, (*known, *words.words(read.__name__)))
        for kinds, read, keywords, known in rows
    ]
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
