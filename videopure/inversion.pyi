# Made by tools/stubs.py from inversion.py: run it after nbdev_export.
"""Temporal DDIM inversion: climb to the noisy levels with one frame's noise prediction for all frames"""
from typing import Any
from collections.abc import Callable as Callable, Sequence as Sequence
import torch as torch
from .checks import VideoPureError as VideoPureError, checked as checked
from .schedule import Level as Level, ddim_step as ddim_step
__all__ = ['SHARES', 'share_first_frame', 'invert']

def share_first_frame(noise: torch.Tensor) -> torch.Tensor:
    """The first frame's noise `(B, C, T, h, w)` in the place of every frame's."""
    ...

def _share_mean(noise):
    """The mean of all frames' noise `(B, C, T, h, w)` in the place of every frame's."""
    ...
SHARES: dict[str, Any]

def invert(predict: Callable[[torch.Tensor, int], torch.Tensor], latents: torch.Tensor, levels: Sequence[Level], temporal_inversion: bool=True, share: str='first') -> list[torch.Tensor]:
    """Temporal DDIM inversion, all latents on the way included.

    Costs one noise prediction a level. Source: VideoPure (arXiv 2501.14999), with DDIM inversion of arXiv 2105.05233."""
    ...
