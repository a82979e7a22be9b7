# Made by tools/stubs.py from evaluate.py: run it after nbdev_export.
"""One call from a classifier, its defenses, clips and attacks to a table that can be believed"""
from typing import Any
from collections.abc import Callable as Callable, Iterator as Iterator, Mapping as Mapping, Sequence as Sequence
from contextlib import contextmanager as contextmanager
from dataclasses import dataclass as dataclass, field as field
from pathlib import Path as Path
import torch as torch
from torch import nn as nn
from torch.utils.data import Dataset as Dataset, TensorDataset as TensorDataset
from . import threats as threats
from .attacks import ATTACKS as ATTACKS, answered as answered, blind as blind, check_adversarial as check_adversarial, check_labels as check_labels, quantized as quantized, record_logits as record_logits
from .baselines import make_purifier as make_purifier
from .checks import AnswerError as AnswerError, as_path as as_path, checked as checked
from .classifiers import VideoClassifier as VideoClassifier
from .data import ClipFolder as ClipFolder, Clips as Clips, Kinetics400 as Kinetics400, MovingShapes as MovingShapes
from .defense import Defended as Defended, answer as answer
from .journal import Journal as Journal, Progress as Progress, data_identity as data_identity, describe_data as describe_data, disk_errors as disk_errors, environment as environment, file_name as file_name, limits as limits, processes as processes
from .metrics import CostMeter as CostMeter, find_metrics as find_metrics, measure as measure
from .protocols import AttackSpec as AttackSpec, attack_specs as attack_specs, chosen_names as chosen_names
from .purifier import NoGradientError as NoGradientError, as_purifier as as_purifier, device_of as device_of, random_state as random_state, seed_of as seed_of, seeded as seeded
from .registry import describe as describe, fingerprint as fingerprint, identity as identity
from .results import Card as Card
from .statistics import guesses as guesses
from .stream import is_toy as is_toy
from .video import VIDEO as VIDEO, VideoPureError as VideoPureError, check_number as check_number, signal_of as signal_of, write_video as write_video
from .voting import RULES as RULES, find_rule as find_rule
from .protocols import PROTOCOLS as PROTOCOLS
from .protocols import as_attack_spec as as_attack_spec
from . import attacks as attacks
from . import baselines as baselines
from . import batch as batch
from . import blackbox as blackbox
from . import cache as cache
from . import certify as certify
from . import checks as checks
from . import classifiers as classifiers
from . import cli as cli
from . import config as config
from . import data as data
from . import defense as defense
from . import demo as demo
from . import detect as detect
from . import diffusion as diffusion
from . import evaluate as evaluate
from . import explore as explore
from . import families as families
from . import film as film
from . import filmstrip as filmstrip
from . import filters as filters
from . import flow as flow
from . import guidance as guidance
from . import inversion as inversion
from . import journal as journal
from . import latents as latents
from . import loading as loading
from . import masked as masked
from . import metrics as metrics
from . import models as models
from . import networks as networks
from . import options as options
from . import pipeline as pipeline
from . import plan as plan
from . import protocols as protocols
from . import purifier as purifier
from . import registry as registry
from . import report as report
from . import results as results
from . import robust as robust
from . import sanity as sanity
from . import schedule as schedule
from . import show as show
from . import signal as signal
from . import smallest as smallest
from . import statistics as statistics
from . import stream as stream
from . import suite as suite
from . import table as table
from . import threats as threats
from . import tiny as tiny
from . import trace as trace
from . import trainer as trainer
from . import training as training
from . import vcr as vcr
from . import verify as verify
from . import video as video
from . import voting as voting

