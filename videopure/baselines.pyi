# Made by tools/stubs.py from baselines.py: run it after nbdev_export.
"""Other ways to clean a clip, behind the same interface"""
from typing import Any
from dataclasses import field
from collections.abc import Callable as Callable
from dataclasses import dataclass as dataclass
import numpy as np
import torch as torch
from diffusers.schedulers.scheduling_utils import SchedulerMixin as SchedulerMixin
from .checks import Late as Late, checked as checked
from .diffusion import SignalDiffusion as SignalDiffusion
from .pipeline import VideoPurePipeline as VideoPurePipeline, grad_like as grad_like
from .purifier import Purifier as Purifier, Records as Records, VideoPure as VideoPure, as_purifier as as_purifier, seeded as with_seed
from .registry import Registry as Registry, make as make
from .schedule import Level as Level, add_noise as add_noise, check_steps as check_steps, ddim_levels as ddim_levels, predict_x0 as predict_x0
from .video import VideoPureError as VideoPureError, check_number as check_number, check_video as check_video, encode_h264 as encode_h264, signal_of as signal_of, to_uint8 as to_uint8
__all__ = ['PURIFIERS', 'JPEG', 'H264', 'BitDepth', 'GaussianBlur', 'MedianBlur', 'TemporalShuffle', 'RandomizedSmoothing', 'NoiseAndDenoise', 'DiffPure', 'DDIMInversion', 'RandomSampling', 'OneStep', 'LastRecord', 'KnownSeed']
_Pipe = VideoPurePipeline | SignalDiffusion
av: Late

@dataclass
class JPEG(Purifier):
    """Compress and decompress every frame of a clip `(B, 3, T, H, W)`, as JPEG of some `quality`. No gradient."""
    quality: int = 30

    def __post_init__(self):
        ...

    def __call__(self, video: torch.Tensor) -> torch.Tensor:
        ...

    def compress(self, frame: np.ndarray) -> np.ndarray:
        """One frame `(H, W, 3)` of bytes, after compression."""
        ...

def _from_frames(clips: list[np.ndarray], like: torch.Tensor) -> torch.Tensor:
    """Clips of bytes, each `(T, H, W, 3)`, as one batch in [0, 1] with the dtype and device of `like`."""
    ...

@dataclass
class H264(Purifier):
    """Compress and decompress a clip `(B, 3, T, H, W)` as H.264 video of some `crf`, in memory. No gradient."""
    crf: int = 35

    def __post_init__(self):
        ...

    def __call__(self, video: torch.Tensor) -> torch.Tensor:
        ...

    def compress(self, frames: np.ndarray) -> np.ndarray:
        """The frames `(T, H, W, 3)` of one clip, bytes, after compression."""
        ...

@dataclass
class BitDepth(Purifier):
    """Round every value of a clip to `bits` bits. Source: feature squeezing (arXiv 1704.01155). No gradient."""
    bits: int = 3

    def __post_init__(self):
        ...

    def __call__(self, video: torch.Tensor) -> torch.Tensor:
        ...

def _blur_along(video: torch.Tensor, sigma: float, dim: int) -> torch.Tensor:
    """Blur a clip along one axis with a Gaussian, its ends repeated."""
    ...

@dataclass
class GaussianBlur(Purifier):
    """Blur a clip `(B, 3, T, H, W)` with a Gaussian in space, in time, or in both; differentiable."""
    sigma: float = 1.0
    temporal_sigma: float = 0.0

    def __post_init__(self):
        ...

    def __call__(self, video: torch.Tensor) -> torch.Tensor:
        ...

@dataclass
class MedianBlur(Purifier):
    """The median of a window around every value of a clip, in space, in time, or in both; differentiable."""
    size: int = 3
    temporal_size: int = 1

    def __post_init__(self):
        ...

    def __call__(self, video: torch.Tensor) -> torch.Tensor:
        ...

@dataclass(repr=False)
class TemporalShuffle(Purifier):
    """Permute the frames of a clip at random within windows of `window` frames; differentiable."""
    window: int = 4
    generator: torch.Generator | None = None
    random: bool = field(init=False)

    def __post_init__(self):
        ...

    def __call__(self, video: torch.Tensor) -> torch.Tensor:
        ...

@dataclass(repr=False)
class RandomizedSmoothing(Purifier):
    """`votes` noisy copies of a clip, as records `(B, votes, 3, T, H, W)`; differentiable. Source: Cohen et al. (arXiv 1902.02918)."""
    sigma: float = 0.1
    votes: int = 10
    generator: torch.Generator | None = None
    random: bool = field(init=False)

    def __post_init__(self):
        ...

    def __call__(self, video: torch.Tensor) -> torch.Tensor:
        ...

def random_step(x0: torch.Tensor, noise: torch.Tensor, abar: float, sigma: float, generator: torch.Generator | None=None) -> torch.Tensor:
    """One step down: DDIM for `sigma` 0, DDPM for `ddpm_sigma`, random sampling for sqrt(1 - abar). Source: eq. 12 of arXiv 2010.02502."""
    ...

def ddpm_sigma(level: Level) -> float:
    """Standard deviation of the DDPM posterior one level down."""
    ...

