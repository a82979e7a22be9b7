# Made by tools/stubs.py from attacks.py: run it after nbdev_export.
"""PGD for clips and for a defense that votes, and attacks aimed at this method"""
from typing import Any
from collections.abc import Callable as Callable, Sequence as Sequence
from dataclasses import dataclass as dataclass, field as field
import torch as torch
from torch import nn as nn
from tqdm.auto import tqdm as tqdm
from .checks import AnswerError as AnswerError, MissingPackageError as MissingPackageError, bounds as bounds, checked as checked
from .defense import Defended as Defended, answer as answer
from .purifier import evaluating as evaluating, random_state as random_state, seeded as seeded
from .registry import Registry as Registry, is_code as is_code, make as make, pieces as pieces
from .threats import THREATS as THREATS, Threat as Threat, as_eps as as_eps, as_threat as as_threat, make_threat as make_threat, same_shape as same_shape
from .signal import Signal as Signal, per_sample as per_sample
from .video import VIDEO as VIDEO, ClipError as ClipError, VideoPureError as VideoPureError, check_number as check_number, check_video as check_video, signal_of as signal_of
from .voting import vote_scores as vote_scores
from torchattacks.attack import Attack as Attack
__all__ = ['LOSSES', 'ATTACKS', 'VideoAttack', 'voted', 'cross_entropy', 'margin', 'dlr', 'record_loss', 'PGD', 'clip_gradient', 'make_attack']
_WHOLE: tuple[Any, Any, Any, Any, Any, Any, Any, Any]

def check_adversarial(adversarial: torch.Tensor, clips: torch.Tensor, signal: Signal=VIDEO) -> torch.Tensor:
    """What an attack returned, if these are clips, or of another `signal`, of the shape of `clips`; else a `ClipError`."""
    ...

def check_labels(labels: object, n: int, num_classes: int | None=None) -> torch.Tensor:
    """The labels of `n` clips as a tensor: whole numbers of any type, one a clip, and classes that the model knows; else a `ClipError`."""
    ...

def _check_model(name: str, model: nn.Module, of_clips: bool) -> None:
    """Raise `VideoPureError` for what cannot be attacked."""
    ...

