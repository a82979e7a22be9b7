# Made by tools/stubs.py from tiny.py: run it after nbdev_export.
"""A video diffusion model and a motion classifier small enough to ship"""
from typing import Any
from typing import Literal
from typing import overload
from collections.abc import Iterable as Iterable, Mapping as Mapping
from pathlib import Path as Path
import torch as torch
from diffusers import FlowMatchEulerDiscreteScheduler as FlowMatchEulerDiscreteScheduler, WanTransformer3DModel as WanTransformer3DModel
from diffusers.configuration_utils import ConfigMixin as ConfigMixin
from diffusers.schedulers.scheduling_ddim import DDIMScheduler as DDIMScheduler
from diffusers.models.modeling_utils import ModelMixin as ModelMixin
from diffusers.models.autoencoders.vae import DecoderOutput as DecoderOutput
from diffusers.models.modeling_outputs import AutoencoderKLOutput as AutoencoderKLOutput
from diffusers.models.unets.unet_3d_condition import UNet3DConditionOutput as UNet3DConditionOutput
from torch import nn as nn
from .checks import count_names as count_names, reason as reason
from .video import MOTIONS as MOTIONS, VideoFileError as VideoFileError, VideoPureError as VideoPureError, atomic_path as atomic_path, check_number as check_number
__all__ = ['CLASSIFIER_KINDS', 'check_class_names', 'TinyVAE', 'TinyUNet', 'MotionClassifier', 'assets', 'tiny_classifier', 'tiny_defaults']

def _check_sizes(widths=(1,), **sizes: Any):
    """Raise `VideoPureError` unless every size is a whole number from 1, and `widths` a list of them."""
    ...

def check_class_names(names: Iterable[str]) -> list[str]:
    """Names of classes as a list. Raises `VideoPureError` for what are not different strings."""
    ...

class TinyVAE(ModelMixin, ConfigMixin):
    """An exactly invertible stand-in for a VAE: `downscale` x `downscale` pixels become channels. Frames `(N, 3, H, W)` in [-1, 1]."""
    config_name: Any

    def __init__(self, downscale: int=2, scaling_factor: float=2.0):
        ...

    def encode(self, x: torch.Tensor) -> AutoencoderKLOutput:
        """Latents `(N, 3 * downscale**2, h, w)` as `.latent_dist.mode()`."""
        ...

    def decode(self, z: torch.Tensor) -> DecoderOutput:
        """Frames `(N, 3, H, W)` as `.sample`."""
        ...

def _mixed(x, mix, frames):
    """What the 1 x 1 convolution `mix` makes of each frame of `(B*T, C, h, w)`, stacked with the frame before and the frame after it."""
    ...

def _zeroed(layer):
    """`layer` with all its weights at zero."""
    ...

class _TinyBlock(nn.Module):
    """A residual block on frames, told the timestep, that ends by mixing each frame with its neighbours."""
    norm1: nn.GroupNorm
    conv1: nn.Conv2d
    norm2: nn.GroupNorm
    conv2: nn.Conv2d
    time: nn.Linear
    skip: Any
    mix: Any

    def __init__(self, in_channels, out_channels, embedding):
        ...

    def forward(self, x: torch.Tensor, time: torch.Tensor, frames: int) -> torch.Tensor:
        """Frames `(B*T, in_channels, h, w)`, told `time` `(B*T, embedding)`, to `(B*T, out_channels, h, w)`."""
        ...

def timestep_features(t: torch.Tensor, width: int=32) -> torch.Tensor:
    """Sines and cosines `(B, width)` of timesteps `(B,)`, at frequencies from 1 down to 1e-4."""
    ...

class TinyUNet(ModelMixin, ConfigMixin):
    """A video noise predictor: latents `(B, channels, T, h, w)` of any size and length, and a timestep, to noise of the same shape.

    Called as diffusers' video UNets are; there is no text, `encoder_hidden_states` is ignored."""
    config_name: Any
    embed: nn.Sequential
    first: nn.Conv2d
    down: nn.ModuleList
    shrink: nn.ModuleList
    middle: _TinyBlock
    grow: nn.ModuleList
    up: nn.ModuleList
    norm: nn.GroupNorm
    last: Any

    def __init__(self, channels: int=12, widths: tuple[int, int, int]=(32, 64, 96), embedding: int=64):
        ...

    def _embed_timestep(self, timestep, sample):
        """The embedding of the timestep for every frame of the latents `sample`, `(B*T, embedding)`."""
        ...

    @overload
    def forward(self, sample: torch.Tensor, timestep: int | torch.Tensor, encoder_hidden_states: torch.Tensor | None=None, *, return_dict: Literal[True]=True) -> UNet3DConditionOutput:
        """The predicted noise, as `.sample`."""
        ...

    @overload
    def forward(self, sample: torch.Tensor, timestep: int | torch.Tensor, encoder_hidden_states: torch.Tensor | None=None, *, return_dict: Literal[False]) -> tuple[Any, ...]:
        """The predicted noise, as `.sample`."""
        ...

