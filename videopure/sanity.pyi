# Made by tools/stubs.py from sanity.py: run it after nbdev_export.
"""`check_defense`: can the numbers of an evaluation be believed? A report in words, with the evidence"""
from typing import Any
from collections.abc import Callable as Callable, Iterator as Iterator, Mapping as Mapping, Sequence as Sequence
from contextlib import contextmanager as contextmanager
from dataclasses import dataclass as dataclass, field as field
import torch as torch
from torch import nn as nn
from .attacks import PGD as PGD, check_adversarial as check_adversarial, check_labels as check_labels, clip_gradient as clip_gradient, make_loss as make_loss, record_logits as record_logits, voted as voted
from .blackbox import RandomNoise as RandomNoise, Square as Square
from .defense import Defended as Defended
from .metrics import CostMeter as CostMeter
from .protocols import AttackSpec as AttackSpec, as_attack_spec as as_attack_spec
from .purifier import NoGradientError as NoGradientError, device_of as device_of, evaluating as evaluating, seeded as seeded
from .registry import fingerprint as fingerprint
from .report import Check as Check, Report as Report, judge as judge, verdict_of as verdict_of
from .results import Accuracy as Accuracy
from .suite import Averaged as Averaged
from .threats import THREATS as THREATS, Linf as Linf, Threat as Threat, as_eps as as_eps, as_threat as as_threat, format_eps as format_eps, make_threat as make_threat
from .video import VideoPureError as VideoPureError, check_number as check_number, signal_of as signal_of
__all__ = ['CHECKS', 'check_defense']

def _gradient_modes(model: nn.Module) -> dict[str, nn.Module]:
    """A defense as an attacker with the exact gradient and one with BPDA see it; a bare classifier has only the exact one."""
    ...

def _own_spec(name: object, attack: object) -> AttackSpec:
    """An attack of one's own, on the whole defense unless it says otherwise. Raises `VideoPureError` for what the report decides."""
    ...

