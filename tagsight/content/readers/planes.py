"""The plane of a section: which way it lies in the patient."""

import math

from tagsight.content.header import ImageHeader

STRAIGHT = 0.8  # of the normal's length: 37° off an axis, as far as a plane is still named after it
PLANES = ("SAG", "COR", "AX")  # by the axis that the normal follows: x to the left, y back, z up
WORDS = (*PLANES, "OBL", "SHORT", "LONG")  # the latter, axes of the heart, from descriptions


def plane(header: ImageHeader) -> str | None:
    """Return SAG, COR, AX, or OBL for a normal between the axes; None without orientation.

    Source: PS3.3 C.7.6.2.1.1 (the cosines of row and column in the patient).
    """
    cosines = [header.number("ImageOrientationPatient", i) for i in range(6)]
    if None in cosines:
        return None
    a, b, c, d, e, f = (float(x) for x in cosines if x is not None)
    normal = (abs(b * f - c * e), abs(c * d - a * f), abs(a * e - b * d))
    length = math.hypot(*normal)
    if not 0.9 < length < 1.1:  # row and column are not at a right angle, or no unit vectors
        return None
    largest = max(normal)
    return PLANES[normal.index(largest)] if largest > STRAIGHT * length else "OBL"
