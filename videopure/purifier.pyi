# Made by tools/stubs.py from purifier.py: run it after nbdev_export.
"""One interface for everything that cleans a clip: what it is called with, what it returns, what it declares about itself"""
from typing import Any
import inspect as inspect
from collections.abc import Callable as Callable, Iterator as Iterator
from contextlib import contextmanager as contextmanager
from threading import RLock as RLock
import torch as torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline as DiffusionPipeline
from diffusers.schedulers.scheduling_utils import SchedulerMixin as SchedulerMixin
from torch import nn as nn
from .checks import check_answer as check_answer
from .latents import evaluating as evaluating
from .pipeline import VideoPurePipeline as VideoPurePipeline
from .registry import describe as describe, fingerprint as fingerprint, pieces as pieces, plain_attributes as plain_attributes
from .latents import DENOISERS as DENOISERS, by_class as by_class
from .models import SCHEDULES as SCHEDULES, read_scale as read_scale
from .schedule import PREDICTIONS as PREDICTIONS, ddim_levels as ddim_levels
from .signal import Signal as Signal
from .video import ClipError as ClipError, VideoPureError as VideoPureError, signal_of as signal_of
__all__ = ['Purifier', 'NoGradientError', 'VideoPure', 'as_purifier']

class Records:
    """The records of purified clips: `len(records)` of them, and `records(s, rows)` gives record `s` of the clips `rows`."""
    count: int
    get: Callable[[int, torch.Tensor | slice], torch.Tensor]
    purifier: object

    def __init__(self, count: int, get: Callable[[int, torch.Tensor | slice], torch.Tensor], purifier: object=''):
        ...

    def __len__(self) -> int:
        ...

    def __call__(self, s: int, rows: torch.Tensor | slice=slice(None)) -> torch.Tensor:
        ...

    def __iter__(self) -> Iterator[torch.Tensor]:
        ...

class Purifier:
    """Something that maps clips `(B, 3, T, H, W)` in [0, 1] to records `(B, S, 3, T, H, W)`, or to one cleaned clip.

    Subclasses define `__call__`; they may set `random = True`, a `generator`, a `pipe`, and a `signal` if they do not take clips."""
    signal: Signal | None
    random: bool
    generator: torch.Generator | None

    def __call__(self, video: torch.Tensor) -> torch.Tensor:
        """Records `(B, S, 3, T, H, W)`, or one clip `(B, 3, T, H, W)`."""
        ...

    def settings(self) -> dict[str, bool | int | float | str]:
        """The settings in plain values."""
        ...

    def __repr__(self) -> str:
        ...

    def records(self, video: torch.Tensor) -> Records:
        """The records of clips `(B, 3, T, H, W)`; `ClipError` if the purifier returns something else, `AnswerError` for NaN or a wrong range."""
        ...

    @property
    def predictor(self) -> nn.Module | None:
        """The network whose calls are counted as the cost of a purification."""
        ...

    @property
    def networks(self) -> tuple[nn.Module, ...]:
        """All networks whose weights belong to the purifier."""
        ...

    def describe(self) -> dict[Any, Any]:
        """The purifier in plain values: `method`, its settings, and the hash of its `weights`."""
        ...

    def with_settings(self, **settings: object) -> Purifier:
        """The same purifier with other settings. Raises `VideoPureError` for a setting that it does not have."""
        ...

    def fewer(self, steps: int) -> Purifier:
        """The same purifier with `steps` noise levels. Raises `NoGradientError` where there are none to reduce."""
        ...

class NoGradientError(VideoPureError):
    """A purifier that cannot be differentiated in the mode that was asked for."""

class VideoPure(Purifier):
    """A `VideoPurePipeline` with settings of its call, as a purifier. Raises `VideoPureError` for settings that make no sense."""
    _CALL = inspect.signature(VideoPurePipeline.__call__).parameters
    OPTIONS: tuple[Any, ...]
    pipe: VideoPurePipeline
    given: Callable[..., Any]

    def __init__(self, pipe: VideoPurePipeline, **settings: object):
        ...

    def __call__(self, video: torch.Tensor) -> torch.Tensor:
        """All records `(B, S, 3, T, H, W)`."""
        ...

    def records(self, video: torch.Tensor) -> Records:
        """The records of clips, decoded when they are asked for."""
        ...

    def settings(self) -> dict[str, bool | int | float | str]:
        """The settings that matter, in plain values."""
        ...

    def with_settings(self, **settings: object) -> VideoPure:
        """The same pipeline with other settings of its call."""
        ...

    def fewer(self, steps: int) -> VideoPure:
        """The same purifier with `steps` noise levels."""
        ...

def _pipeline_pieces(part: DiffusionPipeline) -> list[Any]:
    """Class, configuration, components, and what was changed by hand."""
    ...

def _scheduler_pieces(part: SchedulerMixin) -> list[Any]:
    """Class, configuration, the noise schedule, and what its kind of prediction means."""
    ...

def device_of(model: nn.Module) -> torch.device:
    """Where the weights of a model are; the CPU for a model without any."""
    ...

class CallablePurifier(Purifier):
    """Whatever can be called with clips, as a purifier."""
    function: Callable[..., Any]
    base: Any
    pipe: Any

    def __init__(self, function: Callable[..., Any]):
        ...

    def __call__(self, video: torch.Tensor) -> torch.Tensor:
        """What the function returns for clips, its networks in evaluation mode."""
        ...

    def __repr__(self) -> str:
        ...

    @property
    def networks(self) -> tuple[nn.Module, ...]:
        """The module itself, or the networks of its pipeline."""
        ...

    def describe(self) -> dict[Any, Any]:
        """As for every purifier, under the name of the function or of the module's class."""
        ...

    def settings(self) -> dict[str, bool | int | float | str]:
        """Plain attributes, and the keyword arguments of a partial."""
        ...

    def with_settings(self, **settings: object) -> CallablePurifier:
        """The same with other keyword arguments; for a dataclass, with other fields."""
        ...

    def fewer(self, steps: int) -> CallablePurifier:
        """The same with `steps` noise levels, where it has a setting of that name."""
        ...

def as_purifier(purifier: object) -> Purifier | None:
    """Whatever can purify, as a `Purifier`. Raises `VideoPureError` for what cannot be called."""
    ...
_ONE_AT_A_TIME: RLock

@contextmanager
def seeded(seed: int | None, device: torch.device | str='cpu', purifier: Purifier | None=None) -> Iterator[None]:
    """Everything random inside repeats with the same seed; nothing that was drawn inside shows outside."""
    ...

def seed_of(seed: int, *names: str | int) -> int:
    """A seed for one result, made from the run's seed and what the result is about."""
    ...

def random_state(device: torch.device | str='cpu', purifier: Purifier | None=None) -> list[Any]:
    """The state of all generators that something may have drawn from without saying so: equal if nothing was drawn."""
    ...
