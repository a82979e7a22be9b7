# Made by tools/stubs.py from blackbox.py: run it after nbdev_export.
"""Breaking a defense without its gradient: random search, transfer from another model, and plain noise to compare with"""
from typing import Any
from collections.abc import Callable
from collections.abc import Iterator as Iterator, Sequence as Sequence
from dataclasses import dataclass as dataclass
import torch as torch
from torch import nn as nn
from .attacks import ATTACKS as ATTACKS, Best as Best, VideoAttack as VideoAttack, answered as answered, check_labels as check_labels, clip_gradient as clip_gradient, make_attack as make_attack, margin as margin
from .attacks import mean_size as mean_size
from .checks import checked as checked
from .classifiers import load_classifier as load_classifier
from .defense import answer as answer
from .threats import Linf as Linf, as_eps as as_eps, as_threat as as_threat
from .signal import per_sample as per_sample
from .video import VideoPureError as VideoPureError, check_number as check_number, signal_of as signal_of
__all__ = ['RandomNoise', 'Square', 'TemporalTranslation', 'Transfer', 'NES', 'RayS']

class BlackBox(VideoAttack):
    """What attacks on scores share. After a call: `success` (B,), whether the answer is wrong (or the target); `queries` (B,), clips shown."""
    modes: list[str]
    threat: Any
    budget: int
    progress: bool
    eps: Any
    queries: Any
    metrics: dict[str, Any]
    success: Any

    def __init__(self, model: nn.Module, eps: object, budget: int, seed: int | None, progress: bool):
        ...

    def score(self, clips: torch.Tensor, goal: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """How wrong the answers to `clips` are and whether the attack has its goal, both `(B,)`; no answer is a wrong one."""
        ...

    def propose(self, step: int, adv: torch.Tensor, clips: torch.Tensor) -> torch.Tensor:
        """The next clips to try, given the best so far; defined by subclasses."""
        ...

    def forward(self, clips: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The attacked clips; called by `__call__`."""
        ...

class RandomNoise(BlackBox):
    """The worst of some random clips of a threat model: the baseline of all attacks."""
    corners: bool

    def __init__(self, model: nn.Module, eps: object=8 / 255, draws: int=1, *, corners: bool=False, seed: int | None=None, progress: bool=True):
        ...

    def propose(self, step: int, adv: torch.Tensor, clips: torch.Tensor) -> torch.Tensor:
        """Noise that knows nothing of the tries before."""
        ...

def _signs(shape: Sequence[int], generator: torch.Generator | None=None) -> torch.Tensor:
    """Random signs, -1 or 1; drawn on the CPU, so that a seed means the same on every device."""
    ...
_SHRINK: tuple[int, ...]

def _box_fraction(query: int, queries: int, p_init: float=0.8) -> float:
    """The part of the clip that is changed at a query: `p_init`, halved on the paper's schedule, rescaled to the number of queries."""
    ...

def _random_boxes(clips: torch.Tensor, fraction: float, generator: torch.Generator | None=None) -> torch.Tensor:
    """A box at random in each clip, `(B, 1, T, H, W)` of bool: its sides are the clip's, scaled alike, its volume `fraction` of the clip's."""
    ...
_STRIPES: dict[str, Any]

class Square(BlackBox):
    """Random search in boxes, by scores alone. Source: Square Attack (Andriushchenko et al., arXiv 1912.00049), here in space and time.

    After a call: `success` (B,), whether the answer is wrong (or the target); `queries` (B,), how many clips the model was shown."""
    p_init: float
    stripes: str

    def __init__(self, model: nn.Module, eps: object=8 / 255, queries: int=1000, *, p_init: float=0.8, stripes: str='rows', seed: int | None=None, progress: bool=True):
        ...

    def propose(self, step: int, adv: torch.Tensor, clips: torch.Tensor) -> torch.Tensor:
        """At first stripes over the whole clip, then one new box in each."""
        ...
_WEIGHTS: dict[str, Callable[..., Any]]

def _shift_weights(kernel: int, weights: str='gaussian') -> dict[int, float]:
    """The weight of each shift in time, from -(kernel // 2) to kernel // 2; they sum to 1."""
    ...

class TemporalTranslation(VideoAttack):
    """A gradient attack on a source model, averaged over shifts in time, to be tried on another model; costs `kernel` gradients a step.

    After a call: `success` (B,), whether the *source* is fooled. Source: Wei et al., AAAI 2022 (arXiv 2110.09075)."""
    modes: list[str]
    of_clips: bool
    threat: Any
    steps: int
    momentum: float
    progress: bool
    eps: Any
    alpha: Any
    shifts: dict[int, float]
    success: Any

    def __init__(self, model: nn.Module, eps: object=16 / 255, steps: int=10, alpha: float | str | None=None, *, kernel: int=15, weights: str='gaussian', momentum: float=0.0, seed: int | None=None, progress: bool=True):
        ...

    def forward(self, clips: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The attacked clips; called by `__call__`."""
        ...

    def translated_gradient(self, adv: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        """The gradient of the cross-entropy, averaged over shifts in time; turned round in a targeted mode."""
        ...

class Transfer(VideoAttack):
    """An attack on another model, for this one to answer. After a call: `success` (B,), whether this one is fooled."""
    source: Any
    inner: Any
    eps: Any
    success: Any

    def __init__(self, model: nn.Module, source: nn.Module | str | dict[Any, Any]='tiny', method: object='pgd', *, seed: int | None=None, **options: object):
        ...

    def forward(self, clips: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The attacked clips; called by `__call__`."""
        ...
_BASES: dict[str, Callable[..., Any]]

class _Basis:
    """Few coefficients `(B, 3, t, h, w)` for clips `(B, 3, T, H, W)`: which of the values of a clip move together; of other signals, none."""
    frames: Any
    shape: tuple[Any, ...]
    rows: Any
    columns: Any

    def __init__(self, name: str, clips: torch.Tensor):
        ...

    def spread(self, few: torch.Tensor) -> torch.Tensor:
        """Coefficients to clips."""
        ...

def _known_basis(name: object) -> str:
    """The name of a basis, if there is one of that name."""
    ...

class NES(BlackBox):
    """PGD along a gradient that is estimated from scores, by pairs of random moves in a basis. Source: Ilyas et al. (arXiv 1804.08598).

    After a call: `success` (B,), whether the answer is wrong (or the target); `queries` (B,), how many clips the model was shown."""
    basis: str
    draws: int
    sigma: Any
    alpha: Any
    momentum: Any

    def __init__(self, model: nn.Module, eps: object=8 / 255, queries: int=1000, *, basis: str='tiles', draws: int=10, sigma: float=0.5, alpha: float=0.25, momentum: float=0.9, seed: int | None=None, progress: bool=True):
        ...

    def slope(self, adv: torch.Tensor, clips: torch.Tensor, goal: torch.Tensor, rows: torch.Tensor, best: Best) -> torch.Tensor:
        """The estimated gradient at the clips `rows`, in the basis."""
        ...

    def forward(self, clips: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The attacked clips; called by `__call__`."""
        ...

class RayS(BlackBox):
    """The nearest wrong answer along signs, by decisions alone. Source: RayS (Chen and Gu, arXiv 2006.12792), here in a basis.

    After a call: `success` (B,), whether it is within `eps`; `queries` (B,); and in `metrics` its `radius` (B,), 1 if none was found."""
    modes: list[str]
    basis: str

    def __init__(self, model: nn.Module, eps: object=8 / 255, queries: int=1000, *, basis: str='tiles', seed: int | None=None, progress: bool=True):
        ...

    def wrong(self, rays: _Rays, rows: torch.Tensor, signs: torch.Tensor, radius: torch.Tensor) -> torch.Tensor:
        """Whether the answers so far out are wrong; one query each."""
        ...

    def turn(self, rays: _Rays, rows: torch.Tensor, signs: torch.Tensor) -> None:
        """Take the new signs where they are wrong at the old radius, with their own radius, found by halving."""
        ...

    def forward(self, clips: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The attacked clips; called by `__call__`."""
        ...
_HALVINGS: int

@dataclass
class _Rays:
    """What is known while rays are searched: the clips, the labels, the signs `(B, d)` and how far a wrong answer is along them."""
    clips: torch.Tensor
    goal: torch.Tensor
    signs: torch.Tensor
    radius: torch.Tensor
    basis: _Basis

    def at(self, rows: torch.Tensor, signs: torch.Tensor, radius: torch.Tensor) -> torch.Tensor:
        """The clips so far out along the rays."""
        ...

def _blocks(n: int) -> Iterator[slice]:
    """All of n coefficients, their halves, quarters and so on to single ones, and again, without end."""
    ...
