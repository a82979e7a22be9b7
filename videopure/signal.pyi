# Made by tools/stubs.py from signal.py: run it after nbdev_export.
"""What a model takes: the shape of one sample and the range of its values, for a clip, a row of a table or a waveform"""
from typing import Any
from dataclasses import field
from dataclasses import dataclass as dataclass
import torch as torch
from .checks import ClipError as ClipError, VideoPureError as VideoPureError, check_number as check_number, checked as checked
__all__ = ['Signal']

@dataclass(frozen=True)
class Signal:
    """What a model takes: tensors `(B, *shape)` of floating point, values from `low` to `high`. A model says so by an attribute `signal`."""
    name: str
    shape: tuple[int | str | None, ...]
    low: float = 0.0
    high: float = 1.0
    unit: int = field(init=False)

    def __post_init__(self):
        ...

    @property
    def width(self) -> float:
        """How far the values can be apart."""
        ...

    def cure(self, wrong: str, shape: tuple[Any, ...]=()) -> str:
        """How what is `wrong`, the shape, type or range, is mended, as the end of a message."""
        ...

    def axes(self, lead: str='B') -> str:
        """The shape of a batch in words, with the names of what may have any length."""
        ...

    @property
    def span(self) -> str:
        """The range of values in words."""
        ...

    def fits(self, shape: tuple[Any, ...]) -> bool:
        """Whether a sample may have this shape."""
        ...

    def check(self, x: torch.Tensor) -> torch.Tensor:
        """Return `x` if it is a batch of this signal, else raise a `ClipError` that says what is wrong with it."""
        ...

def per_sample(values: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Numbers `(B,)`, one for each sample, shaped so that they broadcast with `x` `(B, ...)`."""
    ...
