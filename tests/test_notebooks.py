"The notebooks keep the style that CONTRIBUTING.md describes, and the modules the order of the notebooks."

import ast
import json
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted(p for p in (ROOT / "nbs").rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts and p.parts[-2] != "_proc")
NUMBERED = [p for p in NOTEBOOKS if re.match(r"\d\d[a-z]?_", p.name)]
MODULES = sorted(p for p in (ROOT / "videopure").glob("*.py") if not p.name.startswith("_"))
ORDER = [re.sub(r"^\d\d[a-z]?_", "", p.stem) for p in NUMBERED]
NO_PICTURE = {"19_cli"}  # notebooks where a reader wants none
LATE = {("pipeline", "tiny")}  # `VideoPurePipeline.tiny()` asks for the embedded models when it is called
COLAB = ["#| hide", "#| eval: false", "! [ -e /content ] && pip install -qq git+https://github.com/videopure/videopure"]
MOST_LINES, MOST_BYTES = 35, 500_000

notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
numbered = pytest.mark.parametrize("path", NUMBERED, ids=lambda p: p.stem)
module = pytest.mark.parametrize("path", MODULES, ids=lambda p: p.stem)


def cells(path: Path, kind: str | None = None) -> list[dict]:
    "Cells of a notebook, each with its source as one string."
    found = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [c | {"source": "".join(c["source"])} for c in found if kind in (None, c["cell_type"])]


def is_exported(cell: dict) -> bool:
    return re.search(r"^#\|\s*exports?\s*$", cell["source"], flags=re.M) is not None


def is_imports(cell: dict) -> bool:
    "Whether a cell holds nothing but imports: it needs no prose of its own."
    return all(isinstance(node, (ast.Import, ast.ImportFrom)) for node in ast.parse(cell["source"]).body)


@notebook
def test_first_cell_is_title_and_one_line(path):
    first = cells(path)[0]
    assert first["cell_type"] == "markdown"
    assert re.fullmatch(r"# .+\n\n?> .+\n?", first["source"]), "the first cell is '# Title' and '> one line', alone"


@notebook
def test_second_cell_installs_in_colab(path):
    second = cells(path)[1]
    assert second["source"].splitlines()[:3] == COLAB


@notebook
def test_pictures_have_alternative_texts(path):
    for cell in cells(path, "code"):
        pictures = [kind for out in cell["outputs"] for kind in out.get("data", {}) if kind.startswith("image/")]
        assert not pictures or re.search(r"^#\| fig-alt: \w.{10,}", cell["source"], flags=re.M), cell["source"]


@notebook
def test_small(path):
    assert path.stat().st_size <= MOST_BYTES, f"{path.stat().st_size} bytes"


@notebook
def test_no_errors_warnings_or_progress_bars_in_outputs(path):
    for cell in cells(path, "code"):
        for out in cell["outputs"]:
            assert not any("widget-view" in kind for kind in out.get("data", {})), f"a live widget is saved: {cell['source']}"
            assert out["output_type"] != "error", cell["source"]
            assert out.get("name") != "stderr" or "Warning" not in "".join(out["text"]), cell["source"]


@notebook
def test_headings_alone(path):
    for cell in cells(path, "markdown")[1:]:
        prose = re.sub(r"^```.*?^```", "", cell["source"], flags=re.S | re.M)
        if re.search(r"^#{1,6} ", prose, flags=re.M):
            assert len(prose.strip().splitlines()) == 1, prose


@notebook
def test_no_path_of_one_machine(path):
    found = re.findall(r"(?:(?<=[\s'\"(])/(?:home|Users|root|tmp|work|mnt|opt)/[\w./-]+|[A-Z]:\\\\Users)", path.read_text(encoding="utf-8"))
    assert not found, found[:3]


@numbered
def test_exported_cells_are_short(path):
    lengths = {c["source"][:60]: len(c["source"].strip().splitlines()) for c in cells(path, "code") if is_exported(c)}
    long = {start: n for start, n in lengths.items() if n > MOST_LINES}
    assert not long


