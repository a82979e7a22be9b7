"The notebooks keep the style that CONTRIBUTING.md describes, and the modules the order of the notebooks: one test a rule."

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import yaml

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted(p for p in (ROOT / "nbs").rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts and p.parts[-2] != "_proc")
NUMBERED = [p for p in NOTEBOOKS if re.match(r"\d\d[a-z]?_", p.name)]
MODULES = sorted(p for p in (ROOT / "videopure").glob("*.py") if p.stem not in ("__init__", "__main__", "_modidx"))
NO_PICTURE = {"cli", "options"}  # modules whose notebook needs none
COLAB = ["#| hide", "#| eval: false", "! [ -e /content ] && pip install -qq git+https://github.com/videopure/videopure"]
MOST_CELL_LINES, MOST_BYTES, MODULE_LINES = 35, 500_000, range(30, 601)
LEAST_DEMOS, MOST_MEDIAN_LINES = 0.7, 10


def cells(path: Path, kind: str | None = None) -> list[dict]:
    "Cells of a notebook, each with its source as one string and its place."
    found = json.loads(path.read_text(encoding="utf-8"))["cells"]
    found = [c | {"source": "".join(c["source"]), "at": f"{path.name}, cell {i}"} for i, c in enumerate(found)]
    return [c for c in found if kind in (None, c["cell_type"])]


def all_cells(paths: list[Path], kind: str | None = None) -> Iterator[dict]:
    "The cells of several notebooks."
    return (cell for path in paths for cell in cells(path, kind))


def is_exported(cell: dict) -> bool:
    return re.search(r"^#\|\s*export[si]?\s*$", cell["source"], flags=re.M) is not None


def is_hidden(cell: dict) -> bool:
    return re.search(r"^#\|\s*(hide|default_exp\b.*)\s*$", cell["source"], flags=re.M) is not None


def python(cell: dict) -> list[ast.stmt]:
    "The statements of a code cell, without its shell lines and magics."
    return ast.parse(re.sub(r"^[%!].*$", "", cell["source"], flags=re.M)).body


def is_import(node: ast.stmt) -> bool:
    return isinstance(node, (ast.Import, ast.ImportFrom))


def defines(cell: dict) -> bool:
    "Whether a cell defines a function, a method, a class or a constant."
    targets = [t for node in python(cell) for t in getattr(node, "targets", [getattr(node, "target", None)])]
    constants = any(isinstance(part, ast.Name) and part.id.isupper() for t in targets if t for part in ast.walk(t))
    return constants or any(isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) for node in python(cell))


def module_of(path: Path) -> str:
    "The module that a numbered notebook makes."
    names = re.findall(r"^#\|\s*default_exp (\w+)", "\n".join(c["source"] for c in cells(path, "code")), flags=re.M)
    return names[0] if names else re.sub(r"^\d\d[a-z]?_", "", path.stem)


ORDER = [module_of(path) for path in NUMBERED]


def none(found: list) -> None:
    "Fail with all offenders, a line each."
    assert not found, "\n" + "\n".join(map(str, found))


# notebooks


def test_first_cell_is_title_and_one_line():
    first = {path: cells(path)[0] for path in NOTEBOOKS}
    right = r"# .+\n\n?> .+\n?"  # '# Title' and '> one line', alone
    none([c["at"] for c in first.values() if c["cell_type"] != "markdown" or not re.fullmatch(right, c["source"])])


def test_second_cell_installs_in_colab():
    second = [cells(path)[1] for path in NOTEBOOKS]
    none([c["at"] for c in second if c["source"].splitlines()[:3] != COLAB])


def test_pictures_have_alternative_texts():
    drawn = [c for c in all_cells(NOTEBOOKS, "code") if any(k.startswith("image/") for out in c["outputs"] for k in out.get("data", {}))]
    assert drawn
    none([c["at"] for c in drawn if not re.search(r"^#\| fig-alt: \w.{10,}", c["source"], flags=re.M)])


