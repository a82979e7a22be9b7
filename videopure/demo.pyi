# Made by tools/stubs.py from demo.py: run it after nbdev_export.
"""`videopure demo`: an attack that nobody sees, a purification, and what they do to the answers, on one page"""
from typing import Any
from torch import nn as nn
from .attacks import PGD as PGD
from .checks import VideoPureError as VideoPureError, check_number as check_number
from .config import make_defense as make_defense
from .data import MovingShapes as MovingShapes
from .defense import Defended as Defended
from .evaluate import benchmark as benchmark
from .pipeline import load_pipeline as load_pipeline
from .results import Card as Card
from .show import Player as Player, magnify as magnify, save_page as save_page
from .threats import as_eps as as_eps, format_eps as format_eps
from .tiny import tiny_classifier as tiny_classifier
from .trainer import make_folder as make_folder
__all__ = []
_ROWS: dict[str, str]
_ADAPTIVE: str

def _sentence(card: Card, attack: str) -> str:
    """What the demo shows, in counts."""
    ...

def _marked(name: str, right: bool) -> str:
    """An answer with a sign and a colour."""
    ...

def _players(classifier: nn.Module, pipe: nn.Module, samples: list[Any], pgd: dict[Any, Any]) -> list[Any]:
    """For each of some clips a line of answers and a player."""
    ...

def demo(*, n_clips: int=100, eps: float | str='8/255', seed: int=2026, out: str='demo') -> str:
    """attack fresh clips, purify them, compare defenses (two to three minutes)"""
    ...
