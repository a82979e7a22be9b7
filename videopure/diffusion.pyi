# Made by tools/stubs.py from diffusion.py: run it after nbdev_export.
"""A small diffusion model of rows or waveforms that purifiers take in the place of a video pipeline"""
from typing import Any
import torch as torch
from diffusers.schedulers.scheduling_utils import SchedulerMixin as SchedulerMixin
from torch import nn as nn
from .checks import VideoPureError as VideoPureError, check_number as check_number, checked as checked
from .inversion import invert as invert
from .latents import check_finite as check_finite, recompute as recompute
from .models import noise_at as noise_at, read_scale as read_scale
from .schedule import ddim_levels as ddim_levels, find_prediction as find_prediction, read_schedule as read_schedule
from .signal import Signal as Signal, per_sample as per_sample
from .tiny import timestep_features as timestep_features
__all__ = ['VectorDenoiser', 'SignalDiffusion']

class VectorDenoiser(nn.Module):
    """A noise predictor for vectors `(B, features)` and their timesteps `(B,)`, of linear layers. Source: arXiv 2406.17606, smaller."""
    first: nn.Linear
    last: nn.Linear
    embedding: Any
    layers: nn.ModuleList
    times: nn.ModuleList

    def __init__(self, features: int, hidden: int=256, layers: int=3, embedding: int=64):
        ...

    def forward(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        """The noise in `x`."""
        ...

class SignalDiffusion:
    """A diffusion model of one kind of signal, on its values themselves, for the purifiers that take a `VideoPurePipeline`.

    Raises `VideoPureError` for a scheduler without a table of timesteps, or with a kind of prediction that is not known."""
    vae: None
    network: nn.Module
    signal: Signal
    grid: Any
    abar: Any
    scale: Any

    def __init__(self, network: nn.Module, signal: Signal, scheduler: SchedulerMixin | None=None):
        ...

    @property
    def model(self) -> 'SignalDiffusion':
        """Itself: a pipeline of videos has its model as a part."""
        ...

    @property
    def components(self) -> dict[str, object]:
        """Its parts by name."""
        ...

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        """Samples, scaled from their range to [-1, 1]."""
        ...

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        """What was scaled, in its range again, cut off there."""
        ...

    def answer(self, x: torch.Tensor, t: float) -> torch.Tensor:
        """What the network says of scaled samples `(B, ...)` at its own timestep."""
        ...

    def noise(self, z: torch.Tensor, abar: float) -> torch.Tensor:
        """The noise that the model sees in `sqrt(abar) x0 + sqrt(1 - abar) noise`."""
        ...

    def predict_noise(self, z: torch.Tensor, t: int) -> torch.Tensor:
        """The noise at a timestep; where gradients are recorded, computed again in the backward pass rather than kept."""
        ...

    def loss(self, x: torch.Tensor, generator: torch.Generator | None=None) -> torch.Tensor:
        """The mean squared error of the predicted noise, at one random level for each sample of `x`. Source: DDPM (arXiv 2006.11239)."""
        ...

    def train_on(self, data: torch.Tensor, steps: int=2000, batch_size: int=256, lr: float=0.001, seed: int=0, progress: bool=True) -> list[float]:
        """Train the network on samples. Afterwards it is frozen and in evaluation mode."""
        ...

    def prepare(self, x: torch.Tensor) -> torch.Tensor:
        """A checked copy of samples where the network is, in its precision."""
        ...

    def decode_records(self, latents: torch.Tensor, size: tuple[Any, ...]=(), decode_chunk: int | None=None) -> torch.Tensor:
        """Samples `(B, S, ...)` of records `(B, S, ...)`; the other arguments are of videos."""
        ...

    def progress_bar(self, steps: list[Any]) -> list[Any]:
        """The steps, without a bar."""
        ...

    def invert(self, x: torch.Tensor, purify_steps: int=6, temporal_inversion: bool=False) -> list[torch.Tensor]:
        """DDIM inversion of samples, all levels on the way included."""
        ...
