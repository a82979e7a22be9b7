# Made by tools/stubs.py from table.py: run it after nbdev_export.
"""A table of accuracies that shows itself in a notebook, on a page, in a pull request, in a terminal, in a spreadsheet and in a paper"""
from typing import Any
from collections.abc import Collection as Collection, Sequence as Sequence
from dataclasses import dataclass as dataclass
from .checks import checked as checked, printable as printable
from .statistics import Accuracy as Accuracy
from .video import VideoPureError as VideoPureError
__all__ = ['Table']

@dataclass(repr=False)
class Table:
    """Rows under a heading, shown as HTML, markdown or text. Cells: str, number, None or `Accuracy`."""
    title: str
    head: list[str]
    rows: list[list[Any]]
    best: bool | Collection[int] = False
    notes: Sequence[str] = ()

    def __post_init__(self):
        ...

    def _column(self, j):
        ...

    def _n(self, j):
        """The number of clips behind most cells of a column."""
        ...

    def _best(self, j):
        """The largest accuracy of a column of equals, if it is to be marked; none where all are the same."""
        ...

    def _parts(self, cell, j):
        ...

    def __repr__(self) -> str:
        ...

    def _repr_markdown_(self) -> str:
        ...

    def _left(self):
        """For each column, whether it holds text only."""
        ...

    def _repr_html_(self) -> str:
        ...

    def to_csv(self) -> str:
        """The rows as CSV, for a spreadsheet: percentages, both ends of the 95 % interval, and n in columns of their own; no notes."""
        ...

    def _tex_cell(self, cell, j):
        ...

    def to_latex(self, label: str='') -> str:
        """The table for a paper, with the booktabs package: title as caption, notes below, `label` for references to it."""
        ...

def _html_cell(tag, value, small, bold, left):
    ...
_SPREAD: tuple[str, ...]

def _spread(cell, wide):
    """One cell as text, or as four numbers in a column that has accuracies."""
    ...
_TEX: dict[str, str]

def _tex(text):
    """Text in which every sign means itself; behind a line break `[` and `*` would belong to it."""
    ...
