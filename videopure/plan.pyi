# Made by tools/stubs.py from plan.py: run it after nbdev_export.
"""The hours that a table still needs, cell by cell, before any of them is spent"""
from typing import Any
from collections.abc import Callable as Callable, Iterator as Iterator, Sequence as Sequence
from contextlib import contextmanager as contextmanager
from dataclasses import dataclass as dataclass, field as field
from pathlib import Path as Path
import torch as torch
from torch import nn as nn
from torch.utils.data import TensorDataset as TensorDataset
from .attacks import answered as answered, clip_gradient as clip_gradient, cross_entropy as cross_entropy, record_logits as record_logits, voted as voted
from .checks import as_path as as_path, checked as checked
from .config import parts_of as parts_of
from .data import Clips as Clips
from .evaluate import Run as Run, benchmark as benchmark
from .journal import Journal as Journal, environment as environment
from .protocols import attack_specs as attack_specs, chosen_names as chosen_names
from .purifier import seeded as seeded
from .table import Table as Table
from .suite import MEMBERS as MEMBERS, VideoAuto as VideoAuto, exact_longer as exact_longer
from .video import check_number as check_number
__all__ = ['plan_config']

class TimeUp(Exception):
    """A measurement has taken long enough."""

@contextmanager
def time_limit(seconds: float, classifier: nn.Module) -> Iterator[None]:
    """Inside, a call of the classifier after so many seconds raises `TimeUp`."""
    ...

def seconds_of(model: nn.Module, clips: torch.Tensor, labels: torch.Tensor, grad: bool=True) -> float:
    """Seconds for one answer of a model to some clips, and for its gradient where there is one."""
    ...

def longest(attack: object, model: nn.Module, clips: torch.Tensor, labels: torch.Tensor, ask: Callable[..., Any] | None=None) -> float | None:
    """Seconds of an attack on clips that it does not break, from `ask`, or an answer or gradient of the model; None if that is not known."""
    ...

def _members(attack: object, clips: torch.Tensor) -> list[Any] | None:
    """The attacks that an attack consists of, one after the other; None if it is a single one."""
    ...

@dataclass
class Price:
    """What is left of one cell of a table, and what a clip of it costs."""
    attack: str
    defense: str
    left: list[int]
    recorded: list[float] = field(default_factory=list)
    tried: list[float] = field(default_factory=list)
    most: float | None = None
    cut: bool = False

    @property
    def seconds(self) -> float:
        """Seconds of a clip, as far as known."""
        ...

    @property
    def source(self) -> str:
        """Where the seconds come from, in words."""
        ...

def open_cells(run: Run, results: Sequence[dict[Any, Any]], attacks: Sequence[str], defenses: Sequence[str]) -> list[Price]:
    """The cells of a run, each with the clips that it lacks and the seconds of those that it has."""
    ...

def try_clip(run: Run, price: Price, place: int, limit: float) -> None:
    """Measure one clip of a cell, for so many seconds at most."""
    ...

def bound(run: Run, price: Price, clip: torch.Tensor, label: int, ask: Callable[..., Any] | None=None) -> None:
    """Find what a clip of a cell costs at most."""
    ...

def measure(run: Run, prices: Sequence[Price], limit: float, quiet: bool) -> None:
    """Try a clip or two of each cell that has no results yet, and find the bounds."""
    ...

def as_table(run: Run, prices: Sequence[Price], took: float) -> Table:
    """The hours of all cells that are not finished, and their sum."""
    ...

def run_of(config: dict[Any, Any], device: str) -> tuple[Run, dict[Any, Any]]:
    """The `Run` that a configuration describes, and its settings in plain values."""
    ...

def unbroken_seconds(run: Run, cells: Sequence[tuple[str, str]], limit: float=10.0) -> dict[tuple[str, str], float]:
    """About what a clip of each cell costs if nothing breaks, from an answer and a gradient of each model. For `benchmark`'s `expect`."""
    ...

def plan_config(config: dict[Any, Any], out: str | Path | None=None, device: str='auto', *, only_attacks: Sequence[str]=(), only_defenses: Sequence[str]=(), limit: float=20.0, progress: bool=True) -> Table:
    """The core-hours (on a GPU: its hours) that the benchmark of a configuration still needs, cell by cell; runs nothing and writes nothing."""
    ...
