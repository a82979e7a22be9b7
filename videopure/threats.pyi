# Made by tools/stubs.py from threats.py: run it after nbdev_export.
"""What an attack may change in a clip, and by how much, as objects"""
from typing import Any
from dataclasses import field
import math as math
from collections.abc import Sequence as Sequence
from dataclasses import dataclass as dataclass
import torch as torch
from .checks import checked as checked
from .registry import Registry as Registry, describe as describe, is_code as is_code, make as make
from .signal import Signal as Signal, per_sample as per_sample
from .video import VIDEO as VIDEO, ClipError as ClipError, VideoPureError as VideoPureError, check_number as check_number
__all__ = ['THREATS', 'Threat', 'Linf', 'L2', 'FrameL2', 'Subspace', 'LowFrequency', 'Flicker', 'make_threat', 'as_threat', 'Masked', 'Frames', 'Patch', 'Features']

def as_eps(eps: float | str, most: float=math.inf, name: str='eps') -> float:
    """A size as a number. Raises `VideoPureError` unless it is a number from 0 to `most`."""
    ...

def format_eps(eps: float, unit: int=255) -> str:
    """An eps as it is usually written: of clips in 1/255, but for 0 and 1."""
    ...

class Threat:
    """A set of allowed clips around each clip `(B, 3, T, H, W)` in [0, 1], or around samples of another `signal`.

    Subclasses define `shrink(delta, clips)`, the nearest allowed perturbation; `norm(delta)`, its size; `random(clips)` and `ascend`."""
    eps: float
    signal: Signal
    of_clips: bool

    def project(self, adv: torch.Tensor, clips: torch.Tensor) -> torch.Tensor:
        """The allowed clip nearest to `adv`; an allowed one stays as it is."""
        ...

    def random_start(self, clips: torch.Tensor, generator: torch.Generator | None=None) -> torch.Tensor:
        """A random allowed clip; without a `generator`, torch's global one draws."""
        ...

    def of_size(self, eps: float) -> 'Threat':
        """The same threat model of another size."""
        ...

    def changed(self, **settings: object) -> 'Threat':
        """The same threat model with other settings."""
        ...

    def distance(self, adv: torch.Tensor, clips: torch.Tensor) -> torch.Tensor:
        """How far `adv` is from `clips`, `(B,)`, in units of `eps`; infinite where something moved that may not."""
        ...

    def on(self, signal: Signal) -> Threat:
        """The same threat model around samples of a signal. Raises `VideoPureError` for one that is made for clips only."""
        ...

    def describe(self) -> dict[Any, Any]:
        """The threat model in plain values, `kind` and its settings, as `as_threat` reads them back."""
        ...

def same_shape(adv: torch.Tensor, clips: torch.Tensor) -> torch.Tensor:
    """`adv`, if it has the shape of `clips`; else a `ClipError`."""
    ...

