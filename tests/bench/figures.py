"""What was measured, as the table of docs/performance.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One comparison: what was measured, both figures with their unit, and the bound of what `value` is.

    bound: "<= 1.25" or ">= 0.9", of the ratio, or of `mine` where there is nothing to compare with; "" without one.
    """

    what: str
    mine: float
    other: float | None
    unit: str
    bound: str

    @property
    def value(self) -> float:
        """Return what the bound is of."""
        return self.mine if self.other is None else self.mine / self.other

    @property
    def holds(self) -> bool:
        """Return whether the value is within its bound."""
        if not self.bound:
            return True
        relation, limit = self.bound.split()
        return self.value <= float(limit) if relation == "<=" else self.value >= float(limit)

    def cells(self) -> tuple[str, ...]:
        """Return the row's text, cell by cell."""
        return (
            self.what,
            _figure(self.mine, self.unit),
            "" if self.other is None else _figure(self.other, self.unit),
            "" if self.other is None else f"{self.value:.2f}",
            self.bound,
            ("yes" if self.holds else "NO") if self.bound else "",
        )


def _figure(value: float, unit: str) -> str:
    digits = 0 if unit != "s" else 1 if abs(value) >= 1 else 4
    return f"{value:.{digits}f} {unit}".rstrip()


def markdown(rows: Sequence[Row]) -> str:
    """Return the rows as a table in Markdown, aligned so that it reads well as it is too."""
    titles = ("what", "collection", "compared with", "ratio", "bound", "holds")
    lines = [titles, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(titles))]
    padded = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |" for line in lines]
    ruler = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([padded[0], ruler, *padded[1:]]) + "\n"
