# Made by tools/stubs.py from protocols.py: run it after nbdev_export.
"""Attacks as data: what each one may look at, how it is made, and sets of them that have a name"""
from typing import Any
from collections.abc import Callable as Callable, Mapping as Mapping, Sequence as Sequence
from dataclasses import dataclass as dataclass, field as field
from torch import nn as nn
from .attacks import ATTACKS as ATTACKS, PGD as PGD, VideoAttack as VideoAttack, make_attack as make_attack
from .checks import VideoPureError as VideoPureError, check_number as check_number, near as near
from .defense import SEES as SEES
from .registry import describe as describe
__all__ = ['PROTOCOLS', 'AttackSpec']

@dataclass
class AttackSpec:
    """One attack of an evaluation: how it attacks, what it sees, and on how many clips. `options` go to the attack."""
    method: object = 'pgd'
    sees: str | None = None
    n_clips: int | dict[str, int] | None = None
    uint8: bool = False
    options: dict[Any, Any] = field(default_factory=dict)

    def __post_init__(self):
        ...

    def covers(self, index: int, defense: str) -> bool:
        """Whether the attack is wanted for a clip, by its place, and a defense."""
        ...

    def attack(self, model: nn.Module, random: bool=True) -> Callable[..., Any]:
        """The attack on `model`, ready to be called with clips and labels; on one that is not `random`, without averaging what does not vary."""
        ...

    def describe(self) -> dict[Any, Any]:
        """The attack in plain values."""
        ...
_OLD_WORDS: dict[str, str]

def as_attack_spec(spec: object) -> AttackSpec:
    """An attack of an evaluation, from a table, a name, a class, or an attack that is made already."""
    ...
_PGD: dict[str, Any]
_LAST: dict[str, bool]
PROTOCOLS: dict[str, Any]

def attack_specs(attacks: Mapping[str, object] | None, protocol: str) -> dict[str, AttackSpec]:
    """Attacks by name, the clean clips first; a bad one raises before any work is done."""
    ...

def chosen_names(kind: str, names: Sequence[str], only: Sequence[str]) -> list[str]:
    """The names that are in `only`, or all if it is empty."""
    ...
