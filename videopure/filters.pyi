# Made by tools/stubs.py from filters.py: run it after nbdev_export.
"""An attack that adds no noise: it learns how to blur each place of a clip, in space and in time"""
from typing import Any
import torch as torch
from torch import nn as nn
from .attacks import ATTACKS as ATTACKS, Best as Best, VideoAttack as VideoAttack, answered as answered, clip_gradient as clip_gradient, margin as margin, record_logits as record_logits, voted as voted
from .blackbox import BlackBox as BlackBox
from .checks import checked as checked
from .threats import as_threat as as_threat
from .video import VideoPureError as VideoPureError, check_number as check_number
__all__ = ['filtered', 'LowPass']

def filtered(clips: torch.Tensor, kernels: torch.Tensor, taps: tuple[int, int, int]=(3, 5, 5)) -> torch.Tensor:
    """Clips after a filter of their own at each place."""
    ...

class LowPass(VideoAttack):
    """Learned low-pass filters in space and time. Source: the idea is that of DiffBreak's LF (arXiv 2411.16598), for images.

    After a call: `success` (B,), whether the answer is wrong (or the target); in `metrics`, `steps_used` (B,)."""
    modes: list[str]
    of_clips: bool
    threat: Any
    progress: bool
    lr: Any
    steps: int
    cell: int
    eps: Any
    peak: Any
    taps: tuple[Any, ...]
    success: Any
    metrics: dict[str, Any]

    def __init__(self, model: nn.Module, eps: object=8 / 255, steps: int=40, *, lr: float=0.5, taps: tuple[int, int, int]=(3, 5, 5), cell: int=4, peak: float=8.0, seed: int | None=None, progress: bool=True):
        ...

    def start(self, clips: torch.Tensor) -> torch.Tensor:
        """The numbers before the softmax, `(B, taps, T, H / cell, W / cell)`, of filters that change next to nothing."""
        ...

    def blurred(self, clips: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
        """The filtered clips, within the threat model; the gradient is that of the filter."""
        ...

    def look(self, clips: torch.Tensor, goal: torch.Tensor, numbers: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The filtered clips, their loss and whether the attack has its goal, both `(B,)`, and the gradient of the loss."""
        ...

    def forward(self, clips: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The attacked clips; called by `__call__`."""
        ...
