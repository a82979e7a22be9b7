# Made by tools/stubs.py from training.py: run it after nbdev_export.
"""A purifier and a small classifier for a folder of clips, on whatever computer there is"""
from typing import Any
from collections.abc import Mapping as Mapping, Sequence as Sequence
from contextlib import contextmanager as contextmanager
from dataclasses import dataclass as dataclass
from functools import cached_property as cached_property
from pathlib import Path as Path
import torch as torch
from torch import nn as nn
from .attacks import PGD as PGD
from .baselines import OneStep as OneStep
from .cache import Recipe as Recipe, cache_clips as cache_clips, contents_of as contents_of, split as split
from .checks import as_path as as_path, checked as checked
from .classifiers import load_classifier as load_classifier
from .data import ClipFolder as ClipFolder, Clips as Clips, in_turns as in_turns
from .defense import Defended as Defended
from .flow import latent_flow as latent_flow
from .journal import Journal as Journal, config_hash as config_hash, disk_errors as disk_errors, environment as environment, read_json as read_json
from .latents import evaluating as evaluating
from .pipeline import VideoPurePipeline as VideoPurePipeline, load_pipeline as load_pipeline
from .purifier import as_purifier as as_purifier
from .statistics import Accuracy as Accuracy
from .table import Table as Table
from .robust import PLAIN as PLAIN, Hardening as Hardening, ascend as ascend, purifier_loss as purifier_loss, trainable as trainable
from .show import Player as Player, magnify as magnify, save_page as save_page
from .schedule import paper_scheduler as paper_scheduler
from .tiny import MotionClassifier as MotionClassifier, TinyUNet as TinyUNet, TinyVAE as TinyVAE, save_classifier as save_classifier
from .threats import Linf as Linf
from .trainer import Trainer as Trainer, autocast_dtype as autocast_dtype, diffusion_loss as diffusion_loss, generator_for as generator_for
from .trainer import machine_errors as machine_errors, own_folder as own_folder, remove_checkpoints as remove_checkpoints, start_accelerate as start_accelerate
from .video import VideoFileError as VideoFileError, VideoPureError as VideoPureError, atomic_path as atomic_path
__all__ = ['GRID', 'tune', 'train', 'train_folder']

def _new_classifier(class_names, recipe, hardening=PLAIN):
    """A `MotionClassifier` with all weights of the embedded one of its kind that fit, or with random ones for start='none'."""
    ...

def _fixed_settings(recipe):
    """The settings but for those that may change when a run goes on."""
    ...

def _run_name(kind, cache, rows, recipe, model, hardening=PLAIN):
    """What a checkpoint belongs to: the model and its first weights, the clips and the settings."""
    ...

def _validate_classifier(run, video, labels, hardening=PLAIN):
    """Note how many clips the averaged weights classify rightly, and how many under ten steps of the attack that they learn from."""
    ...

def _fit_classifier(cache, sides, class_names, recipe, checkpoint, device=None, progress=True, hardening=PLAIN, given=None):
    """Train a small classifier on decoded clips, or a copy of the `given` one; the finished run, with the classifier as `model`."""
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

def _new_pipeline(unet, **settings: Any):
    """A pipeline around a copy of `unet`."""
    ...

def _notes_table(notes, name='purifier'):
    """The numbers of every validation so far; only those that there are."""
    ...

def _save_page(path, purifier, val, *tables: Any):
    """A page with tables and two validation clips, attacked if possible, before and after purification."""
    ...

def _validate_purifier(run, val, recipe, folder):
    """Note the validation loss and the accuracy after purification, if there is a classifier, and leave a page."""
    ...

def _fit_purifier(cache, train_rows, val, recipe, checkpoint, samples, device=None, progress=True):
    """Train a purifier on decoded clips, with a page in the folder `samples` at each validation; the finished run, with the UNet as `model`."""
    ...

def _fit_robust_purifier(cache, rows, val, unet, recipe, hardening, checkpoint=None, device=None, progress=True):
    """Train a one-step purifier against attacks on it and the classifier together; the finished run, with the UNet as `model`."""
    ...

@contextmanager
def _noise_cache(pipe):
    """Inside, no noise prediction is made twice: the path of a purification is the same under every guidance."""
    ...

def _true_class_probability(pipe, classifier, video, labels, settings):
    """Mean probability of the true class over the records of purified clips, `(len(settings), n)`."""
    ...
GRID: dict[str, Any]

def tune(pipe: VideoPurePipeline, val: Validation, grid: Mapping[str, Sequence[float]]=GRID, progress: bool=True) -> tuple[dict[str, float], list[dict[Any, Any]]]:
    """Settings of the pipeline that leave most probability on the true class, over clips with and without attack."""
    ...

def _check_place(out, data):
    """Refuse to write the result among the clips, where it would be another class."""
    ...

def _run_settings(data, recipe, classifier, unet, hardening=PLAIN):
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

def _check_hardening(hardening, classifier, frames=16):
    """Raise `VideoPureError` for settings that have no effect, or cannot have one."""
    ...
_MIRRORED: dict[str, str]

def _check_mirror(classes, recipe):
    """Raise `VideoPureError` if a mirror turns one class into another, by their names, and the recipe has one."""
    ...

def _split_cache(data, cache, recipe, every_class=False):
    """`split` for the clips that could be decoded, by their row in the cache; the classes that are there need a training clip."""
    ...

def _history(runs):
    """Losses and notes of the finished runs, by their names."""
    ...

def _save_classifier(classifier, path):
    """A `MotionClassifier` with its configuration; of another network the weights alone, for `load_classifier(name, weights=path)`."""
    ...
_ONE_STEP: str

def _write_result(out, pipe, val, runs, about, progress):
    """Tune the guidance if there is a classifier, write what `train` leaves, and take the checkpoints away."""
    ...

def _train_all(data, saved, given, recipe, hardening, accelerator, device, bars):
    """Decode, split, train and write, with checkpoints in the folder `saved`."""
    ...

def train(data: Clips, out: str | Path, classifier: nn.Module | str | None=None, recipe: Recipe | None=None, cpu: bool=False, progress: bool=True, hardening: Hardening | None=None) -> Path:
    """Train a purifier, and a classifier if wanted, on labelled clips. Interrupted, the same call goes on; errors are `VideoPureError`s."""
    ...

def _summary(out, folder, classifier=None, weights=None, group=None, hold_out=None, hardening=None):
    """How many clips a run was trained on, and the command that evaluates it."""
    ...

def train_folder(folder: str | Path, *, out: str | Path='purifier', classifier: bool | str | None=None, weights: str | Path | None=None, group: str | None=None, hold_out: list[str] | None=None, recipe: Recipe | None=None, hardening: Hardening | None=None, cpu: bool=False, quiet: bool=False) -> str | None:
    """train a purifier on your own clips; an interrupted run goes on"""
    ...
