# Made by tools/stubs.py from smallest.py: run it after nbdev_export.
"""How large a perturbation must be to break a clip: one number that is neither 0 nor 100 percent"""
from typing import Any
from dataclasses import field
from collections.abc import Callable as Callable
from dataclasses import dataclass as dataclass
import torch as torch
from torch import nn as nn
from .attacks import answered as answered, check_labels as check_labels, make_attack as make_attack, record_logits as record_logits, voted as voted
from .checks import VideoPureError as VideoPureError, checked as checked
from .purifier import device_of as device_of, seeded as seeded
from .statistics import Accuracy as Accuracy, Median as Median
from .threats import Linf as Linf, Threat as Threat, as_eps as as_eps, as_threat as as_threat, format_eps as format_eps
from .signal import per_sample as per_sample
from .video import check_number as check_number, signal_of as signal_of
__all__ = ['Smallest', 'smallest_eps']

@dataclass(repr=False)
class Smallest:
    """The smallest size found that breaks each clip, and the attacked clips that prove it."""
    eps: torch.Tensor
    clips: torch.Tensor
    high: float

    @property
    def median(self) -> Median:
        """The median size, with its interval."""
        ...

    def accuracy(self, eps: float) -> Accuracy:
        """What perturbations of at most `eps` leave right."""
        ...

    def __repr__(self) -> str:
        ...

def format_median(median: Median, high: float) -> str:
    """A median size and its interval; what is infinite is only known to be more than `high`."""
    ...

@dataclass
class Search:
    """The state of the search: for each clip the nearest broken one, and between which sizes a nearer one may be."""
    model: nn.Module
    clips: torch.Tensor
    labels: torch.Tensor
    threat: Threat
    tolerance: float
    steps: int
    draws: int
    found: Any = field(init=False)
    eps: Any = field(init=False)
    top: Any = field(init=False)
    low: Any = field(init=False)

    def __post_init__(self):
        ...

    def broken(self, clips: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Whether more than half of the answers to each clip are wrong, `(B,)`."""
        ...

    def keep(self, rows: torch.Tensor, attacked: torch.Tensor, threat: Threat) -> torch.Tensor:
        """Keep what is nearer than before; whether each is broken within the threat model, `(B,)`."""
        ...

    def at(self, k: int, rows: torch.Tensor, attack: Callable[..., Any]) -> None:
        """Try the size of `k` tolerances on the clips `rows`; `attack` makes an attack from a threat model."""
        ...

def smallest_eps(model: nn.Module, clips: torch.Tensor, labels: torch.Tensor, attack: object='pgd', *, threat: object='Linf', high: float | str=16 / 255, tolerance: float | str=0.25 / 255, draws: int=1, seed: int=0, **options: object) -> Smallest:
    """The smallest size at which an attack breaks each clip, by bisection; an upper bound, as each comes with a clip that proves it."""
    ...

def bisect(search: Search, attack: Callable[..., Any]) -> Smallest:
    """Halve what is between the two sizes of each clip until they are neighbours."""
    ...
