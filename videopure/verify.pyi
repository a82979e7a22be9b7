# Made by tools/stubs.py from verify.py: run it after nbdev_export.
"""Somebody else's run, checked: does the table follow from the results, and do the results come again?"""
from typing import Any
from pathlib import Path as Path
from .checks import VideoPureError as VideoPureError, as_path as as_path, check_number as check_number, checked as checked
from .config import read_config as read_config
from .evaluate import Run as Run
from .journal import difference as difference
from .plan import run_of as run_of
from .report import Check as Check, Report as Report, verdict_of as verdict_of
from .results import _COLUMNS as _COLUMNS, Card as Card, _flags as _flags
__all__ = ['verify_run']

def check_answers(card: Card) -> Check:
    """Whether right answers are those that equal the label, and no attack went too far."""
    ...

def check_table(folder: Path, card: Card) -> Check:
    """Whether the files of a card follow from the results: all that people read, and all numbers."""
    ...

def check_attacks(card: Card) -> Check:
    """Whether each row was attacked by something that follows the defense, and by all that the others were attacked by; and how strongly."""
    ...

def check_config(run: Run, plain: dict[Any, Any], card: Card) -> Check:
    """Whether a configuration describes the run that the card is of, on the same clips with the same labels, with its limits."""
    ...

def check_complete(run: Run, card: Card) -> Check:
    """Whether the results of each cell are those of the first clips, skipped clips cannot be read, and no cell is impossible."""
    ...

def pieces(run: Run, card: Card, seed: int) -> list[tuple[str, str, range]]:
    """All pieces of a run, (attack, defense, places of a batch), in a random order: a clean one, then those that claim to be right."""
    ...

def check_again(run: Run, card: Card, drawn: list[Any], most: int=3, minutes: float=10, progress: bool=True) -> Check:
    """Measure pieces of a run again, so many and for so long by our own clock, and compare answers and flags, clip by clip."""
    ...

def verify_run(folder: str | Path, config: str | Path | dict[Any, Any] | None=None, *, pieces_again: int=6, minutes: float=10.0, seed: int | None=None, device: str='auto', allow_code: bool=False, progress: bool=True) -> Report:
    """Check a run of somebody else: its files, its configuration, and random results measured again."""
    ...
