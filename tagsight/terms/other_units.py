"""Numbers that can only be in another unit than the standard's: `data/other_units.csv`."""

from functools import cache
from typing import NamedTuple

from tagsight.run.package_data import rows_of


class OtherUnit(NamedTuple):
    """Numbers from `low` to below `high`, and the factor that puts them in the standard's unit."""

    low: float
    high: float
    factor: float


@cache
def other_units() -> dict[str, list[OtherUnit]]:
    """Return keyword → the other units that its numbers can be in."""
    units: dict[str, list[OtherUnit]] = {}
    for row in rows_of("other_units.csv"):
        unit = OtherUnit(float(row["from"]), float(row["to"]), float(row["factor"]))
        units.setdefault(row["keyword"], []).append(unit)
    return units


def is_in_another_unit(keyword: str, number: float) -> bool:
    """Return whether a number of a tag can only be in another unit than the standard's."""
    return any(unit.low <= number < unit.high for unit in other_units().get(keyword, ()))