@numbered
def test_more_prose_than_exports(path):
    prose = sum(not c["source"].startswith("#") for c in cells(path, "markdown"))
    exported = sum(is_exported(c) and not is_imports(c) for c in cells(path, "code"))
    assert prose >= exported


@numbered
def test_shows_a_picture(path):
    kinds = {kind for c in cells(path, "code") for out in c["outputs"] for kind in out.get("data", {})}
    shows = path.stem in NO_PICTURE or bool(kinds & {"image/png", "image/svg+xml", "text/html"})
    assert shows


@numbered
def test_asserts_and_executed(path):
    code = [c for c in cells(path, "code") if not is_exported(c)]
    tested = any(re.search(r"\bassert\b|\btest_\w+\(|expect_fail|ExceptionExpected", c["source"]) for c in code)
    executed = any(c["outputs"] for c in code)
    assert tested, "nothing is tested"
    assert executed, "saved without outputs"


@numbered
def test_imports_in_their_own_cells(path):
    for cell in cells(path, "code"):
        body = ast.parse(re.sub(r"^[%!].*$", "", cell["source"], flags=re.M)).body
        imports = [isinstance(node, (ast.Import, ast.ImportFrom)) for node in body]
        alone = all(imports) or not any(imports) or "nbdev_export()" in cell["source"]
        assert alone, cell["source"]  # nbdev would run the rest of the cell again for the site


@numbered
def test_exports_last(path):
    last = cells(path)[-1]["source"]
    assert last.startswith("#| hide") and "nbdev_export()" in last


def test_every_notebook_is_in_sidebar_and_map():
    text = (ROOT / "_quarto.yml").read_text(encoding="utf-8")
    sections = yaml.safe_load(text)["website"]["sidebar"]["contents"]
    listed = [page for section in sections for page in section["contents"]]
    assert sorted(listed) == sorted(p.relative_to(ROOT / "nbs").as_posix() for p in NOTEBOOKS)
    assert [page for page in listed if page[:2].isdigit()] == [p.name for p in NUMBERED]
    linked = set(re.findall(r"\]\(([\w/]+\.ipynb)\)", "".join(c["source"] for c in cells(ROOT / "nbs/index.ipynb", "markdown"))))
    assert linked == set(listed) - {"index.ipynb"}


@module
def test_imports_only_earlier_modules(path):
    assert path.stem in ORDER, "a module without its notebook"
    allowed = {*ORDER[: ORDER.index(path.stem)], *(late for name, late in LATE if name == path.stem)}
    tree, found = ast.parse(path.read_text(encoding="utf-8")), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").split(".")[0] == "videopure"):
            name = (node.module or "").removeprefix("videopure").strip(".").split(".")[0]
            found |= {name} if name else {a.name for a in node.names}
        if isinstance(node, ast.Import):
            found |= {a.name.split(".")[1] for a in node.names if a.name.startswith("videopure.")}
    assert found - {"__version__"} <= allowed


def functions(tree: ast.Module) -> list[ast.FunctionDef]:
    "Public functions of a module and public methods of its public classes, those grown by `@patch` among them."
    bodies = [tree.body] + [node.body for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
    return [f for body in bodies for f in body if isinstance(f, ast.FunctionDef) and not f.name.startswith("_")]


@module
def test_public_functions_have_docstring_and_types(path):
    for f in functions(ast.parse(path.read_text(encoding="utf-8"))):
        assert ast.get_docstring(f), f"{f.name}: no docstring"
        assert len(ast.get_docstring(f).splitlines()[0]) <= 140, f"{f.name}: the first line is long"
        args = f.args.posonlyargs + f.args.args + f.args.kwonlyargs
        bare = [a.arg for a in args if a.annotation is None and a.arg not in ("self", "cls")]
        assert not bare, f"{f.name}: no type for {bare}"
        assert f.returns is not None, f"{f.name}: no type for the result"


@module
def test_public_classes_have_docstring(path):
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), node.name
