# Made by tools/stubs.py from networks.py: run it after nbdev_export.
"""I3D, SlowFast and TPN: the three families that attacks on video are measured against"""
from typing import Any
from collections.abc import Callable as Callable, Mapping as Mapping
from pathlib import Path as Path
import torch as torch
from torch import nn as nn
from .checks import checked as checked, reason as reason, shorten as shorten
from .tiny import check_weights as check_weights, compare_names as compare_names, compare_shapes as compare_shapes
from .video import VideoFileError as VideoFileError, VideoPureError as VideoPureError, check_number as check_number
__all__ = ['NETWORKS', 'I3D', 'SlowFast', 'TPN', 'full_name', 'build_network']

def _conv(in_channels, out_channels, kernel, stride=1, groups=1):
    """A 3-D convolution without bias, padded so that stride 1 keeps the size; `kernel` is (time, height, width), each odd."""
    ...

def _conv_bn(in_channels, out_channels, kernel=(1, 1, 1), stride=1):
    """Convolution, batch norm and ReLU in a row."""
    ...

class _Bottleneck(nn.Module):
    """A residual block: time (or not), space, channels; and attention over the whole clip where there is a `nonlocal_block`."""
    downsample: nn.Sequential | None
    nonlocal_block: Any

    def __init__(self, in_channels, width, time_kernel=1, stride=1, shortcut=False, interleaved=False):
        ...

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(N, in_channels, T, H, W)` to `(N, 4 * width, T, H / stride, W / stride)`."""
        ...
_MOST_CLASSES: int
_DEPTHS: dict[int, tuple[int, ...]]
_IN_CHANNELS: tuple[int, ...]
_WIDTHS: tuple[int, ...]
_STRIDES: tuple[int, ...]
_LATE: tuple[int, ...]

def _stage(in_channels, width, time_kernels, stride, interleaved=False):
    """Bottlenecks in a row, one for each time kernel; the first one strides and changes the channels."""
    ...

class _NonLocal(nn.Module):
    """Attention of every position `(t, y, x)` to every other, added to the input. Source: arXiv 1711.07971, embedded Gaussian."""
    theta: Any
    phi: Any
    g: Any
    W: nn.Conv3d
    bn: nn.BatchNorm3d
    W_bn: nn.Sequential

    def __init__(self, channels):
        ...

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(N, channels, T, H, W)` to the same shape."""
        ...

class I3D(nn.Module):
    """A ResNet inflated in time, with five non-local blocks. Source: arXiv 1711.07971, 1705.07750."""
    first_stage: nn.Sequential
    pool2: nn.MaxPool3d
    res_layers: nn.ModuleList
    st_avg: nn.AdaptiveAvgPool3d
    fc: nn.Linear
    head: nn.Sequential

    def __init__(self, depth: int=50, num_classes: int=400):
        ...

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits `(N, num_classes)` of normalised clips `(N, 3, T, H, W)`, T of 5 or more."""
        ...

class SlowFast(nn.Module):
    """A slow path with many channels and a fast one with few, joined after every stage. Source: arXiv 1812.03982."""
    alpha: Any
    fast_conv1: Any
    fast_bn1: nn.BatchNorm3d
    slow_conv1: Any
    slow_bn1: nn.BatchNorm3d
    fast_maxpool: Any
    slow_maxpool: Any
    dp: nn.Dropout
    fc: nn.Linear

    def __init__(self, depth: int=50, alpha: int=8, lateral_kernel: int=5, num_classes: int=400):
        ...

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits `(N, num_classes)` of normalised clips `(N, 3, T, H, W)`."""
        ...

def _sequential(**layers: Any):
    """Layers in a row, by name."""
    ...

def _max_pool(frames):
    """The maximum over so many frames at a time."""
    ...

class _LevelFusion(nn.Module):
    """Two levels of a pyramid `(N, 1024, t, h, w)` in one: each pooled in time and mixed in groups, then both together."""
    ops: nn.ModuleList
    fusion_conv: Any

    def __init__(self, frames):
        ...

    def forward(self, levels: list[torch.Tensor]) -> torch.Tensor:
        """`(N, 2048, t, h, w)`."""
        ...

class _Neck(nn.Module):
    """The temporal pyramid of TPN, on the outputs of the last two stages. Source: arXiv 2004.03548."""
    temporal_modulation_ops: nn.ModuleList
    downsampling_ops: nn.ModuleList
    level_fusion_op: _LevelFusion
    spatial_modulation: nn.ModuleDict
    level_fusion_op2: _LevelFusion
    pyramid_fusion_op: Any
    aux_head: nn.ModuleDict

    def __init__(self, frames, num_classes):
        ...

    def forward(self, x3: torch.Tensor, x4: torch.Tensor) -> torch.Tensor:
        """Stage outputs `(N, 1024, T, h, w)` and `(N, 2048, T, h/2, w/2)` to `(N, 2048, t, h/2, w/2)`."""
        ...

class TPN(nn.Module):
    """A ResNet that keeps all frames, and a temporal pyramid on its last two stages. Source: arXiv 2004.03548."""
    conv1: Any
    bn1: nn.BatchNorm3d
    maxpool: nn.MaxPool3d
    TPN_neck: _Neck
    avg_pool: nn.AdaptiveAvgPool3d
    dp: nn.Dropout
    fc: nn.Linear

    def __init__(self, depth: int=50, frames: tuple[int, int]=(32, 32), num_classes: int=400):
        ...

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits `(N, num_classes)` of normalised clips `(N, 3, T, H, W)`."""
        ...
NETWORKS: dict[str, Callable[..., nn.Module]]

def full_name(name: str) -> str:
    """The name with the ending that all of `NETWORKS` have."""
    ...

def build_network(name: str, num_classes: int=400) -> nn.Module:
    """A network by its GluonCV name, in eval mode, with random weights: normalised clips `(N, 3, T, H, W)` to logits `(N, num_classes)`."""
    ...

def _tied_names(network):
    """Names of one and the same tensor in the state dict of a network, for every tensor that has several."""
    ...

def _numpy_numbers():
    """What the pickle of a number of numpy's is made of, for torch's list of safe globals."""
    ...
_PICKLE: str

def _open(path):
    """What a weights file holds; nothing in it is run."""
    ...
_HOLDERS: tuple[str, ...]
_PREFIXES: tuple[str, ...]

def read_weights(source: str | Path | Mapping[Any, Any], network: nn.Module | None=None) -> dict[str, torch.Tensor]:
    """The state dict in a file or mapping, without what is known to wrap one."""
    ...

def _unwrap(weights, own):
    """Weights without the prefixes of wrappers, but for names that are among the network's `own`."""
    ...

def _complete(weights, network):
    """Weights under all the names the network knows them by; two names of one tensor must agree."""
    ...

def load_weights(network: nn.Module, source: str | Path | Mapping[Any, Any]) -> nn.Module:
    """Fill a network with saved weights: every tensor, under its name, in its shape, or a `VideoPureError` of one line.

    Takes a bare state dict or a wrapped one (see `read_weights`), and one of two names for one tensor.
    Nothing in a pickle is run. The network is left as it was if the weights do not fit."""
    ...
