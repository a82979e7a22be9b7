# Made by tools/stubs.py from metrics.py: run it after nbdev_export.
"""Metrics of the purified clip itself: PSNR, SSIM, temporal consistency, LPIPS"""
from typing import Any
from collections.abc import Callable as Callable, Mapping as Mapping, Sequence as Sequence
import torch as torch
from torch import nn as nn
from .checks import checked as checked
from .flow import optical_flow as optical_flow, warp as warp
from .purifier import Purifier as Purifier
from .registry import Registry as Registry
from .video import ClipError as ClipError, MissingPackageError as MissingPackageError, VideoPureError as VideoPureError, check_video as check_video
__all__ = ['METRICS', 'psnr', 'ssim', 'temporal_consistency', 'lpips', 'measure']

def _of_two_clips(metric: Callable[..., Any]) -> Callable[..., Any]:
    """A metric whose two arguments must be clips of one shape; half precision is measured in float32."""
    ...

def psnr(purified: torch.Tensor, clean: torch.Tensor) -> torch.Tensor:
    """Peak signal-to-noise ratio of each clip `(B, 3, T, H, W)` in dB, `(B,)`, at most 100."""
    ...

def ssim(purified: torch.Tensor, clean: torch.Tensor) -> torch.Tensor:
    """Structural similarity of each clip `(B, 3, T, H, W)`, the mean over its frames, `(B,)`. Source: Wang et al., IEEE TIP 2004."""
    ...

def temporal_consistency(purified: torch.Tensor, clean: torch.Tensor) -> torch.Tensor:
    """One minus how much larger the warping error of each clip `(B, 3, T, H, W)` is than that of the clean one, `(B,)`."""
    ...

def _lpips_network(device: torch.device) -> Callable[..., Any]:
    """The network of the lpips package, made once for each device."""
    ...

def lpips(purified: torch.Tensor, clean: torch.Tensor) -> torch.Tensor:
    """Learned perceptual distance of each clip, the mean over its frames, `(B,)`; smaller is better. Source: arXiv 1801.03924."""
    ...
METRICS: Registry

def measure(metrics: Mapping[str, Callable[..., Any]], purified: torch.Tensor, clean: torch.Tensor) -> dict[str, torch.Tensor]:
    """The metrics of some clips. Raises `VideoPureError` for a metric that does not give one number a clip."""
    ...

def find_metrics(metrics: object) -> dict[str, Callable[..., Any]]:
    """Metrics by name, from one, a list or a dictionary of names, functions and classes."""
    ...

class CostMeter:
    """Noise predictions (one for each clip), seconds and peak memory of what runs inside `with meter:`."""
    threads: set[int]
    networks: list[Any]
    device: torch.device
    calls: int
    start: Any
    thread: Any
    hooks: list[Any]
    seconds: Any
    memory: Any

    def __init__(self, purifiers: Sequence[Purifier | None], device: torch.device):
        ...

    def __enter__(self) -> 'CostMeter':
        ...

    def _count(self, network: nn.Module, inputs: tuple[Any, ...]) -> None:
        ...

    def __exit__(self, *error: object) -> None:
        ...

def _peak_memory() -> int | None:
    """The most memory that this process has held, in bytes; None where the system does not tell."""
    ...
