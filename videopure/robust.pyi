# Made by tools/stubs.py from robust.py: run it after nbdev_export.
"""Adversarial training, training under noise and behind masks, and a purifier that is trained to stand in front of a classifier"""
from typing import Any
from collections.abc import Callable as Callable
from dataclasses import dataclass as dataclass
from pathlib import Path as Path
import torch as torch
from torch import nn as nn
from .baselines import OneStep as OneStep
from .certify import nearest_visible as nearest_visible
from .checks import check_number as check_number, checked as checked
from .latents import evaluating as evaluating
from .pipeline import VideoPurePipeline as VideoPurePipeline, save_pipeline as save_pipeline
from .threats import Linf as Linf, Threat as Threat, as_eps as as_eps
from .tiny import MotionClassifier as MotionClassifier, TinyUNet as TinyUNet, TinyVAE as TinyVAE, save_classifier as save_classifier, tiny_classifier as tiny_classifier, tiny_defaults as tiny_defaults
from .trainer import Trainer as Trainer, machine_errors as machine_errors, own_folder as own_folder, remove_checkpoints as remove_checkpoints, start_accelerate as start_accelerate
from .video import VideoPureError as VideoPureError, moving_shapes as moving_shapes
__all__ = ['PLAIN', 'Hardening', 'train_robust']

def ascend(model: nn.Module, clips: torch.Tensor, labels: torch.Tensor, threat: Threat, steps: int=3, generator: torch.Generator | None=None) -> torch.Tensor:
    """Clips under a short PGD attack on the loss, for training. Source: Madry et al. (arXiv 1706.06083)."""
    ...

def ramp(progress: float) -> float:
    """The part of the full size of a disturbance at a point of a run, 0 to 1."""
    ...

def hidden_frames(n: int, frames: int, most: int, generator: torch.Generator) -> torch.Tensor:
    """Which frames to hide, `(n, frames)`: two runs of up to `most` frames in every other clip, single ones in the rest; never all."""
    ...

def hide(clips: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
    """Clips in which each hidden frame is replaced by the nearest one that is not."""
    ...

@dataclass(frozen=True)
class Hardening:
    """What training clips go through, so that the answers hold; each is also an option of `videopure train`."""
    robust: float | str = 0.0
    trades: float = 0.0
    attack_steps: int = 3
    noise: float = 0.0
    masks: int = 0
    steady: bool = False
    frozen: bool = False
    robust_purifier: float | str = 0.0
    purifier_steps: int = 400

    def __post_init__(self):
        ...

    @property
    def kind(self) -> str:
        """Which of the embedded classifiers has been through the same."""
        ...

    def disturbed(self, model: nn.Module, clips: torch.Tensor, labels: torch.Tensor, generator: torch.Generator, progress: float=1.0, pool: int=1) -> tuple[torch.Tensor, torch.Tensor]:
        """The clips with frames hidden and noise added, without and with the attack."""
        ...

    def loss(self, run: Trainer, clips: torch.Tensor, labels: torch.Tensor, generator: torch.Generator, smoothing: float=0.0) -> torch.Tensor:
        """What a step of `run` makes smaller."""
        ...
PLAIN: Hardening

class _AfterPool(nn.Module):
    """A `MotionClassifier` for clips that are pooled already."""
    classifier: Any

    def __init__(self, classifier):
        ...

    def forward(self, video: torch.Tensor) -> torch.Tensor:
        """Logits `(B, K)`."""
        ...

class _Through(nn.Module):
    """A classifier behind a purifier, or behind anything else that is done to clips, as a network."""
    purifier: Any
    classifier: Any

    def __init__(self, purifier, classifier):
        ...

    def forward(self, video: torch.Tensor) -> torch.Tensor:
        """Logits `(B, K)`."""
        ...

def trainable(model: nn.Module, last: bool=False) -> None:
    """Let all weights of a network learn, or those of its last linear layer only."""
    ...

def purifier_loss(run: Trainer, purifier: Callable[..., Any], classifier: nn.Module, clips: torch.Tensor, labels: torch.Tensor, generator: torch.Generator, eps: float=8 / 255, steps: int=2, fidelity: float=5.0) -> torch.Tensor:
    """What a step makes smaller: cross-entropy of purified attacked clips, and their distance to the clean ones."""
    ...
_KINDS: dict[str, tuple[Callable[..., Any], Hardening, int, int, float]]

def _fit_classifier(kind, seed=0, steps=None, checkpoint=None, device=None, progress=True):
    """The run of one of `_KINDS`: weights, clips and all they go through are drawn from the seed."""
    ...
_SEEDS: int

def _fit_purifier(kind, seed=0, steps=None, checkpoint=None, device=None, progress=True):
    """The run of the noise predictor of a one-step purifier, in front of the embedded classifier."""
    ...

def train_robust(out: str | Path, kind: str='robust', seed: int=0, steps: int | None=None, device: str | torch.device | None=None, progress: bool=True) -> Path:
    """Train one of the embedded models that hold. Interrupted, it continues where it was when called again with the same arguments."""
    ...

def _save(model, path):
    """Write a classifier, or a pipeline around a noise predictor."""
    ...