@dataclass
class Run:
    """An evaluation: what is measured on what, and what is already known."""
    classifier: nn.Module
    defenses: Mapping[str, object]
    data: Dataset[Any] | tuple[Any, ...]
    attacks: dict[str, AttackSpec]
    seed: int = 0
    trials: int = 3
    batch_size: int = 1
    n_clips: int | None = None
    metrics: object = ()
    store: Path | None = None
    device: Any = field(init=False)
    models: dict[Any, Any] = field(init=False)
    purifiers: dict[Any, Any] = field(init=False)
    meter: CostMeter = field(init=False)
    has_gradient: dict[Any, Any] = field(init=False)
    num_classes: Any = field(init=False)
    varies: dict[Any, Any] = field(init=False)
    drew: bool = field(init=False)
    why: dict[Any, Any] = field(init=False)
    made: dict[Any, Any] = field(init=False)
    order: Any = field(init=False)
    ids: list[str] = field(init=False)
    signal: Any = field(init=False)

    def __post_init__(self):
        ...

    def _model(self, defense: object) -> nn.Module:
        """A defense as a model of clips: the bare classifier for None."""
        ...

    def seen(self, defense: str, sees: str) -> nn.Module:
        """A defense as an attacker sees it; the bare classifier where there is no purifier, or if that is all the attacker sees."""
        ...

    def _check_kinds(self) -> None:
        """Raise `VideoPureError` for a classifier or defenses of a wrong type."""
        ...

    def _check(self) -> None:
        """Raise `VideoPureError` for what cannot be run, before any work is done."""
        ...

    def _order(self) -> list[int]:
        """Places of the clips in the data set; what a limit takes comes first, chosen evenly over the classes where the data set can do that."""
        ...

    def _attack(self, name: str, defense: str, video: torch.Tensor, labels: torch.Tensor, clip: str) -> Attacked:
        """Clips under an attack, from the seed of `clip`."""
        ...

    def is_random(self, defense: str | None, video: torch.Tensor) -> bool:
        """Whether a defense (None: the bare classifier) says that it is random, or gives other logits when it is asked again."""
        ...

    def attacked(self, name: str, defense: str, video: torch.Tensor, labels: torch.Tensor, clip: str) -> Attacked:
        """Clips under an attack, and what the attack counted."""
        ...

    def _trial(self, defense: str, video: torch.Tensor, clip: str, name: str, trial: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Labels `(B,)` that a defense gives once, -1 where it gives no answer; and the purified clips, if metrics need them."""
        ...

    @contextmanager
    def _watched(self, purifier: object) -> Iterator[None]:
        """Note whether random numbers are drawn inside."""
        ...

    def answers(self, defense: str, video: torch.Tensor, clip: str, name: str) -> tuple[torch.Tensor, torch.Tensor]:
        """Labels `(trials, B)` that a defense gives to clips, one trial where nothing is random; and the purified clips, if metrics need them."""
        ...

    def results(self, name: str, defense: str, video: torch.Tensor, labels: torch.Tensor, clips: list[str]) -> list[dict[Any, Any]]:
        """The results of one attack on one defense, one a clip."""
        ...

    def _flags(self, name: str, attacked: Attacked, i: int, used: float, result: dict[Any, Any]) -> list[str]:
        """What a reader must know before believing a result."""
        ...

    def _keep(self, name: str, defense: str, video: torch.Tensor, clips: list[str]) -> None:
        """Write attacked clips under `store`, one .npz a clip."""
        ...

    def _batch(self, indices: Sequence[int], journal: Journal) -> tuple[torch.Tensor, torch.Tensor, list[str]] | None:
        """Clips, labels and ids of some indices; what cannot be read is recorded as skipped. None if nothing is left."""
        ...

    def _check_classes(self, clip: torch.Tensor) -> None:
        """The first time, see whether the classifier knows all labels of the data set."""
        ...

    def todo(self, indices: Sequence[int], done: set[Any], attacks: Sequence[str], defenses: Sequence[str]) -> dict[str, list[str]]:
        """Attacks, and the defenses that some clips still need under them."""
        ...

    def exists(self, name: str, defense: str, video: torch.Tensor) -> bool:
        """Whether an attack is possible on a defense: an exact or surrogate gradient needs a purifier that has one."""
        ...

    def measure_clips(self, indices: Sequence[int], journal: Journal, todo: dict[str, list[str]], progress: Progress) -> None:
        """All results that some clips still need."""
        ...

    @property
    def misplaced(self) -> str:
        """Which embedded purifiers meet clips from files, "" if none does."""
        ...

    def warn(self) -> None:
        """Warn of an embedded purifier on clips from files, and of a classifier that guesses."""
        ...

    def work(self, journal: Journal, attacks: Sequence[str], defenses: Sequence[str], share: tuple[Any, ...], quiet: bool, expect: Callable[..., Any] | None=None) -> None:
        """All that this process has to do: every `share[1]`-th batch of clips, from number `share[0]` on."""
        ...

    def config(self, title: str, protocol: str | None, worst: Sequence[str] | None) -> dict[Any, Any]:
        """The run in plain values."""
        ...

    def about(self) -> dict[Any, Any]:
        """Versions and device, and the limits of small models on drawn clips, or of embedded ones on others."""
        ...

    def kept(self) -> dict[Any, Any]:
        """What a run that is started again must agree with: the identity of each part, and the clips."""
        ...

def _as_dataset(data: object, signal: object=VIDEO) -> Dataset[Any]:
    """Clips and labels as a data set; what is a data set already stays one. `VideoPureError` for anything else."""
    ...

@dataclass
class Attacked:
    """Clips after an attack, and what is known of each."""
    clips: torch.Tensor
    threat: threats.Threat | None = None
    metrics: list[dict[Any, Any]] = field(default_factory=list)
    flags: list[list[str]] = field(default_factory=list)
_LOST: str

def _describe_classifier(classifier: nn.Module) -> dict[Any, Any]:
    """A classifier in plain values: its kind, the hash of its weights, and how a `VideoClassifier` prepares clips."""
    ...

def benchmark(classifier: nn.Module, defenses: Mapping[str, object], data: object, attacks: Mapping[str, object] | None=None, protocol: str='standard', out: str | Path | None=None, seed: int=0, trials: int=3, n_clips: int | None=None, batch_size: int=1, metrics: object=(), only_attacks: Sequence[str]=(), only_defenses: Sequence[str]=(), store: bool=False, worst: Sequence[str] | None=None, title: str='Robustness', progress: bool=True, expect: Callable[..., Any] | None=None) -> Card:
    """Measure defenses under attacks, clip by clip. Goes on with what is in `out`; a `VideoPureError` for bad settings or another run there."""
    ...
_MOVED: dict[str, str]
