# Made by tools/stubs.py from certify.py: run it after nbdev_export.
"""`certify`: answers that no attack can change, proved one by one, against small noise, whole frames, boxes and flicker"""
from typing import Any
from collections.abc import Callable as Callable
from dataclasses import dataclass as dataclass
from pathlib import Path as Path
import torch as torch
from torch import nn as nn
from .attacks import check_labels as check_labels
from .checks import Late as Late, checked as checked
from .defense import Defended as Defended, answer as answer
from .diffusion import SignalDiffusion as SignalDiffusion
from .journal import Journal as Journal
from .latents import evaluating as evaluating
from .models import VideoModel as VideoModel
from .pipeline import VideoPurePipeline as VideoPurePipeline
from .purifier import seed_of as seed_of
from .registry import identity as identity, pieces as pieces
from .statistics import Accuracy as Accuracy
from .table import Table as Table
from .schedule import predict_x0 as predict_x0
from .threats import L2 as L2, Flicker as Flicker, FrameL2 as FrameL2, Frames as Frames, Linf as Linf, Masked as Masked, Subspace as Subspace, Threat as Threat, as_eps as as_eps, as_threat as as_threat
from .video import VideoPureError as VideoPureError, check_number as check_number, check_video as check_video, signal_of as signal_of
__all__ = ['Certificate', 'Denoiser', 'Smoothed', 'certified_accuracy', 'windows', 'subsets', 'boxes', 'DoubleMasked', 'Steady', 'certify']

@dataclass
class Certificate:
    """What is proved: no change of a clip that `threat` allows, up to the size `radii`, turns its label into another."""
    labels: torch.Tensor
    radii: torch.Tensor
    counts: torch.Tensor
    draws: int
    alpha: float
    threat: Threat

    def __post_init__(self):
        ...

    def certified(self, eps: float | str | None=None) -> torch.Tensor:
        """Which answers are certain at a size, which must be below their radius, `(B,)`; None takes the threat model's own."""
        ...

    def accuracy(self, labels: torch.Tensor, eps: float | str | None=None) -> Accuracy:
        """The share of clips whose answer is right and certain at a size. Abstaining is wrong."""
        ...

    def contradicted(self, answers: torch.Tensor, eps: float | str | None=None) -> int:
        """How many certain answers became others `(B,)` on clips attacked within that size: any number but 0 refutes an exact proof.

        Of a `Smoothed`, take what `predict` says. What it withholds, -1, is no other answer."""
        ...

def smoothing_radius(sigma: float, p: float) -> float:
    """How far a clip may move, in Euclidean norm, before a class of probability `p` under noise `sigma` can lose its majority."""
    ...
stats: Late

def binomial_bound(right: int, n: int, alpha: float) -> float:
    """A lower bound of the probability of what came `right` times in `n` draws; it is too high with probability at most `alpha`."""
    ...

class Denoiser:
    """Clips under pixel noise `sigma` to clean ones, with one noise prediction of a diffusion model; deterministic."""
    model: Any
    sigma: Any
    inside: Subspace | None
    _levels: dict[Any, Any]

    def __init__(self, model: object, sigma: float, inside: Subspace | None=None):
        ...

    def __call__(self, noisy: torch.Tensor) -> torch.Tensor:
        """The clean clips `(B, 3, T, H, W)` in [0, 1]."""
        ...

    def level(self, clip: torch.Tensor) -> float:
        """The noise level `abar` of the latents of noisy clips of this size."""
        ...

def _denoiser_pieces(part: Denoiser) -> list[Any]:
    """What a denoiser is made of."""
    ...

def _shown(classifier: nn.Module, clips: torch.Tensor) -> torch.Tensor:
    """What a classifier is shown: a `Defended` takes clips in [0, 1] only, or in the range of its `signal`."""
    ...

class Smoothed(nn.Module):
    """The vote of a classifier under Gaussian noise. Source: Cohen et al. (arXiv 1902.02918), with a denoiser Carlini et al. (2206.10550)."""
    classifier: nn.Module
    inside: Any
    seed: int
    sigma: Any
    draws: Any
    chunk: Any
    denoiser: Any
    parts: nn.ModuleList

    def __init__(self, classifier: nn.Module, sigma: float=0.25, denoiser: object=None, inside: Subspace | None=None, draws: int=100, chunk: int=32, seed: int=0):
        ...

    def forward(self, video: torch.Tensor) -> torch.Tensor:
        """The share of a few draws that gave each class, `(B, K)`; the draws follow from `seed`. `predict` knows when they are too few."""
        ...

    def count(self, clip: torch.Tensor, n: int, *names: str | int) -> torch.Tensor:
        """How often each class comes in `n` draws for a clip `(3, T, H, W)`; the draws follow from the seed and `names`."""
        ...

    def predict(self, clips: torch.Tensor, draws: int=100, alpha: float=0.001) -> torch.Tensor:
        """The voted labels `(B,)`, -1 where the vote is too close to call. Source: Cohen et al. (arXiv 1902.02918)."""
        ...

    def certify(self, clips: torch.Tensor, threat: object=None, draws: int=1000, select: int=32, alpha: float=0.001, first: int=0, progress: bool=True) -> Certificate:
        """What can be proved about the smoothed answer. Raises `VideoPureError` for a threat model that the noise does not cover."""
        ...

