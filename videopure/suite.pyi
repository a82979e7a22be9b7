# Made by tools/stubs.py from suite.py: run it after nbdev_export.
"""One call, no settings but the size: every attack of this package that is worth its cost, cheapest first, on what is left of the clips"""
from typing import Any
from collections.abc import Callable as Callable
import torch as torch
from torch import nn as nn
from .attacks import ATTACKS as ATTACKS, PGD as PGD, Best as Best, VideoAttack as VideoAttack, answered as answered, make_attack as make_attack, margin as margin, record_loss as record_loss
from .baselines import GaussianBlur as GaussianBlur, OneStep as OneStep
from .blackbox import NES as NES, RayS as RayS, Square as Square
from .checks import Late as Late, MissingPackageError as MissingPackageError, checked as checked
from .defense import Defended as Defended, answer as answer, for_signal as for_signal
from .diffusion import SignalDiffusion as SignalDiffusion
from .guidance import smooth_sign as smooth_sign
from .pipeline import VideoPurePipeline as VideoPurePipeline
from .purifier import NoGradientError as NoGradientError, VideoPure as VideoPure, as_purifier as as_purifier
from .signal import Signal as Signal
from .threats import Linf as Linf, LowFrequency as LowFrequency, as_threat as as_threat
from .video import VIDEO as VIDEO, VideoPureError as VideoPureError, signal_of as signal_of
__all__ = ['MEMBERS', 'BROKEN_BY', 'VideoAuto']

class StandIn(Defended):
    """A defense that answers as it is, and whose gradient is that of another purifier."""
    other: Any

    def __init__(self, defended: Defended, other: object):
        ...

    def surrogate(self, video: torch.Tensor, count: int) -> torch.Tensor:
        """The records of the other purifier; the last one stands in for all that it lacks."""
        ...

def gray_box(suite: 'VideoAuto') -> Callable[..., Any] | None:
    """PGD on the bare classifier, to the last step."""
    ...

def gray_box_momentum(suite: 'VideoAuto') -> Callable[..., Any] | None:
    """The same with momentum."""
    ...

def _estimate(suite: 'VideoAuto') -> OneStep:
    """The one-step estimate of the defense's diffusion model; of another signal at the level of the purifier, if that has one."""
    ...

def one_step_transfer(suite: 'VideoAuto') -> Callable[..., Any] | None:
    """PGD along the exact gradient of the one-step estimate, merely shown to the defense."""
    ...

def one_step_gradient(suite: 'VideoAuto') -> Callable[..., Any] | None:
    """PGD on the answers of the defense, with the gradient of the one-step estimate."""
    ...

def exact(suite: 'VideoAuto') -> Callable[..., Any] | None:
    """PGD along the exact gradient, two starts."""
    ...

def exact_records(suite: 'VideoAuto') -> Callable[..., Any] | None:
    """The same on the mean loss of all records, with momentum."""
    ...
torchattacks: Late

class _AsPicture(nn.Module):
    """A model of another signal than video, for attacks on pictures `(B, N, 1, 1)` of values from 0 to 1."""
    model: nn.Module
    signal: Signal
    shape: tuple[Any, ...]
    training: bool

    def __init__(self, model: nn.Module, signal: Signal):
        ...

    def pictures(self, x: torch.Tensor) -> torch.Tensor:
        """Samples `(B, ...)` of the signal as pictures."""
        ...

    def samples(self, pictures: torch.Tensor) -> torch.Tensor:
        """Pictures as samples of the signal."""
        ...

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        ...

def exact_apgd(suite: 'VideoAuto') -> Callable[..., Any] | None:
    """APGD along the exact gradient; of torchattacks."""
    ...

def selective(values: torch.Tensor, grads: torch.Tensor, eps: float) -> torch.Tensor:
    """The weighted mean of the gradients `(draws, B, C, T, H, W)` of draws with the margins `(draws, B)`."""
    ...

class Selective(PGD):
    """PGD in which the draws of a step are weighed by `selective`; for the margin."""
    eot: int

    def loss_and_grad(self, *args: object, **options: object) -> tuple[Any, ...]:
        """Loss (B,), broken (B,) and gradient, over `eot` draws."""
        ...

def exact_selective(suite: 'VideoAuto') -> Callable[..., Any] | None:
    """PGD along the exact gradient of the draws that can be broken."""
    ...

def exact_low(suite: 'VideoAuto') -> Callable[..., Any] | None:
    """PGD along the exact gradient, in low frequencies only."""
    ...

