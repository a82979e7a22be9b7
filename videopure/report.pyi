# Made by tools/stubs.py from report.py: run it after nbdev_export.
"""What a check of a defense has found, in words, numbers and pictures"""
from dataclasses import dataclass as dataclass
from typing import Any as Any
from .checks import checked as checked
from .results import plot_accuracy as plot_accuracy
from .statistics import Accuracy as Accuracy
from .table import Table as Table
from .threats import format_eps as format_eps
__all__ = ['Check', 'Report']

@dataclass
class Check:
    """What one check found: `verdict` is "passed", "failed", "warning" or "not applicable"."""
    name: str
    verdict: str
    numbers: str
    meaning: str

def judge(extra: int, n: int) -> str:
    """Nothing passes, one clip or 2 % is a warning, more has failed."""
    ...

def verdict_of(name: str, verdict: str | bool, numbers: str, bad: str, good: str) -> Check:
    """A check with one of two meanings; a verdict may be True for what has failed."""
    ...

@dataclass(repr=False)
class Report:
    """What `check_defense` found. It shows itself as tables; `passed`, `flags` and `to_dict` are for programs."""
    title: str
    checks: list[Check]
    curves: dict[str, dict[float, Accuracy]]
    budget: dict[Any, Any]
    unit: int = 255

    @property
    def passed(self) -> bool:
        """Whether no check has failed; warnings do not count."""
        ...

    @property
    def flags(self) -> list[str]:
        """What there is to say against the numbers, in sentences: failures first, then warnings."""
        ...

    def __getitem__(self, name: str) -> Check:
        """A check by its name."""
        ...

    def tables(self) -> list[Table]:
        """The verdicts, and the accuracies behind them."""
        ...

    def _repr_html_(self) -> str:
        ...

    def _repr_markdown_(self) -> str:
        ...

    def __repr__(self) -> str:
        ...

    def to_dict(self) -> dict[Any, Any]:
        """The report in plain values, for JSON."""
        ...

    def plot(self) -> Any:
        """Accuracy against eps, a line for each attack."""
        ...
