# Made by tools/stubs.py from batch.py: run it after nbdev_export.
"""Files, folders and patterns into a folder: what is there is skipped, what is damaged stops nothing, several processes share the work"""
from typing import Any
from collections.abc import Callable as Callable, Sequence as Sequence
from pathlib import Path as Path
from .checks import VideoFileError as VideoFileError, VideoPureError as VideoPureError, as_path as as_path, checked as checked, reason as reason, visible as visible
from .film import check_target as check_target, plan_film as plan_film, video_info as video_info
__all__ = ['find_jobs', 'share', 'purify_files', 'info_file']
_FILMS: set[Any]
_CUT: tuple[str, ...]
_WRITTEN: set[Any]

def _films(folder, leave):
    """The video files in a folder and its subfolders, in order, but for those in the folder `leave`."""
    ...

def _expanded(source, leave):
    """What a source names: [(path, its name in the target's folder)], and whether it names many."""
    ...

def find_jobs(sources: Sequence[str | Path], target: str | Path) -> tuple[list[tuple[Path, str]], bool]:
    """What is to be done. Raises `VideoFileError` where two sources would be written to one file, or nothing is found."""
    ...

def share(jobs: Sequence[Any], rank: int, world: int) -> Sequence[Any]:
    """The part of one process: all parts together are all jobs, and none is in two parts."""
    ...

def _process():
    """(number of this process, number of processes) as a launcher says, else (0, 1)."""
    ...

class _Album:
    """At most `most` pairs of frames (before, after), evenly spaced over a film."""
    most: Any
    side: Any
    step: int
    seen: int
    pairs: list[Any]

    def __init__(self, most=48, side=256):
        ...

    def __call__(self, before, after):
        ...

    def save(self, path, title, seconds):
        """Write the page."""
        ...

def purify_files(sources: Sequence[str | Path], target: str | Path, load: Callable[..., Any], *, skip: bool=False, overwrite: bool=False, report: str | None=None, as_json: bool=False, quiet: bool=False, say: Callable[..., Any]=print, **options: object) -> str:
    """Purify videos, each by `purify_video`; the summary. Raises `VideoPureError` in the end if some failed."""
    ...

def _check_words(many, skip, overwrite, report):
    """Refuse what cannot both be."""
    ...

def _one(source, goal, load, made, words, many, report, say):
    """Purify one video; the purifier is in the list `made` from the first one on."""
    ...

def check_page(path: str, source: str | Path) -> None:
    """Refuse a report under a name that is no page's, over the source, or in a folder that is not there."""
    ...

def _facts(done: object) -> dict[Any, Any]:
    """What a summary says of a film."""
    ...

def _summed(rows, one, good, as_json, seconds):
    """The summary of a run; an error that says so where films failed. `good` is what became of the others."""
    ...

def info_file(source: str, *, model: str | None=None, work_side: int | None=None, window: int=16, device: str='auto') -> str:
    """say what a video file holds, and with --model what its purification would cost"""
    ...
