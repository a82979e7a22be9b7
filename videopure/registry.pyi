# Made by tools/stubs.py from registry.py: run it after nbdev_export.
"""A registry: every part can be an object, a class, a registered name, or `package.module:Name`"""
from typing import Any
from collections.abc import Callable as Callable, Iterator as Iterator
from contextlib import contextmanager as contextmanager
from functools import singledispatch as singledispatch
from pathlib import Path as Path
import types as types
import numpy as np
import torch as torch
from torch import nn as nn
from .checks import VideoPureError as VideoPureError, foreign as foreign, near as near
__all__ = ['Registry']

@contextmanager
def current_folder() -> Iterator[None]:
    """Import from the current folder as well, as `python script.py` does and a console command does not."""
    ...

def is_code(word: object) -> bool:
    """Whether a word names something to import, `package.module:Name`."""
    ...

def import_part(word: str) -> object:
    """What `package.module:Name` names. Raises `VideoPureError` in one line if it cannot be imported."""
    ...

class Registry(dict):
    """Parts of one kind by name. Add one with `registry[name] = part`, or with the decorator `@registry.register(name)`."""
    kind: str
    more: Any

    def __init__(self, kind: str, *more: str, **parts: object):
        ...

    def register(self, name: str) -> Callable[..., Any]:
        """A decorator that adds a class or function under `name`."""
        ...

    def find(self, part: object) -> object:
        """The part of that name; what is not a string is the part itself. Raises `VideoPureError` for an unknown name."""
        ...

def make(kind: str, name: object, factory: Callable[..., Any], /, *args: object, **options: object) -> object:
    """`factory(*args, **options)`; options that it does not take are a `VideoPureError` in one line."""
    ...

def _name(part: object) -> str:
    """The name of a class or function: short for those of this package, `package.module:Name` for all others."""
    ...

def fingerprint(*modules: nn.Module) -> str:
    """Twelve hexadecimal digits that change when a weight or buffer does."""
    ...

def describe(part: object) -> object:
    """A part in plain values, as JSON can keep them: its name, its settings, the hash of its weights."""
    ...

def plain_attributes(part: object) -> dict[str, bool | int | float | str]:
    """The attributes of an object that are numbers, strings or truth values; private ones are left out."""
    ...

@singledispatch
def pieces(part: object) -> list[Any]:
    """The smaller parts that a part is made of: its class and its attributes. `pieces.register` teaches it other types."""
    ...

def _inside(part: object, reduced: tuple[Any, ...] | str) -> list[Any]:
    """What a container, a number or a text of a type of its own holds."""
    ...
_LEAVES: tuple[Any, Any, Any, Any, Any, Any, Any, Any, Any, Any, Any, Any, Any, Any]
_RANDOM: tuple[Any, Any, Any, Any, Any]
_CONTAINERS: Any

def _container_pieces(part: object) -> list[Any]:
    """What is in a container; one of a type of its own is an object too."""
    ...

def _tensor_pieces(part: torch.Tensor) -> list[Any]:
    """Type, shape and bytes."""
    ...

def _array_pieces(part: np.ndarray) -> list[Any]:
    """Type, shape and bytes; of Python objects the objects."""
    ...

def _installed(top: str) -> str | None:
    """The name and version of a package that is loaded, if it belongs to Python or pip has installed it."""
    ...

def _library(module: str | None) -> str | None:
    """The library of a module, with its version; None for code of your own."""
    ...

def _code_pieces(code: types.CodeType) -> list[Any]:
    """The instructions of a function, and the names and constants in them."""
    ...

def _codes(code: types.CodeType) -> list[types.CodeType]:
    """The code of a function and of those inside it."""
    ...

def _named(code: types.CodeType) -> tuple[set[str], set[str]]:
    """What a function reads from its module, and all names in it, of attributes too; texts, if it looks variables up by their names."""
    ...

def _imported(code: types.CodeType) -> dict[str, types.ModuleType]:
    """The modules that a function imports when it is called."""
    ...

def _of_module(part: object, names: set[str]) -> object:
    """What is named of a module of your own; anything else is left as it is."""
    ...

def _function_pieces(part: types.FunctionType) -> list[Any]:
    """What a function computes with; one of a library is its name, and what it was made around."""
    ...
_of_c: Callable[..., Any]
_IN_C: tuple[Any, Any, Any, Any]
_OF_CLASSES: set[str]
_DESCRIPTORS: tuple[Any, Any]
_HOOKS: tuple[str, ...]
_OF_MODULES: set[Any]

def _class_pieces(part: type[Any]) -> list[Any]:
    """What is written in a class and in the classes it comes from; the name of a library's."""
    ...

def _module_pieces(part: nn.Module) -> list[Any]:
    """Its class, settings, weights, buffers, inner modules and hooks; compiled or not, it computes the same."""
    ...

def _script_pieces(part: torch.jit.ScriptModule) -> list[Any]:
    """What TorchScript saves of it, code, attributes and weights; not where the code once stood."""
    ...

def identity(part: object, name: str='part') -> str:
    """Twelve hexadecimal digits that change with whatever can change a part's numbers. `VideoPureError` for what cannot be written down."""
    ...

def file_identity(path: Path) -> str:
    """Twelve digits that change with a file or the files of a folder: all bytes, or above 4 MiB the size, the time and both ends."""
    ...
_WHOLE: int
_BLOCK: int