def exact_nearest(suite: 'VideoAuto') -> Callable[..., Any] | None:
    """PGD along the exact gradient, from the clips that have come nearest."""
    ...

def videopure_transfer(suite: 'VideoAuto') -> Callable[..., Any] | None:
    """PGD along the exact gradient of VideoPure with the same model, merely shown to the defense."""
    ...

def exact_longer(suite: 'VideoAuto', steps: int) -> Callable[..., Any] | None:
    """PGD along the exact gradient with so many steps, on the margin, from new starts."""
    ...

def bpda(suite: 'VideoAuto') -> Callable[..., Any] | None:
    """BPDA on the margin, with momentum."""
    ...

def blur_gradient(suite: 'VideoAuto') -> Callable[..., Any] | None:
    """The same with the gradient of a blur."""
    ...

def nes(suite: 'VideoAuto') -> Callable[..., Any] | None:
    """NES, by scores alone."""
    ...

def rays(suite: 'VideoAuto') -> Callable[..., Any] | None:
    """RayS, by answers alone."""
    ...

def square(suite: 'VideoAuto') -> Callable[..., Any] | None:
    """Square, by scores alone."""
    ...
MEMBERS: dict[str, Callable[..., Any]]
BROKEN_BY: list[Any]

class VideoAuto(VideoAttack):
    """The suite video-auto-1: all its members in turn, each on the clips that are left; it has no setting but the size.

    After a call: `success` (B,), and `broken_by`, the name of the member that broke each clip, "" where none did."""
    sees: str
    threat: Any
    progress: bool
    broken_by: list[Any]
    converged: bool
    eps: Any
    classifier: Any
    purifier: Any
    model: Any
    pipe: Any
    loops: Any
    random: bool
    differentiable: bool
    best: Any
    failed: list[Any]
    success: Any
    metrics: dict[str, Any]
    flags: list[list[Any]]

    def __init__(self, model: nn.Module, eps: object=8 / 255, *, seed: int | None=None, progress: bool=True):
        ...

    def pgd(self, model: nn.Module, steps: int, kind: type[Any]=PGD, threat: object=None, **options: object) -> PGD:
        """A PGD on a model; where noise is drawn, it leaves a clip alone once all draws of a step were wrong."""
        ...

    def seen_by(self, sees: str, model: Defended) -> Defended:
        """The same defense, also one of a class of its own, as an attacker with another gradient sees it."""
        ...

    @property
    def followed(self) -> nn.Module:
        """The model whose gradient is the exact one, with a derivative in place of the sign's where there is a sign."""
        ...

    @property
    def eot(self) -> int:
        """Over how many draws a gradient is averaged where it matters."""
        ...

    @property
    def few(self) -> int:
        """Over how many draws it is averaged at first, while there may be clips that break easily."""
        ...

    @property
    def steps(self) -> int:
        """How many steps an attack along the exact gradient takes at first."""
        ...

    @property
    def steady(self) -> nn.Module:
        """What the searches ask."""
        ...

    def answers(self, clips: torch.Tensor) -> torch.Tensor:
        """The probabilities `(draws, B, classes)` that the defense answers with, in eight draws if it draws noise; zero where it refuses."""
        ...

    def judge(self, clips: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Which clips are answered wrongly in the mean of all draws, and by which margin, both `(B,)`."""
        ...

    def has_gradient(self, clips: torch.Tensor) -> bool:
        """Whether the answers to any of the clips have an exact gradient that is not zero everywhere; two clips at a time, until one has."""
        ...

    def is_random(self, clips: torch.Tensor) -> bool:
        """Whether the defense says that it draws noise, or answers otherwise when it is asked again."""
        ...

    def forward(self, clips: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The attacked clips; called by `__call__`."""
        ...

    def _try(self, name: str, make: Callable[..., Any], clips: torch.Tensor, labels: torch.Tensor, best: Best) -> int:
        """Attack the clips that are left; how many were broken."""
        ...

    def _lengthen(self, clips: torch.Tensor, labels: torch.Tensor, best: Best) -> None:
        """Twice the steps, again and again, until that breaks no more clips."""
        ...

class Averaged(nn.Module):
    """The mean answer of a model that draws noise: the log of the summed probabilities of `draws` evaluations."""
    model: nn.Module
    draws: int

    def __init__(self, model: nn.Module, draws: int):
        ...

    def forward(self, video: torch.Tensor) -> torch.Tensor:
        """Scores `(B, K)`."""
        ...
