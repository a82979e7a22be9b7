# Made by tools/stubs.py from guidance.py: run it after nbdev_export.
"""Guided spatial-temporal optimization: away from the input, towards temporal consistency"""
from collections.abc import Callable as Callable, Sequence as Sequence
import torch as torch
from .checks import VideoPureError as VideoPureError, checked as checked
from .flow import warp as warp
from .schedule import Level as Level
from .video import check_number as check_number
__all__ = ['PAPER_FRAME', 'PAPER_CLIP', 'spatial_loss', 'temporal_loss', 'guidance_strength', 'guide']

def spatial_loss(x0: torch.Tensor, z0: torch.Tensor) -> torch.Tensor:
    """Mean squared distance of the estimate to the encoded input, both `(B, C, T, h, w)`; one number a clip, `(B,)`."""
    ...

def warping_error(x0: torch.Tensor, flow: torch.Tensor, following: torch.Tensor | None=None) -> torch.Tensor:
    """Frames of `x0` `(B, C, T, h, w)` minus the next of `following` (None: `x0`) warped back along `flow`; `(B, C, T-1, h, w)`."""
    ...

def temporal_loss(x0: torch.Tensor, flow: torch.Tensor) -> torch.Tensor:
    """Sum over frames of the mean absolute `warping_error`, one number a clip, `(B,)`."""
    ...
PAPER_FRAME: int
PAPER_CLIP: int

def guidance_strength(level: Level, shape: Sequence[int], normalize: bool=True) -> tuple[float, float]:
    """The two factors of the closed form, for the paper's weights 800 and 5."""
    ...

def guide(x0: torch.Tensor, z0: torch.Tensor, flow: torch.Tensor | None, k: Sequence[float], c: Sequence[float], sign: Callable[[torch.Tensor], torch.Tensor]=torch.sign) -> torch.Tensor:
    """One step of guided spatial-temporal optimization for all records at once, in closed form.

    Equal to the gradient step through `spatial_loss` and `temporal_loss`. Source: VideoPure (arXiv 2501.14999)."""
    ...

def smooth_sign(x: torch.Tensor, width: float=0.1) -> torch.Tensor:
    """`sign(x)` with the derivative of `tanh(x / width)`, for attacks on the temporal term."""
    ...
