# Made by tools/stubs.py from video.py: run it after nbdev_export.
"""The clip, one tensor that all of videopure takes and returns: checked, drawn with a label, resized, written and read"""
from typing import Any
from pathlib import Path as Path
from typing import BinaryIO as BinaryIO
import numpy as np
import torch as torch
from torch import Tensor as Tensor
from .checks import MOST_FRAMES as MOST_FRAMES, ClipError as ClipError, Late as Late, MissingPackageError as MissingPackageError, VideoFileError as VideoFileError, VideoPureError as VideoPureError, as_path as as_path, atomic_path as atomic_path
from .checks import check_flag as check_flag, check_number as check_number, check_room as check_room, in_series as in_series, reading as reading, visible as visible
from .signal import Signal as Signal
__all__ = ['VIDEO', 'MOTIONS', 'check_video', 'moving_shapes', 'write_video', 'read_video']
av: Late

def _cure(shape):
    """How a clip of a wrong shape becomes (B, 3, T, H, W), as the end of a message."""
    ...

class _Clips(Signal):
    """The signal of clips."""
    unit: int

    def cure(self, wrong: str, shape: tuple[Any, ...]=()) -> str:
        ...

    def check(self, x: Tensor) -> Tensor:
        ...
VIDEO: _Clips

def check_video(video: Tensor, min_frames: int=2) -> Tensor:
    """Return `video` if it is a clip, else raise a `ClipError` that says what is wrong with it."""
    ...

def signal_of(model: object, default: Signal | None=VIDEO) -> Signal | None:
    """What a model, a defense or a purifier takes: its `signal`, or that of what it is made of; `default` where none says."""
    ...
MOTIONS: tuple[str, ...]

def _uniform(n, low, high, generator):
    """(n, 1) numbers drawn uniformly from low..high."""
    ...

def _leaf(x, y, radii, generator, n):
    """One random ellipse or box a texture: its coverage (n, 1, s, s) in [0, 1] and its shaded colour (n, 3, s, s)."""
    ...

def _grain(n, size, generator):
    """Noise of five octaves (n, 3, size, size), of random strength up to 0.12."""
    ...

def dead_leaves(n: int, size: int=40, leaves: int=14, radii: tuple[float, float]=(0.1, 0.7), generator: torch.Generator | None=None) -> Tensor:
    """Random textures: shaded leaves of all sizes covering each other, plus grain (the dead leaves model of natural images)."""
    ...

def _progress(labels, frames, generator):
    """(n, 5, T) in -1..1: how far each of the five movements (x, y, zoom, turn, orbit) has come in each frame."""
    ...

def _path(labels, frames, generator):
    """Centre x, y (in half frames, 0 = middle), angle (radians, clockwise) and half size (in half frames) of the shape, each (n, T)."""
    ...

def _camera(n, frames, generator):
    """A hand-held camera: slow drift and jitter, (2, n, T) in half frames."""
    ...

def _sample(texture, u, v):
    """Look texture (n, C, s, s) up at u, v (n, T, H, W) in -1..1: (n, C, T, H, W)."""
    ...

def _silhouette(u, v, kind):
    """Distance to the middle of a square, disc, bar or triangle (kind 0..3), 1 on its edge."""
    ...

def _coordinates(labels, frames, size, generator):
    """Where each pixel lies on the background (x, y) and on the shape (u, v), and the shape's half size; all (n, T, H, W)."""
    ...

def _render(labels, frames, size, generator):
    """One clip a label: a textured shape moving over a textured background, (n, 3, T, size, size)."""
    ...

def moving_shapes(n: int, seed: int=0, frames: int=16, size: int=32) -> tuple[Tensor, Tensor]:
    """Procedural labelled motion clips, the ten classes in equal parts and random order; no single frame tells the label."""
    ...

def _indices(total, frames, stride, start):
    """The frames that a wish means, whether or not there are so many."""
    ...

def _place(total, frames, stride, where, generator):
    """First frame of a window of `frames` at `stride`, in the middle of the file or anywhere."""
    ...

def _too_few(total, frames, stride, start):
    """Why these frames cannot be taken, and what could."""
    ...

