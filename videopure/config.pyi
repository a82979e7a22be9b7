# Made by tools/stubs.py from config.py: run it after nbdev_export.
"""From words to objects: an evaluation described in TOML"""
from typing import Any
from collections.abc import Callable as Callable, Iterable as Iterable, Iterator as Iterator
from pathlib import Path as Path
from torch import nn as nn
from torch.utils.data import Dataset as Dataset
from .attacks import ATTACKS as ATTACKS
from .baselines import PURIFIERS as PURIFIERS, make_purifier as make_purifier
from .checks import checked as checked, near as near
from .classifiers import OPTIONS as OPTIONS, VideoClassifier as VideoClassifier, load_classifier as load_classifier
from .data import UCF101 as UCF101, ClipFolder as ClipFolder, ClipList as ClipList, Clips as Clips, Kinetics400 as Kinetics400, MovingShapes as MovingShapes
from .defense import Defended as Defended
from .evaluate import benchmark as benchmark
from .protocols import as_attack_spec as as_attack_spec
from .journal import read_json as read_json
from .pipeline import VideoPurePipeline as VideoPurePipeline, load_pipeline as load_pipeline
from .registry import Registry as Registry, is_code as is_code, make as make
from .results import Card as Card
from .tiny import PIPELINES as PIPELINES
from .video import VideoFileError as VideoFileError, VideoPureError as VideoPureError, check_number as check_number
__all__ = ['DATASETS', 'load_data', 'read_config', 'run_config']

def make_classifier(spec: object, device: str='auto') -> nn.Module:
    """A classifier as a configuration describes it: a name, or a table with `name` and what `load_classifier` takes; or a module."""
    ...
DATASETS: Registry

def load_data(classifier: nn.Module | None=None, dataset: object=None, folder: str | Path | None=None, **options: object) -> Dataset[Any]:
    """Labelled clips as a configuration describes them."""
    ...

def _reading(classifier: nn.Module | None, options: dict[Any, Any], files: bool) -> dict[Any, Any]:
    """Frames and size that a classifier says it wants, or else 16 and 32; of files with a warning, unless the `options` have them."""
    ...

def make_defense(classifier: nn.Module, pipe: VideoPurePipeline | None, method: object=None, rule: str | None=None, **options: object) -> Defended | None:
    """A defense as a configuration describes it."""
    ...
_RUN: dict[str, Any]
_TABLE: Any
_MORE: dict[str, dict[str, Any]]
_PLAIN: tuple[Any, Any, Any, Any, Any, Any, Any]

def _fits(value: object, kind: object) -> bool:
    """Whether a value of a file is one of an annotated type; what no file can hold always is."""
    ...
_NAMES: dict[Any, str]

def _in_words(kind: object) -> str:
    """An annotated type as a person says it."""
    ...

def _check_table(where: str, table: dict[Any, Any], kinds: dict[Any, Any]) -> None:
    """Raise `VideoPureError` for a name that there is not, or a value of another type."""
    ...

def _takes(factory: Callable[..., Any]) -> dict[str, object]:
    """What a class or function takes, with its types; of VideoPure the settings of the pipeline's call."""
    ...

def _kinds(section: str, spec: dict[Any, Any]) -> dict[str, object] | None:
    """What a table of a section may hold; None where a part of a reader's own decides."""
    ...
_DEFENSES: dict[str, Any]

def _check(config: dict[Any, Any]) -> None:
    """Raise `VideoPureError` for what a configuration should not hold."""
    ...
_MOST_BYTES: int

def read_config(path: str | Path, allow_code: bool=False) -> dict[Any, Any]:
    """The configuration in a file. Raises `VideoPureError` in one line for what it should not hold."""
    ...
_FREE_WORDS: dict[str, tuple[str, ...] | None]

def _code_in(value: object, section: str) -> Iterator[str]:
    """The words in a section of a configuration that would be imported: all that look so, but for free text, paths and hub names."""
    ...

def trained_on(models: Iterable[object], data: Dataset[Any]) -> str:
    """How many clips of a data set have the names of clips that a model was trained on."""
    ...

def _pipeline(name, device, dtype, **more: Any):
    """A pipeline for a run, which shows a bar of its own."""
    ...

def parts_of(config: dict[Any, Any], device: str) -> tuple[nn.Module, dict[str, Defended | None], Dataset[Any], dict[Any, Any]]:
    """What a configuration describes, as `benchmark` takes it: classifier, defenses, data and the other settings."""
    ...

def run_config(config: dict[Any, Any], out: str | Path | None=None, device: str='auto', **options: object) -> Card:
    """The benchmark that a configuration describes."""
    ...