def room(clips: torch.Tensor) -> torch.Tensor:
    """How much may be added to, and taken from, all values of clips before one is cut off at black or white, `(B,)`."""
    ...

def l2_of_one(threat: Threat, clip: torch.Tensor) -> float:
    """The largest Euclidean norm of an allowed change of size 1 in a clip or another sample. Raises `VideoPureError` where it is unknown."""
    ...

def _check_draws(draws: int, select: int, alpha: float) -> None:
    """Raise `VideoPureError` unless so many draws can prove something."""
    ...

def _check_projection(inside: Subspace, clips: torch.Tensor) -> None:
    """Raise `VideoPureError` unless the subspace's `smooth` is an orthogonal projection, as the proof needs it."""
    ...

def _sizes(proof: Certificate) -> list[float]:
    """Round sizes, ten at most, from 0 to the largest radius of a proof."""
    ...

def certified_accuracy(proof: Certificate, labels: torch.Tensor, radii: list[float] | None=None, values: int | None=None) -> Table:
    """Certified accuracy against the size of the change, in the units of the threat model."""
    ...

def nearest_visible(clip: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
    """A clip `(3, T, H, W)` with each frame that `hidden` `(T,)` marks replaced by the nearest one that it does not, the earlier of two."""
    ...

def windows(frames: int, k: int) -> torch.Tensor:
    """All windows of `k` consecutive frames, `(M, T)`."""
    ...

def subsets(frames: int, k: int) -> torch.Tensor:
    """All sets of `k` frames, wherever they stand, `(M, T)`."""
    ...

def boxes(height: int, width: int, size: int, steps: int=6) -> torch.Tensor:
    """Boxes `(M, H, W)`, about `steps` along each side, so large that every box of `size` pixels a side lies within one of them."""
    ...

class DoubleMasked(nn.Module):
    """Answers that do not depend on what one of the masks hides. Source: PatchCleanser (arXiv 2108.09135), with masks in time or space."""
    classifier: nn.Module
    masks: torch.Tensor
    chunk: Any
    fill: Any

    def __init__(self, classifier: nn.Module, masks: torch.Tensor, fill: Callable[..., Any] | None=None, chunk: int=32):
        ...

    def forward(self, video: torch.Tensor) -> torch.Tensor:
        """1 for the class of the answer and 0 for all others, `(B, K)`."""
        ...

    def seen(self, clip: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
        """Logits of a clip under each of some masks, `(M, K)`."""
        ...

    def _answer(self, clip: torch.Tensor) -> torch.Tensor:
        """The two rounds for one clip."""
        ...

    def _check_covers(self, threat: Threat, clip: torch.Tensor) -> None:
        """Raise `VideoPureError` unless one of the masks hides all that the threat model may change."""
        ...

    def certify(self, clips: torch.Tensor, threat: object=None, progress: bool=True) -> Certificate:
        """What is proved about the masked answer: anything may stand where one mask hides. `threat` must lie within one of them."""
        ...

def pairs(masks: torch.Tensor) -> torch.Tensor:
    """All unions of two masks, each once, those that hide most first."""
    ...

def check_repeats(ask: Callable[[torch.Tensor], torch.Tensor], questions: torch.Tensor) -> None:
    """Raise `VideoPureError` if answers differ when they are asked for again, one by one: then an exact proof proves nothing."""
    ...

def is_clear(logits: torch.Tensor) -> torch.Tensor:
    """Which answers `(B,)` lead by more than what rounding can change."""
    ...

class Steady(nn.Module):
    """A classifier that sees every frame with its mean colour moved to grey: flicker cannot change what it sees, but for rounding.

    Its proof is for classifiers to which changes of a millionth do not matter, such as networks; not for one that cuts clips to 8 bits."""
    classifier: nn.Module

    def __init__(self, classifier: nn.Module):
        ...

    def forward(self, video: torch.Tensor) -> torch.Tensor:
        """Logits `(B, K)`."""
        ...

    def certify(self, clips: torch.Tensor, threat: object='Flicker', progress: bool=True) -> Certificate:
        """Every answer is certain against flicker that makes no pixel black or white: the radius is the room that is left for it."""
        ...

def _kept(model, clips, threat, out, progress, options, labels, names):
    """Certify clips one by one, with each result kept in the folder `out`."""
    ...

def _result(proof, labels):
    """What is kept of the proof of one clip; without a label, nobody has said what is right."""
    ...

def certify(model: nn.Module, clips: torch.Tensor, threat: object, out: str | Path | None=None, progress: bool=True, labels: torch.Tensor | None=None, names: list[str] | None=None, **options: object) -> Certificate:
    """What is proved about the model's answers. Raises `VideoPureError` if nothing can be proved, and says what could."""
    ...
