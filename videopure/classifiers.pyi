# Made by tools/stubs.py from classifiers.py: run it after nbdev_export.
"""Any video classifier behind one interface: a clip goes in, logits come out"""
from typing import Any
from collections.abc import Callable as Callable, Iterator as Iterator, Mapping as Mapping, Sequence as Sequence
from contextlib import contextmanager as contextmanager
from pathlib import Path as Path
from types import ModuleType as ModuleType
import torch as torch
from torch import nn as nn
from .checks import AnswerError as AnswerError, as_path as as_path, check_answer as check_answer, count_names as count_names, near as near, reason as reason, shorten as shorten
from .networks import NETWORKS as NETWORKS, build_network as build_network, full_name as full_name, load_weights as load_weights, read_weights as read_weights
from .pipeline import find_device as find_device
from .registry import Registry as Registry, current_folder as current_folder, import_part as import_part, is_code as is_code, make as make
from .tiny import check_class_names as check_class_names, check_weights as check_weights
from .video import ClipError as ClipError, MissingPackageError as MissingPackageError, VideoFileError as VideoFileError, VideoPureError as VideoPureError, check_number as check_number, resize_video as resize_video
__all__ = ['IMAGENET_MEAN', 'IMAGENET_STD', 'CLASSIFIERS', 'OPTIONS', 'VideoClassifier', 'load_classifier']

def _check_normalisation(mean, std):
    """Mean and deviation as tuples of three numbers, or both None."""
    ...

def _check_options(model, layout, size, frames):
    """Raise `VideoPureError` in one line for options of `VideoClassifier` that make no sense."""
    ...

def _num_classes(model, class_names):
    """How many classes there are, as far as the network and class_names say; both must agree."""
    ...
IMAGENET_MEAN: tuple[float, ...]
IMAGENET_STD: tuple[float, ...]

class VideoClassifier(nn.Module):
    """Any network as a classifier of clips: `(B, 3, T, H, W)` in [0, 1] to logits `(B, K)` in float32, differentiable throughout.

    Picks frames, resizes, normalises, orders the axes and casts as the network wants it, and unwraps what it returns: a tensor,
    something with `.logits`, a dict with "logits", or a tuple that starts with them. A float64 network gives float64 logits."""
    model: nn.Module
    layout: str
    size: int | tuple[int, int] | None
    frames: int | None
    mean: Any
    std: Any
    num_classes: Any
    class_names: list[Any] | None

    def __init__(self, model: nn.Module, mean: Sequence[float] | None=IMAGENET_MEAN, std: Sequence[float] | None=IMAGENET_STD, layout: str='BCTHW', size: int | tuple[int, int] | None=None, frames: int | None=None, class_names: Sequence[str] | None=None):
        ...

    def prepare(self, video: torch.Tensor) -> torch.Tensor:
        """Clips as the network wants them: so many frames of such a size, normalised, axes in its order, in its number type."""
        ...

    def forward(self, video: torch.Tensor) -> torch.Tensor:
        """Logits `(B, K)` of clips; `ClipError` for what is not a clip, `VideoPureError` for what are not logits."""
        ...

def _spread(total, frames):
    """Indices of `frames` of `total` frames, evenly spread; repeated where there are too few."""
    ...

def _resize(video, size):
    """`resize_video` for clips that may reach beyond [0, 1]."""
    ...

def _normalise(video, mean, std):
    """Subtract the mean of each colour and divide by its deviation, in float32 or better."""
    ...

def _logits(output, batch, num_classes):
    """Logits `(B, K)`, at least in float32, out of whatever a network returns."""
    ...

def check_logits(output: object, batch: int, num_classes: int | None=None) -> torch.Tensor:
    """Logits `(batch, K)` out of what a bare model returned for `batch` clips. Raises `VideoPureError` for what are not logits."""
    ...
_RANDOM: str

def _fill(make, weights):
    """The network that `make` returns, with these weights; what it draws for its own weights first is not seen outside."""
    ...

def _gluoncv(name, weights, num_classes, options):
    """A classifier with a network of notebook 10b."""
    ...

def _package(module, name):
    """A package that only some classifiers need."""
    ...
TORCHVISION: tuple[str, ...]

def _torchvision(name, weights, num_classes, options):
    """A classifier with one of torchvision's video networks."""
    ...

def _input_range(settings, kind=''):
    """Mean and deviation for clips in [0, 1] that do the same as a transformers preprocessor does to bytes; `vivit` has its own defaults."""
    ...

def _preprocessor(name):
    """What the preprocessor configuration of a model says, or None where it has none."""
    ...

def _reading(name, config):
    """How a transformers model reads clips, as options of `VideoClassifier`."""
    ...

def _pretrained(name, config):
    """A transformers model with all of its weights."""
    ...

@contextmanager
def _quietly(transformers: ModuleType, name: str) -> Iterator[None]:
    """Keep transformers from logging, and make one line of what it raises."""
    ...

def _transformers(name, weights, num_classes, options):
    """A classifier with a transformers video model, from a folder or the hub."""
    ...
CLASSIFIERS: Registry

def _own(part, name, weights, options):
    """A classifier that comes as a module, or as a class or function to call; wrapped where there are options."""
    ...

def _file(name):
    """The classifier that `save_classifier` wrote to a file."""
    ...
_WEIGHTS: tuple[str, ...]

def _on_hub(name):
    """Whether a name reads like `organisation/model` and not like a file."""
    ...

def _find(name, label, weights, num_classes, options):
    """The classifier of a name: see `load_classifier`."""
    ...
OPTIONS: tuple[str, ...]

def load_classifier(name: str | Path | nn.Module | Callable[..., Any]='tiny', weights: str | Path | Mapping[Any, Any] | None=None, num_classes: int | None=None, class_names: Sequence[str] | None=None, device: str | torch.device | None=None, **options: Any) -> nn.Module:
    """A frozen classifier of clips, in eval mode, with all of its weights.

    `name` is a module (which is frozen itself, not copied), a class or function to call, a name of `CLASSIFIERS`, "package.module:Name",
    a file of `save_classifier`, a network of `NETWORKS` or `TORCHVISION`, or a transformers folder or hub name.
    Raises `VideoPureError` in one line for an unknown name and for weights that are missing, misfit or NaN."""
    ...
