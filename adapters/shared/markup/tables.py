"""Tables as text in columns."""

from collections.abc import Sequence

from wcwidth import wcswidth

WIDEST = 90


def aligned(rows: Sequence[Sequence[str]], *, right: Sequence[bool] = ()) -> list[str]:
    """The lines of a table whose first row is its header; a column of Chinese is as wide as it looks.

    `right` tells which columns are set flush right. A table wider than a screen is left ragged.
    """
    columns = max((len(row) for row in rows), default=0)
    full = [[*row, *[""] * (columns - len(row))] for row in rows]
    widths = [max(_width(row[column]) for row in full) for column in range(columns)]
    if sum(widths) + 3 * (columns - 1) > WIDEST:
        return [" | ".join(row).rstrip() for row in full]
    flush = [*right, *[False] * (columns - len(right))]
    lines = [
        " | ".join(_pad(cell, width, right=to_right) for cell, width, to_right in zip(row, widths, flush, strict=True))
        for row in full
    ]
    lines.insert(1, "-+-".join("-" * width for width in widths))
    return [line.rstrip() for line in lines]


def _pad(cell: str, width: int, *, right: bool) -> str:
    padding = " " * (width - _width(cell))
    return padding + cell if right else cell + padding


def _width(text: str) -> int:
    width = wcswidth(text)
    return width if width >= 0 else len(text)
