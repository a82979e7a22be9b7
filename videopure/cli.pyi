# Made by tools/stubs.py from cli.py: run it after nbdev_export.
"""`videopure demo`, `purify`, `evaluate`, `train` and more: functions whose signatures are their options"""
from typing import Any
import argparse as argparse
from collections.abc import Callable as Callable, Iterator as Iterator
from contextlib import contextmanager as contextmanager
from types import SimpleNamespace as SimpleNamespace
from .options import Parser as Parser, add_option as add_option, all_options as all_options, class_of as class_of, in_options as in_options, options_of as options_of, say as say
__all__ = ['main', 'start']

def parser() -> argparse.ArgumentParser:
    """The options of all commands."""
    ...

def purify(source: list[str], target: str, *, model: str='tiny', work_side: int | None=None, steps: int | None=None, window: int=16, overlap: int=4, ss: float=0, t: float | None=None, frames: int | None=None, fps: float | None=None, short_side: int | None=None, crop: str | None=None, size: int | None=None, crf: int | None=None, overwrite: bool=False, skip: bool=False, device: str='auto', dtype: str='float32', variant: str | None=None, max_memory: float=3.0, report: str | None=None, json: bool=False, dry_run: bool=False, quiet: bool=False) -> str | None:
    """purify video files of any length; sound, times, size and colours are kept"""
    ...
_FOR_MODEL: tuple[str, ...]

def _purified(words: SimpleNamespace) -> str | None:
    """Purify what the command line names; the summary, which goes beside the output where that is the video."""
    ...

def evaluate(config: str | None=None, *, out: str='evaluation', classifier: str | None=None, weights: str | None=None, num_classes: int | None=None, model: str | None=None, dtype: str | None=None, variant: str | None=None, protocol: str | None=None, n_clips: int | None=None, metrics: list[str] | None=None, seed: int | None=None, attacks: list[str] | None=None, defenses: list[str] | None=None, device: str='auto', allow_code: bool=False, quiet: bool=False, plan: bool=False, workers: int=1, data: str | None=None, frames: int | None=None, size: int | None=None, stride: int | None=None, group: str | None=None, where: list[str] | None=None, where_not: list[str] | None=None) -> str | None:
    """measure defenses under attacks; an interrupted run goes on"""
    ...

def _evaluated(words: SimpleNamespace) -> str | None:
    """What `evaluate` does with its words."""
    ...

def _as_words(words: dict[Any, Any]) -> list[str]:
    """The words of a command line that mean these values; one that is not given is None, False or empty."""
    ...

def _settings_of(words: SimpleNamespace) -> dict[Any, Any]:
    """The configuration that a command line means."""
    ...

def _classifier_of(words: SimpleNamespace, spec: object) -> object:
    """The classifier that a command line means; another name starts from nothing."""
    ...

def _data_of(words: SimpleNamespace, data: dict[Any, Any]) -> dict[Any, Any]:
    """The clips that a command line means."""
    ...

def _shown(card: object, settings: dict[Any, Any], out: str, notes: list[str]) -> str | None:
    """What a person sees of a card; nothing from all processes but the first. `VideoFileError` if no clip could be read."""
    ...

def certify(against: str='l2', *, out: str='certificates', classifier: str='tiny', weights: str | None=None, num_classes: int | None=None, sigma: float | None=None, model: str | None=None, draws: int | None=None, alpha: float | None=None, k: int | None=None, box: int | None=None, n_clips: int=100, seed: int=2026, data: str | None=None, frames: int | None=None, size: int | None=None, stride: int | None=None, group: str | None=None, where: list[str] | None=None, where_not: list[str] | None=None, device: str='auto', quiet: bool=False) -> str:
    """prove of single answers that no attack can change them; an interrupted run goes on"""
    ...

def _clips_of(words: SimpleNamespace, network: object) -> tuple[object, object, list[str] | None]:
    """All clips of a command in one tensor, their labels, and their names if they have any."""
    ...
_MEANING: dict[str, str]
_USES: dict[str, Any]
_DEFAULTS: dict[str, Any]

def _settled(words: SimpleNamespace) -> SimpleNamespace:
    """The words with a value for each option; one that has no effect is an error."""
    ...

def _proof(words: SimpleNamespace, network: object, clips: object) -> tuple[object, object, dict[Any, Any]]:
    """A defense that can be certified, the threat model it is certified against, and the options of that."""
    ...

def _told(words: SimpleNamespace, table: object, proof: object, network: object, clips: object, labels: object, names: object) -> str:
    """What a person sees of certificates; the table is kept beside them."""
    ...

def _seen_before(words: SimpleNamespace, names: list[str]) -> list[str]:
    """How many of the clips a classifier or purifier of `videopure train` was trained on, if any."""
    ...

def verify(folder: str, config: str | None=None, *, cells: int=6, minutes: float=10.0, seed: int | None=None, device: str='auto', allow_code: bool=False, quiet: bool=False) -> str:
    """check somebody's run: its table, its settings, and random cells measured again"""
    ...

def train_tiny(*, out: str='tiny', only: str | None=None, seed: int=0, device: str='auto') -> str:
    """train the embedded models; an interrupted run goes on"""
    ...
COMMANDS: dict[str, str]

def _close_bars() -> None:
    """End the line of a bar that is still open, so that what follows has one of its own."""
    ...
_NO_MEMORY: tuple[str, ...]

def _reason(error: BaseException) -> str | None:
    """What a person is told of an error; None for a mistake of ours."""
    ...

@contextmanager
def _on_signals(handler: Callable[..., Any]) -> Iterator[None]:
    """Signals that end a process go to a handler; those that somebody else handles or ignores are left alone."""
    ...

def _stop(number: int, frame: object) -> None:
    """End the command as Ctrl-C does."""
    ...

def _leave(number: int, frame: object) -> None:
    """End the process where nothing has begun."""
    ...

def _stopped(error: BaseException | None) -> int:
    """The signal behind an error, also where a module that was being loaded has made another error of it; 0 for none."""
    ...

def _again(ignored: object) -> None:
    """An interruption that came where Python ignores errors, as in a `__del__`, comes again a moment later."""
    ...

@contextmanager
def _streams() -> Iterator[None]:
    """Output in which no sign is an error; what a full disk or a closed pipe did not take is dropped in the end."""
    ...

def _given(words: dict[Any, Any]) -> dict[str, object]:
    """The values of the options that a command line sets; of all of them if there is no file of settings."""
    ...

def main(argv: list[str] | None=None) -> int:
    """The `videopure` command: status 0, 2 after what a user or the machine did, 141 after a closed pipe, 128 + the signal after one."""
    ...

def _run(words: dict[Any, Any]) -> object:
    """Call a command with the words of a command line."""
    ...

def _call(module: object, name: str, words: dict[Any, Any]) -> object:
    """Call a function with words; fields of a dataclass are put together first."""
    ...

def start() -> None:
    """The `videopure` command as a process."""
    ...
