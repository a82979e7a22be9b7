# Made by tools/stubs.py from trace.py: run it after nbdev_export.
"""Every clip that a purification passes through, the pictures that show it, and the whole experiment as a page that needs no kernel"""
from typing import Any
from collections.abc import Callable as Callable, Iterator as Iterator, Mapping as Mapping, Sequence as Sequence
from contextlib import contextmanager as contextmanager
from dataclasses import dataclass as dataclass
from pathlib import Path as Path
import torch as torch
from torch import nn as nn
from .checks import Late as Late, checked as checked
from .defense import Defended as Defended
from .flow import optical_flow as optical_flow
from .pipeline import VideoPurePipeline as VideoPurePipeline
from .purifier import Purifier as Purifier, VideoPure as VideoPure, as_purifier as as_purifier, device_of as device_of
from .schedule import add_noise as add_noise, ddim_levels as ddim_levels, predict_x0 as predict_x0
from .show import NO_SCRIPT as NO_SCRIPT, magnify as magnify, save_page as save_page, sprite_sheet as sprite_sheet
from .stream import is_toy as is_toy
from .video import MOTIONS as MOTIONS, ClipError as ClipError, VideoPureError as VideoPureError, moving_shapes as moving_shapes, resize_video as resize_video
from .voting import VoteOutput as VoteOutput, vote as vote
__all__ = ['cv2', 'Trace', 'trace_purification']

def as_videopure(purifier: object) -> VideoPure | None:
    """The purifier as a `VideoPure`, which has noise levels to look at and settings to change; None for any other purifier."""
    ...

def decode_path(pipe: VideoPurePipeline, path: Sequence[torch.Tensor], size: tuple[int, int, int], tick: Callable[[], None]=lambda: None, chunk: int | None=None) -> torch.Tensor:
    """Decode latents one after the other."""
    ...

