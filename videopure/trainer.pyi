# Made by tools/stubs.py from trainer.py: run it after nbdev_export.
"""One training loop on accelerate, and how the embedded models were made with it"""
from typing import Any
from collections.abc import Callable as Callable, Collection as Collection, Iterator as Iterator
from contextlib import contextmanager as contextmanager
from pathlib import Path as Path
import torch as torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler as DDIMScheduler
from torch import nn as nn
from .checks import Late as Late, check_number as check_number, checked as checked
from .journal import Journal as Journal, disk_errors as disk_errors, join_processes as join_processes
from .latents import PromptEmbedding as PromptEmbedding, encode as encode
from .pipeline import VideoPurePipeline as VideoPurePipeline, find_device as find_device, save_pipeline as save_pipeline
from .schedule import paper_scheduler as paper_scheduler
from .tiny import MotionClassifier as MotionClassifier, TinyUNet as TinyUNet, TinyVAE as TinyVAE, empty_words as empty_words, flow_scheduler as flow_scheduler, new_transformer as new_transformer, save_classifier as save_classifier
from .video import MOTIONS as MOTIONS, VideoFileError as VideoFileError, VideoPureError as VideoPureError, atomic_path as atomic_path, moving_shapes as moving_shapes
__all__ = ['Trainer', 'train_tiny']

def generator_for(seed: int, step: int) -> torch.Generator:
    """The source of everything random in one training step."""
    ...

def _swap_opposites(*pairs: Any):
    """A table of labels in which the two motions of the given pairs have changed places."""
    ...
_MIRRORED: dict[int, Any]

def _training_batch(clips, labels, n, generator):
    """`n` clips and labels, drawn at random, mirrored in time and space at random and with colours permuted."""
    ...

def classifier_loss(classifier: nn.Module, video: torch.Tensor, labels: torch.Tensor, smoothing: float=0.05) -> torch.Tensor:
    """Cross-entropy with label smoothing, on the classifier's device."""
    ...

def diffusion_loss(unet: nn.Module, vae: nn.Module, scheduler: DDIMScheduler, video: torch.Tensor, generator: torch.Generator, low: int=250) -> torch.Tensor:
    """Mean squared error of the predicted noise, at random levels, most of them low. Source: DDPM (arXiv 2006.11239), eq. 14."""
    ...

def flow_loss(transformer: nn.Module, vae: nn.Module, video: torch.Tensor, generator: torch.Generator, low: tuple[float, float]=(0.03, 0.45)) -> torch.Tensor:
    """Mean squared error of the predicted way, at random levels. Source: flow matching (arXiv 2210.02747)."""
    ...
accelerate: Late

def start_accelerate(device: str | torch.device | None=None) -> tuple[object, torch.device]:
    """accelerate for one training run; precision is left to `Trainer`, so that runs of every precision can follow one another."""
    ...

def autocast_dtype(precision: str, device: torch.device) -> torch.dtype:
    """The dtype of a forward pass in that precision; a precision that the device does not have is a `VideoPureError`."""
    ...

class Trainer:
    """A training run that can be stopped and continued: AdamW, warm-up and cosine, clipped gradients, and an average of the weights."""
    accelerator: Any
    device: Any
    dtype: torch.dtype
    model: Any
    steps: int
    lr: float
    name: str
    average: Any
    losses: list[Any]
    notes: list[Any]
    optimizer: torch.optim.AdamW
    scaler: torch.amp.GradScaler
    wrapped: Any

    def __init__(self, model: nn.Module, steps: int, lr: float, name: str, precision: str='bf16', device: str | torch.device | None=None):
        ...

    def schedule(self, n: int) -> tuple[float, float]:
        """Learning rate and decay of the average in step `n`."""
        ...

    def _descend(self, loss, n):
        """Change the weights so that the loss of step `n` falls; returns it."""
        ...

    def _update_average(self, decay):
        """Move the averaged weights towards the present ones."""
        ...

    def step(self, loss: Callable[[int], torch.Tensor]) -> None:
        """One step down the gradient of `loss(number of the step)`, in all processes."""
        ...

    @contextmanager
    def averaged(self) -> Iterator[nn.Module]:
        """The model with its averaged weights, in eval mode and without gradients; training goes on with its own."""
        ...

    def save(self, path: Path) -> None:
        """Write the state of the run, whole or not at all, from the first process."""
        ...

    def load(self, path: Path) -> None:
        """Take up the run saved in `path`. Raises `VideoPureError` if that was another run, `VideoFileError` if it is damaged."""
        ...

    def run(self, loss: Callable[[int], torch.Tensor], checkpoint: Path | None=None, every: int=100, progress: bool=True, validate: Callable[[], None] | None=None) -> nn.Module:
        """Train to the end, from `checkpoint` on if it exists."""
        ...

    def generator(self, seed: int, step: int) -> torch.Generator:
        """The source of everything random in one step of this process."""
        ...

def make_folder(path: str | Path, first: str, *names: str) -> Path:
    """A folder for these files. One that holds others, or some of these but not the first, is a `VideoFileError`: they are a user's."""
    ...

@contextmanager
def own_folder(out: str | Path, names: Collection[str], settings: dict[Any, Any], first: bool=True) -> Iterator[Path]:
    """Keep a folder for one training. One that holds anything else is a `VideoPureError`, and nothing in it is touched."""
    ...

@contextmanager
def _only_here(saved):
    """Hold a folder of checkpoints while a training is at work in it."""
    ...

def remove_checkpoints(saved: Path, *names: str) -> None:
    """Take away checkpoints, what a kill has left of one, and their folder if nothing else is in it."""
    ...

@contextmanager
def machine_errors(doing: str) -> Iterator[None]:
    """Turn errors of the file system and of safetensors into a `VideoFileError` that says "cannot" do what."""
    ...

def _noise_loss(unet, video, labels, generator):
    """The diffusion model needs no labels, and draws levels and noise where the batch was drawn."""
    ...

def _motion_loss(classifier, video, labels, generator):
    """The classifier draws nothing."""
    ...

def _way_loss(transformer, video, labels, generator):
    """The flow model draws levels and noise in the same way."""
    ...
_MODELS: dict[str, tuple[Any, Any, Any, int, float]]

def _train_model(kind, clips, labels, steps, seed=0, checkpoint=None, device=None, progress=True):
    """The run of one of `_MODELS`, trained from nothing: weights, batches and noise are drawn from the seed."""
    ...
_TUNED: dict[str, Any]

def _save_models(folder, classifier, diffusion, flow):
    """Write the three trained models, the flow model in half precision."""
    ...

def train_tiny(out: str | Path, seed: int=0, classifier_steps: int=800, diffusion_steps: int=1200, flow_steps: int=5500, n_clips: int=4000, device: str | torch.device | None=None, progress: bool=True) -> Path:
    """Train the embedded models and save them. Interrupted, it continues where it was when called again with the same arguments."""
    ...
