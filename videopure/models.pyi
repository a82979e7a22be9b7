# Made by tools/stubs.py from models.py: run it after nbdev_export.
"""Any video diffusion model behind one object: the noise level is the only coordinate"""
from typing import Any
from collections.abc import Callable as Callable, Sequence as Sequence
from typing import NamedTuple as NamedTuple
import torch as torch
from diffusers.schedulers.scheduling_utils import SchedulerMixin as SchedulerMixin
from torch import nn as nn
from .checks import VideoPureError as VideoPureError
from .latents import DENOISERS as DENOISERS, PROMPTS as PROMPTS, by_class as by_class, decode as decode, encode as encode, find_call as find_call, pad_to_multiple as pad_to_multiple, patch_size as patch_size, predict_noise as predict_noise, strides as strides
from .schedule import find_prediction as find_prediction, read_schedule as read_schedule
from .video import check_number as check_number
__all__ = ['SCHEDULES', 'Scale', 'VideoModel']

class Scale(NamedTuple):
    """How a model adds noise, `x = a x0 + s noise`, and what its network answers."""
    kind: str
    own: Callable[[float], tuple[float, float, float]]

def _flow_scale(scheduler: SchedulerMixin) -> Scale:
    """The scale of a model that was trained on straight lines from clips to noise."""
    ...

def _table_scale(scheduler: SchedulerMixin) -> Scale:
    """The scale of a model that was trained on a table of timesteps."""
    ...
SCHEDULES: dict[str, Callable[[SchedulerMixin], Scale]]

def read_scale(scheduler: SchedulerMixin) -> Scale:
    """How the model of a scheduler adds noise. Raises `VideoPureError` for a scheduler that does not tell."""
    ...
FLOWS: dict[str, bool]

def check_scale(network: nn.Module, scheduler: SchedulerMixin, abars: Sequence[float]) -> None:
    """Raise `VideoPureError` unless the scheduler can be that of the network, and its scale gives the noise that is asked for."""
    ...

class VideoModel:
    """A video diffusion model, whatever it is made of: clips to latents and back, and the noise in latents at a level.

    Raises `VideoPureError` for a scheduler, a kind of answer or a network that is not known."""
    vae: nn.Module
    network: nn.Module
    scheduler: SchedulerMixin
    prompt: nn.Module | None
    scale: Scale
    strides: Any
    patch: Any

    def __init__(self, vae: nn.Module, network: nn.Module, scheduler: SchedulerMixin, prompt: nn.Module | None=None):
        ...

    @classmethod
    def register(cls, name: str | type[Any], tokens: int | None=None, padding: str='keep') -> Callable[..., Any]:
        """A decorator: the function (network, x, t, words, strides) calls networks of this class, and returns what is shaped like x."""
        ...

    @property
    def space(self) -> int:
        """What height and width must divide by."""
        ...

    def frames(self, n: int) -> int:
        """The smallest number of frames, from `n`, that the model takes: n, 4k + 1 or 8k + 1 in the models of today."""
        ...

    def fit(self, video: torch.Tensor) -> torch.Tensor:
        """A clip `(B, 3, T, H, W)` of a size that the model takes: its last frame, row and column are repeated."""
        ...

    def keyframes(self, video: torch.Tensor) -> torch.Tensor:
        """The frames of a fitted clip that its latent frames stand for, the last of each group: frame `4k` for latent frame `k`."""
        ...

    def encode(self, video: torch.Tensor, decode_chunk: int | None=None) -> torch.Tensor:
        """Latents `(B, C, t, h, w)` of a fitted clip `(B, 3, T, H, W)` in [0, 1]."""
        ...

    def decode(self, latents: torch.Tensor, decode_chunk: int | None=None) -> torch.Tensor:
        """The fitted clip in [0, 1] of latents."""
        ...

    def noise(self, latents: torch.Tensor, abar: float) -> torch.Tensor:
        """The noise that the model sees in latents `sqrt(abar) x0 + sqrt(1 - abar) noise`."""
        ...

def noise_at(scale: Scale, answer: Callable[..., Any], latents: torch.Tensor, abar: float) -> torch.Tensor:
    """The noise in latents at a level, of a network's `answer(x, t)` in its own scale and time."""
    ...