def test_small():
    none([f"{p.name}: {p.stat().st_size} bytes" for p in NOTEBOOKS if p.stat().st_size > MOST_BYTES])


def test_no_errors_warnings_or_progress_bars_in_outputs():
    def wrong(out: dict) -> str:
        if any("widget-view" in kind for kind in out.get("data", {})):
            return "a live widget is saved"
        if out["output_type"] == "error":
            return "an error is saved"
        return "a warning is saved" if out.get("name") == "stderr" and "Warning" in "".join(out["text"]) else ""

    none([f"{c['at']}: {wrong(out)}" for c in all_cells(NOTEBOOKS, "code") for out in c["outputs"] if wrong(out)])


def test_headings_alone():
    def mixed(source: str) -> bool:
        prose = re.sub(r"^```.*?^```", "", source, flags=re.S | re.M)
        return re.search(r"^#{1,6} ", prose, flags=re.M) is not None and len(prose.strip().splitlines()) > 1

    none([c["at"] for path in NOTEBOOKS for c in cells(path)[1:] if c["cell_type"] == "markdown" and mixed(c["source"])])


def test_no_path_of_one_machine():
    path_of_one = r"(?:(?<=[\s'\"(])/(?:home|Users|root|tmp|work|mnt|opt)/[\w./-]+|[A-Z]:\\\\Users)"
    none([f"{path.name}: {found}" for path in NOTEBOOKS for found in re.findall(path_of_one, path.read_text(encoding="utf-8"))])


def test_every_notebook_is_in_sidebar_and_map():
    text = (ROOT / "_quarto.yml").read_text(encoding="utf-8")
    sections = yaml.safe_load(text)["website"]["sidebar"]["contents"]
    listed = [page for section in sections for page in section["contents"]]
    assert sorted(listed) == sorted(p.relative_to(ROOT / "nbs").as_posix() for p in NOTEBOOKS)
    assert [page for page in listed if page[:2].isdigit()] == [p.name for p in NUMBERED]
    linked = set(re.findall(r"\]\(([\w/]+\.ipynb)\)", "".join(c["source"] for c in cells(ROOT / "nbs/index.ipynb", "markdown"))))
    assert linked == set(listed) - {"index.ipynb"}


# numbered notebooks


def test_exported_cells_are_short():
    lengths = [(c["at"], len(c["source"].strip().splitlines())) for c in all_cells(NUMBERED, "code") if is_exported(c)]
    none([f"{at}: {n} lines" for at, n in lengths if n > MOST_CELL_LINES])


def test_exports_are_small_and_shown_at_once():
    "Most cells that export a definition are short, and a reader sees it at work before the next one."
    table, lengths = [], []
    for path in NUMBERED:
        code, shown, own = cells(path, "code"), [], []
        for cell in code:
            if is_exported(cell) and defines(cell):
                shown.append(False)
                own.append(sum(bool(line.strip()) and not line.startswith("#|") for line in cell["source"].splitlines()))
            elif shown and not is_exported(cell) and not is_hidden(cell):
                shown[-1] = True
        if own:
            table.append((sum(shown) / len(own), sum(shown), len(own), median(own), path.name))
            lengths += own
    share = sum(row[1] for row in table) / len(lengths)
    rows = [f"{name}: {demos} of {n} shown = {part:.0%}, median {lines:g} lines" for part, demos, n, lines, name in sorted(table)]
    found = f"{share:.0%} of {len(lengths)} exported cells are shown, median {median(lengths):g} lines"
    wanted = f"expected at least {LEAST_DEMOS:.0%} and at most {MOST_MEDIAN_LINES} lines; from worst to best:"
    assert share >= LEAST_DEMOS and median(lengths) <= MOST_MEDIAN_LINES, "\n".join(["", found, wanted, *rows])


