"The stubs for type checkers hold what `@patch` grows, and agree with the classes as they are when the package runs."

import ast
import builtins
import importlib.util
import inspect
import os
import re
import subprocess
import sys
import types
from importlib import import_module
from pathlib import Path

import jedi
import pytest
import torch

import videopure

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

def tight(f):
    return f

@patch
@contextmanager
def held(self: Box, tight: bool = True):
    "A box in the hand."
    yield self

@tight
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
    assert decorators["of"] == ["classmethod"] and decorators["grow"] == [] and decorators["held"] == ["contextmanager"]
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
    assert "def _private(x: int) -> int:" in text
    imports = [line for line in text.splitlines() if "import" in line]
    assert "from .base import Shape as Shape" in imports and not [line for line in imports if "json" in line or "torch" in line], imports
    assert "    right: int = 2\n" in text and "    swapped: bool = field(init=False)\n" in text
    assert "    BOTH: tuple[int, ...] = field(init=False)\n" in text
    assert "@dataclass\nclass Pair" in text and "@tight" not in text, "a decorator that changes no signature"
    door = (package / "__init__.pyi").read_text()
    assert "from .shapes import Box as Box" in door and "from . import plain as plain" in door
    assert "__version__: str" in door and "__getattr__" not in door


def test_check_lists_what_is_stale(package):
    run = lambda: subprocess.run([sys.executable, TOOL, package, "--check"], capture_output=True, text=True)
    before = {path.name: path.read_bytes() for path in package.glob("*.pyi")}
    assert run().returncode == 0
    subprocess.run([sys.executable, TOOL, package], check=True)
    assert before == {path.name: path.read_bytes() for path in package.glob("*.pyi")}, "not the same twice"
    (package / "base.pyi").unlink()
    (package / "gone.pyi").write_text("X: int")
    (package / "plain.pyi").unlink()
    (package / "shapes.py").write_text(SHAPES.replace("by: float = 2.0", "by: float = 3.0"))
    found = run()
    assert found.returncode == 1 and "base.pyi, gone.pyi, plain.pyi, shapes.pyi" in found.stderr
    subprocess.run([sys.executable, TOOL, package], check=True)
    assert run().returncode == 0 and not (package / "gone.pyi").exists() and (package / "plain.pyi").exists()


def test_containers_say_what_they_hold():
    "Strict checkers want it."
    text = tool.stub("x", {"x": ast.parse("def f(a: dict, b: list[dict] | None, *, c: Callable = dict, **d) -> type: ...")})
    assert "def f(a: dict[Any, Any], b: list[dict[Any, Any]] | None, *, c: Callable[..., Any]=dict, **d: Any) -> type[Any]:" in text
    assert "from typing import Any\n" in text


def test_return_dict_says_what_comes_back(package):
    (package / "shapes.py").write_text(SHAPES + """
@patch
def cut(self: Box, n: int, return_dict: bool = True, deep: bool = False) -> Pair | tuple:
    return Pair(n)
""")
    text = tool.stubs(package)["shapes.pyi"]
    lines = [" ".join(line.split()) for line in text.splitlines() if "def cut" in line]
    assert lines == [
        "def cut(self, n: int, deep: bool=False, *, return_dict: Literal[True]=True) -> Pair:",
        "def cut(self, n: int, deep: bool=False, *, return_dict: Literal[False]) -> tuple[Any, ...]:",
    ]
    assert text.count("@overload") == 2 and "from typing import Literal\nfrom typing import overload" in text


def own_methods(cls: type) -> set[str]:
    "The functions of a class that its package defines; not what a decorator or a base makes."
    functions = {name: plain(found) for name, found in vars(cls).items()}
    inside = lambda f: inspect.isfunction(f) and (f.__module__ or "").split(".")[0] == "videopure" and f.__name__ != "<lambda>"
    written = lambda f: not f.__code__.co_filename.startswith("<")
    return {name for name, f in functions.items() if inside(f) and written(f) and not name.startswith("_orig_")}


