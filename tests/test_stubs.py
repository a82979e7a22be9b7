"The stubs for type checkers hold what `@patch` grows, and agree with the classes as they are when the package runs."

import ast
import builtins
import importlib.util
import inspect
import subprocess
import sys
import types
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOOL = ROOT / "tools" / "stubs.py"

if not TOOL.exists():
    pytest.skip("an installed package carries no tools", allow_module_level=True)

spec = importlib.util.spec_from_file_location("stubs", TOOL)
tool = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tool)

BASE = """
from fastcore.basics import patch
class Shape:
    "A shape."
"""
SHAPES = '''
"Shapes."
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
import torch
from fastcore.basics import patch
from .base import Shape
try:
    import json
except ImportError:
    json = None

SIZES = {"small": 1, "large": 2}
HALF, NAMES = 0.5, ["a", "b"]
Number = int | float
_make = partial(print, 1)

@patch
def corners(self: Shape, n: Number = 4) -> int:
    return n

class Box(Shape):
    """A box.

    It has sides.
    """
    sides = 4
    def __init__(self, a: float, name: str | None = None):
        self.a, self.name = a, name
        self.area_, self.unknown = 0.0, torch.zeros(1)

@patch
def scaled(self: Box, by: float = 2.0, *more: int, deep: bool = False, **rest: object) -> "Box":
    "A larger box."
    self.times = 3
    return Box(self.a * by)

@patch(as_prop=True)
def area(self: Box) -> float:
    "The area."
    return self.a ** 2

@patch(set_prop=True)
def area(self: Box, value: float) -> None:
    self.a = value ** 0.5

@patch(cls_method=True)
def of(cls: Box, a: float) -> "Box":
    return cls(a)

@patch
@torch.no_grad()
def grow(self: Box, by: float) -> float:
    return self.a + by

@patch
@contextmanager
def held(self: Box, tight: bool = True):
    "A box in the hand."
    yield self

@dataclass
class Pair:
    left: int
    right: int = 2  # the other
    BOTH = (1, 2)

@patch
def swap(self: Pair) -> None:
    self.swapped = True

def _private(x: int) -> int:
    return x
'''
DOOR = """
"A package."
__version__ = "1"
_WHERE = {"Box": "shapes"}
def __getattr__(name): ...
"""


@pytest.fixture
def package(tmp_path, monkeypatch) -> Path:
    "A small package, with its stubs."
    folder = tmp_path / "shapely_things"
    folder.mkdir()
    for name, text in {"base": BASE, "shapes": SHAPES, "__init__": DOOR, "plain": "X = 1"}.items():
        (folder / f"{name}.py").write_text(text)
    subprocess.run([sys.executable, TOOL, folder], check=True)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    for name in [name for name in sys.modules if name.split(".")[0] == folder.name]:
        del sys.modules[name]


def classes(text: str) -> dict[str, dict[str, ast.FunctionDef]]:
    "The methods of the classes of a stub."
    found = {node.name: node for node in ast.parse(text).body if isinstance(node, ast.ClassDef)}
    return {name: {n.name: n for n in node.body if isinstance(n, ast.FunctionDef)} for name, node in found.items()}


def plain(method) -> types.FunctionType | None:
    "The function inside a method, property or class method."
    method = getattr(method, "fget", None) or getattr(method, "func", None) or getattr(method, "__func__", None) or method
    return inspect.unwrap(method) if isinstance(method, types.FunctionType) else getattr(method, "f", None)


def parameters(method: ast.FunctionDef) -> list[tuple[str, str | None]]:
    "Names, kinds and defaults of a method in a stub, as `inspect` gives them."
    scope: dict = {}
    bare = ast.FunctionDef(**{**vars(method), "decorator_list": [], "returns": None, "body": [ast.Pass()]})
    for arg in ast.walk(bare.args):
        if isinstance(arg, ast.arg):
            arg.annotation = None
    exec(ast.unparse(ast.fix_missing_locations(bare)), scope)
    return [(p.name, p.kind, p.default) for p in inspect.signature(scope[method.name]).parameters.values()]


