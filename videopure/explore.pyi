# Made by tools/stubs.py from explore.py: run it after nbdev_export.
"""Attack a clip and purify it with a few buttons, and look at everything in between"""
from typing import Any
import threading as threading
from collections.abc import Callable as Callable, Iterator as Iterator, Mapping as Mapping
from contextlib import contextmanager as contextmanager
from pathlib import Path as Path
import torch as torch
from torch import nn as nn
from .attacks import ATTACKS as ATTACKS, PGD as PGD, check_adversarial as check_adversarial, make_attack as make_attack
from .blackbox import RandomNoise as RandomNoise, Square as Square
from .defense import Defended as Defended
from .pipeline import VideoPurePipeline as VideoPurePipeline
from .purifier import Purifier as Purifier
from .show import NO_SCRIPT as NO_SCRIPT
from .threats import as_eps as as_eps, format_eps as format_eps
from .tiny import tiny_classifier as tiny_classifier
from .trace import SEES as SEES, STYLE as STYLE, UPLOAD as UPLOAD, Experiment as Experiment, as_videopure as as_videopure, embedded_clips as embedded_clips, frame_style as frame_style, free_path as free_path, vote_table as vote_table, watching as watching
from .video import ClipError as ClipError, MissingPackageError as MissingPackageError, VideoPureError as VideoPureError, check_video as check_video, read_video as read_video
from .voting import RULES as RULES, VoteOutput as VoteOutput, vote as vote
import ipywidgets as widgets
__all__ = ['Explorer']
PRESETS: dict[str, Any]

def _settings_used(preset: Mapping[str, object], chosen: Mapping[str, object]) -> dict[str, object]:
    """The attack settings of the controls, changed by those that the preset fixes; None for what the attack does not have."""
    ...

