# Made by tools/stubs.py from filmstrip.py: run it after nbdev_export.
"""A library of image attacks, used on video: which of them are right as they are, which need a filmstrip, and which would lie"""
from typing import Any
from collections.abc import Iterator as Iterator
from contextlib import contextmanager as contextmanager
import torch as torch
from torch import nn as nn
from .attacks import ATTACKS as ATTACKS, Attack as Attack, VideoAttack as VideoAttack
from .checks import Late as Late, checked as checked
from .defense import answer as answer
from .threats import as_eps as as_eps
from .video import VideoPureError as VideoPureError
__all__ = ['SUPPORT', 'to_filmstrip', 'from_filmstrip', 'TorchAttack']
torchattacks: Late

def to_filmstrip(clips: torch.Tensor) -> torch.Tensor:
    """Clips `(B, C, T, H, W)` as pictures `(B, C, T * H, W)`, frame below frame."""
    ...

def from_filmstrip(strips: torch.Tensor, frames: int) -> torch.Tensor:
    """Pictures `(B, C, T * H, W)` of so many frames as clips again, `(B, C, T, H, W)`."""
    ...

class _AsImages(nn.Module):
    """A video classifier that an image attack can call: filmstrips (or clips) of any values, to scores `(B, K)`."""
    model: nn.Module
    positive: bool
    frames: Any
    training: bool

    def __init__(self, model: nn.Module, positive: bool=False):
        ...

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Scores; the images are filmstrips if `frames` says how many there are."""
        ...
_DIRECT: str
_FILMSTRIP: str
_REFUSED: str
SUPPORT: dict[str, tuple[Any, str]]
_MEANS: str
_NORMS: str

class TorchAttack(VideoAttack):
    """One of torchattacks' attacks, right on clips. Raises `VideoPureError`, with the reason, for one that is not."""
    of_clips: bool
    view: _AsImages
    inner: Attack
    supported_mode: Any
    members: list[Any]
    flags: list[Any]

    def __init__(self, name: str, model: nn.Module, seed: int | None=None, **settings: object):
        ...

    def forward(self, clips: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The attacked clips; called by `__call__`."""
        ...

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """What the attack does to random states, gradients and weights stays inside."""
        ...

    def _check_classes(self, clips: torch.Tensor) -> None:
        """Fit the attacks that go through target classes to the number of classes; an error if there are too few."""
        ...

def _build(name: str, view: _AsImages, settings: dict[Any, Any]) -> Attack:
    """A torchattacks attack with some settings; a one-line error if it has no such settings."""
    ...
torchattack = TorchAttack
