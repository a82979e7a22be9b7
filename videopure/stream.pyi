# Made by tools/stubs.py from stream.py: run it after nbdev_export.
"""Windows of frames, purified one after the other and blended; a video file in, a video file out, with its sound and its times"""
from typing import Any
from collections.abc import Callable as Callable, Iterable as Iterable, Iterator as Iterator
from dataclasses import dataclass as dataclass, field as field
from pathlib import Path as Path
from typing import NamedTuple as NamedTuple
import numpy as np
from torch import nn as nn
from .checks import ClipError as ClipError, Late as Late, VideoPureError as VideoPureError, check_number as check_number, checked as checked
from .defense import Defended as Defended, answer as answer
from .film import check_target as check_target, plan_film as plan_film, video_info as video_info, write_film as write_film
from .purifier import Purifier as Purifier, as_purifier as as_purifier, device_of as device_of
from .registry import fingerprint as fingerprint
from .tiny import tiny_transformer as tiny_transformer, tiny_unet as tiny_unet
from .video import check_video as check_video
from .voting import vote as vote
__all__ = ['windows', 'blend', 'Cost', 'purify_frames', 'Purified', 'purify_video', 'WindowVote', 'FilmVote', 'predict_video']
cv2: Late

def windows(items: Iterable[Any], window: int=16, overlap: int=4) -> Iterator[tuple[int, list[Any]]]:
    """Overlapping windows of a stream; the last one is complete too, by going back. A stream shorter than a window is one window."""
    ...

def _windows(items, window, step):
    """`windows` behind its checks."""
    ...

def blend(pieces: Iterable[tuple[int, np.ndarray]]) -> Iterator[np.ndarray]:
    """Windows as one stream: a linear cross-fade where they overlap, whose weights sum to 1."""
    ...

def reduced(image: np.ndarray, side: int | None) -> np.ndarray:
    """A frame (H, W, 3) whose short side is `side` at most, averaged over areas."""
    ...

def _changed(image, change):
    """A frame (H, W, 3), 8-bit or float, plus a change in 0..1 of perhaps another size."""
    ...

class Cost(NamedTuple):
    """What the purification of a film takes, from its first window."""
    frames: int
    windows: int
    calls: int
    seconds: float
    gigabytes: float
    size: tuple[int, int]
    work: tuple[int, int]

    def __str__(self) -> str:
        ...

@dataclass
class _Meter:
    """A purifier of windows of frames, and what it has taken so far."""
    purifier: Purifier
    side: int | None
    windows: int = 0
    calls: int = 0
    seconds: float = 0.0
    shapes: tuple[Any, ...] = ()
    squares: list[Any] = field(default_factory=lambda: [0, 0.0])
    after_first: Callable[..., Any] | None = None

    def __call__(self, images):
        """The changes (T, h, w, 3) in -1..1 that the purifier makes to frames."""
        ...

    def _count(self):
        """A hook that counts the calls of the network, if there is one."""
        ...

def _place(purifier):
    """Where a purifier wants its clips."""
    ...

def _frame(image, first):
    """A frame that can be purified, of the size of the first."""
    ...

def _pairs(frames, meter, window, overlap):
    """(frame, purified frame) of a stream, one after the other."""
    ...

def purify_frames(frames: Iterable[Any], purifier: object, window: int=16, overlap: int=4, side: int | None=None) -> Iterator[np.ndarray]:
    """A stream of frames, purified in blended windows, as an iterator that keeps about two windows in memory."""
    ...

def _needed(purifier):
    """A purifier; an error for none."""
    ...
_TOY_SIDE: int
_MODEL_BYTES: int
_FUNCTION_BYTES: int

def _toys():
    """Fingerprints of the embedded networks."""
    ...

def is_toy(purifier: Purifier) -> bool:
    """Whether a purifier works with one of the embedded models."""
    ...

def _side(purifier, wanted, plan, window, room):
    """The short side at which the purifier works: what was wanted, or what suits it, if it fits into memory."""
    ...

@dataclass
class Purified:
    """What came of a film."""
    target: str
    cost: Cost
    frames: int
    psnr: float
    seconds: float

    def __str__(self) -> str:
        ...

def purify_video(source: str | Path, target: str | Path, purifier: object, *, window: int=16, overlap: int=4, work_side: int | None=None, ss: float=0, t: float | None=None, frames: int | None=None, fps: float | None=None, short_side: int | None=None, crop: int | tuple[Any, ...] | str | None=None, size: int | tuple[Any, ...] | None=None, crf: int | None=None, max_memory: float=3.0, overwrite: bool=False, dry_run: bool=False, progress: bool=True, on_cost: Callable[..., Any] | None=None, watch: Callable[..., Any] | None=None) -> Purified:
    """Purify a film of any length in blended windows, keeping its times, size, orientation, colours, sound and subtitles.

    The target appears when it is complete. Raises `VideoPureError` for options and files that cannot be."""
    ...

def _run(job):
    """`purify_video` with its words in one place."""
    ...

def _write(job, plan, pairs, times, room):
    """Write purified frames to the target; their number."""
    ...

def _cost(meter, plan, window, overlap):
    """The `Cost` of a film after its first window."""
    ...

def _peak():
    """The most memory that this process has taken, in GB; 0 where the system does not say."""
    ...

def _warn(purifier, plan, meter):
    """Say it when an embedded model meets a real film, and when colours lose some of their bits."""
    ...

class WindowVote(NamedTuple):
    """What was seen in one window of a film."""
    start: float
    end: float
    label: int
    name: str
    votes: int
    records: int
    probability: float

@dataclass
class FilmVote:
    """The label of a film, and what was seen in each of its windows."""
    label: int
    name: str
    windows: list[WindowVote]

    def _repr_markdown_(self) -> str:
        ...

def predict_video(classifier: nn.Module, source: str | Path, *, window: int | None=None, overlap: int=0, ss: float=0, t: float | None=None, fps: float | None=None, size: int | tuple[Any, ...] | None=None) -> FilmVote:
    """Classify a film by windows: the label of most of them (ties go to the larger summed probability), and what each of them says."""
    ...
