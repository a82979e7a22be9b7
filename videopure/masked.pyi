# Made by tools/stubs.py from masked.py: run it after nbdev_export.
"""Twenty planted mistakes and tricks, and eight honest defenses, for whoever writes a check"""
from typing import Any
from collections.abc import Callable as Callable
from dataclasses import dataclass as dataclass
import torch as torch
from torch import nn as nn
from .baselines import GaussianBlur as GaussianBlur, MedianBlur as MedianBlur
from .defense import Defended as Defended
from .video import VideoPureError as VideoPureError
__all__ = ['MASKED', 'HONEST', 'Specimen']

@dataclass
class Specimen:
    """A planted defense: how it is made of a classifier, which check must find it, and what it does."""
    make: Callable[[nn.Module], nn.Module]
    check: str
    about: str
MASKED: dict[Any, Any]
HONEST: dict[Any, Any]

def _specimen(name: str, check: str='', whole: bool=False) -> Callable[..., Any]:
    """Add a function of clips as a purifier, or with `whole` a function of a classifier as a defense; its docstring says what it does."""
    ...

class _Pretended(torch.autograd.Function):
    """A clip to see, and a gradient to follow."""

    @staticmethod
    def forward(ctx, video, shown, gradient):
        ...

    @staticmethod
    def backward(ctx, grad):
        ...
_BLUR: GaussianBlur
_PROMISE: str
_GRADIENT: str

def _shown(video: torch.Tensor, far: bool) -> torch.Tensor:
    """A blurred clip; or its reflection in the blurred one, which is far from the clip, so that BPDA is misled as well."""
    ...

def _lie(name: str, gradient: Callable[..., Any], far: bool=False) -> None:
    """Add a blur, or a reflection, with a gradient of its own."""
    ...

def _random(grad: torch.Tensor) -> torch.Tensor:
    """A gradient that is drawn, from the same numbers each time."""
    ...

def _ripple(video):
    """Invisible waves, so steep that the sign of the gradient is as good as random."""
    ...

def _detached(video):
    """A blend with the blurred clip, most of which is detached: the gradient is a twentieth of what it should be."""
    ...

def _rounded(video):
    """Eight levels: the gradient is there, and zero."""
    ...

def _root(video):
    """Adds the root of zero, whose gradient is not a number."""
    ...

class _Saturated(nn.Module):
    """Logits so large that the softmax is 0 and 1, and the cross-entropy has no gradient."""
    classifier: Any

    def __init__(self, classifier):
        ...

    def forward(self, video):
        ...

def _out_of_torch(video):
    """Goes through numpy, where gradients end."""
    ...

def _unseen(video):
    """Does its work only while no gradient is recorded."""
    ...

class _OtherVote(Defended):
    """Votes on a clip without motion, and shows the scores of the clip as it came."""

    def __init__(self, classifier):
        ...

    def forward(self, video):
        ...

def _noise(video):
    """Draws noise, and does not say so."""
    ...

def _company(video):
    """Mixes the clips of a batch."""
    ...

class _Cache:
    """Returns what it gave for a clip nearby that it has seen before."""
    known: list[Any]

    def __init__(self):
        ...

    def __call__(self, video):
        ...

    def once(self, clip):
        """The purified clip, or that of one nearby."""
        ...

class _Remembered(nn.Module):
    """Gives a clip the scores that it gave to the first one like it."""
    classifier: Any
    known: list[Any]

    def __init__(self, classifier):
        ...

    def forward(self, video):
        ...

    def once(self, clip):
        """The scores of a clip, or of the first one nearby."""
        ...

def _seeding(video):
    """Sets torch's seed, for all that comes after it."""
    ...

def _refusing(video):
    """Refuses what looks attacked."""
    ...

class _Grain:
    """Draws noise, and says so."""
    random: bool

    def __call__(self, video):
        ...

def _reflection(video):
    """The reflection of a clip in its blurred one, with its true gradient: far from the identity."""
    ...

def _contrast(video):
    """Half the contrast, with its true gradient."""
    ...

def _bare(classifier):
    """The classifier as it is."""
    ...
