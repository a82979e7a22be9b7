# Made by tools/stubs.py from families.py: run it after nbdev_export.
"""Five families of video diffusion models, untrained, as small as possible or as large as published"""
from typing import Any
from collections.abc import Mapping as Mapping
from diffusers.schedulers.scheduling_utils import SchedulerMixin as SchedulerMixin
from torch import nn as nn
from .checks import VideoPureError as VideoPureError, checked as checked
from .latents import PromptEmbedding as PromptEmbedding
from .schedule import paper_scheduler as paper_scheduler
__all__ = ['untrained']

def _pictures(widths: tuple[int, ...], **more: int) -> dict[Any, Any]:
    """The configuration of an autoencoder for pictures."""
    ...

def _cogvideox(widths: tuple[int, ...], **more: int) -> dict[Any, Any]:
    """The configuration of CogVideoX's autoencoder."""
    ...
_LTX: dict[str, Any]
AUTOENCODERS: dict[str, Any]
_MOTION: dict[str, Any]
_UNET: dict[str, Any]
_SMALL_UNET: dict[str, Any]
_COG: dict[str, Any]
_WAN: dict[str, Any]
NETWORKS_OF: dict[str, Any]

def scheduler_of(family: str) -> SchedulerMixin:
    """The scheduler that is published with a family."""
    ...
_WORDS: dict[str, int]

def _prompt(family: str, config: Mapping[Any, Any], size: str) -> PromptEmbedding:
    """Random numbers in the place of an embedded prompt."""
    ...

def untrained(family: str, size: str='tiny', seed: int=0) -> dict[str, nn.Module | SchedulerMixin]:
    """A model with random weights, which purifies nothing. Inside `with torch.device("meta")` the full size takes no memory."""
    ...
