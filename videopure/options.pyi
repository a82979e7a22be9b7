# Made by tools/stubs.py from options.py: run it after nbdev_export.
"""The options of a command are the parameters of its function, read from the source; what goes wrong is said in their words"""
import argparse as argparse
import ast as ast
from collections.abc import Sequence as Sequence
from dataclasses import dataclass as dataclass
from typing import NoReturn as NoReturn
__all__ = []

@dataclass
class Option:
    """One parameter of a command."""
    name: str
    kinds: set[str]
    default: object
    help: str
    flag: bool

def options_of(where: str) -> tuple[str, list[Option]]:
    """The one-line description and the options of a function or dataclass `module:name`, read from its source."""
    ...

def _definition(module: str, name: str) -> tuple[list[str], ast.AST]:
    """The lines of the module that defines a name, and its definition; what is imported is looked up where it comes from."""
    ...

def _parameters(node: ast.AST) -> list[tuple[str, ast.AST, object, bool]]:
    """Name, annotation, default (`...` for none) and whether it is a flag, of each parameter of a function or field of a dataclass."""
    ...

def _union(annotation: ast.AST) -> list[ast.AST]:
    """The parts of `int | str | None`."""
    ...

def class_of(option: Option) -> str | None:
    """The dataclass whose fields are the options, if the parameter has one as its type."""
    ...

def all_options(where: str) -> list[Option]:
    """The options of a function `module:name`; of a parameter that is a dataclass, its fields."""
    ...

def add_option(parser: argparse.ArgumentParser, option: Option) -> None:
    """One option of a command."""
    ...
_LONGEST: int

def short(text: str) -> str:
    """A text as one line that a person can read."""
    ...

def say(text: str) -> None:
    """A line on the screen beside the output; where there is none, nothing."""
    ...

class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, with the nearest name that there is."""

    def error(self, message: str) -> NoReturn:
        """Say it and end the process."""
        ...

    def read(self, words: Sequence[str] | None=None) -> argparse.Namespace:
        """The words of a command line by name; an error comes from the command that was called."""
        ...
_OTHER: dict[str, str]

def in_options(text: str, given: dict[str, object]) -> str:
    """A message in which settings have the names of options; `given` are the values of those that may be meant."""
    ...
