# Made by tools/stubs.py from statistics.py: run it after nbdev_export.
"""How sure a share of some clips is, a median, and a difference between two defenses"""
from typing import Any
from collections.abc import Callable as Callable, Iterable as Iterable, Sequence as Sequence
from dataclasses import dataclass as dataclass, field as field
from fractions import Fraction as Fraction
from .checks import Late as Late, VideoPureError as VideoPureError, checked as checked
__all__ = ['stats', 'Accuracy', 'clustered', 'Median', 'Paired', 'flip_test', 'holm']

@dataclass(frozen=True)
class Accuracy:
    """`right` answers of `n`, with the 95 % Wilson interval (Wilson 1927)."""
    right: float
    n: int
    mark: str = field(default='', compare=False)
    independent: float | None = None

    def __post_init__(self):
        ...

    @classmethod
    def of(cls, outcomes: Iterable[bool | Fraction]) -> 'Accuracy':
        """The accuracy of some outcomes, one a clip: whether it was right, or in which part of its draws."""
        ...

    @property
    def interval(self) -> tuple[float, float]:
        """Lower and upper end, in [0, 1]."""
        ...

    def __str__(self) -> str:
        ...

def guesses(outcomes: Sequence[bool], num_classes: int) -> bool:
    """Whether some answers are no better than guesses; two answers at least, else nothing can be said."""
    ...
stats: Late

def clustered(outcomes: Sequence[bool], groups: Sequence[Any]) -> Accuracy:
    """An accuracy whose interval knows that clips of a group are alike. Source: Korn and Graubard (1998), Dean and Pagano (2015)."""
    ...

@dataclass(frozen=True)
class Median:
    """The median of `n` numbers, with an interval that holds the true one in at least 95 % of cases (order statistics)."""
    value: float
    low: float
    high: float
    n: int

    @classmethod
    def of(cls, values: Iterable[float]) -> 'Median':
        """The median of some numbers; infinite ones count as larger than all others."""
        ...

    def __str__(self) -> str:
        ...

@dataclass(frozen=True)
class Paired:
    """Two sets of outcomes on the same clips, and how surprising their difference is (exact McNemar test)."""
    both: int
    first: int
    second: int
    neither: int
    by_group: tuple[int, ...] | None = None

    @property
    def p(self) -> float:
        """Probability of a difference at least as large between two equally good defenses."""
        ...

    @classmethod
    def of(cls, a: dict[str, bool], b: dict[str, bool], groups: Callable[..., Any] | None=None) -> Paired:
        """Pair outcomes by clip; only clips in both count."""
        ...

def flip_test(differences: Sequence[int]) -> float:
    """The p-value of the exact sign-flip test: could the differences as well have the other sign? Source: Fisher (1935)."""
    ...

def holm(ps: Sequence[float]) -> list[float]:
    """p-values corrected for their number. Source: Holm (1979)."""
    ...