def _attack(preset: Mapping[str, object], used: Mapping[str, object], model: nn.Module, clip: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
    """The attacked clip. Raises `ClipError` if an attack returns anything but a clip of that shape."""
    ...

def _takes(method: object, name: str) -> bool:
    """Whether an attack has a setting of that name; a control of the explorer is passed on only then."""
    ...

class Cancelled(Exception):
    """Raised inside work that was cancelled."""
BUSY: str

class _Background:
    """One computation at a time, here or in the background; it can be cancelled before each call of a network."""
    _lock: threading.Lock
    _stop: threading.Event
    _thread: Any

    def __init__(self):
        ...

    @property
    def busy(self) -> bool:
        """Whether a computation is running; False inside of it."""
        ...

    def cancel(self) -> None:
        """Stop the computation before its next call of a network; earlier results stay."""
        ...

    def _check(self) -> None:
        ...

    def _claim(self) -> None:
        ...

    @contextmanager
    def _alone(self, modules: list[nn.Module]) -> Iterator[None]:
        """Nothing else runs meanwhile, and `cancel` is noticed before each call of the modules."""
        ...

    def _say(self, text: str, error: bool=False) -> None:
        """Show a message."""
        ...

    def _attempt(self, work: Callable[[], object]) -> None:
        """Do something; an error becomes a message."""
        ...

    def start(self, work: Callable[[], object]) -> None:
        """Do something in the background, such as `explorer.attack`; `wait()` waits for it."""
        ...

    def wait(self, timeout: float | None=None) -> None:
        """Wait until the computation in the background is done."""
        ...
_EPS: list[Any]

def _values(controls: Mapping[str, widgets.Widget]) -> dict[str, object]:
    """The values of controls by name."""
    ...

def _shaped(width: str='auto') -> dict[str, object]:
    """The options of a control that has this width and room for its whole description."""
    ...

def _attack_controls(presets: Mapping[str, object]) -> dict[str, widgets.Widget]:
    """The controls of the attack, by the names of the settings."""
    ...

def _purify_controls(purifier: Purifier) -> dict[str, widgets.Widget]:
    """The controls of a `VideoPure`, by the names of its settings; none for another purifier."""
    ...

def _change(name: str, control: widgets.Widget, value: object) -> None:
    """Give a control a value. Raises `VideoPureError` if the control does not take it as it is."""
    ...

def _allowed(control: widgets.Widget) -> str:
    """The values that a control takes, in words."""
    ...

class _Controls(_Background):
    """Controls by name, which code can read and change; during a computation only the record and the frame can be changed."""

    def __getattr__(self, name: str) -> object:
        ...

    def values(self) -> dict[str, object]:
        """The settings in plain values."""
        ...

    def set(self, **values: object) -> None:
        """Change controls by name, as in `explorer.set(eps="4/255", purify_steps=2)`.

        Raises `VideoPureError` for an unknown name, a value that the control cannot take, or while the explorer is busy."""
        ...

class Explorer(_Controls, Experiment):
    """Attack a clip, purify it, and look at every level in between, in a notebook.

    `values()` and `set()` read and change its controls, `attack()` and `purify()` do what its buttons do, `to_html()` writes it as a page.
    Raises `ClipError` for what is not one clip, and `MissingPackageError` without ipywidgets."""
    presets: Any
    fps: float
    clips: dict[Any, Any]
    chosen: Any
    _filling: bool
    box: widgets.VBox
    root: str
    attack_controls: dict[str, widgets.Widget]
    purify_controls: dict[str, widgets.Widget]
    controls: dict[str, Any]
    upload: widgets.FileUpload
    path: widgets.Text
    buttons: dict[Any, Any]
    progress: widgets.FloatProgress
    message: Any
    verdict: Any
    overview: Any
    level: Any
    votes: Any
    history: Any
    style_: Any
    play: widgets.Play
    _free: Any
    outcome: Any

    def __init__(self, defended: Defended | None=None, clip: torch.Tensor | None=None, label: int | None=None, fps: float=8, attacks: Mapping[str, object] | None=None):
        ...

    def values(self) -> dict[str, object]:
        """Settings that are used, and results, by name, as plain values; None for what the attack does not have or was not computed yet."""
        ...

    def close(self) -> None:
        """Free the clips, the pictures and the widgets. A computation is cancelled."""
        ...

    def _make_controls(self) -> None:
        """Make the widgets."""
        ...

    def _arrange(self) -> None:
        """Put the widgets in rows."""
        ...

    def _listen(self) -> None:
        """Connect each control and button with what it does."""
        ...

    def _show(self) -> None:
        """Show everything; all records are drawn now, so that the slider only has to choose one."""
        ...

    def _show_record(self) -> None:
        """Show the record under the slider and mark its vote."""
        ...

    def _show_frame(self) -> None:
        """Show the frame under the slider."""
        ...

    def _add_clips(self, clips: dict[str, tuple[torch.Tensor, int | None]]) -> None:
        """Add clips with their labels to the menu, and choose the first of them."""
        ...

    def _fill(self, options: list[str], name: str) -> None:
        """Fill the menu of clips without choosing one, which would run the classifier."""
        ...

    def _choose(self) -> None:
        """Show the clip that was chosen; while the explorer is busy, choose the old one again."""
        ...

    def _show_clip(self) -> None:
        """Start again with the chosen clip."""
        ...

    def read(self, path: str | Path, name: str | None=None) -> None:
        """Read a video file and show it, at the frames and size of the clips that are there. Raises `VideoFileError` if it cannot be read."""
        ...

    def _read_upload(self) -> None:
        """Read what was uploaded, from a temporary file with the same ending."""
        ...

    @contextmanager
    def _working(self, message: str, total: int) -> Iterator[Callable[[], None]]:
        """Show a progress bar during a computation; yields the function to call after each of its `total` steps."""
        ...

    def attack(self) -> torch.Tensor:
        """Attack the clip with the settings of the controls; returns the attacked clip (1, 3, T, H, W)."""
        ...

    def purify(self) -> VoteOutput:
        """Purify the attacked clip (the clip itself if there was no attack) with the settings of the controls, and vote; returns the vote."""
        ...

    def _count_again(self) -> None:
        """Count the votes by the rule that is chosen now."""
        ...

    def view(self) -> dict[str, object]:
        """What the page shows first."""
        ...

    def _repr_mimebundle_(self, **kwargs: object) -> dict[str, object]:
        """The live widget, and beside it the page for readers without a kernel."""
        ...

def _check_settings(defended: object, clip: object, label: object, fps: object, attacks: object) -> None:
    """Raise `VideoPureError` for what an explorer cannot be made of."""
    ...
_SHOWN: dict[Any, Any]

def _close_widgets(*parts: object) -> None:
    """Close widgets and all that they are made of, which ipywidgets would keep for ever."""
    ...

def _keep_on_screen(explorer: Explorer) -> None:
    """Keep an explorer until its cell runs again, and close those of the last time; without a notebook there is no screen."""
    ...
