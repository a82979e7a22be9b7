# Made by tools/stubs.py from training.py: run it after nbdev_export.
"""A purifier and a small classifier for a folder of clips, on whatever computer there is"""
from typing import Any
__all__ = ['GRID', 'Recipe', 'tune', 'train', 'train_folder']
import copy as copy
import hashlib as hashlib
import json as json
import math as math
import os as os
import shlex as shlex
import sys as sys
import warnings as warnings
from collections.abc import Sequence as Sequence
from contextlib import contextmanager as contextmanager
from dataclasses import asdict as asdict, dataclass as dataclass
from functools import cached_property as cached_property, partial as partial
from itertools import product as product
from pathlib import Path as Path
import numpy as np
import torch as torch
import torch.nn.functional as F
from fastcore.basics import patch as patch
from torch import nn as nn
from torch.utils.data import Dataset as Dataset
from tqdm.auto import tqdm as tqdm
from . import registry as registry, tiny as tiny
from .attacks import PGD as PGD
from .checks import MOST_WORKERS as MOST_WORKERS, as_path as as_path, check_number as check_number, check_room as check_room, checked as checked
from .classifiers import load_classifier as load_classifier
from .data import ClipFolder as ClipFolder, ClipLoader as ClipLoader, Clips as Clips, stratified as stratified
from .defense import Defended as Defended
from .flow import latent_flow as latent_flow
from .journal import Journal as Journal, config_hash as config_hash, data_identity as data_identity, disk_errors as disk_errors, environment as environment, read_json as read_json
from .latents import evaluating as evaluating
from .pipeline import VideoPurePipeline as VideoPurePipeline, load_pipeline as load_pipeline
from .results import Accuracy as Accuracy, Table as Table
from .show import Player as Player, magnify as magnify, save_page as save_page
from .schedule import paper_scheduler as paper_scheduler
from .tiny import MotionClassifier as MotionClassifier, TinyUNet as TinyUNet, TinyVAE as TinyVAE, save_classifier as save_classifier
from .trainer import Trainer as Trainer, autocast_dtype as autocast_dtype, classifier_loss as classifier_loss, diffusion_loss as diffusion_loss, generator_for as generator_for
from .trainer import machine_errors as machine_errors, own_folder as own_folder, remove_checkpoints as remove_checkpoints, start_accelerate as start_accelerate
from .video import VideoFileError as VideoFileError, VideoPureError as VideoPureError, atomic_path as atomic_path

@checked
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

def split(data: Dataset, validation: float=0.15, seed: int=0) -> tuple[list[int], list[int]]:
    """A random split in which no group is on both sides. Raises `VideoPureError` if that leaves nothing on one side."""
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

def _contents(data, recipe):
    """What decoded clips depend on, as twelve digits: the files as they are now, and how they are read."""
    ...

def _decode(data, path, recipe, progress):
    """Decode the clips into the file `path`; which came out and which did not."""
    ...

def _say_skipped(skipped):
    """Name the first clips that were skipped."""
    ...

@dataclass
class _ClipCache:
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

def _cache_clips(data, path, recipe, progress=True):
    """The clips of `data`, decoded into the file `path`, or as found there if nothing has changed since."""
    ...

def _new_classifier(class_names, recipe):
    """A `MotionClassifier` with all weights of the embedded one that fit, or with random ones for start='none'."""
    ...

def _fixed_settings(recipe):
    """The settings but for those that may change when a run goes on."""
    ...

def _run_name(kind, cache, rows, recipe, model):
    """What a checkpoint belongs to: the model and its first weights, the clips and the recipe."""
    ...

def _validate_classifier(run, video, labels):
    """Note how many clips the averaged weights classify rightly."""
    ...

def _fit_classifier(cache, train_rows, val_rows, class_names, recipe, checkpoint, device=None, progress=True):
    """Train a small classifier on decoded clips; the finished run, with the classifier as `model`."""
    ...