def sample_frames(total: int, frames: int | None=None, stride: int | None=None, start: int | str=0, loop: bool=False, generator: torch.Generator | None=None) -> list[int]:
    """Which frames of a video to take; raises `VideoPureError` when there are too few. Only `loop` repeats frames to fill up."""
    ...

def _target(H, W, size, short_side):
    """The size to scale to, and the size to cut out of it."""
    ...

def resize_video(video: Tensor, size: int | tuple[int, int] | None=None, short_side: int | None=None) -> Tensor:
    """Scale a clip, keeping its proportions, and cut its middle out; unchanged (the same tensor) when it has that size already."""
    ...

def to_uint8(video: Tensor) -> np.ndarray:
    """The frames of one clip as 8-bit RGB arrays, rounded to the nearest step of 1/255."""
    ...

def encode_h264(frames: np.ndarray, file: str | Path | BinaryIO, fps: float=8, crf: int | None=16) -> None:
    """Write frames as an .mp4 file of H.264 video; the same frames always give the same bytes."""
    ...

def _write_gif(path, frames, ends):
    """An endless animated GIF that keeps every frame, also repeated ones; `ends` are 0 and the second at which each ends."""
    ...

def write_video(video: Tensor, path: str | Path, fps: float=8, lossless: bool=False) -> Path:
    """Write one clip: .mp4 for people, .gif for documents, .npz exact. Where that fails (`VideoFileError`), nothing half-written is left."""
    ...
_NO_FILMS: set[Any]

def _open(path, **options: Any):
    """A video file, opened for reading."""
    ...

def _stream(path, file):
    """The video stream that a player begins with."""
    ...

def _packets(file, index):
    """(time, duration, bytes, keyframe?, shown?) of each picture of a stream, in the order of the file; and the end of the file in seconds."""
    ...

def _check_whole(path, file, stream, pictures, end):
    """Refuse a file that ends before its header says."""
    ...

def _inspect(path):
    """(index of the stream, number of frames, seconds that they last) of a video file; a `VideoFileError` for one that is cut short."""
    ...

def _upright(image, matrix, path):
    """A picture (H, W, 3), turned and mirrored by quarter turns as its display matrix says."""
    ...

def _shown_size(path, frame, ratio):
    """Width and height of a frame when its pixels, `ratio` times as wide as high, are stretched to squares."""
    ...

def _read_file(path, pick):
    """Yield the picked frames (H, W, 3) of a video file, upright; a picture that its decoder calls damaged is an error."""
    ...

def _read_image(path):
    """One picture as 8-bit RGB (H, W, 3)."""
    ...
_IMAGES: tuple[Any, ...]

def _read_folder(path, pick, pattern=None):
    """Yield the picked images of a folder, in the order of their numbers."""
    ...

def _read_animation(path, pick):
    """Yield the picked frames of an animated GIF, WebP, PNG or AVIF, upright."""
    ...

def _npz_header(path, archive):
    """Check shape and type of the array `video` before it is unpacked."""
    ...

def _read_npz(path, pick):
    """Yield the picked frames of the array `video` in an .npz file."""
    ...

def _collect(path, frames, order, size, short_side):
    """Frames (H, W, 3), 8-bit or float, as a clip (1, 3, T, h, w) of the wanted size; `order` is filled with as many places as T will be."""
    ...

def _reader(path, pattern=None):
    """The function that yields the frames of what lies at a path."""
    ...

def read_video(path: str | Path, frames: int | None=None, size: int | tuple[int, int] | None=None, stride: int | None=None, start: int | str=0, short_side: int | None=None, pattern: str | None=None, loop: bool=False, generator: torch.Generator | None=None) -> Tensor:
    """Read a clip. Only the wanted frames are kept in memory; what is missing, cut short, too short or undecodable raises `VideoFileError`."""
    ...

def _delays(path):
    """How many milliseconds each picture of an animation shows; 0 counts as 100."""
    ...

def frame_rate(path: str | Path, frames: int | None=None) -> float:
    """The rate at which so many evenly taken frames last as long as the file plays."""
    ...
