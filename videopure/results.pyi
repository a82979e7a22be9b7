# Made by tools/stubs.py from results.py: run it after nbdev_export.
"""From the results of a run to a card that says what they show, and how surely"""
from collections.abc import Callable as Callable, Iterable as Iterable, Sequence as Sequence
from dataclasses import dataclass as dataclass, field as field
from pathlib import Path as Path
from typing import Any as Any
from .checks import checked as checked, printable as printable
from .journal import config_hash as config_hash, difference as difference, disk_errors as disk_errors, environment as environment, plain as plain, read_json as read_json, read_results as read_results, result_key as result_key
from .show import FIGURE as FIGURE, save_page as save_page
from .statistics import Accuracy as Accuracy, Paired as Paired, guesses as guesses, holm as holm
from .table import Table as Table, _tex as _tex
from .video import VideoFileError as VideoFileError, VideoPureError as VideoPureError, atomic_path as atomic_path
__all__ = ['METRIC_FORMATS', 'Card', 'five_metrics', 'plot_accuracy']

def _draws(result):
    """Whether each answer was right; one that was not given is wrong."""
    ...

def _flags(result):
    """What is to be said of a result, each once."""
    ...

@dataclass(repr=False)
class Card:
    """What a run shows: accuracies with intervals, worst case, metrics, skipped clips, and everything needed to run it again."""
    config: dict[Any, Any]
    results: Iterable[dict[Any, Any]]
    about: dict[Any, Any] = field(default_factory=environment)
    defenses: Any = field(init=False)
    attacks: list[Any] = field(init=False)
    _cells: dict[tuple[Any, Any], dict[Any, Any]] = field(init=False)
    skipped: list[Any] = field(init=False)

    def __post_init__(self):
        ...

    def _sort(self, found):
        ...

    def cell(self, defense: str, attack: str='none') -> dict[str, dict[Any, Any]]:
        """Results of one defense under one attack, by clip."""
        ...

    def _settings(self, kind):
        """The tables of the defenses or attacks by name; a list of names has empty ones."""
        ...

    def outcomes(self, defense: str, attack: str='none') -> dict[str, bool]:
        """Whether the first draw was right, by clip."""
        ...

    def accuracy(self, defense: str, attack: str='none') -> Accuracy:
        """One cell of the table: the mean over the draws of each clip."""
        ...

    def average(self, defense: str, attack: str='none') -> float:
        """Accuracy over all draws of all clips, in [0, 1]; not a number where nothing was measured."""
        ...

    def every_draw(self, defense: str, attack: str='none') -> Accuracy:
        """Clips that were right in all of their draws."""
        ...

    def draws(self, defense: str, attack: str='none') -> int:
        """How many answers were asked for, at most; 0 where nothing was measured."""
        ...

    def worst_outcomes(self, defense: str, attacks: Sequence[str] | None=None) -> dict[str, bool]:
        """Whether every draw under every one of the attacks was right, by clip; only clips that were under all those run on this defense."""
        ...

    def _counted(self, defense):
        """The columns that count for the worst case and were run on a defense."""
        ...

    def _bare(self, defense):
        ...

    def adaptive(self, defense: str) -> bool:
        """Whether an attack that counts saw more than the classifier; of a bare classifier there is no more to see."""
        ...

    def doubt(self, defense: str) -> str:
        """Why a defense has no worst case, "" if it has one: what counts was not run on it, but on others."""
        ...

    def worst(self, defense: str, attacks: Sequence[str] | None=None) -> Accuracy:
        """Accuracy in the worst case of some attacks, clip by clip; an upper bound that means little if none of them is adaptive."""
        ...

    def successes(self, defense: str, attack: str) -> dict[str, bool]:
        """Whether the attack succeeded, by clip, for clips that were right before."""
        ...

    def success(self, defense: str, attack: str) -> Accuracy:
        """Attack success: clips that the attack turned, of those that were right before."""
        ...

    def flags(self, defense: str, attack: str='none') -> dict[str, int]:
        """What is to be said against a cell, and of how many clips."""
        ...

    def _notes(self):
        """Marks of all cells, and a line for each mark."""
        ...

    def _draw_notes(self):
        """For each row that draws noise, what is right in every draw, with and without an attack."""
        ...

    def _columns(self):
        """Attacks in the order of the table, None for the worst case; and those that have followed the exact gradient of a purifier."""
        ...

    def _row(self, defense):
        """Outcomes under each attack, and in the worst case, if there is no doubt about it."""
        ...

    def _title(self, marked):
        ...

    def _first_notes(self, worst, exact):
        """What stands first below a table: that the classifier guesses, and that nobody followed the defenses."""
        ...

    def table(self) -> Table:
        """Accuracy of each defense (row): clean, in the worst case, and under each attack, first those that see the whole defense."""
        ...

    def success_table(self) -> Table:
        """Attack success of each attack on each defense."""
        ...

    @property
    def metric_names(self) -> list[str]:
        """Names of all metrics in the results: the known ones first, the others by name."""
        ...

    def metric(self, defense: str, attack: str, name: str) -> float | None:
        """Mean of a metric over the clips of a cell, not finite if one of them is not; None where it was not measured."""
        ...

    def metrics_table(self, *names: str) -> Table:
        """Means per clip of some metrics; several share a cell."""
        ...

    def skipped_table(self) -> Table:
        """Clips that were left out, and why."""
        ...

    @property
    def clips(self) -> list[str]:
        """Ids of all clips with a result, sorted."""
        ...

    def about_table(self) -> Table:
        """Versions, device, configuration hash, seed and clips."""
        ...

    def cite(self, defense: str) -> str:
        """A row as a sentence that can be quoted: clean, in the worst case or under the attacks, with n, configuration and version."""
        ...

    def bibtex(self) -> str:
        """The run as an entry for a list of references."""
        ...

    def _tables(self) -> list[Table]:
        ...

    def _repr_html_(self) -> str:
        ...

    def _repr_markdown_(self) -> str:
        ...

    def __repr__(self) -> str:
        ...

    def _numbers(self, defense, attack):
        ...

    def to_dict(self) -> dict[Any, Any]:
        """Everything but the single results, as plain values for JSON."""
        ...

    def save(self, folder: str | Path) -> Path:
        """Write card.json, card.md, card.html, table.md, .csv, .tex and results.jsonl.gz, each whole or not at all."""
        ...

    @classmethod
    def load(cls, folder: str | Path) -> Card:
        """The card saved in a folder."""
        ...

    def _shared_clips(self, other):
        """How many clips are in both cards, only in this one, and only in the other; refuses different clips of the same id."""
        ...

    def compare(self, other: Card, groups: Callable[..., Any] | None=None) -> Table:
        """Pair two runs clip by clip: right in both, in one, in none, with the p-value of `Paired`, and corrected by `holm`."""
        ...

    def rivals(self, defense: str, attack: str='none', groups: Callable[..., Any] | None=None, others: Sequence[str] | None=None) -> Table:
        """Pair one defense with each other one, clip by clip; p-values are corrected for the number of rivals by `holm`."""
        ...

    def leaderboard(self) -> list[dict[Any, Any]]:
        """One entry a defense, with the keys of RobustBench's model files where they fit, and `n`, `interval`, `attacks`, `noise_predictions`."""
        ...

    def _entry(self, defense):
        ...
_COLUMNS: dict[str | None, str]
_measure: Callable[..., Any]
METRIC_FORMATS: dict[str, tuple[str, int, str]]

def five_metrics(card: Card) -> Table:
    """The paper's metrics, of a card with its protocol: clean, standard, attack, robust* (gray-box) and robust (BPDA) accuracy."""
    ...
_count: Callable[..., Any]

def _paired_rows(pairs):
    """Counts and p-values of several pairs, as cells of a table."""
    ...

def _ps(groups):
    """What the two columns of p-values are called."""
    ...

def plot_accuracy(curves: dict[str, list[tuple[float, Accuracy]]], xlabel: str, title: str='', log: bool=False) -> Any:
    """Accuracy against attack size, steps, cost, ...: a line for each name, with its 95 % interval as a band."""
    ...