@dataclass
class Validation:
    """Validation clips, and the same clips under attack if there is a classifier."""
    video: torch.Tensor
    labels: torch.Tensor
    classifier: nn.Module | None = None
    eps: float = 8 / 255

    @cached_property
    def attacked(self) -> torch.Tensor:
        """The clips after PGD on the classifier, made when they are first asked for."""
        ...

    def accuracy(self, purifier: object) -> Accuracy:
        """Accuracy on the attacked clips after purification."""
        ...
_MOST_VALIDATED: int

def _validation_subset(rows, labels, n=_MOST_VALIDATED):
    """At most `n` of the rows, as many of each class as there are; the same ones each time."""
    ...

def _new_unet(start, seed=0):
    """The embedded UNet for start='tiny', a random one for 'none', else that of the pipeline in the folder `start`."""
    ...
GUIDANCE: dict[str, Any]

def _new_pipeline(unet, **settings):
    """A pipeline around a copy of `unet`."""
    ...

def _notes_table(notes):
    """The numbers of every validation so far."""
    ...

def _save_page(path, pipe, val, notes):
    """A page with two validation clips, attacked if possible, before and after purification, and the numbers so far."""
    ...

def _validate_purifier(run, val, recipe, folder):
    """Note the validation loss and the accuracy after purification, if there is a classifier, and leave a page."""
    ...

def _fit_purifier(cache, train_rows, val, recipe, checkpoint, samples, device=None, progress=True):
    """Train a purifier on decoded clips, with a page in the folder `samples` at each validation; the finished run, with the UNet as `model`."""
    ...

@contextmanager
def _noise_cache(pipe):
    """Inside, no noise prediction is made twice: the path of a purification is the same under every guidance."""
    ...

@torch.no_grad()
def _true_class_probability(pipe, classifier, video, labels, settings):
    """Mean probability of the true class over the records of purified clips, `(len(settings), n)`."""
    ...
GRID: dict[str, Any]

@checked
def tune(pipe: VideoPurePipeline, val: Validation, grid: dict[str, Sequence[float]]=GRID, progress: bool=True) -> tuple[dict[str, float], list[dict]]:
    """Settings of the pipeline that leave most probability on the true class, over clips with and without attack."""
    ...

def _check_place(out, data):
    """Refuse to write the result among the clips, where it would be another class."""
    ...

def _run_settings(data, recipe, classifier, unet):
    """All that a run depends on, in plain values: a module as classifier, or "train" or None."""
    ...
_FILES: tuple[str, ...]
_CHECKPOINTS: tuple[str, ...]

def _is_finished(out, settings):
    """Whether `out` holds the result of the same run; another run's result there is a `VideoPureError`."""
    ...

def _given_classifier(classifier, data, recipe, device):
    """A classifier on its device; one that does not know as many classes as there are is a `VideoPureError`."""
    ...

def _split_cache(data, cache, recipe, every_class=False):
    """`split` for the clips that could be decoded, by their row in the cache; the classes that are there need a training clip."""
    ...

def _history(runs):
    """Losses and notes of the finished runs, by their names."""
    ...

def _write_result(out, pipe, val, runs, about, progress):
    """Tune the guidance if there is a classifier, write what `train` leaves, and take the checkpoints away."""
    ...

def _train_all(data, saved, given, recipe, accelerator, device, bars):
    """Decode, split, train and write, with checkpoints in the folder `saved`."""
    ...

@checked
def train(data: Clips, out: str | Path, classifier: nn.Module | str | None=None, recipe: Recipe | None=None, cpu: bool=False, progress: bool=True) -> Path:
    """Train a purifier, and a classifier if wanted, on labelled clips. Interrupted, the same call goes on; errors are `VideoPureError`s."""
    ...

def _summary(out, folder, classifier=None, weights=None, group=None, hold_out=None):
    """How many clips a run was trained on, and the command that evaluates it."""
    ...

@checked
def train_folder(folder: str | Path, *, out: str | Path='purifier', classifier: bool | str | None=None, weights: str | Path | None=None, group: str | None=None, hold_out: list[str] | None=None, recipe: Recipe | None=None, cpu: bool=False, quiet: bool=False) -> str | None:
    """train a purifier on your own clips; an interrupted run goes on"""
    ...
