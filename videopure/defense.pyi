# Made by tools/stubs.py from defense.py: run it after nbdev_export.
"""`Defended`: a classifier, a purifier and a vote as one `nn.Module`, and what an attacker's gradient sees of it"""
from pathlib import Path as Path
from typing import Any as Any
import torch as torch
from torch import nn as nn
from .classifiers import check_logits as check_logits
from .latents import recompute as recompute
from .pipeline import grad_like as grad_like
from .purifier import NoGradientError as NoGradientError, Purifier as Purifier, Records as Records, as_purifier as as_purifier, check_answer as check_answer, evaluating as evaluating
from .signal import Signal as Signal
from .video import VIDEO as VIDEO, VideoPureError as VideoPureError, signal_of as signal_of
from .voting import RULES as RULES, VoteOutput as VoteOutput, find_rule as find_rule, vote as vote, vote_early as vote_early, vote_scores as vote_scores
__all__ = ['SEES', 'Defended']

def for_signal(purifier: Purifier, signal: Signal) -> Purifier:
    """A purifier of a classifier's `signal`: the same, or a copy that says so. Raises `VideoPureError` if it is made for another one."""
    ...
SEES: str

class Defended(nn.Module):
    """A classifier behind a purifier, with multi-step voting: clips `(B, 3, T, H, W)` in [0, 1] to scores `(B, K)`.

    The scores' argmax is the voted label; they are the log of the mean probability over the records. Source: VideoPure (arXiv 2501.14999)."""
    classifier: nn.Module
    purifier: Purifier
    rule: Any
    sees: str
    module: Any

    def __init__(self, classifier: nn.Module, purifier: object=None, rule: str | None=None, sees: str='full'):
        ...

    def forward(self, video: torch.Tensor) -> torch.Tensor:
        """Differentiable scores `(B, K)`; the argmax is the vote."""
        ...

    @property
    def signal(self) -> Signal:
        """What the classifier takes: clips, unless it says otherwise."""
        ...

    def surrogate(self, video: torch.Tensor, count: int) -> torch.Tensor:
        """What differentiation sees for the `count` records: the clip itself (BPDA), or the records of a purifier with fewer steps."""
        ...

    def records(self, video: torch.Tensor) -> torch.Tensor:
        """All purified records `(B, S, 3, T, H, W)` in [0, 1]; differentiable in the mode's way if `video` requires a gradient."""
        ...

    def classify(self, records: torch.Tensor) -> torch.Tensor:
        """The classifier's logits `(B, S, K)` for records `(B, S, 3, T, H, W)`."""
        ...

    def logits(self, video: torch.Tensor) -> torch.Tensor:
        """The classifier's logits for each record, `(B, S, K)`; differentiable in the mode's way if `video` requires a gradient."""
        ...

    def train(self, mode: bool=True) -> Defended:
        """Nothing to train: the classifier and the purifier are used as they are."""
        ...

    def vote(self, video: torch.Tensor) -> VoteOutput:
        """The full vote: labels, counts, margin and the logits of every record."""
        ...

    def predict(self, video: torch.Tensor, records: Records | None=None) -> torch.Tensor:
        """Only the voted labels: records are decoded one by one until the majority is certain."""
        ...

    def predict_video(self, source: str | Path, **options: object) -> Any:
        """Classify a film of any length by windows; as `videopure.stream.predict_video`, which explains the options."""
        ...

def straight_through(value: torch.Tensor, path: torch.Tensor) -> torch.Tensor:
    """`value`, bit for bit, with the derivative of `path` (straight-through estimator, Bengio et al. 2013)."""
    ...

def answer(classifier: nn.Module, clips: torch.Tensor, rows: torch.Tensor | slice=slice(None)) -> torch.Tensor:
    """The logits `(B, K)` of a classifier in evaluation mode, for the clips `rows` of a batch; an `AnswerError` where they are not finite."""
    ...

def _same_classes(logits: list[torch.Tensor]) -> list[torch.Tensor]:
    """Logits of several records, if all are about the same classes."""
    ...
