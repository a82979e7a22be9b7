# Made by tools/stubs.py from loading.py: run it after nbdev_export.
"""The parts of a saved model, read one by one and checked"""
from typing import Any
from collections.abc import Callable as Callable, Iterator as Iterator
from contextlib import contextmanager as contextmanager
from pathlib import Path as Path
import torch as torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline as DiffusionPipeline
from torch import nn as nn
from .checks import VideoPureError as VideoPureError, count_names as count_names, reason as reason, shorten as shorten
from .latents import embed_empty_prompt as embed_empty_prompt, find_call as find_call
__all__ = []

@contextmanager
def undisturbed() -> Iterator[None]:
    """Nothing is logged inside, and torch's default number type is the caller's again outside."""
    ...

def _find_variant(folder: Path, wanted: str | None) -> str | None:
    """Which variant of the weights in a component's folder to read: the wanted one, else the plain one, else the only one."""
    ...
_NEEDED: tuple[str, ...]

def check_configs(folder: Path) -> dict[Any, Any]:
    """What model_index.json holds. Raises `VideoPureError` if it, or the configuration of a component, is not a JSON object."""
    ...

def _load_part(folder: Path, name: str, library: str, kind: str, dtype: torch.dtype | None, **loading: object) -> nn.Module:
    """A component of a saved pipeline, with all of its tensors and no others. Raises `VideoPureError` if it is not whole."""
    ...

def _hollow_network(folder: Path, index: dict[Any, Any]) -> nn.Module | None:
    """The network of a saved model without its weights, which is enough to know how it wants its prompt."""
    ...

def _load_prompt(folder: Path, index: dict[Any, Any], tokenizer: Callable[..., Any] | None, dtype: torch.dtype | None, **loading: object) -> nn.Module:
    """What the saved text encoder says to the empty prompt, as the network wants it; the folder's tokenizer if none is given."""
    ...

def _load_tokenizer(folder: Path, index: dict[Any, Any]) -> Callable[..., Any] | None:
    """The saved tokenizer, None if there is none."""
    ...

def find_prompt(prompt: nn.Module | None, text_encoder: nn.Module | None, tokenizer: Callable[..., Any] | None, network: nn.Module | None=None) -> nn.Module | None:
    """The prompt, or what the text encoder says to the empty one. Raises `VideoPureError` if it says nothing."""
    ...

def _check_network(parts: dict[Any, Any]) -> None:
    """Raise `VideoPureError` for a saved model without a network."""
    ...

def find_dtype(dtype: object) -> torch.dtype | None:
    """A type of floating point numbers, by name too. Raises `VideoPureError` for what is none."""
    ...
_OPTIONS: set[Any]

def read_options(cls: type[DiffusionPipeline], given: dict[Any, Any]) -> dict[Any, Any]:
    """The keywords of `from_pretrained`, types as types. Raises `VideoPureError` for one that neither the class nor diffusers knows."""
    ...

def load_parts(folder: Path, index: dict[Any, Any], given: dict[Any, Any]) -> dict[Any, Any]:
    """The networks of a saved pipeline that are not given already, the empty prompt, and the variant of the weights."""
    ...

def download(cls: type[DiffusionPipeline], name: str, given: dict[Any, Any]) -> str:
    """The folder with a model of the hub."""
    ...
