# Made by tools/stubs.py from film.py: run it after nbdev_export.
"""A film frame by frame with its times, and back into a file that keeps its clock, sound, subtitles, orientation and colours"""
from typing import Any
import math as math
from collections.abc import Callable as Callable, Iterator as Iterator, Sequence as Sequence
from contextlib import contextmanager as contextmanager
from dataclasses import dataclass as dataclass
from fractions import Fraction as Fraction
from pathlib import Path as Path
import numpy as np
from .checks import Late as Late, MissingPackageError as MissingPackageError, VideoFileError as VideoFileError, VideoPureError as VideoPureError, as_path as as_path, atomic_path as atomic_path, check_number as check_number, checked as checked, reading as reading
from .video import _delays as _delays, _inspect as _inspect, _open as _open, _read_animation as _read_animation, _read_file as _read_file, _reader as _reader, _shown_size as _shown_size, _target as _target, _upright as _upright
from .video import _write_gif as _write_gif, frame_rate as frame_rate, moving_shapes as moving_shapes, to_uint8 as to_uint8, write_video as write_video
__all__ = ['VideoInfo', 'video_info']
av: Late
cv2: Late
_MATRIX: dict[int, int]
_SLIP: Fraction
_EXACT: int

def _stored(image, stream, colour, convert):
    """A picture in the colours of a stream, its last row and column repeated if the stream wants even numbers."""
    ...

def _tone(seconds):
    """A tone, as one frame of audio."""
    ...

def draw_film(path: str | Path, times: Sequence[int], rotation: int=0, sound: str='aac', colour: tuple[Any, ...]=(1, 1, 1, 1), aspect: Fraction | None=None, words: Path | None=None) -> Path:
    """Write a small film of a moving shape with a tone, for lessons and tests."""
    ...

@dataclass(frozen=True)
class VideoInfo:
    """What a video file, or a folder of pictures, holds."""
    path: Path
    container: str
    codec: str
    width: int
    height: int
    frames: int
    seconds: float
    rate: Fraction
    rotation: int = 0
    aspect: Fraction = Fraction(1)
    pixels: str = 'rgb24'
    colour: tuple[Any, ...] = (0, 2, 2, 2)
    audio: tuple[str, ...] = ()
    subtitles: tuple[str, ...] = ()
    index: int | None = None
    base: Fraction = Fraction(1, 90000)
    origin: Fraction = Fraction(0)
    first: Fraction = Fraction(0)
    delays: tuple[int, ...] = ()

    def __str__(self) -> str:
        ...

def video_info(path: str | Path) -> VideoInfo:
    """What is in a file, without decoding more than its beginning. Raises `VideoFileError` for what is missing, damaged or cut short."""
    ...

def _rotation(frame, path):
    """By how many degrees clockwise a stored picture is turned to be upright."""
    ...

def _still_info(path, reader):
    """What pictures, an animation or an array hold."""
    ...

def _in_time(frames, step, ahead=8, even=False):
    """(frame, time in ticks) with increasing times; a frame without a time, or any if `even`, shows a `step` after the one before."""
    ...

def _film(info, since, square):
    """(upright picture, seconds after `since`) of a video file; what its decoder calls damaged is an error."""
    ...

def _picture(path, frame, convert, ratio):
    """A decoded frame as an upright picture (H, W, 3), its pixels stretched to squares by `ratio`."""
    ...

def _stills(info, since):
    """(picture, seconds after `since`) of a folder, an animation or an array."""
    ...

def _sampled(frames, rate, count, lead=Fraction(0)):
    """`count` frames at a constant rate from the moment `lead` on: those that show in the middles of its intervals."""
    ...

def _spans(frames, end, cut):
    """(image, time, seconds that it shows): the last one until `end`; what begins at `cut` or later is left out."""
    ...

@dataclass(frozen=True)
class FilmPlan:
    """Which frames of a source are taken, and what becomes of their size."""
    info: VideoInfo
    since: Fraction
    cut: Fraction | None
    lead: Fraction
    length: Fraction
    rate: Fraction | None
    total: int
    scaled: tuple[int, int]
    shape: tuple[int, int]
    square: bool

    def frames(self, exact: bool=False) -> Iterator[tuple[np.ndarray, Fraction, Fraction]]:
        """(picture, time, span); 8-bit, or float for an .npz of floats and where `exact`."""
        ...

def _sized(image, scaled, shape):
    """A picture scaled, and its middle cut out."""
    ...

def plan_film(info: VideoInfo, ss: float=0, t: float | None=None, frames: int | None=None, fps: float | None=None, short_side: int | None=None, crop: int | tuple[Any, ...] | str | None=None, size: int | tuple[Any, ...] | None=None, target: str | Path='') -> FilmPlan:
    """The `FilmPlan` for options of `purify_video` and a target; a `VideoPureError` for what cannot be."""
    ...

def _constant(info, rate, kind):
    """The rate for a container that has no times: what was asked for, or one that suits the source; None where a .gif keeps its delays."""
    ...

def _sides(info, square, short_side, crop, size):
    """(Height, width) to scale to, and to cut out."""
    ...

def _exact(name, value, low, high=1000000000.0):
    """A number of seconds, or a rate, as a fraction."""
    ...

def _rate(frames, fps, length, there):
    """The rate to sample at (None: none), and the number of frames."""
    ...

def _pair(crop):
    """Height and width of `crop`: a number, (height, width), or a text such as 320x240, width first."""
    ...
_CONTAINERS: dict[str, tuple[str, ...]]
_CODECS: dict[str, dict[str, str]]

def _add_film(out, kind, plan, crf):
    """The video stream of a new file, with size, clock, shape of pixels and colour tags of the source."""
    ...

def _holds(kind, stream, path):
    """Whether a container can hold a stream as it is: one with its first packet is written in memory."""
    ...

class _Beside:
    """Sound and subtitles of the source, packet by packet, into a new file."""
    out: Any
    source: Any
    plan: Any
    streams: dict[Any, Any]
    packets: Any
    next: Any

    def __init__(self, out, source, plan):
        ...

    def _moved(self):
        """(seconds, packet) of the part that is kept, by the clock of the new file."""
        ...

    def write(self, until=math.inf):
        """Write what is due at a moment."""
        ...

def _chapters(source, plan, kind):
    """The chapters of the part that is kept, by the clock of the new file."""
    ...

@contextmanager
def _film_writer(file, kind, plan, crf):
    """A function (frame, time, span) that writes into a video file."""
    ...
_OWN: set[str]

@contextmanager
def _clip_writer(path, plan, room):
    """A function that keeps frames, for a file that is written in the end."""
    ...

@contextmanager
def _picture_writer(folder):
    """A function that writes frames as .png files into a new folder, which appears when all are there."""
    ...

@contextmanager
def write_film(target: str | Path, plan: FilmPlan, crf: int | None=None, room: float=3.0) -> Iterator[Callable[..., Any]]:
    """A function (frame, time, span) that writes to a target; what is not complete in the end is not there."""
    ...

def check_target(target: str | Path, source: str | Path='', overwrite: bool=False, dry: bool=False) -> str | Path:
    """Refuse a target that cannot be written, is the source, or holds something, before anything is computed (`VideoFileError`)."""
    ...

def film_packets(path: str | Path, kind: str='audio') -> list[tuple[float, bytes]]:
    """(seconds, bytes) of the packets of the first stream of a kind."""
    ...

def film_times(path: str | Path) -> list[float]:
    """The times of the frames of a film, in seconds."""
    ...
