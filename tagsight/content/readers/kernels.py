"""The reconstruction kernel of a CT image, by the makers' names for it.

Kernels differ in sharpness. Soft ones are for soft tissue, whatever the organ; some sharp ones are
named after lung or bone, others only by their sharpness: those are called after what they are used
for in the region, so that one technique has one word whichever maker.
"""

import re
from collections.abc import Callable

import polars as pl

from tagsight.content.header import ImageHeader

KEYWORDS = ("ConvolutionKernel", "Manufacturer")
WORDS = ("soft", "medium", "sharp", "lung", "bone")
LUNGS = frozenset(["CHEST", "TRUNK"])  # regions where a sharp kernel is for lungs
ANY_MAKER = "*"


def kernel_reader(table: pl.DataFrame) -> Callable[[ImageHeader], str | None]:
    """Return the facet's reader.

    table: columns maker (as `terms.manufacturers` names it, or * for names that only one maker
    gives), pattern (a regular expression for the name in upper case), word; the first row that fits
    counts, and rows of a user's table are put before.
    """
    rules = [
        (maker, re.compile(pattern), word)
        for maker, pattern, word in table.select("maker", "pattern", "word").iter_rows()
    ]

    def kernel(header: ImageHeader) -> str | None:
        name = next(iter(header.words("ConvolutionKernel")), "")
        makers = {*header.words("Manufacturer"), ANY_MAKER}
        fitting = (word for maker, rule, word in rules if maker in makers and rule.search(name))
        return _in_region(next(fitting, None), header.region)

    return kernel


def _in_region(word: str | None, region: str | None) -> str | None:
    """`sharp` is lung in the chest, bone elsewhere; `sharp` where no region is known."""
    if word != "sharp" or region is None:
        return word
    return "lung" if region in LUNGS else "bone"
