# Made by tools/stubs.py from data.py: run it after nbdev_export.
"""Labelled clips: a folder of files, UCF-101 and Kinetics-400 as published, or as many moving shapes as you like"""
from typing import Any
from collections.abc import Iterator as Iterator, Mapping as Mapping, Sequence as Sequence
from pathlib import Path as Path
import torch as torch
from torch.utils.data import DataLoader as DataLoader, Dataset as Dataset
from .checks import ClipError as ClipError, VideoFileError as VideoFileError, VideoPureError as VideoPureError, as_name as as_name, as_path as as_path, checked as checked
from .checks import MOST_WORKERS as MOST_WORKERS, check_names as check_names, check_number as check_number, in_order as in_order, read_text as read_text, visible as visible
from .networks import shorten as shorten
from .video import MOTIONS as MOTIONS, check_video as check_video, moving_shapes as moving_shapes, read_video as read_video, resize_video as resize_video, sample_frames as sample_frames
__all__ = ['Clips', 'ClipFolder', 'UCF101', 'Kinetics400', 'ClipList', 'MovingShapes']

def _check_labels(ids, labels, classes):
    """Refuse labels without a class."""
    ...

def _check_reading(reading):
    """Refuse reading options that no clip can satisfy."""
    ...

class Clips(Dataset):
    """Labelled clips in files: `ds[i]` is (clip (3, frames, height, width), float32 in [0, 1], label).

    A clip that is undecodable or too short raises `VideoFileError` when it is asked for. `missing`: ids that were listed but are not there."""
    root: Any
    seed: Any
    missing: list[Any]
    ids: Any
    labels: list[Any]
    classes: Any
    groups: list[Any] | None
    files: list[Any]
    reading: dict[str, Any]

    def __init__(self, root: str | Path, ids: Sequence[str], labels: Sequence[int], classes: Sequence[str], groups: Sequence[str] | None=None, files: Sequence[str] | None=None, *, frames: int | None=16, size: int | tuple[int, int] | None=32, stride: int | None=None, start: int | str='center', short_side: int | None=None, loop: bool=False, pattern: str | None=None, seed: int=0):
        ...

    def __len__(self) -> int:
        ...

    def __getitem__(self, i: int) -> tuple[torch.Tensor, int]:
        ...

    @property
    def absent(self) -> list[str]:
        """Classes without a clip."""
        ...

    def __repr__(self) -> str:
        ...

    def _keep(self, indices):
        """Forget all other clips."""
        ...

    def _report(self):
        """Warn about classes without a clip and listed clips that are not there."""
        ...

    def in_order_of(self, class_names: Sequence[str]) -> Clips:
        """The data set numbered by a classifier's `class_names`; an error for clips of a class that is not among them."""
        ...

    def _locate(self, files, listing, incomplete):
        """Learn where each clip is (None: nowhere), and keep those that are somewhere."""
        ...

    def choose(self, n: int, seed: int=0) -> Clips:
        """`n` clips, as many of each class as there are; the same on every machine, and part of every larger choice."""
        ...

def _draw(*parts: Any):
    """A number below 2^63 that depends on the parts alone."""
    ...

def _class_folders(root, classes):
    """Names of the classes in order, and the folders that hold clips of them."""
    ...

class ClipFolder(Clips):
    """Clips in ROOT/class/clip, sorted by name.

    `ds[i]` is (clip (3, frames, size, size) in [0, 1], label); a clip that is undecodable or too short raises `VideoFileError` there."""

    def __init__(self, root: str | Path, frames: int | None=16, size: int | tuple[int, int] | None=32, stride: int | None=None, classes: Sequence[str] | None=None, *, group: str | None=None, where: Mapping[Any, Any] | None=None, where_not: Mapping[Any, Any] | None=None, **reading: Any):
        ...

    def _use_manifest(self, group, where, where_not):
        """Keep the wanted clips and learn their groups."""
        ...

def _plain(name):
    """The name of a class without the differences between copies of a data set."""
    ...

def _table(path, columns):
    """Rows of a csv file as dicts; it must have these columns."""
    ...

def _manifest(root, ids):
    """Rows of ROOT/manifest.csv by the path of their clip; each clip of the folder has one."""
    ...

def _holds(condition, rows, path):
    """For each row: does it have one of the wanted values in every column?"""
    ...
