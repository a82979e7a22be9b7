# Made by tools/stubs.py from voting.py: run it after nbdev_export.
"""Many intermediate results, one label: majority, ties, margins, and when to stop counting"""
from collections.abc import Callable as Callable
from dataclasses import dataclass as dataclass
import torch as torch
from .checks import check_number as check_number, checked as checked
from .video import VideoPureError as VideoPureError
__all__ = ['RULES', 'Rule', 'VoteOutput', 'vote', 'certain', 'vote_early']

@dataclass(frozen=True)
class Rule:
    """How a vote is decided: the class with the largest `score(counts, probability)` wins; both are `(B, K)`, summed over the records."""
    score: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
    counts: bool = False
RULES: dict[str, Rule]

def find_rule(name: str | None=None) -> str:
    """The name of a rule, if there is one of that name; None is the default, the first of `RULES`. Otherwise raises `VideoPureError`."""
    ...

def margins(counts: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Votes of each clip's label minus those of its strongest rival, `(B,)`."""
    ...

def _check_votes(logits: torch.Tensor) -> None:
    """Raise `VideoPureError` unless `logits` are numbers `(B, S, K)`; minus infinity, for a class that is ruled out, is one."""
    ...

@dataclass
class VoteOutput:
    """The outcome of a vote over `S` records of `B` clips among `K` classes."""
    labels: torch.Tensor
    counts: torch.Tensor
    margin: torch.Tensor
    logits: torch.Tensor

    def _repr_markdown_(self) -> str:
        ...

def vote(logits: torch.Tensor, rule: str | None=None) -> VoteOutput:
    """Multi-step voting: the label most records agree on, ties going to the larger summed probability.

    Raises `VideoPureError` for an unknown rule and for logits that are no numbers.
    Source: VideoPure (arXiv 2501.14999); the tie rule is ours."""
    ...

def vote_scores(logits: torch.Tensor, rule: str | None=None) -> torch.Tensor:
    """Differentiable scores `(B, K)` of record logits `(B, S, K)`, at least float32: log mean probability, the voted class lifted on top."""
    ...

def certain(counts: torch.Tensor, remaining: int) -> torch.Tensor:
    """Which clips' votes `(B, K)` can no longer change with `remaining` records uncounted, `(B,)`."""
    ...

def vote_early(classify: Callable[[int, torch.Tensor], torch.Tensor], batch: int, records: int, rule: str | None=None) -> tuple[torch.Tensor, torch.Tensor]:
    """The labels of `vote` without looking at records that cannot change them."""
    ...
