# Made by tools/stubs.py from latents.py: run it after nbdev_export.
"""A video diffusion model reduced to three verbs: encode, decode, predict noise"""
from typing import Any
from collections.abc import Callable as Callable, Iterator as Iterator
from contextlib import contextmanager as contextmanager
from threading import RLock as RLock
from typing import NamedTuple as NamedTuple
from weakref import WeakKeyDictionary as WeakKeyDictionary
import torch as torch
from diffusers.configuration_utils import ConfigMixin as ConfigMixin
from diffusers.models.modeling_utils import ModelMixin as ModelMixin
from diffusers.models.attention_processor import Attention as Attention, AttnProcessor2_0 as AttnProcessor2_0
from torch import nn as nn
from .checks import AnswerError as AnswerError, VideoPureError as VideoPureError, checked as checked, reason as reason
from .video import check_number as check_number
__all__ = ['DENOISERS', 'PROMPT_WIDTHS', 'PROMPTS', 'encode', 'decode', 'predict_noise', 'PromptEmbedding', 'embed_empty_prompt', 'share_prompt']

def spatial_multiple(vae: nn.Module) -> int:
    """How many pixels of a frame's side make one latent pixel of `vae`."""
    ...
_STRIDES: WeakKeyDictionary

def on_meta(module: nn.Module) -> nn.Module:
    """A copy of a module whose tensors have shapes and no numbers."""
    ...

class Strides(NamedTuple):
    """How the latents of an autoencoder stand to its clips, `T = 1 + time * step * k`."""
    time: int
    space: int
    step: int = 1
_PICTURES: Strides

def takes_clips(vae: nn.Module) -> bool:
    """Whether an autoencoder looks at whole clips rather than at single pictures."""
    ...

def _decode_clips(vae: nn.Module, z: torch.Tensor) -> torch.Tensor:
    """What an autoencoder of clips makes of its own latents."""
    ...

def _measure(vae: nn.Module) -> Strides:
    """The strides of an autoencoder of clips, seen on a clip without numbers."""
    ...

def strides(vae: nn.Module) -> Strides:
    """How many frames one latent frame of `vae` stands for, and how many pixels of a side one latent pixel."""
    ...

def pad_to_multiple(video: torch.Tensor, multiple: int, frames: int=0) -> torch.Tensor:
    """Repeat the last pixels and frames of a clip `(B, 3, T, H, W)` until both sides divide by `multiple`, and there are `frames`."""
    ...
_CPU_BUDGET: int

def _frames_that_fit(vae: nn.Module, height: int, width: int, device: torch.device) -> int:
    """A good number of `height` x `width` frames for one call of `vae` on `device`, at least 1."""
    ...

def recompute(fn: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor, on: bool=True) -> torch.Tensor:
    """`fn(x)`; where gradients are recorded its activations are not kept but computed again in the backward pass."""
    ...

def _check_chunk(decode_chunk: int | None) -> int | None:
    """How many frames a call takes, if the caller says so. Raises `VideoPureError` for what is no such number."""
    ...

def _check_frames(x: torch.Tensor, channels: int | None, what: str, strides: Strides=_PICTURES) -> None:
    """Raise `VideoPureError` unless `x` is a dense floating point `(B, C, T, H, W)` of that many channels and sizes that the strides fit."""
    ...

def _per_frame(fn: Callable[[torch.Tensor], torch.Tensor], video: torch.Tensor, chunk: int) -> torch.Tensor:
    """Apply `fn`, a map of pictures `(N, C, H, W)`, to all frames of `(B, C, T, H, W)`, `chunk` at a time."""
    ...

def _per_clip(fn: Callable[[torch.Tensor], torch.Tensor], clips: torch.Tensor, chunk: int | None) -> torch.Tensor:
    """Apply `fn`, a map of clips, to all clips `(B, C, T, H, W)`, one a call or as many as `chunk` frames are."""
    ...