def test_stubs_agree_with_the_package():
    "Every class has the same methods in its stub as at run time, every module the same names."
    found, made = [], tool.stubs(ROOT / "videopure")
    names = [p.stem for p in (ROOT / "videopure").glob("*.py") if not p.stem.startswith("_")]
    assert len(names) > 40 and made.keys() == {f"{name}.pyi" for name in [*names, "__init__"]}
    for name in names:
        module, text = import_module(f"videopure.{name}"), made[f"{name}.pyi"]
        for cls, methods in classes(text).items():
            body = next(node.body for node in ast.parse(text).body if isinstance(node, ast.ClassDef) and node.name == cls)
            held = {ast.unparse(n.target) for n in body if isinstance(n, ast.AnnAssign)}  # a property in the place of an attribute
            real = {n for n in own_methods(getattr(module, cls)) if not (n in held and isinstance(vars(getattr(module, cls))[n], property))}
            found += [f"{name}.{cls}.{method}" for method in sorted(real ^ methods.keys())]
        scope = set(tool.bound(ast.parse(text)))
        patched = lambda n, value: value is getattr(builtins, n, None)  # what `@patch` leaves in a module in place of a function
        there = {n for n, v in vars(module).items() if not (n.startswith("__") or isinstance(v, types.ModuleType) or patched(n, v))}
        tree = ast.parse((ROOT / "videopure" / f"{name}.py").read_text(encoding="utf-8"))
        imports = [n for n in ast.walk(tree) if isinstance(n, (ast.Import, ast.ImportFrom)) and not tool.is_own(n, dict.fromkeys(names))]
        foreign = {a.asname or a.name for node in imports for a in node.names}  # in a stub where it is needed
        loops = {n.id for node in tree.body if isinstance(node, ast.For) for n in ast.walk(node.target) if isinstance(n, ast.Name)}
        found += [f"{name}.{n}" for n in sorted(there - scope - foreign - loops)]
    assert not found


THINGS = {
    "VideoPurePipeline.tiny()": videopure.VideoPurePipeline,
    "VideoPurePipeline.from_pretrained('folder')": videopure.VideoPurePipeline,
    "VideoPurePipeline.tiny()(clips)": import_module("videopure.pipeline").VideoPureOutput,
    "VideoPurePipeline.tiny().model": videopure.VideoModel,
    "Defended(classifier)": videopure.Defended,
    "Defended(classifier).vote(clips)": import_module("videopure.voting").VoteOutput,
    "PGD(classifier, '8/255')": videopure.PGD,
    "Card.load('folder')": videopure.Card,
    "benchmark(classifier, {}, data)": videopure.Card,
    "Card.load('folder').worst('VideoPure')": import_module("videopure.statistics").Accuracy,
    "check_defense(classifier, clips, labels)": import_module("videopure.report").Report,
    "Player(clips)": videopure.Player,
    "videopure.stream.purify_video('a.mp4', 'b.mp4', None)": import_module("videopure.stream").Purified,
}


@pytest.mark.parametrize("thing", THINGS)
def test_an_editor_completes_every_public_name(thing):
    "jedi completes in Jupyter and in many editors."
    text = f"import videopure\nfrom videopure import *\nthing = {thing}\nthing."
    names = {found.name for found in jedi.Script(text, project=jedi.Project(ROOT)).complete()}
    fields = getattr(THINGS[thing], "__dataclass_fields__", {})
    given = dir(torch.nn.Module) if issubclass(THINGS[thing], torch.nn.Module) else []  # other libraries add names to it while they run
    public = {name for name in [*dir(THINGS[thing]), *fields] if not name.startswith("_")} - {*given}
    assert public and not public - names


@pytest.mark.slow
def test_a_user_s_script_has_no_type_errors(tmp_path):
    "mypy finds nothing in the stubs, in README.md and in a typed script, and finds what is wrong in another."
    pytest.importorskip("mypy", reason="a part of the extra `dev`")
    wrong = [
        "Card.load('x').tabel()",
        "VideoPurePipeline.tiny()(5)",
        "VideoPurePipeline.tiny().invert()",
        "benchmark(3, {}, 4)",
        "PGD(tiny_classifier(), '8/255', stesp=3)",
        "Defended(tiny_classifier()).vote()",
        "Player(5).save()",
        "moving_shapes('a')[0] + ''",
    ]
    (tmp_path / "readme.py").write_text(re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S)[0])
    (tmp_path / "wrong.py").write_text("\n".join(["from videopure import *", *wrong]))
    files = [tmp_path / "readme.py", tmp_path / "wrong.py", "tests/typed_script.py", "videopure"]
    command = [sys.executable, "-m", "mypy", "--cache-dir", tmp_path / "cache", "--no-error-summary", "--hide-error-context", *files]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, "MYPYPATH": ""})
    found = [line for line in said.stdout.splitlines() if ": error: " in line]
    lines = {int(line.split("wrong.py:")[1].split(":")[0]) for line in found if "wrong.py:" in line}
    assert not said.stderr and not [line for line in found if "wrong.py:" not in line], said.stdout + said.stderr
    assert lines == set(range(2, len(wrong) + 2)), said.stdout