class VideoAttack(Attack):
    """What the attacks of this package share: torchattacks' calling convention, on clips `(B, 3, T, H, W)` in [0, 1] and labels `(B,)`.

    On a model of another `signal`, its samples take the place of the clips.
    Subclasses define `forward(clips, labels)`. They may leave numbers of each clip in `metrics`, a dict of `(B,)`, and what went wrong in
    `flags`, a list of words for each clip; an evaluation shows both on its card. They call `on_step()` after each step, by which others
    follow their progress, and draw from `generator` if it is set."""
    modes: list[str]
    of_clips: bool
    __setattr__ = object.__setattr__
    supported_mode: Any
    seed: int | None
    metrics: dict[Any, Any]
    flags: list[Any]
    on_step: Callable[..., Any]
    generator: Any
    attack_mode: str
    targeted: bool
    _target_map_function: Callable[..., Any]

    def __init__(self, name: str, model: nn.Module, seed: int | None=None):
        ...

    def __call__(self, clips: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The attacked clips; `labels` are the true ones, from which the targeted modes derive their targets."""
        ...

    def _goal(self, clips: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The labels to get away from, or in a targeted mode those to reach."""
        ...

    def _reached(self, predicted: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        """Whether the attack has what it wants, `(B,)`."""
        ...

    def set_mode_targeted_by_label(self, quiet: bool=False) -> None:
        """Targeted, and the labels given to the call are the targets."""
        ...

    def set_normalization_used(self, mean: Sequence[float], std: Sequence[float]) -> None:
        """Refused: a classifier carries its own normalization."""
        ...

    def set_return_type(self, type: str) -> None:
        """Refused but for float: cutting to whole numbers can leave the threat model."""
        ...

def _attack_pieces(part: VideoAttack) -> list[Any]:
    """What an attack is made of: its settings and its model, without what its last call left."""
    ...

def record_logits(model: nn.Module, clips: torch.Tensor) -> torch.Tensor:
    """The logits of every record, `(B, S, K)`; a bare classifier has one."""
    ...

def answered(score: Callable[..., Any], clips: torch.Tensor, *more: object) -> tuple[torch.Tensor, object]:
    """Which clips a model answers, and `score(clips, *more)` for these; None if it answers none."""
    ...

def voted(model: nn.Module, logits: torch.Tensor) -> torch.Tensor:
    """The scores `(B, K)` of logits `(B, S, K)`, whose argmax is what the model answers."""
    ...

def cross_entropy(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Minus the log probability of the label, `(B,)`."""
    ...

def margin(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The best other class's score minus the label's, `(B,)`: positive if the answer is wrong (Carlini and Wagner, arXiv 1608.04644)."""
    ...

def dlr(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The difference of logits ratio, `(B,)`, at least 3 classes. Source: AutoAttack (arXiv 2003.01690)."""
    ...
LOSSES: dict[str, Callable[..., Any]]

def record_loss(s: int | None=None) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """Cross-entropy of the records themselves instead of their vote."""
    ...

def make_loss(loss: str | Callable[..., Any], model: nn.Module) -> Callable[..., Any]:
    """A loss of record logits `(B, S, K)` and labels: one by its name, or a function of one's own."""
    ...

@dataclass
class Best:
    """The best attacked clip found so far, for each clip of a batch."""
    clips: torch.Tensor
    success: torch.Tensor
    loss: torch.Tensor = field(init=False)

    def __post_init__(self):
        ...

    def update(self, rows: torch.Tensor, clips: torch.Tensor, broken: torch.Tensor, loss: torch.Tensor, always: bool=False) -> None:
        """Take those of the clips at `rows` that are better than what there is, or `always`."""
        ...
SCHEDULES: dict[str, Callable[..., Any]]

class PGD(VideoAttack):
    """Projected gradient descent on the voted answer, within any threat model.

    After a call, each `(B,)`: `success`, `steps_used`, `zero_gradients` (steps without any: masking), and in float16 the share of `zeros`.
    Source: Madry et al. (arXiv 1706.06083); momentum: Dong et al. (1710.06081); averaging over draws: Athalye et al. (1707.07397)."""
    modes: list[str]
    varies: bool
    draws: int
    starts: None
    threat: Any
    steps: int
    loss: str | Callable[..., Any] | Sequence[Any]
    momentum: float
    eot: int
    restarts: int
    schedule: str
    random_start: bool
    best: bool
    eps: Any
    early_stop: bool
    deviation: float
    progress: bool
    alpha: float | str | None
    losses: list[Callable[..., Any]]
    scale: Any
    zeros: Any
    steps_used: Any
    zero_gradients: Any
    success: Any

    def __init__(self, model: nn.Module, eps: object=8 / 255, alpha: float | str | None=None, steps: int=10, *, loss: str | Callable[..., Any] | Sequence[Any]='ce', momentum: float=0.0, eot: int=1, restarts: int=1, schedule: str='constant', random_start: bool=True, best: bool=True, early_stop: bool=True, deviation: float=0.0, seed: int | None=None, progress: bool=True):
        ...

    def check(self) -> None:
        """Raise `VideoPureError` for settings that make no sense."""
        ...

    def _gradient(self, value: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """The gradient of each clip's loss, also where that of a model in float16 would be flushed to zero; it may not be finite."""
        ...

    def evaluate(self, x: torch.Tensor, clean: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor | float]:
        """The logits of every record, and how far the records have moved from the `clean` ones, `(B,)`."""
        ...

    def loss_and_grad(self, adv: torch.Tensor, goal: torch.Tensor, loss: Callable[..., Any], clean: torch.Tensor | None, grad: bool=True) -> tuple[Any, ...]:
        """Loss (B,), broken (B,) and gradient of the loss at `adv`, over `eot` evaluations of the model; over one if it does not vary."""
        ...

    def _revived(self, grad: torch.Tensor, adv: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        """The gradient, and that of the margin for clips where it is zero or not finite: a very sure model's cross-entropy has none."""
        ...

    def ascent(self, clips: torch.Tensor, goal: torch.Tensor, best: Best, rows: torch.Tensor, loss: Callable[..., Any], bar: tqdm) -> None:
        """One run from a start to the last step, for the clips `rows`; what it finds goes to `best`."""
        ...

    def _clean_records(self, clips: torch.Tensor) -> torch.Tensor | None:
        """What the deviation is measured from, if it has any weight."""
        ...

    def _count(self, rows: torch.Tensor, grad: torch.Tensor) -> torch.Tensor:
        """Count a gradient step of the clips `rows`, and those among them without a gradient; a gradient that is not finite becomes zero."""
        ...

    def _tell_zeros(self) -> None:
        """Of a model in float16, the mean share of zeros in the gradients of each clip, and a flag where it is large and the attack failed."""
        ...

    def forward(self, clips: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The attacked clips; called by `__call__`."""
        ...

def clip_gradient(loss: torch.Tensor, clips: torch.Tensor, finite: bool=True, again: bool=False) -> torch.Tensor:
    """The gradient of each clip's loss; a `VideoPureError` if there is none, or if it must be `finite` and is not; `again`: more may follow."""
    ...

def in_float16(model: nn.Module) -> bool:
    """Whether a classifier, or a network of its purifier, has parameters in float16."""
    ...
_SCALE: float

def mean_size(grad: torch.Tensor) -> torch.Tensor:
    """The mean absolute value of each clip's gradient, never zero, shaped to divide by it."""
    ...

def _one_a_clip(value: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """What a loss returned, if it is one number for each clip."""
    ...

def _without_gradient(grad: torch.Tensor) -> torch.Tensor:
    """For which clips a gradient says nothing: it is zero everywhere, or somewhere not finite."""
    ...
ATTACKS: Registry

def make_attack(method: object, model: nn.Module, **options: object) -> Callable[..., Any]:
    """An attack on a model. Raises `VideoPureError` for a name or an option that there is not."""
    ...

def _is_factory(part: object) -> bool:
    """Whether an attack is still to be made from a model: a class, a partial of one, or a function whose first parameter is `model`."""
    ...

def _within(threat: object, eps: object) -> Threat:
    """A threat model as a configuration gives it, of the size `eps` if that is given."""
    ...

def blind(attack: object, clips: torch.Tensor, labels: torch.Tensor) -> list[list[str]]:
    """For each of the attacked clips, what is to be said against an attack of torchattacks that did not break it."""
    ...

def quantized(attack: Callable[..., Any]) -> Callable[..., Any]:
    """The same attack on 8-bit clips, and back to 8 bits within the constraint, so that what is evaluated can be stored."""
    ...