def check_finite(x: torch.Tensor, what: str) -> torch.Tensor:
    """`x`, one row a clip, if all of it is finite numbers; otherwise an `AnswerError` that keeps which clips have none."""
    ...

def _working_precision(x: torch.Tensor) -> torch.Tensor:
    """`x` in float32 if it came in half precision, else as it is."""
    ...

def _moments(vae: nn.Module, z: torch.Tensor) -> list[torch.Tensor | float]:
    """What the latents of `vae` are moved by, and what they are then multiplied by, one number a channel."""
    ...

def encode(vae: nn.Module, video: torch.Tensor, decode_chunk: int | None=None) -> torch.Tensor:
    """The scaled latents of a clip: the posterior mean, so nothing is random."""
    ...

def decode(vae: nn.Module, latents: torch.Tensor, decode_chunk: int | None=None) -> torch.Tensor:
    """The clip that scaled latents stand for."""
    ...

def psnr(found: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Peak signal-to-noise ratio of each clip `(B, 3, T, H, W)` in dB, `(B,)`, at most 100."""
    ...

def _call_unet(network, x, t, words, strides):
    ...

def _call_motion(network, x, t, words, strides):
    ...

def _call_wan(network, x, t, words, strides):
    ...

def _call_ltx(network, x, t, words, strides):
    ...

def _places(network: nn.Module, frames: int, height: int, width: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """The rotary embedding of CogVideoX for latents of a size, cosines and sines."""
    ...

def _call_cogvideox(network, x, t, words, strides):
    ...
DENOISERS: dict[str, Callable[..., Any]]
PROMPT_WIDTHS: tuple[str, ...]

def patch_size(network: nn.Module) -> tuple[int, int]:
    """How many latent frames, and latent pixels of a side, one token of a network holds. (CogVideoX fills up its frames by itself.)"""
    ...

def by_class(table: dict[Any, Any], part: object) -> object | None:
    """The entry of a table by name of class for a part, or for what its class is made of; compiled networks count as what they were."""
    ...

def find_call(network: nn.Module) -> Callable[..., Any]:
    """How a network is called. Raises `VideoPureError` if its class, and those that it is made of, are not known."""
    ...

def predict_noise(network: nn.Module, latents: torch.Tensor, t: float, prompt: torch.Tensor | None=None, strides: Strides=_PICTURES) -> torch.Tensor:
    """One answer of the network: one call, whatever the batch."""
    ...

class PromptEmbedding(ModelMixin, ConfigMixin):
    """The text encoder's answer to the empty prompt, `embedding` of shape `(1, length, dim)`, kept in its place."""
    config_name: Any

    def __init__(self, length: int, dim: int):
        ...

def _networks(part: object, met: set[int]) -> list[nn.Module]:
    """The networks that a model or purifier computes with, as far as they can be seen; `met` are parts that were looked at."""
    ...
_LOCK: RLock
_USED: WeakKeyDictionary

@contextmanager
def evaluating(part: object) -> Iterator[None]:
    """Evaluation mode inside for the networks of a model or purifier, every network's own mode again outside."""
    ...
PROMPTS: dict[str, tuple[int, str]]

def embed_empty_prompt(text_encoder: nn.Module, tokenizer: Callable[..., Any], network: nn.Module | None=None) -> PromptEmbedding:
    """What `text_encoder` says to the empty prompt, as `network` was trained to see it."""
    ...

class PromptAttention(AttnProcessor2_0):
    """Cross-attention for a prompt that all frames of all clips share: its keys and values are computed once."""

    def __call__(self, attn: Attention, hidden_states: torch.Tensor, encoder_hidden_states=None, attention_mask=None, *args: Any, **kwargs: Any):
        ...

def share_prompt(unet: nn.Module) -> None:
    """Give the cross-attention layers of a diffusers UNet `PromptAttention`; other models, and other calls, are left as they are."""
    ...