class _MotionBlock(nn.Module):
    """A (2+1)D residual block: space, time, space."""
    space1: Any
    norm1: Any
    time: Any
    norm2: Any
    space2: Any
    norm3: Any
    skip: Any

    def __init__(self, in_channels, out_channels, stride):
        ...

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(B, in_channels, T, h, w)` to `(B, out_channels, T', h', w')`, all three sides divided by the stride."""
        ...

class MotionClassifier(nn.Module):
    """Clips `(B, 3, T, H, W)` in [0, 1], of any size and length, to logits `(B, 10)` of the motions named in `class_names`."""
    sees: str
    pool: int
    steady: bool
    widths: tuple[Any, ...]
    class_names: tuple[Any, ...]
    frames: int
    size: int
    stem: nn.Conv3d
    norm: nn.BatchNorm3d
    blocks: nn.Sequential
    head: nn.Linear

    def __init__(self, widths: tuple[int, ...]=(16, 32, 64, 96), class_names: tuple[str, ...]=MOTIONS, frames: int=16, size: int=32, sees: str='differences', pool: int=1, steady: bool=False):
        ...

    def forward(self, video: torch.Tensor, pooled: bool=False) -> torch.Tensor:
        """Logits `(B, K)`."""
        ...

    def pooled(self, video: torch.Tensor) -> torch.Tensor:
        """Clips with the mean of each square of `pool` pixels in its place."""
        ...

def compare_names(weights: Mapping[Any, Any], own: Mapping[Any, Any], kind: str) -> None:
    """Raise `VideoPureError` unless the weights have the names of the network's own state dict."""
    ...

def compare_shapes(weights: Mapping[Any, Any], own: Mapping[Any, Any]) -> None:
    """Raise `VideoPureError` unless the weights have the shapes of the network's own state dict, and are floating point where it is."""
    ...

def check_weights(weights: nn.Module | Mapping[Any, Any], name: str='the weights') -> None:
    """Raise `VideoPureError`, with their names, if any of the weights are not there or not finite numbers."""
    ...
_CONFIG: tuple[str, ...]

def save_classifier(classifier: MotionClassifier, path: str | Path) -> Path:
    """Write a classifier's weights and configuration into one safetensors file, whole or not at all."""
    ...

def load_motion_classifier(path: str | Path) -> MotionClassifier:
    """The classifier that `save_classifier` wrote, frozen. Raises `VideoFileError` if `path` is not one, whole and undamaged."""
    ...

def assets() -> Path:
    """The folder of embedded models in the installed package."""
    ...
CLASSIFIER_KINDS: tuple[str, ...]

def tiny_classifier(kind: str='plain') -> MotionClassifier:
    """An embedded classifier of ten motions, frozen, on the CPU."""
    ...
PIPELINES: tuple[str, ...]
_LOADING: dict[str, bool]

def tiny_unet(name: str='tiny') -> TinyUNet:
    """The embedded video diffusion model, frozen, on the CPU."""
    ...

def tiny_vae() -> TinyVAE:
    """The embedded autoencoder."""
    ...

def tiny_scheduler() -> DDIMScheduler:
    """The noise schedule that the embedded video diffusion model was trained with, which is that of the paper's model."""
    ...

def tiny_defaults(name: str='tiny') -> dict[str, float]:
    """Steps and guidance scales that an embedded pipeline, one of `PIPELINES`, was tuned to."""
    ...

def new_transformer() -> WanTransformer3DModel:
    """A flow transformer of the embedded size, with random weights."""
    ...

def flow_scheduler() -> FlowMatchEulerDiscreteScheduler:
    """The schedule that it is trained with: straight lines."""
    ...

def empty_words(n: int, device: torch.device | None=None) -> torch.Tensor:
    """The prompt of the embedded flow transformer, `(n, 1, 16)`: one word of zeros."""
    ...

def tiny_transformer() -> WanTransformer3DModel:
    """The embedded flow transformer, frozen, on the CPU."""
    ...