def test_patched_functions_become_methods(package):
    text = (package / "shapes.pyi").read_text()
    shapes, base = import_module("shapely_things.shapes"), import_module("shapely_things.base")
    stubbed = classes(text)
    for name in ("scaled", "grow", "held"):
        real = inspect.signature(inspect.unwrap(getattr(shapes.Box, name))).parameters.values()
        assert parameters(stubbed["Box"][name]) == [(p.name, p.kind, p.default) for p in real], name
    decorators = {name: [ast.unparse(d) for d in node.decorator_list] for name, node in stubbed["Box"].items()}
    assert decorators["of"] == ["classmethod"] and decorators["grow"] == ["torch.no_grad()"] and decorators["held"] == ["contextmanager"]
    assert "@property\n    def area(self) -> float:" in text and "@area.setter\n    def area(self, value: float) -> None:" in text
    assert "def of(cls, a: float) -> 'Box':" in text and '"""A larger box."""' in text and "patch\n" not in text.replace("as patch", "")
    assert classes((package / "base.pyi").read_text())["Shape"].keys() == {"corners"} and base.Shape().corners() == 4
    assert "from .shapes import Number as Number" in (package / "base.pyi").read_text()


def test_names_attributes_and_constants_stay(package):
    text = (package / "shapes.pyi").read_text()
    for line in ("SIZES: dict[str, int]", "HALF: float", "NAMES: list[str]", "Number = int | float", "_make: Callable[..., Any]"):
        assert line in text.splitlines(), line
    for line in ("a: float", "name: str | None", "area_: float", "unknown: Any", "sides: int", "times: int"):
        assert f"    {line}\n" in text, line
    assert "import json as json" in text and "def _private(x: int) -> int:" in text
    assert "    right: int = 2\n" in text and "    swapped: bool = field(init=False)\n" in text
    assert "    BOTH: ClassVar[tuple[int, ...]]\n" in text
    door = (package / "__init__.pyi").read_text()
    assert "from .shapes import Box as Box" in door and "__version__: str" in door and "__getattr__" not in door


def test_check_lists_what_is_stale(package):
    run = lambda: subprocess.run([sys.executable, TOOL, package, "--check"], capture_output=True, text=True)
    assert not (package / "plain.pyi").exists()
    before = {path.name: path.read_bytes() for path in package.glob("*.pyi")}
    assert run().returncode == 0
    subprocess.run([sys.executable, TOOL, package], check=True)
    assert before == {path.name: path.read_bytes() for path in package.glob("*.pyi")}, "not the same twice"
    (package / "base.pyi").unlink()
    (package / "plain.pyi").write_text("X: int")
    (package / "shapes.py").write_text(SHAPES.replace("by: float = 2.0", "by: float = 3.0"))
    found = run()
    assert found.returncode == 1 and "base.pyi, plain.pyi, shapes.pyi" in found.stderr
    subprocess.run([sys.executable, TOOL, package], check=True)
    assert run().returncode == 0 and not (package / "plain.pyi").exists()


def own_methods(cls: type) -> set[str]:
    "The functions of a class that its package defines; not what a decorator or a base makes."
    functions = {name: plain(found) for name, found in vars(cls).items()}
    inside = lambda f: inspect.isfunction(f) and (f.__module__ or "").split(".")[0] == "videopure" and f.__name__ != "<lambda>"
    written = lambda f: not f.__code__.co_filename.startswith("<")
    return {name for name, f in functions.items() if inside(f) and written(f) and not name.startswith("_orig_")}


def test_stubs_agree_with_the_package():
    "Every class has the same methods in its stub as at run time, every module the same names."
    found, made = [], tool.stubs(ROOT / "videopure")
    grown = [p.stem for p in (ROOT / "videopure").glob("*.py") if p.stem != "_modidx" and "\n@patch" in p.read_text(encoding="utf-8")]
    assert grown and {f"{name}.pyi" for name in grown} <= made.keys()
    for name in grown:
        module, text = import_module(f"videopure.{name}"), made[f"{name}.pyi"]
        for cls, methods in classes(text).items():
            real = own_methods(getattr(module, cls))
            found += [f"{name}.{cls}.{method}" for method in sorted(real ^ methods.keys())]
        scope = set(tool.bound(ast.parse(text)))
        patched = lambda n, value: value is getattr(builtins, n, None)  # what `@patch` leaves in a module in place of a function
        there = {n for n, v in vars(module).items() if not (n.startswith("__") or isinstance(v, types.ModuleType) or patched(n, v))}
        found += [f"{name}.{n}" for n in sorted(there - scope)]
    assert not found
