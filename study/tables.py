"""Tables in markdown."""

from typing import Any

import polars as pl


def markdown(table: pl.DataFrame) -> str:
    """Return a table in markdown: numbers aligned right, nulls empty.

    All fractions of a column have as many digits as its longest one.
    """
    numeric = [dtype.is_numeric() for dtype in table.dtypes]
    columns = [_texts(column.to_list()) for column in table]
    lines = [table.columns, ["--:" if number else "---" for number in numeric]]
    lines += [list(row) for row in zip(*columns, strict=True)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _texts(values: list[Any]) -> list[str]:
    fractions = [value for value in values if isinstance(value, float)]
    digits = max((len(str(value).partition(".")[2]) for value in fractions), default=0)
    return [
        "" if value is None else f"{value:.{digits}f}" if isinstance(value, float) else str(value)
        for value in values
    ]