def test_more_prose_than_exports():
    def counts(path: Path) -> tuple[int, int]:
        prose = sum(not c["source"].startswith("#") for c in cells(path, "markdown"))
        return prose, sum(is_exported(c) and not all(map(is_import, python(c))) for c in cells(path, "code"))

    found = {path.name: counts(path) for path in NUMBERED}
    none([f"{name}: {prose} cells of prose, {exported} exported" for name, (prose, exported) in found.items() if prose < exported])


def test_shows_a_picture():
    def shows(path: Path) -> bool:
        kinds = {kind for c in cells(path, "code") for out in c["outputs"] for kind in out.get("data", {})}
        return bool(kinds & {"image/png", "image/svg+xml", "text/html"})

    none([path.name for path in NUMBERED if module_of(path) not in NO_PICTURE and not shows(path)])


def test_asserts_and_executed():
    found = []
    for path in NUMBERED:
        code = [c for c in cells(path, "code") if not is_exported(c)]
        if not any(re.search(r"\bassert\b|\btest_\w+\(|expect_fail|ExceptionExpected", c["source"]) for c in code):
            found.append(f"{path.name}: nothing is tested")
        if not any(c["outputs"] for c in code):
            found.append(f"{path.name}: saved without outputs")
    none(found)


def test_imports_in_their_own_cells():
    "nbdev would run the rest of such a cell again for the site."

    def mixed(cell: dict) -> bool:
        kinds = {is_import(node) for node in python(cell)}
        return len(kinds) == 2 and "nbdev_export()" not in cell["source"]

    none([c["at"] for c in all_cells(NUMBERED, "code") if mixed(c)])


def test_exports_last():
    last = [cells(path)[-1] for path in NUMBERED]
    none([c["at"] for c in last if not (c["source"].startswith("#| hide") and "nbdev_export()" in c["source"])])


# modules


def test_every_module_has_its_notebook():
    assert len(set(ORDER)) == len(ORDER), "two notebooks make the same module"
    assert sorted(path.stem for path in MODULES) == sorted(ORDER)


def test_imports_only_earlier_modules():
    found = []
    for path in MODULES:
        imported = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").split(".")[0] == "videopure"):
                name = (node.module or "").removeprefix("videopure").strip(".").split(".")[0]
                imported |= {name} if name else {a.name for a in node.names}
            if isinstance(node, ast.Import):
                imported |= {a.name.split(".")[1] for a in node.names if a.name.startswith("videopure.")}
        later = imported - {"__version__"} - set(ORDER[: ORDER.index(path.stem)])
        found += [f"{path.stem} imports {name}, whose notebook does not come before" for name in sorted(later)]
    none(found)


def test_modules_are_neither_long_nor_tiny():
    lines = {path.stem: len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    none([f"{name}: {n} lines" for name, n in lines.items() if n not in MODULE_LINES])


def functions(tree: ast.Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    "Public functions of a module and public methods of its public classes, those grown by `@patch` among them."
    bodies = [tree.body] + [node.body for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [f for body in bodies for f in body if isinstance(f, kinds) and not f.name.startswith("_")]


def test_public_functions_have_docstring_and_types():
    found = []
    for path in MODULES:
        for f in functions(ast.parse(path.read_text(encoding="utf-8"))):
            text, args = ast.get_docstring(f), f.args.posonlyargs + f.args.args + f.args.kwonlyargs
            bare = [a.arg for a in args if a.annotation is None and a.arg not in ("self", "cls")]
            wrong = [] if text else ["no docstring"]
            wrong += ["the first line is long"] if text and len(text.splitlines()[0]) > 140 else []
            wrong += [f"no type for {', '.join(bare)}"] if bare else []
            wrong += ["no type for the result"] if f.returns is None else []
            found += [f"{path.stem}.{f.name}: {what}" for what in wrong]
    none(found)


def test_public_classes_have_docstring():
    classes = [(path.stem, n) for path in MODULES for n in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(n, ast.ClassDef)]
    none([f"{module}.{c.name}" for module, c in classes if not c.name.startswith("_") and not ast.get_docstring(c)])