def descend(pipe: _Pipe, z: torch.Tensor, levels: list[Level], sigma: Callable[[Level], float]=lambda level: 0.0, generator: torch.Generator | None=None, guide: Callable[[torch.Tensor, Level], torch.Tensor] | None=None, keep: float=1.0) -> torch.Tensor:
    """Go down all levels, one noise prediction each; plain DDIM unless `sigma` says otherwise."""
    ...

@dataclass(repr=False)
class NoiseAndDenoise(Purifier):
    """Add random noise up to a level and denoise with DDIM, one record. Source: DiffPure (arXiv 2205.07460) with DDIM steps."""
    pipe: _Pipe
    purify_steps: int = 6
    generator: torch.Generator | None = None
    random: bool = field(init=False)
    levels: Any = field(init=False)

    def __post_init__(self):
        ...

    def __call__(self, video: torch.Tensor) -> torch.Tensor:
        ...

def _noised(pipe: _Pipe, video: torch.Tensor, abar: float, generator: torch.Generator | None) -> torch.Tensor:
    """The latents of a clip with random noise of level `abar` added."""
    ...

def _decode_one(pipe: _Pipe, z: torch.Tensor, video: torch.Tensor) -> torch.Tensor:
    """The clip of latents `(B, C, T, h, w)`, cropped to the size of `video`."""
    ...

def ddpm_levels(scheduler: SchedulerMixin, t: int=101, steps: int | None=None) -> list[Level]:
    """The levels of DDPM sampling from training timestep `t - 1` down to the clean latent (abar 1)."""
    ...

@dataclass(repr=False)
class DiffPure(Purifier):
    """Add random noise of timestep `t - 1` and take it away with DDPM steps, one record. Source: DiffPure (arXiv 2205.07460)."""
    pipe: _Pipe
    t: int = 101
    steps: int | None = None
    generator: torch.Generator | None = None
    random: bool = field(init=False)
    levels: list[Level] = field(init=False)

    def __post_init__(self):
        ...

    def __call__(self, video: torch.Tensor) -> torch.Tensor:
        ...

@dataclass(repr=False)
class DDIMInversion(Purifier):
    """Invert a clip with DDIM and come down again, one record; nothing is random. Source: DDIM inversion (arXiv 2105.05233)."""
    pipe: _Pipe
    purify_steps: int = 6
    temporal: bool = False
    levels: Any = field(init=False)

    def __post_init__(self):
        ...

    def __call__(self, video: torch.Tensor) -> torch.Tensor:
        ...

@dataclass(repr=False)
class RandomSampling(Purifier):
    """Add noise; at each step down, noise the estimate of x0 anew; one record. Source: Zhang et al. (arXiv 2411.18956)."""
    pipe: _Pipe
    t: int = 101
    steps: int = 6
    guidance: float = 0.0
    ring: float = 0.0
    posterior: bool = False
    generator: torch.Generator | None = None
    random: bool = field(init=False)
    levels: list[Level] = field(init=False)

    def __post_init__(self):
        ...

    def __call__(self, video: torch.Tensor) -> torch.Tensor:
        ...

    def pull(self, x0: torch.Tensor, level: Level, z0: torch.Tensor) -> torch.Tensor:
        """The estimate `x0`, a step closer to the input's latents `z0`, or on a ring around them."""
        ...

@dataclass(repr=False)
class OneStep(Purifier):
    """A single estimate of x0 from the clip as it is, as if it were at timestep `t`; one record, nothing random."""
    pipe: _Pipe
    t: int = 161

    def __post_init__(self):
        ...

    def __call__(self, video: torch.Tensor) -> torch.Tensor:
        ...

class LastRecord(VideoPure):
    """Only the last record of a purification, as VCR-Bench uses VideoPure: no multi-step voting."""

    def __call__(self, video: torch.Tensor) -> torch.Tensor:
        """The last record, a clip `(B, 3, T, H, W)`."""
        ...

    def records(self, video: torch.Tensor) -> Records:
        """The last record alone; the others are not decoded."""
        ...
PURIFIERS: Registry

def _options(factory: Callable[..., Any]) -> list[str]:
    """The names of the options of what makes a purifier; for VideoPure those of the pipeline's call."""
    ...

def _is_factory(part: object) -> bool:
    """Whether a purifier is still to be made: a class, a partial of one, or a function that needs nothing but perhaps a `pipe`."""
    ...

def make_purifier(method: object, pipe: _Pipe | None=None, **options: object) -> Purifier | None:
    """A purifier. Raises `VideoPureError` for a name, an option or a value that there is not."""
    ...

@dataclass(repr=False)
class KnownSeed(Purifier):
    """A random purifier that draws the same noise for each clip every time, as the attacker knows. Source: ADDT (arXiv 2404.14309)."""
    of: object = 'ddim'
    pipe: _Pipe | None = None
    seed: int = 0

    def __post_init__(self):
        ...

    def __call__(self, video: torch.Tensor) -> torch.Tensor:
        ...

    def settings(self) -> dict[Any, Any]:
        """The purifier inside, and the seed."""
        ...
