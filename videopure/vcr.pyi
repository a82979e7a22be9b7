# Made by tools/stubs.py from vcr.py: run it after nbdev_export.
"""A few lines that plug this package's purifiers, batched and with a gradient, into another benchmark"""
from typing import Any
import torch as torch
from .checks import checked as checked
from .pipeline import load_pipeline as load_pipeline
from .purifier import as_purifier as as_purifier, seed_of as seed_of, seeded as seeded
from .video import ClipError as ClipError, VideoPureError as VideoPureError
from vcr_bench.defences.base import BaseVideoDefence as BaseVideoDefence
__all__ = ['VCRDefence', 'create']

def from_vcr(x: torch.Tensor) -> torch.Tensor:
    """Clips `(N, T, H, W, 3)` in [0, 255] as clips `(N, 3, T, H, W)` in [0, 1]; a `ClipError` for another layout."""
    ...

class VCRDefence(BaseVideoDefence):
    """A purifier of this package as a defence of VCR-Bench: `transform` maps clips `(N, T, H, W, 3)` in [0, 255] to purified ones.

    `records` is "last" for the last record of each clip, or "all" for all `S` of them as `(N S, T, H, W, 3)`, those of a clip together."""
    differentiable: bool
    voting_count: int
    purifier: Any
    records: str
    seed: int | None
    calls: int

    def __init__(self, purifier: object, records: str='last', seed: int | None=None):
        ...

    def transform(self, x: torch.Tensor) -> torch.Tensor:
        """Purified clips, in the layout and range of `x`; differentiable if `x` requires a gradient. `ClipError` for another layout."""
        ...

def create(model: str='tiny', device: str='auto', dtype: str='float32', records: str='last', seed: int | None=None) -> VCRDefence:
    """The defence that VCR-Bench asks for: VideoPure with a model by its name."""
    ...