@dataclass
class Inspection:
    """A model, clips, and a budget; and what has been seen of them so far."""
    model: nn.Module
    clips: torch.Tensor
    labels: torch.Tensor
    eps: float = 8 / 255
    grid: Sequence[float] | None = None
    steps: int = 10
    queries: int = 20
    draws: int = 3
    eot: int = 4
    loss: str | Callable[..., Any] = 'ce'
    batch_size: int = 8
    seed: int = 0
    threat: object = 'Linf'
    attacks: Mapping[str, object] = field(default_factory=dict)
    own: dict[Any, AttackSpec] = field(init=False)
    below: Any = field(init=False)
    purifier: Any = field(init=False)
    modes: dict[str, nn.Module] = field(init=False)
    fixed: set[Any] = field(init=False)
    before: Any = field(init=False)
    found: dict[Any, Any] = field(init=False)
    fresh: nn.Module | None = field(init=False)
    attacked: Any = field(init=False)
    first: Any = field(init=False)
    second: Any = field(init=False)
    declared: Any = field(init=False)
    random: Any = field(init=False)
    judged: Any = field(init=False)
    clean: Any = field(init=False)
    values: dict[Any, Any] = field(init=False)
    gradients: dict[Any, Any] = field(init=False)
    errors: dict[Any, Any] = field(init=False)
    signal: Any = field(init=False)
    most: Any = field(init=False)
    whole: Any = field(init=False)

    def __post_init__(self):
        ...

    def _observe(self) -> None:
        """What can be seen without an attack."""
        ...

    def _check(self) -> None:
        """Raise `VideoPureError` for what cannot be inspected."""
        ...

    def within(self, eps: float) -> Threat:
        """What an attack of a size may change."""
        ...

    def _state(self) -> dict[str, object]:
        """Weights, flags and torch's switches, in values that can be compared."""
        ...

    @property
    def budget(self) -> dict[str, int | str]:
        """The settings of the attacks."""
        ...

    @property
    def name(self) -> str:
        """What is inspected: the purifier's name, or the classifier's if there is none."""
        ...

    def scores(self, batch_size: int | None=None, clips: torch.Tensor | None=None) -> torch.Tensor:
        """The model's scores `(B, K)` of the clips, or of others."""
        ...

    def right(self, clips: torch.Tensor) -> torch.Tensor:
        """Which clips `(B,)` are answered right; a clip that could not be attacked, which is not a number, is not."""
        ...

    def _differentiate(self, mode: str) -> None:
        """The scores while a gradient is recorded, and the gradient of the loss; or the reason why there is none."""
        ...

    def usable(self, mode: str) -> bool:
        """Whether an attack can follow the gradient of a mode."""
        ...

    def strongest(self) -> str | None:
        """The gradient attack that should be the strongest; None if there is no gradient at all."""
        ...

    def attack(self, name: str, eps: float, **options: Any) -> Callable[..., Any]:
        """An attacker by name, with this budget."""
        ...

    def _own_attack(self, name: str, eps: float) -> Callable[..., Any]:
        """An attack of one's own, on what it sees; of that size, if it takes one."""
        ...

    def survives(self, name: str, eps: float, **options: Any) -> torch.Tensor:
        """Which clips `(B,)` are answered right under an attack."""
        ...

    def _attacked(self, name: str, attack: Callable[..., Any], clips: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Attacked clips; not a number where the attack could not go on, as its gradient is not finite or the model has no answer."""
        ...

    def kept_promises(self, mode: str, h: float=0.25 / 255) -> torch.Tensor:
        """How much the loss rises along the gradient's signs, as a part of what it promises, `(B,)`; a step is `h` of the signal's range."""
        ...

    def accuracies(self, name: str, sizes: Sequence[float]) -> str:
        """Accuracies under an attack in words, with their intervals."""
        ...

    def behind(self, strong: str, weak: str) -> int:
        """By how many clips the attack that knows more lags behind the other, at the size where it is worst; negative if it is ahead everywhere."""
        ...

    def ahead(self, name: str, strong: str, rivals: Sequence[str], bad: str, good: str) -> Check:
        """The check that an attack which knows more breaks at least as much as each of its rivals."""
        ...

    def curves(self) -> dict[str, dict[float, Accuracy]]:
        """Accuracy by attack and eps, as far as they were measured; eps 0 is the clean clip."""
        ...

def _copy_of(model: nn.Module) -> nn.Module | None:
    """A copy that shares the weights but no other state; None for what cannot be copied."""
    ...

def _answers(model: nn.Module, clips: torch.Tensor) -> torch.Tensor:
    """Labels `(B,)` that a model gives to clips; -1 where it gives none."""
    ...

def check_deterministic(inspection: Inspection) -> Check:
    """The same clip twice: bit for bit the same scores, unless the purifier declares `random = True`."""
    ...

def check_vote(inspection: Inspection) -> Check:
    """The argmax of the scores is the voted label."""
    ...
_TOLERANCE: float

def gap(scores: torch.Tensor, others: torch.Tensor) -> float:
    """The largest difference of scores `(B, K)`, as a part of how far those of a clip lie apart."""
    ...

def check_forward(inspection: Inspection) -> Check:
    """The scores are the same whether or not a gradient is recorded, in every mode."""
    ...

def check_batch(inspection: Inspection) -> Check:
    """A batch gives what its clips give one by one."""
    ...

def check_state(inspection: Inspection) -> Check:
    """Nothing that an evaluation touches stays changed."""
    ...

def check_memory(inspection: Inspection) -> Check:
    """The answer to a clip is about this clip, whatever was seen before."""
    ...

def check_gradients(inspection: Inspection) -> Check:
    """Gradients are there, finite, and not zero."""
    ...

def check_promise(inspection: Inspection) -> Check:
    """The exact gradient is that of finite differences, about."""
    ...

def check_larger_eps(inspection: Inspection) -> Check:
    """Accuracy falls with eps, to zero where everything is allowed."""
    ...

def check_full_gradient(inspection: Inspection) -> Check:
    """The exact gradient breaks at least as much as BPDA."""
    ...

def check_blackbox(inspection: Inspection) -> Check:
    """The best gradient breaks at least as much as Square, which has none."""
    ...

def check_bpda(inspection: Inspection) -> Check:
    """BPDA alone would have given about the same accuracies."""
    ...

def check_own(inspection: Inspection) -> Check:
    """The best gradient breaks at least as much as each attack of one's own."""
    ...

def check_noise(inspection: Inspection) -> Check:
    """Random noise of size eps breaks few clips, and fewer than the attack."""
    ...

def check_convergence(inspection: Inspection) -> Check:
    """Twice the steps, or a new start, break hardly any clip that survived."""
    ...
CHECKS: list[Callable[..., Any]]

@contextmanager
def _prepared(model: nn.Module, seed: int) -> Iterator[CostMeter]:
    """Inside: evaluation mode, seeded, gradients may be recorded, costs are counted. Outside, all is as before."""
    ...

def check_defense(defended: nn.Module, clips: torch.Tensor, labels: torch.Tensor, eps: float | str=8 / 255, *, threat: object='Linf', attacks: Mapping[str, object] | None=None, grid: Sequence[float | str] | None=None, steps: int=10, queries: int=20, draws: int=3, eot: int=4, loss: str | Callable[..., Any]='ce', batch_size: int=8, seed: int=0, title: str | None=None, progress: bool=True) -> Report:
    """Check whether an evaluation of a defense can be believed. Attacks the given clips; nothing about the model is changed.

    Raises `VideoPureError` for bad settings or a model that gets no clip right. Source: Athalye et al. (arXiv 1802.00420), Carlini et al.
    (1902.06705), Tramèr et al. (2002.08347)."""
    ...
