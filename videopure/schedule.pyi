# Made by tools/stubs.py from schedule.py: run it after nbdev_export.
"""The DDIM grid of noise levels: one step down, one step up, and the round trip"""
from collections.abc import Callable as Callable
from typing import NamedTuple as NamedTuple
import torch as torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler as DDIMScheduler
from diffusers.schedulers.scheduling_utils import SchedulerMixin as SchedulerMixin
from .checks import checked as checked
from .video import VideoPureError as VideoPureError, check_number as check_number
__all__ = ['PREDICTIONS', 'add_noise', 'predict_x0', 'Level', 'ddim_levels', 'ddim_step']

def add_noise(x0: torch.Tensor, noise: torch.Tensor, abar: float) -> torch.Tensor:
    """The latent at level `abar` that is made of the clean `x0` and `noise`, the inverse of `predict_x0`."""
    ...

def predict_x0(z: torch.Tensor, noise: torch.Tensor, abar: float) -> torch.Tensor:
    """The clean latent that `noise` (like `z`) implies for `z` at level `abar`; same shape and dtype as `z`."""
    ...
PREDICTIONS: dict[str, Callable[[torch.Tensor, torch.Tensor, float, float], torch.Tensor]]

def find_prediction(kind: str) -> Callable[[torch.Tensor, torch.Tensor, float, float], torch.Tensor]:
    """The entry of `PREDICTIONS` for a scheduler's `prediction_type`. Raises `VideoPureError` if there is none."""
    ...

def read_schedule(scheduler: SchedulerMixin) -> torch.Tensor:
    """What is left of the picture at every timestep, `(N,)` in float64. Raises `VideoPureError` for a scheduler without such a schedule."""
    ...

def paper_scheduler() -> DDIMScheduler:
    """The noise schedule of the paper's text-to-video model."""
    ...

class Level(NamedTuple):
    """One level of the DDIM grid: timestep `t`, `abar` there, and `abar_prev` one level cleaner."""
    t: int
    abar: float
    abar_prev: float

    @property
    def log_variance(self) -> float:
        """Log of DDIM's posterior variance between the two levels (a negative number)."""
        ...

def check_steps(scheduler: SchedulerMixin, purify_steps: int, num_inference_steps: int) -> None:
    """Raise `VideoPureError` unless the grid asked for exists in `scheduler`."""
    ...

def _timesteps(scheduler, num_inference_steps):
    """The timesteps of the DDIM grid, lowest first; some may lie outside of the schedule."""
    ...

def ddim_levels(scheduler: SchedulerMixin, purify_steps: int=6, num_inference_steps: int=50) -> list[Level]:
    """The `purify_steps` lowest levels of the DDIM grid, cleanest first.

    Points at which a step is not defined are left out: timestep 0, and one at which nothing is left of the picture.
    Raises `VideoPureError` for a number of steps outside the grid, and for a scheduler without a grid.
    Source: Song et al., DDIM (arXiv 2010.02502); grid of VideoPure (arXiv 2501.14999)."""
    ...

def ddim_step(z: torch.Tensor, noise: torch.Tensor, abar_from: float, abar_to: float) -> torch.Tensor:
    """Move `z` from level `abar_from` to `abar_to` along `noise`: down to denoise, up to invert.

    Deterministic (eta = 0). Source: eq. 12 of DDIM (arXiv 2010.02502)."""
    ...
