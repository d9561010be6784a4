"""The facets of an image: closed words for how it was imaged, each made of a few tags.

A facet has no word (null) where the tags don't tell. Each reader reads the header of one image
(`header.ImageHeader`) and names its paragraph of the standard or the maker's document.
"""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from tagsight.content import (
    exposures,
    image_types,
    kernels,
    nuclear,
    planes,
    ultrasound,
    views,
    weighting,
)
from tagsight.content.header import ImageHeader

CT, MR, US, MG = (frozenset([kind]) for kind in ("CT", "MR", "US", "MG"))
PROJECTIONS = frozenset(["CR", "DX", "MG", "RG", "IO", "PX", "RF"])
SECTIONS = frozenset(["CT", "MR", "PT", "NM"])
EMISSION = frozenset(["PT", "NM"])
C_ARM = frozenset(["XA", "RF"])


@dataclass(frozen=True)
class Facet:
    """A facet: kinds that have it (empty: all), tags that it reads, its reader, its words."""

    name: str
    kinds: frozenset[str]
    keywords: tuple[str, ...]
    read: Callable[[ImageHeader], str | None]
    words: tuple[str, ...]


def facets(kernel_table: pl.DataFrame) -> tuple[Facet, ...]:
    """Return all facets, in the order in which a name has their words.

    kernel_table: columns maker, pattern, word.
    """
    kernel = kernels.kernel_reader(kernel_table)
    rows = [
        (SECTIONS, image_types.localizer, image_types.SCOUT_KEYWORDS, (image_types.LOCALIZER,)),
        (MR, weighting.weighting, weighting.KEYWORDS, weighting.WORDS),
        (MR, weighting.suppression, weighting.SUPPRESSION_KEYWORDS, weighting.SUPPRESSIONS),
        (CT, kernel, kernels.KEYWORDS, kernels.WORDS),
        (CT, exposures.thickness, ("SliceThickness",), exposures.THICKNESSES),
        (PROJECTIONS, views.view, views.KEYWORDS, views.WORDS),
        (C_ARM, exposures.angle, exposures.ANGLE_KEYWORDS, exposures.ANGLES),
        (C_ARM, exposures.run, ("RadiationSetting",), exposures.RUNS),
        (MG, exposures.mammogram, ("SOPClassUID", "ImageType"), exposures.MAMMOGRAMS),
        (PROJECTIONS, exposures.intent, ("PresentationIntentType",), ("raw",)),
        (US, ultrasound.mode, ultrasound.MODE_KEYWORDS, ultrasound.MODES),
        (US, ultrasound.transducer, ("TransducerType",), ultrasound.TRANSDUCERS),
        (US, ultrasound.exam, ("ImageType",), ultrasound.EXAMS),
        (EMISSION, nuclear.acquisition, ("ImageType", "SeriesType"), nuclear.ACQUISITIONS),
        (EMISSION, nuclear.tracer, ("Radiopharmaceutical",), nuclear.TRACERS),
        (EMISSION, nuclear.correction, nuclear.CORRECTION_KEYWORDS, nuclear.CORRECTIONS),
        (SECTIONS, planes.plane, ("ImageOrientationPatient",), (*planes.PLANES, "OBL")),
        (SECTIONS | C_ARM, image_types.reformat, image_types.KEYWORDS, image_types.REFORMATS),
        (CT | MR, exposures.contrast, exposures.CONTRAST_KEYWORDS, ("C+", "C-")),
        (frozenset[str](), views.side, views.SIDE_KEYWORDS, ("L", "R", "B")),
    ]
    return tuple(
        Facet(read.__name__, kinds, keywords, read, words) for kinds, read, keywords, words in rows
    )
