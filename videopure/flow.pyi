# Made by tools/stubs.py from flow.py: run it after nbdev_export.
"""Where did every pixel go? Flow between frames, and warping a frame back along it"""
from typing import Any
from collections.abc import Callable as Callable
import torch as torch
from torch import nn as nn
from .checks import Late as Late, checked as checked
from .latents import recompute as recompute
from .video import ClipError as ClipError, MissingPackageError as MissingPackageError, VideoPureError as VideoPureError
__all__ = ['FLOWS', 'warp', 'resize_flow', 'optical_flow', 'latent_flow']
cv2: Late

def warp(x: torch.Tensor, flow: torch.Tensor) -> torch.Tensor:
    """Backward warp: every pixel `p` of the result is `x` at `p + flow(p)`."""
    ...

def resize_flow(flow: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """A flow `(N, 2, H, W)` at another resolution: bilinear, with lengths scaled alike; `(N, 2, height, width)`."""
    ...

def _dis_flow(video: torch.Tensor) -> torch.Tensor:
    """Flow `(B, T-1, 2, H, W)` of a clip by OpenCV's DIS, in pixels; computed on the CPU, without gradient."""
    ...

def _frozen(build: Callable[..., Any], weights: object, device: torch.device) -> nn.Module:
    """The network that `build` makes, frozen and on a device; the last one is kept."""
    ...

def _raft(device: torch.device) -> nn.Module:
    """torchvision's RAFT on a device; its weights are downloaded. Raises `MissingPackageError` without torchvision."""
    ...

def _raft_flow(video: torch.Tensor, low: float=-1.0, net: nn.Module | None=None) -> torch.Tensor:
    """Flow of a clip by RAFT, or a network like it, with pixels mapped to `[low, 1]`; differentiable."""
    ...
FLOWS: dict[str, Callable[..., Any]]

def optical_flow(video: torch.Tensor, method: str | Callable[[torch.Tensor], torch.Tensor]='dis') -> torch.Tensor:
    """Optical flow from each frame to the next. Raises `VideoPureError` for an unknown name."""
    ...

def _check_flow(flow: torch.Tensor, video: torch.Tensor, height: int, width: int) -> None:
    """Raise `ClipError` unless `flow` fits the clip at `height` x `width` and is finite."""
    ...

def latent_flow(video: torch.Tensor, height: int, width: int, flow: torch.Tensor | str | Callable[..., Any] | None=None) -> torch.Tensor:
    """The flow of a clip at latent resolution. Raises `ClipError` if a flow has another shape or is not finite."""
    ...