_VIDEOS: tuple[str, ...]

def _stems(root, depth):
    """Video files and folders down to a depth, by their name without suffix."""
    ...

def _numbered_lines(path):
    """Lines of a text file that are not blank, with their numbers."""
    ...

def _class_index(path):
    """Names of the classes from lines like '1 ApplyEyeMakeup'."""
    ...

def _split_list(path, classes):
    """(id, label, group) of every line of a UCF-101 split, sorted."""
    ...

class UCF101(Clips):
    """UCF-101 with an official split: labels in the order of classInd.txt, from 0; `groups` are "g01" to "g25".

    Raises `VideoFileError` for lists that are not as published and, unless `incomplete`, for clips that are not there.
    Source: Soomro et al. 2012 (arXiv 1212.0402)."""

    def __init__(self, root: str | Path, annotations: str | Path, split: int=1, subset: str='train', *, incomplete: bool=False, **reading: Any):
        ...

def _seconds(row, path, n):
    """The name of a row's clip: youtube id, first and last second."""
    ...

def _rows_of(path, subset):
    """(number, row) of the rows of a subset, and the labels of the whole table, sorted."""
    ...

def _kinetics(path, subset):
    """Labels of the table, and {clip: (label, youtube id)} of the rows of a subset."""
    ...

class Kinetics400(Clips):
    """Kinetics-400 (also -600, -700) by its csv; `groups` are the YouTube ids. Listed clips that are not there are counted in `missing`.

    Raises `VideoFileError` for a table that is not as published, `VideoPureError` for a label that is not among `classes`.
    Source: Kay et al. 2017 (arXiv 1705.06950)."""

    def __init__(self, root: str | Path, annotations: str | Path, subset: str | None=None, classes: Sequence[str] | None=None, *, incomplete: bool=True, **reading: Any):
        ...

def _listed(root, name):
    """The path of a listed clip inside `root` as its file is written there; None where there is none."""
    ...

class ClipList(Clips):
    """Clips of a text file with lines 'path label' or 'path frames label', the label a number from 0, the path inside `root` or absolute."""

    def __init__(self, root: str | Path, listing: str | Path, classes: Sequence[str] | None=None, *, incomplete: bool=False, **reading: Any):
        ...

def in_turns(rows: Sequence[Any], labels: Sequence[int] | dict[Any, Any]) -> list[Any]:
    """The rows with the classes taking turns, each in the given order; `labels[row]` is the class of a row."""
    ...

def _read_or_reason(data, i):
    """(clip, label, None) of a data set, or (None, None, reason) where that clip cannot be read or is no clip."""
    ...

class _Careful(Dataset):
    """A data set whose unreadable clips come with a reason instead of an error."""
    data: Any

    def __init__(self, data):
        ...

    def __len__(self):
        ...

    def __getitem__(self, i):
        ...

def _collate(samples):
    """(indices, clips, labels, {index: reason}, shapes) of the samples of a batch; clips of several shapes are not stacked."""
    ...

def _ids(data):
    """Names of the clips of a data set, of a part of one, or their numbers."""
    ...

class ClipLoader:
    """Batches (clips (b, 3, T, H, W), labels (b,), ids) of a data set, in its order; `skipped` is {id: reason} of what could not be read."""
    ids: Any
    skipped: dict[Any, Any]
    loader: DataLoader

    def __init__(self, data: Dataset[Any], batch_size: int=8, workers: int=0, **options: Any):
        ...

    def __len__(self) -> int:
        ...

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor, list[str]]]:
        ...

def _watched(loader):
    """The batches of a loader; the death of one of its processes is a `VideoPureError`."""
    ...

class MovingShapes(Dataset):
    """`n` procedural motion clips; clip i depends on the seed and i alone, and every ten clips hold each of the ten classes once."""
    n: Any
    seed: Any
    shape: dict[str, Any]
    _blocks: dict[Any, Any]
    classes: list[Any]
    groups: Any
    ids: list[str]

    def __init__(self, n: int, seed: int=0, frames: int=16, size: int=32):
        ...

    def _block(self, k):
        ...

    @property
    def labels(self) -> list[int]:
        """The class of every clip; makes all clips."""
        ...

    def __len__(self) -> int:
        ...

    def __getitem__(self, i: int) -> tuple[torch.Tensor, int]:
        ...
