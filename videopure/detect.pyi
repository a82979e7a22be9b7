# Made by tools/stubs.py from detect.py: run it after nbdev_export.
"""A defense that may withhold an answer: how far its records disagree, what that detects, and what an attacker does about it"""
from typing import Any
from dataclasses import field
from collections.abc import Callable as Callable
from dataclasses import dataclass as dataclass
import torch as torch
from torch import nn as nn
from .attacks import check_labels as check_labels
from .checks import check_number as check_number, checked as checked
from .defense import Defended as Defended
from .purifier import Purifier as Purifier
from .statistics import Accuracy as Accuracy
from .table import Table as Table
from .video import VideoPureError as VideoPureError, check_video as check_video
from .voting import vote as vote
__all__ = ['disagreement', 'Selective', 'auc', 'evading', 'selective_table']

def disagreement(logits: torch.Tensor) -> torch.Tensor:
    """How far answers disagree: the entropy of their mean, minus the mean of their entropies; differentiable."""
    ...

@dataclass
class _WithInput(Purifier):
    """A purifier whose records `(B, 1 + S, 3, T, H, W)` begin with the clip as it came."""
    purifier: Purifier
    random: Any = field(init=False)

    def __post_init__(self):
        ...

    def __call__(self, video):
        ...

    def fewer(self, steps):
        """The same with a purifier of fewer steps, for a cheaper gradient."""
        ...

class Selective(nn.Module):
    """A defense that withholds an answer where its records, and the clip as it came, are answered too differently."""
    defended: Defended
    threshold: Any
    everything: Defended

    def __init__(self, defended: Defended, threshold: float=0.05):
        ...

    def forward(self, video: torch.Tensor) -> torch.Tensor:
        """The scores of the defense, of all clips."""
        ...

    def judge(self, video: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The voted labels, and how suspicious each clip is: the disagreement of all answers to it. Both `(B,)`, of the same records."""
        ...

    def score(self, video: torch.Tensor) -> torch.Tensor:
        """How suspicious each clip is, `(B,)`."""
        ...

    def predict(self, video: torch.Tensor) -> torch.Tensor:
        """The voted labels `(B,)`, and -1 for I don't know."""
        ...

    def get_extra_state(self) -> dict[str, float]:
        """The threshold, as a part of `state_dict`."""
        ...

    def set_extra_state(self, state: dict[str, float]) -> None:
        """Take the threshold of saved weights."""
        ...

    def calibrate(self, clips: torch.Tensor, withheld: float=0.05, batch_size: int=16) -> float:
        """Set the threshold so that this part of clean clips stays without an answer, and return it."""
        ...

def _edge(far: Callable[[float], bool], inner: float, outer: float) -> float:
    """Where, on the way from a value that is not too far to one that may be, it begins to be too far; by bisection."""
    ...

def auc(clean: torch.Tensor, attacked: torch.Tensor) -> tuple[float, float, float]:
    """Probability that an attacked clip has a higher score than a clean one; ties count half."""
    ...

def evading(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """A loss for `PGD` on `Selective.everything`: all answers are to be sure of one and the same wrong class."""
    ...

def selective_table(selective: Selective, clips: dict[str, torch.Tensor], labels: torch.Tensor, batch_size: int=16) -> Table:
    """Coverage, accuracy where there was an answer, and wrong answers given, for clips by name; the AUC against the first entry."""
    ...
