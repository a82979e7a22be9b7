# Made by tools/stubs.py from cache.py: run it after nbdev_export.
"""The settings of a training run, a split by groups, a cache of decoded clips, and augmentation"""
from typing import Any
from collections.abc import Sequence as Sequence
from dataclasses import dataclass as dataclass
from pathlib import Path as Path
import numpy as np
import torch as torch
from torch.utils.data import Dataset as Dataset
from .checks import MOST_WORKERS as MOST_WORKERS, check_number as check_number, check_room as check_room, checked as checked
from .data import ClipLoader as ClipLoader, in_turns as in_turns
from .journal import data_identity as data_identity, disk_errors as disk_errors
from .trainer import generator_for as generator_for, machine_errors as machine_errors
from .video import VideoFileError as VideoFileError, VideoPureError as VideoPureError, atomic_path as atomic_path
__all__ = ['Recipe']

@dataclass(frozen=True)
class Recipe:
    """The settings of a training run; each is also an option of `videopure train`."""
    steps: int = 800
    classifier_steps: int = 400
    batch_size: int = 8
    learning_rate: float = 0.002
    frames: int = 16
    size: int = 64
    validation: float = 0.15
    every: int = 100
    start: str = 'tiny'
    mirror: bool = True
    colours: bool = True
    precision: str = 'bf16'
    workers: int = 2
    seed: int = 0

    def __post_init__(self):
        ...

def _check_recipe(recipe):
    """Raise `VideoPureError` for a recipe that cannot work."""
    ...

def split(data: Dataset[Any], validation: float=0.15, seed: int=0) -> tuple[list[int], list[int]]:
    """A random split in which no group is on both sides; classes take turns. Raises `VideoPureError` if that leaves nothing on one side."""
    ...

class _TwiceTheFrames(Dataset):
    """The clips of a data set of files with twice the frames; where the file has too few, each frame counts twice."""
    ids: Any
    short: Any
    wide: Any

    def __init__(self, data, frames, size):
        ...

    def __len__(self):
        ...

    def __getitem__(self, i):
        ...

def contents_of(data: Dataset[Any], recipe: Recipe) -> str:
    """What decoded clips depend on, as twelve digits: the files as they are now, and how they are read."""
    ...

def _decode(data, path, recipe, progress):
    """Decode the clips into the file `path`; which came out and which did not."""
    ...

def _say_skipped(skipped):
    """Name the first clips that were skipped."""
    ...

@dataclass
class ClipCache:
    """Decoded clips with twice the frames of a training clip."""
    video: np.ndarray
    labels: torch.Tensor
    ids: list[str]
    skipped: dict[str, str]
    contents: str = ''

    def augmented(self, i: int, recipe: Recipe, generator: torch.Generator) -> torch.Tensor:
        """Clip `i` `(3, frames, size, size)` in [0, 1], changed at random."""
        ...

    def clips(self, rows: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
        """Clips `rows` as they are, `(n, 3, frames, size, size)` in [0, 1], and their labels."""
        ...

    def batch(self, rows: Sequence[int], n: int, recipe: Recipe, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """`n` clips `(n, 3, frames, size, size)` in [0, 1], drawn from `rows` and each changed at random, and their labels."""
        ...

def _kept_clips(path, contents):
    """The clips that were decoded into the file `path`, or None if they are not there, damaged, or of other files."""
    ...

def cache_clips(data: Dataset[Any], path: Path, recipe: Recipe, progress: bool=True) -> ClipCache:
    """The clips of `data`, decoded into the file `path`, or as found there if nothing has changed since."""
    ...