def last_level(purifier: VideoPure, x0: torch.Tensor, noise: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The end of the path, one step below the last callback."""
    ...

def latent_paths(purifier: VideoPure, video: torch.Tensor) -> tuple[dict[str, list[torch.Tensor]], list[int]]:
    """The latents of the records, the noisy latents, and the estimates before guidance."""
    ...

@dataclass
class Trace:
    """One purification of one clip, level by level: `S` records, the cleanest last."""
    records: torch.Tensor
    noisy: torch.Tensor | None = None
    before: torch.Tensor | None = None
    timesteps: list[int] | None = None

def trace_purification(purifier: object, video: torch.Tensor, tick: Callable[[], None]=lambda: None) -> Trace:
    """Purify a clip and keep every clip on the way."""
    ...
cv2: Late

def flow_colours(flow: torch.Tensor) -> torch.Tensor:
    """A flow as a clip: the hue is the direction, the saturation is the speed relative to the fastest pixel."""
    ...

def frame_style(root: str, frame: int, frames: int) -> str:
    """The style that moves every thumbnail inside the element of class `root` to one of so many frames."""
    ...
STYLE: str

def _within(video: torch.Tensor, longest: int) -> torch.Tensor:
    """The clip, scaled down if its longest side has more pixels than `longest`."""
    ...

def thumbnail(video: torch.Tensor, name: str, note: str='', longest: int=132, quality: int=80) -> str:
    """A clip as a window on the sheet of its frames."""
    ...

def thumbnail_row(shown: list[tuple[torch.Tensor, str, str]], kind: str='vp-row', **size: int) -> str:
    """Several clips in a row."""
    ...

def level_thumbnails(trace: Trace, s: int, video: torch.Tensor, answer: str='', **size: int) -> str:
    """One record and the clips that led to it, in a row."""
    ...

def flow_thumbnail(video: torch.Tensor, flow: torch.Tensor | str | Callable[..., Any] | None=None, **size: int) -> str:
    """The flow that temporal guidance follows: given, or computed by a method of notebook 06 (None: DIS)."""
    ...

def class_names(classifier: nn.Module, num_classes: int) -> list[str]:
    """The names of the classes, or their numbers if the classifier has no `class_names`."""
    ...

def with_probability(logits: torch.Tensor, names: list[str]) -> str:
    """The most probable class and its probability, from logits (K,)."""
    ...

def html_table(caption: str, head: list[str], rows: str) -> str:
    """A table in a box that scrolls if it is wider than the page."""
    ...

def vote_table(outcome: VoteOutput, names: list[str], timesteps: list[int] | None=None, record: int=-1, top: int=3) -> str:
    """The probabilities and the vote of every record."""
    ...

def embedded_clips(classifier: nn.Module) -> dict[str, tuple[torch.Tensor, int]]:
    """A clip of each motion, with its label, for a classifier that knows the motions."""
    ...

def _quiet(purifier: Purifier) -> Purifier:
    """The purifier, without the progress bars of its pipeline."""
    ...

class Experiment:
    """One clip, and what was done to it: attacked, purified, voted on."""
    defended: Defended
    purifier: Purifier
    device: Any
    clip: Any
    runs: list[Any]
    attacked_with: dict[Any, Any]
    _drawn: dict[Any, Any]
    attacked: torch.Tensor | None
    trace: Any
    earlier: Any
    outcome: Any
    clean: Any
    guessed: Any
    names: list[str]
    label: Any
    attacked_answer: Any
    logits: Any

    def __init__(self, defended: Defended):
        ...

    def choose(self, clip: torch.Tensor, label: int | None=None) -> None:
        """Start again with a clip (1, 3, T, H, W) and its label."""
        ...

    def answer(self, video: torch.Tensor) -> torch.Tensor:
        """The logits (1, K) of the classifier alone."""
        ...

    def on_reading(self, name: str) -> str:
        """What is said when a file was read; also what the embedded model means for it."""
        ...

    def with_settings(self, settings: Mapping[str, object] | None) -> Purifier:
        """The purifier with these settings."""
        ...

    @contextmanager
    def target(self, sees: str | None=None, settings: Mapping[str, object] | None=None, rule: str | None=None, tick: Callable[[], object]=lambda: None) -> Iterator[nn.Module]:
        """What an attacker with this knowledge attacks."""
        ...

    def keep_attack(self, attacked: torch.Tensor, settings: Mapping[str, object]) -> None:
        """Go on with an attacked clip; `settings` are attack, sees, eps, steps and seed, None for what the attack does not have."""
        ...

    def input(self) -> torch.Tensor:
        """The clip to purify: the attacked one, or the clip itself if there was no attack."""
        ...

    def findings(self) -> dict[str, object]:
        """The results in plain values; None for what was not computed yet."""
        ...

    def run(self, settings: Mapping[str, object] | None=None, rule: str | None=None, tick: Callable[[], None]=lambda: None) -> None:
        """Purify with these settings, and vote."""
        ...

    def draw_history(self) -> str:
        """All runs with this clip; what differs from the line above is bold."""
        ...

    def once(self, draw: Callable[..., Any], *args: object, **size: int) -> str:
        """What `draw` returns, drawn once."""
        ...

    def draw_level(self, s: int, **size: int) -> str:
        """Record `s` and the clips that led to it."""
        ...

    def draw_flow(self, **size: int) -> str:
        """The flow that guidance follows; nothing for a purifier without guidance."""
        ...

    def draw_overview(self, **size: int) -> str:
        """The clips as a whole, with the classifier's answer to each."""
        ...

    def draw_verdict(self) -> str:
        """The labels in a sentence."""
        ...

    def view(self) -> dict[str, object]:
        """What the page shows first: the record and the frame, and the frames a second."""
        ...

    def _body(self, **size: int) -> str:
        """The page with thumbnails of this size."""
        ...

    def page(self, most_bytes: int=3000000) -> str:
        """Everything as HTML of at most so many bytes; clips are scaled down until it fits."""
        ...

    def to_html(self, path: str | Path, title: str='VideoPure experiment') -> Path:
        """Write everything as a self-contained page of less than 3 MB; it needs no kernel and no network."""
        ...

@contextmanager
def watching(modules: Sequence[nn.Module], tick: Callable[[], object]) -> Iterator[None]:
    """Call `tick` before every forward pass of the modules in this thread."""
    ...
SEES: dict[str, str]

def summary(run: Mapping[str, object]) -> dict[str, str]:
    """One line of the history, from the settings and results of one run."""
    ...
_PAGE: str
_RECORDS: str
_SCRIPT: str

def page_body(above: str, levels: Sequence[str]=(), votes: str='', flow: str='', below: str='', *, frames: int, frame: int=0, record: int=0, fps: float=8) -> str:
    """A part of a page that plays the clips and shows one record at a time."""
    ...

def free_path(name: str) -> Path:
    """This file name in the working folder, or with the first number behind it that is not taken: a.html, a-2.html, a-3.html."""
    ...
UPLOAD: str
