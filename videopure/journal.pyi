# Made by tools/stubs.py from journal.py: run it after nbdev_export.
"""The results of a run, beside the settings they belong to, safe against a kill at any moment"""
from typing import Any
import subprocess as subprocess
from collections.abc import Callable as Callable, Iterable as Iterable, Iterator as Iterator, Sequence as Sequence
from contextlib import contextmanager as contextmanager
from pathlib import Path as Path
import torch as torch
from torch.utils.data import TensorDataset as TensorDataset
from .checks import Late as Late, as_path as as_path, checked as checked
from .data import Clips as Clips, MovingShapes as MovingShapes
from .registry import file_identity as file_identity, fingerprint as fingerprint, identity as identity
from .video import VideoFileError as VideoFileError, VideoPureError as VideoPureError
__all__ = ['read_results']

def _check_metrics(metrics):
    ...

def result_key(result: dict[Any, Any]) -> tuple[str, str | None, str | None]:
    """What a result is about. Raises `VideoPureError` when a needed key is missing or `metrics` holds anything but numbers."""
    ...

def plain(value: object) -> object:
    """`value` as JSON keeps it (tuples become lists); raises `VideoPureError` for what JSON cannot keep."""
    ...

def config_hash(config: dict[Any, Any]) -> str:
    """Twelve hexadecimal digits that change when a setting does, whatever the order of its keys."""
    ...

def difference(a: object, b: object, name: str='') -> str | None:
    """The first setting in which two configurations differ, in words."""
    ...

def environment(device: str | torch.device | None=None) -> dict[str, str | int]:
    """Versions, device, and a hash of this package's code."""
    ...

def limits(data: object, networks: Iterable[torch.nn.Module]) -> dict[str, str]:
    """What the numbers cannot say, if they are of small models on drawn clips."""
    ...

def data_identity(data: object, indices: Sequence[int]) -> str:
    """The identity of some clips of a data set, with their labels; a clip that cannot be read counts by its error."""
    ...

def describe_data(data: object, ids: list[str]) -> dict[Any, Any]:
    """A dataset in plain values: its kind, its settings and a hash of the clips' names, or of the clips where they have none."""
    ...

@contextmanager
def disk_errors(doing: str, kept: str='') -> Iterator[None]:
    """Turn errors of the file system inside a `with` block into a `VideoFileError` of one line."""
    ...

def read_json(path: str | Path, *keys: str, mend: str) -> dict[Any, Any]:
    """A JSON file that holds a dictionary; `VideoFileError` when it cannot be read, is damaged or lacks one of the keys."""
    ...

def _lines(path):
    """The results of a file in any form, each checked."""
    ...

def _create(path, text):
    """Write a file unless there is one: whole or not at all, and of several processes one wins."""
    ...

def _check_same(folder, run, kept):
    """Raise `VideoPureError` if a run was made from parts that compute something else, or by other versions."""
    ...

def _open_run(folder, config, about, kept=None):
    """Start the run of `config` in a folder, or find that it is there already; returns what run.json holds."""
    ...

def file_name(word: str) -> str:
    """A file name that no other word has: the word, or what is safe of it and a hash."""
    ...

def _refuse_old(folder):
    """Raise `VideoFileError` for a folder with results in the form of version 0.1."""
    ...

def read_results(path: str | Path) -> Iterator[dict[Any, Any]]:
    """The results of a file. A last line without its end was cut off by a kill and is left out; any other damage raises `VideoFileError`."""
    ...

def _made_with(about):
    """The versions that a result was measured with."""
    ...

def _stranger(result, run, labels):
    """Why a result does not belong to a run, in words; None if it does."""
    ...

def _agreed(found):
    """Of the results with one key the one that most agree with, and why the others are left out; None where there is no majority."""
    ...

class Journal:
    """Results of a run, kept in a folder: append-only, safe against a kill at any moment, one file a writer."""
    folder: Any
    _results: dict[Any, Any]
    _ready: bool
    path: Any
    config: Any
    about: Any

    def __init__(self, folder: str | Path, config: dict[Any, Any] | None=None, writer: int=0, about: dict[Any, Any] | None=None, kept: dict[Any, Any] | None=None):
        ...

    @property
    def results(self) -> list[dict[Any, Any]]:
        """All results of all writers, as they were at the opening, and those appended since."""
        ...

    @property
    def done(self) -> set[tuple[Any, ...]]:
        """Keys of the results, (clip, defense, attack): what need not be measured again."""
        ...

    def append(self, result: dict[Any, Any]) -> None:
        """Keep a result: it is on disk when this returns. Raises `VideoFileError` when it cannot be written; earlier results are safe."""
        ...

def _whole_lines(path):
    """Size of a file without a torn last line; the line is cut off."""
    ...

def _append_line(path, line, size):
    """Add a line to a file of `size` bytes: it is on disk when this returns. If it cannot be written, the file is as it was."""
    ...
_LAUNCHER: tuple[str, ...]

def join_processes() -> None:
    """Meet the other processes of a launcher, if there is one. Variables that are left over from another job are a `VideoPureError`."""
    ...

def _wait_for(host, port, seconds):
    """Wait until somebody listens there; torch would write pages about it."""
    ...
accelerate: Late

def processes() -> tuple[tuple[int, int], Callable[..., Any]]:
    """This process's number and how many there are, and a function that waits for all of them; accelerate's launcher tells."""
    ...

def _wait_for_all(running: Sequence[subprocess.Popen]) -> None:
    """Wait until all processes have ended, or one has failed; the others then have three seconds to say why they fail, too."""
    ...

def run_together(words: Sequence[str], workers: int) -> None:
    """Run a command as several processes that share its work; a `SystemExit` with the status of one that failed."""
    ...

class Progress:
    """A bar over results, with the time left from the mean time of each cell of the table."""
    left: dict[Any, Any]
    times: dict[Any, Any]
    most: Any
    bar: Any

    def __init__(self, left: dict[tuple[str, str], int], journal: Journal, quiet: bool=False, most: dict[Any, Any] | None=None):
        ...

    def step(self, name: str, defense: str, results: list[dict[Any, Any]]) -> None:
        """Some results of a cell are there, or there is nothing to measure."""
        ...

    def remaining(self) -> str:
        """Time left, in words; while some cells have not been measured yet, 'up to about' if each has an estimate, else 'at least'."""
        ...
