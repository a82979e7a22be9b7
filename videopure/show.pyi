# Made by tools/stubs.py from show.py: run it after nbdev_export.
"""Seeing clips: a strip of frames, the perturbation magnified, and a player that runs in a notebook, on a page and from a file"""
from collections.abc import Mapping as Mapping
from pathlib import Path as Path
from typing import Any as Any
from torch import Tensor as Tensor
from .checks import ClipError as ClipError, VideoPureError as VideoPureError, as_path as as_path, atomic_path as atomic_path, check_number as check_number, checked as checked
from .video import check_video as check_video, to_uint8 as to_uint8
__all__ = ['strip', 'magnify', 'differences', 'Player', 'page', 'save_page']

def _clean(text):
    """Text in which letters of a broken encoding are written as their codes."""
    ...
INK: str
FIGURE: dict[str, Any]

def _as_dict(clips):
    """A mapping of names to single clips; a lone clip gets an empty name."""
    ...

def strip(clips: Tensor | Mapping[str, Tensor], frames: int=8, title: str='', width: float=7) -> Any:
    """Clips as rows of frames, time to the right."""
    ...

def _difference(original, changed):
    """`changed - original`, for clips of one shape."""
    ...

def _largest_gain(difference):
    """The largest factor that keeps a difference within -1/2..1/2, one for each clip, (B, 1, 1, 1, 1)."""
    ...

def magnify(original: Tensor, changed: Tensor, gain: float | None=None) -> Tensor:
    """The difference of two clips, magnified around middle grey."""
    ...

def differences(clips: Mapping[str, Tensor], gain: float | None=None) -> dict[str, Tensor]:
    """Rows for `strip` or `Player`: how clips that look alike differ from the first of them."""
    ...

def _encode(sheet, kind, **options: Any):
    """An image (H, W, 3) as a data URI."""
    ...

def sprite_sheet(video: Tensor, quality: int | None=90) -> tuple[str, int, int, int]:
    """All frames of a clip in one image, a nearly square grid."""
    ...

def _plain(caption):
    """The caption as text, for a screen reader."""
    ...

def _caption(name, caption):
    """Name and caption of a clip as HTML: text, or a mapping of label to probability as bars."""
    ...

class Player:
    """Clips side by side, in step, as self-contained HTML: shows itself in a notebook; `save` writes a page."""
    clips: Any
    captions: dict[Any, Any]
    quality: Any
    fps: Any
    frames: Any
    size: Any

    def __init__(self, clips: Tensor | Mapping[str, Tensor], captions: Mapping[str, str | Mapping[str, float]] | None=None, fps: float=8, size: int | None=None, quality: int | None=90):
        ...

    def _figure(self, name):
        """One clip: its sheet, described for a screen reader, and its caption."""
        ...

    def _repr_html_(self) -> str:
        """The player as a piece of HTML that needs nothing from outside."""
        ...

    def save(self, path: str | Path, title: str='videopure') -> Path:
        """Write the player as a page that opens from a folder, without a network."""
        ...
NO_SCRIPT: str
_STYLE: str
_SCRIPT: str
_PLAY: str
_PAGE: str

def page(title: str, *parts: object) -> str:
    """One self-contained HTML page from its parts."""
    ...

def save_page(path: str | Path, title: str, *parts: object) -> Path:
    """Write `page(title, *parts)`; nothing half-written is left when it fails (`VideoFileError`)."""
    ...
