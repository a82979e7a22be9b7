# Made by tools/stubs.py from checks.py: run it after nbdev_export.
"""Errors that say in one line what is wrong, and checks of settings, paths and files that the whole library shares"""
from typing import Any
import math as math
from collections.abc import Callable as Callable, Iterable as Iterable, Iterator as Iterator
from contextlib import contextmanager as contextmanager
from pathlib import Path as Path
__all__ = ['VideoPureError', 'ClipError', 'VideoFileError', 'MissingPackageError', 'AnswerError']

def _code(letter):
    """A letter as the codes of its bytes, as in an address on the web."""
    ...

def printable(text: object) -> str:
    """Text in one line, in which a letter that cannot be printed is written as its code."""
    ...

class VideoPureError(ValueError):
    """Base of every error raised on purpose: one line that says what is wrong, what was expected and how to mend it."""

    def __init__(self, message: object=''):
        ...

class ClipError(VideoPureError):
    """A tensor that is not a clip `(B, 3, T, H, W)`, floating point, RGB, in [0, 1], or not what another `Signal` says."""

class VideoFileError(VideoPureError, OSError):
    """A file or folder that cannot be read or written as a clip."""

class MissingPackageError(VideoPureError, ImportError):
    """An optional package is not installed; the message carries the line that installs it."""

class Late:
    """A module that is imported when it is first used; a `MissingPackageError` if it is not there."""
    _name: str
    _package: str

    def __init__(self, name: str, package: str):
        ...

    def __getattr__(self, attribute: str) -> object:
        ...

def reason(error: BaseException, most: int=120) -> str:
    """The first sentence of what an error says, in one line."""
    ...

def near(word: object, names: Iterable[str]) -> str:
    """'; did you mean this?' where one of some names is like a word or begins with it, else nothing."""
    ...

def shorten(names: Iterable[Any], most: int=12) -> str:
    """Names in one line, the first few."""
    ...

def count_names(names: Iterable[Any], kind: str) -> str:
    """How many of a kind there are, and the first few of their names."""
    ...

def check_number(name: str, value: float, low: float, high: float=math.inf, whole: bool=True) -> float:
    """Return `value` if it is a finite number from `low` to `high`, else raise a `VideoPureError`."""
    ...

class AnswerError(ClipError):
    """A model that does not answer: a record or logits that are not finite, or a record outside [0, 1]. `rows`: for which clips."""
    rows: list[Any]

    def __init__(self, message: object='', rows: list[int] | tuple[Any, ...]=()):
        ...

def bounds(values: object) -> tuple[Any, ...]:
    """Smallest and largest number of each row of a tensor, NaN if one of them is. (torch takes 20 times as long along a dimension.)"""
    ...

def check_answer(values: object, what: str, within: object=None, rows: object=slice(None)) -> object:
    """`values` if they say something: no NaN, no infinity, and all `within` the range of a signal; else an `AnswerError`."""
    ...

def _fits(value, kind):
    """Whether a value is of the kind that an annotation says, and what a list, a tuple or a dict holds, too."""
    ...
_MISFIT: tuple[Any, Any, Any, Any, Any, Any, Any, Any]
_OURS: tuple[Any, ...]
_PACKAGES: str

def _shown(value):
    """An argument in a few words: a tensor by its type and shape."""
    ...

def foreign(error: BaseException, home: str='') -> str | None:
    """Where an error arose in code that is neither ours, nor a package's, nor in the file `home`: 'mine.py, line 2, in f'; None elsewhere."""
    ...

def _checked_call(function, called):
    """The function behind a check of its arguments; `called` is its name in messages."""
    ...

def checked(part: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator: a function or class whose arguments must be of the kinds that its annotations say, else a `VideoPureError`."""
    ...

def check_flag(name: str, value: bool) -> bool:
    """Return `value` if it is True or False, else raise a `VideoPureError`."""
    ...
MOST_PIXELS: int
MOST_FRAMES: int
MOST_WORKERS: int

def check_room(what: object, height: int, width: int, frames: int=1) -> None:
    """Refuse frames that do not fit into memory as a clip, before memory is taken."""
    ...

def as_path(path: str | Path) -> Path:
    """The path that a text names, `~` written out; a `VideoFileError` for what names no file."""
    ...

def natural(name: str) -> list[Any]:
    """Texts and numbers of a name in turn: sorted by them, `frame2` comes before `frame10`."""
    ...

def in_order(names: Iterable[str], where: object) -> list[str]:
    """Names of classes in the order of the alphabet or, where all begin alike up to a number, of the number."""
    ...

def as_name(text: object) -> str:
    """A name as every machine writes it: one line, and accents joined to their letters."""
    ...

def check_names(what: str, names: Iterable[str]) -> list[str]:
    """A list of different names, each as every machine writes it; a `VideoPureError` for anything else."""
    ...

def in_series(folder: Path, names: list[str], pattern: str | None=None) -> list[str]:
    """The names of one series of pictures in order; a `VideoFileError` where there are several."""
    ...

@contextmanager
def reading(path: Path, what: str) -> Iterator[None]:
    """Turn what goes wrong inside of a reader into a `VideoFileError`: the file is not `what`, or it is damaged."""
    ...
_LEFTOVERS: Any

def visible(folder: Path) -> list[Path]:
    """What is in a folder, by name, without hidden files and what operating systems leave there."""
    ...

def read_text(path: Path, expected: str) -> str:
    """The text of a file in UTF-8 or UTF-16, with or without a byte order mark, as Windows, a Mac or Linux writes it."""
    ...

def _sweep(folder, mark):
    """Remove the temporary files with this mark whose process is no more."""
    ...

@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Write to a temporary path beside `path`: moved onto it when the block succeeds, removed when it fails (`VideoFileError`)."""
    ...