def _uniform(shape: Sequence[int], like: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor:
    """Uniform numbers in [-1, 1]."""
    ...

@dataclass
class Linf(Threat):
    """Every colour value may move by at most `eps`."""
    eps: float = 8 / 255

    def __post_init__(self):
        ...

    def shrink(self, delta: torch.Tensor, clips: torch.Tensor) -> torch.Tensor:
        """Each value clipped to the budget."""
        ...

    def norm(self, delta: torch.Tensor) -> torch.Tensor:
        """The largest change of each clip."""
        ...

    def random(self, clips: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor:
        """Uniform in the cube."""
        ...

    def ascend(self, grad: torch.Tensor, alpha: float) -> torch.Tensor:
        """`alpha` times the sign."""
        ...

def _l2(delta: torch.Tensor, dims: Sequence[int]=()) -> torch.Tensor:
    """The Euclidean norm over `dims`, or of each sample, kept; scaled inside, so that tiny gradients do not vanish when squared."""
    ...

def _into_ball(delta: torch.Tensor, below: torch.Tensor, above: torch.Tensor, eps: float, dims: Sequence[int]) -> torch.Tensor:
    """The nearest perturbation of norm at most `eps` over `dims` that also lies from `below` to `above`."""
    ...

@dataclass
class L2(Threat):
    """The norm of the change of a whole clip is at most `eps`."""
    eps: float = 2.0
    dims: tuple[Any, ...] = field(init=False)

    def __post_init__(self):
        ...

    def shrink(self, delta: torch.Tensor, clips: torch.Tensor) -> torch.Tensor:
        """Scaled into the ball."""
        ...

    def norm(self, delta: torch.Tensor) -> torch.Tensor:
        """The largest norm of each clip."""
        ...

    def random(self, clips: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor:
        """A random direction, and a random length up to `eps`."""
        ...

    def ascend(self, grad: torch.Tensor, alpha: float) -> torch.Tensor:
        """`alpha` along the gradient."""
        ...

@dataclass
class FrameL2(L2):
    """The norm of the change of each frame is at most `eps`."""
    eps: float = 0.5
    dims: tuple[int, ...] = field(init=False)
    of_clips: bool = field(init=False)

def low_pass(n: int, keep: float, like: torch.Tensor) -> torch.Tensor:
    """The projection `(n, n)` on the lowest cosine waves of n samples, `keep` of them as a fraction, at least the constant one."""
    ...

class Subspace(Threat):
    """Each value may move by at most `eps`, and the perturbation lies in the linear subspace on which `smooth` projects."""
    of_clips: bool

    def __post_init__(self):
        ...

    def unclipped(self, clips: torch.Tensor) -> torch.Tensor:
        """The pixels so far from black and white that no allowed perturbation is cut off there."""
        ...

    def shrink(self, delta: torch.Tensor, clips: torch.Tensor) -> torch.Tensor:
        """A perturbation in the subspace, each value at most `eps`: clipped and smoothed in turn, in the end scaled."""
        ...

    def norm(self, delta: torch.Tensor) -> torch.Tensor:
        """The largest change of each clip."""
        ...

    def fit(self, delta: torch.Tensor, clips: torch.Tensor) -> torch.Tensor:
        """The perturbation of the subspace that explains the visible change `delta` best, by 20 steps of conjugate gradients."""
        ...

    def random(self, clips: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor:
        """Smoothed noise of the full size."""
        ...

    def ascend(self, grad: torch.Tensor, alpha: float) -> torch.Tensor:
        """A step of the subspace, its largest value `alpha`, that follows the signs of the smoothed gradient."""
        ...

    def distance(self, adv: torch.Tensor, clips: torch.Tensor) -> torch.Tensor:
        """How far `adv` is from `clips`, `(B,)`, in units of `eps`; infinite if no perturbation of the subspace explains it, up to 2/255."""
        ...

    def unexplained(self, adv: torch.Tensor, clips: torch.Tensor) -> torch.Tensor:
        """The largest change of an unclipped pixel that the best fit leaves over, `(B,)`."""
        ...

def _inner(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """The inner product of each pair of clips, `(B, 1, 1, 1, 1)`."""
    ...

def _ratio(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """a / b, and 0 where b is as good as 0: there, nothing is left to improve."""
    ...

def _peak(delta: torch.Tensor) -> torch.Tensor:
    """The largest absolute value of each clip, never zero."""
    ...

@dataclass
class LowFrequency(Subspace):
    """Smooth waves only: each value at most `eps`, and only the lowest cosine frequencies."""
    eps: float = 8 / 255
    space: float = 0.25
    time: float = 1.0

    def __post_init__(self):
        ...

    def smooth(self, delta: torch.Tensor) -> torch.Tensor:
        """The projection on the kept waves, along time, height and width."""
        ...

    def project(self, adv: torch.Tensor, clips: torch.Tensor) -> torch.Tensor:
        """An allowed clip near `adv`; an allowed one stays as it is."""
        ...

@dataclass
class Flicker(Subspace):
    """One offset for all pixels of a frame, for each frame and colour, at most `eps`."""
    eps: float = 8 / 255

    def smooth(self, delta: torch.Tensor) -> torch.Tensor:
        """The mean of each frame and colour."""
        ...

    def fit(self, delta: torch.Tensor, clips: torch.Tensor) -> torch.Tensor:
        """The median over the unclipped pixels, or the largest change if there are none."""
        ...

    def random(self, clips: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor:
        """Uniform offsets."""
        ...
THREATS: Registry

def make_threat(kind: object, eps: float | str | None=None, **options: object) -> Threat:
    """A threat model by name. Raises `VideoPureError` for a name or an option that there is not."""
    ...

def as_threat(eps: object, signal: Signal=VIDEO) -> Threat:
    """What is allowed, as a threat model; a number is the `Linf` of that size. Raises `VideoPureError` for one that is made for clips only."""
    ...

class Masked(Threat):
    """The threat model `self.threat` inside the mask that `self.mask(clip)` gives; outside, nothing may change."""

    def project(self, adv: torch.Tensor, clips: torch.Tensor) -> torch.Tensor:
        """The allowed clip nearest to `adv`; untouched outside the mask."""
        ...

    def random_start(self, clips: torch.Tensor, generator: torch.Generator | None=None) -> torch.Tensor:
        """A random allowed clip; without a `generator`, torch's global one draws."""
        ...

    def ascend(self, grad: torch.Tensor, alpha: float) -> torch.Tensor:
        """The steepest step inside the mask."""
        ...

    def distance(self, adv: torch.Tensor, clips: torch.Tensor) -> torch.Tensor:
        """How far `adv` is from `clips`, `(B,)`, in units of `eps`; infinite where something outside the mask moved."""
        ...

class _Some(Masked):
    """Only some places may change, within a `threat` of one's choice."""
    eps: float

    def of_size(self, eps: float) -> Threat:
        """The same places, and another size of the threat model inside."""
        ...

@dataclass
class Frames(_Some):
    """Only some frames may change, within another threat model."""
    threat: Threat | float | str = 8 / 255
    frames: int | Sequence[int] = 1
    of_clips: bool = field(init=False)

    def __post_init__(self):
        ...

    def mask(self, clips: torch.Tensor) -> torch.Tensor:
        """Which frames may change, `(T, 1, 1)`."""
        ...

def _as_numbers(numbers: object, what: str) -> list[int]:
    """The numbers of some frames or features; `VideoPureError` for anything else."""
    ...

@dataclass
class Patch(Masked):
    """A box that stays in its place in all frames may change, by default to anything."""
    size: int | tuple[int, int] = 8
    corner: tuple[int, int] = (0, 0)
    eps: float = 1.0
    of_clips: bool = field(init=False)
    threat: Linf = field(init=False)
    height: Any = field(init=False)
    width: Any = field(init=False)

    def __post_init__(self):
        ...

    def mask(self, clips: torch.Tensor) -> torch.Tensor:
        """Which pixels may change, `(1, H, W)`."""
        ...

@dataclass
class Features(_Some):
    """Only some features may change, within another threat model: some columns of a table, or samples of a waveform."""
    threat: Threat | float | str = 8 / 255
    features: Sequence[int] = (0,)

    def __post_init__(self):
        ...

    def mask(self, clips: torch.Tensor) -> torch.Tensor:
        """Which features may change, `(F,)`."""
        ...
