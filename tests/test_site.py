"The builders of the site and of README.md, on pages made for the purpose."

import ast
import importlib.util
import inspect
import io
import json
import re
from html import unescape
from html.parser import HTMLParser
from importlib import import_module
from operator import attrgetter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / "tools"
MODULES = sorted(p.stem for p in (ROOT / "videopure").glob("*.py") if p.stem not in ("__init__", "__main__", "_modidx"))


def tool(name: str):
    spec = importlib.util.spec_from_file_location(name, TOOLS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_broken_links(tmp_path):
    good = '<h1 id="here">x</h1><a href="b.html#here"></a><a href="a.html"></a><a href="#here"></a><a href="https://x.org"></a>'
    (tmp_path / "a.html").write_text(good + '<a href="b.html#gone"></a>')
    (tmp_path / "b.html").write_text(good + '<img src="missing.png"><a href="c/"></a>')
    assert tool("docs").broken_links(tmp_path) == ["a.html -> b.html#gone", "b.html -> c/", "b.html -> missing.png"]


def test_only_names_with_a_heading_are_linked(tmp_path):
    page = '<h2 id="f">f</h2><a href="b.html#g"><code>g</code></a><a href="a.html#_h"><code>_h</code></a><a href="#i">i</a>'
    (tmp_path / "a.html").write_text(page)
    (tmp_path / "b.html").write_text('<h2 id="g">g</h2>')
    tool("docs").unlink(tmp_path)
    assert (tmp_path / "a.html").read_text().endswith('<a href="b.html#g"><code>g</code></a><code>_h</code><a href="#i">i</a>')


def test_formulas_become_mathml(tmp_path):
    pytest.importorskip("latex2mathml")
    page = tmp_path / "a.html"
    page.write_text(r'<p><span class="math inline">\(\sqrt{a} &lt; b\)</span></p>')
    tool("docs").mathml(page)
    text = page.read_text()
    assert "<msqrt>" in text and r"\sqrt" not in text


@pytest.mark.parametrize(
    "address", ["url(https://x.org/a?b:1;2)", 'url("https://x.org/a?b:1;2")', '"https://x.org/a?b:1;2"', "'https://x.org/a'"]
)
def test_nothing_comes_from_elsewhere(address, tmp_path):
    "Neither the fonts of a theme nor scripts and style sheets; links, own files and pictures stay."
    own = '<script src="a.js"></script><link rel="stylesheet" href="a.css"><link rel="canonical" href="https://x.org/"><a href="https://x.org">x</a>'
    katex = '<script src="https://x.org/katex.min.js" defer></script><link href="https://x.org/katex.css" rel="stylesheet">'
    (tmp_path / "a.html").write_text(katex + own + katex)
    (tmp_path / "a.css").write_text(f'@import{" " * address.startswith("u")}{address};@import "b.css";p{{background:url(https://x.org/c)}}')
    tool("docs").from_nowhere_else(tmp_path)
    assert (tmp_path / "a.html").read_text() == own
    assert (tmp_path / "a.css").read_text() == '@import "b.css";p{background:url(https://x.org/c)}'


@pytest.mark.slow
def test_readme_keeps_prose_code_and_outputs(tmp_path):
    import nbformat
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

    code = new_code_cell("#| label: x\n1 + 1", outputs=[new_output("execute_result", {"text/plain": "2"})])
    cells = [new_markdown_cell("# T\n\n> t"), new_markdown_cell("[a](00_a.ipynb) [b](https://b.org)"), new_code_cell("#| hide\n3"), code]
    nbformat.write(new_notebook(cells=cells), tmp_path / "index.ipynb")
    text = tool("readme").readme(tmp_path / "index.ipynb")["README.md"].decode()
    assert "[a](nbs/00_a.ipynb) [b](https://b.org)" in text
    assert "```python\n1 + 1\n```\n\n```\n2\n```" in text
    assert "3" not in text and "label" not in text


@pytest.mark.slow
def test_readme_links_pictures_of_the_notebook(tmp_path):
    import nbformat
    from nbformat.v4 import new_markdown_cell, new_notebook

    cells = [new_markdown_cell("# T\n\n> t"), new_markdown_cell("![a](images/a.webp)")]
    nbformat.write(new_notebook(cells=cells), tmp_path / "index.ipynb")
    assert b"![a](nbs/images/a.webp)" in tool("readme").readme(tmp_path / "index.ipynb")["README.md"]


class Example:
    "A class."

    def __init__(
        self,
        size: int | None = None,  # of it, a | b
    ):
        self.size = size

    @property
    def double(self) -> int:
        "Twice as much."
        return 2 * self.size

    @classmethod
    def of(cls, sizes: list[int]) -> "Example":
        "From some."
        return cls(sum(sizes))


def test_a_symbol_has_signature_parameters_and_members():
    text = tool("docs").document(Example, "Example")
    assert "### Example {.symbol}" in text and "class Example(size: int | None = None)" in text
    assert r"| `size` | `int \| None` | `None` | of it, a \| b |" in text
    assert '| <span id="example.double"></span>`double: int` | Twice as much. |' in text
    assert '| <span id="example.of"></span>`of(sizes: list[int]) -> Example` | From some. |' in text


def test_source_of_exported_cells_folds_and_imports_go():
    pytest.importorskip("nbdev")
    import nbformat
    from execnb.nbio import dict2nb
    from nbdev.process import NBProcessor
    from nbformat.v4 import new_code_cell, new_notebook

    exported = ["#| export\nimport a", "#| export\ndef f(): pass", "#| exports\nX, Y = 1, 2\nZ: int = 3"]
    sources = [*exported, "#| hide\ny = 1", "#| fig-alt: a: b\nz = 1"]
    notebook = dict2nb(nbformat.from_dict(new_notebook(cells=[new_code_cell(source) for source in sources])))
    docs = tool("docs")
    NBProcessor(nb=notebook, procs=[docs.fold, docs.quote_alt]).process()
    assert [cell.source for cell in notebook.cells] == [
        '#| code-fold: true\n#| code-summary: "Source of f"\ndef f(): pass',
        '#| code-fold: show\n#| code-summary: "Source of X, Y, Z"\nX, Y = 1, 2\nZ: int = 3',
        '#| fig-alt: "a: b"\nz = 1',
    ]


def test_drawings_are_told_from_photographs_and_moving_pictures_can_stand_still(tmp_path):
    import base64

    import numpy as np
    from PIL import Image

    def png(pixels) -> bytes:
        Image.fromarray(pixels).save(buffer := io.BytesIO(), "png")
        return buffer.getvalue()

    docs = tool("docs")
    drawing = np.full((40, 40, 3), 255, "uint8")
    drawing[10:20, 10:12] = 30, 90, 200
    photograph = np.random.default_rng(0).integers(0, 255, (40, 40, 3), "uint8")
    clear = np.dstack([drawing, np.zeros((40, 40), "uint8")])
    assert [docs.is_drawing(png(pixels)) for pixels in (drawing, photograph, clear)] == [True, False, False]

    page, uri = tmp_path / "a.html", "data:image/png;base64," + base64.b64encode(png(drawing)).decode()
    (tmp_path / "a_still.png").write_bytes(png(drawing))
    (tmp_path / "a photo.png").write_bytes(png(photograph))
    page.write_text(
        f'<img alt="x" src="{uri}"><img alt="y" src="a.webp"><img alt="z" src="b.webp">'
        '<img alt="as quarto has it" src="a_still.png"><img alt="v" src="a%20photo.png"><img alt="w" src="gone.png">'
    )
    docs.pictures(page)
    text = page.read_text()
    assert text.count("data-drawing") == 2 and '<img data-drawing="" alt="as quarto' in text and text.count("<picture>") == 1
    assert '<source srcset="a_still.png" media="(prefers-reduced-motion: reduce)"><img alt="y" src="a.webp"></picture>' in text


# code on pages


def notebooks() -> list[tuple[str, str]]:
    "Type and source of each cell of all notebooks."
    paths = sorted(p for p in (ROOT / "nbs").rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)
    return [(cell["cell_type"], "".join(cell["source"])) for p in paths for cell in json.loads(p.read_text("utf-8"))["cells"]]


def test_code_on_pages_is_narrow_and_means_the_same():
    "What is left over 88 characters, in all notebooks, stands inside of strings, such as scripts and styles."
    pytest.importorskip("ruff")
    narrow = tool("narrow")
    cells = notebooks()
    made = narrow.narrow_cells(cells)
    changed = [(old, new) for (kind, old), new in zip(cells, made) if kind == "code" and old != new]
    assert len(changed) > 1000
    for old, new in changed:
        assert re.findall(r"^#\|.*", old, flags=re.M) == re.findall(r"^#\|.*", new, flags=re.M)
        if not re.search(r"^[!%]", old, flags=re.M):  # neither a command of the shell nor a file to write
            assert narrow.meaning(old) == narrow.meaning(new), new
    left = [new for (kind, _), new in zip(cells, made) if kind == "code" and narrow.too_wide(new)]
    for source in left:
        strings = [(first, last) for (first, _), (last, end), *_ in narrow.strings(source) if last > first or end > 88]
        inside = {row for first, last in strings for row in range(first, last + 1)}
        assert inside >= {row for row, line in enumerate(source.split("\n"), 1) if len(line) > 88 and line[:2] != "#|"}, source
    assert len(left) < 40


@pytest.mark.parametrize(
    "source, wanted",
    [
        ("x = 1  # " + "word " * 20, ["x = 1  # " + ("word " * 16)[:-1], " " * 7 + "# word word word word"]),
        ("x = " + "y" * 50 + "  # " + "word " * 9, ["# " + ("word " * 9)[:-1], "x = " + "y" * 50]),
        ("f(a, " + "b" * 60 + ", c, d, e, g, h, i, j, k, l, m)", ["f(", "    a,", "    " + "b" * 60 + ","]),
        ('x = "' + "word " * 20 + '"', ["x = (", '    "' + "word " * 16 + '"', '    "word word word word "', ")"]),
        ("#| echo: false\n!ls " + "-a " * 40, ["#| echo: false", "!ls " + "-a " * 27 + "\\"]),
        ("def f(\n    a: int,  # " + "word " * 17 + "\n): pass", ["def f(", "    a: int,  # " + ("word " * 14)[:-1]]),
        ("this is not Python " * 6, ["this is not Python " * 6]),
    ],
    ids=["comment", "comment above", "call", "string", "command", "parameter", "text"],
)
def test_what_is_done_to_a_wide_line(source, wanted):
    pytest.importorskip("ruff")
    assert tool("narrow").narrow([source, "short"])[0].split("\n")[: len(wanted)] == wanted
    assert tool("narrow").narrow(["short"]) == ["short"]


def test_commands_and_comments_in_prose_are_narrow():
    text = "```sh\nvideopure evaluate " + "--option value " * 6 + "  # what it does\n```\n\n" + "prose " * 30
    made = tool("narrow").narrow_cells([("markdown", text)])[0]
    block, prose = made.split("```\n\n")
    assert prose == "prose " * 30 and max(map(len, block.split("\n"))) <= 88
    assert block.startswith("```sh\n# what it does\nvideopure evaluate --option value") and " \\\n    --option" in block


# figures


def contrast(color, ground=(1, 1, 1)) -> float:
    "The contrast of two colours by WCAG, 1 to 21."
    from matplotlib.colors import to_rgb

    linear = lambda v: v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4
    light = [0.05 + sum(w * linear(v) for w, v in zip((0.2126, 0.7152, 0.0722), to_rgb(c))) for c in (color, ground)]
    return max(light) / min(light)


def faint(figure) -> list[str]:
    "What has a contrast below 4.5 on the ground of its figure: letters, axes, lines; or that the ground can be seen through."
    from matplotlib.lines import Line2D
    from matplotlib.spines import Spine
    from matplotlib.text import Text

    ground = figure.get_facecolor()
    found = [] if ground[3] == 1 else ["the ground is transparent"]
    for part in figure.findobj(lambda a: isinstance(a, (Text, Line2D, Spine)) and a.get_visible()):
        color = part.get_edgecolor() if isinstance(part, Spine) else part.get_color()
        if not (isinstance(part, Text) and not part.get_text()) and contrast(color, ground[:3]) < 4.5:
            found.append(f"{type(part).__name__} {color}")
    return found


def test_figures_survive_a_paper():
    "Letters and lines of what the library draws stand out on white, and the legend is beside the data."
    import matplotlib.pyplot as plt

    from videopure.results import plot_accuracy
    from videopure.show import strip
    from videopure.statistics import Accuracy
    from videopure.video import moving_shapes

    lines = {f"defense {i}": [(x, Accuracy(10 - i, 10)) for x in (1, 2)] for i in range(9)}
    plotted, stripped = plot_accuracy(lines, "x", "title"), strip({"a clip": moving_shapes(1)[0]}, title="title")
    assert faint(plotted) == faint(stripped) == []
    plotted.savefig(io.BytesIO())
    assert not plotted.legends[0].get_window_extent().overlaps(plotted.axes[0].get_window_extent())
    figure, ax = plt.subplots()
    ax.plot([1, 2], color="tab:orange")
    ax.set_title("gray", color="0.5")
    figure.patch.set_alpha(0)
    plt.close(figure)
    assert len(faint(figure)) == 3 and 3.9 < contrast("0.5") < 4


# the start


def test_the_start_says_what_purification_is_before_any_code():
    "In one plain sentence, with the way to the Quickstart: on the front page and in README.md."
    import yaml

    for text in ("\n".join(source for kind, source in front()), (ROOT / "README.md").read_text("utf-8")):
        start = text[: text.index("```")]
        assert re.search(r"\*Purification\* [^.]{60,250}\.", start) and "tutorials/quickstart.ipynb" in start
    site = yaml.safe_load((ROOT / "_quarto.yml").read_text("utf-8"))["website"]
    assert site["navbar"]["left"][1] == {"href": "tutorials/quickstart.ipynb", "text": "Quickstart"}
    assert site["sidebar"]["contents"][0]["contents"] == ["index.ipynb", "tutorials/quickstart.ipynb"]


def front() -> list[tuple[str, str]]:
    "The cells of prose of the front page."
    cells = json.loads((ROOT / "nbs/index.ipynb").read_text("utf-8"))["cells"]
    return [(cell["cell_type"], "".join(cell["source"])) for cell in cells if cell["cell_type"] == "markdown"]


# the built site


class Images(HTMLParser):
    "The alt texts of a page's pictures."

    def __init__(self, page: Path):
        super().__init__()
        self.alts = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list) -> None:
        if tag == "img":
            self.alts.append((dict(attrs).get("alt") or "").strip())


@pytest.mark.slow
def test_every_picture_is_described(site):
    missing = {page.relative_to(site).as_posix(): Images(page).alts.count("") for page in site.rglob("*.html")}
    assert not {page: count for page, count in missing.items() if count}


@pytest.mark.slow
def test_no_link_is_broken(site):
    assert not tool("docs").broken_links(site)


def public(module: str) -> set[str]:
    "Functions and classes that a module exports, and the public methods that it gives by `@patch` to public classes."
    tree = ast.parse((ROOT / f"videopure/{module}.py").read_text(encoding="utf-8"))
    names = set(import_module(f"videopure.{module}").__all__)
    defined = {node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    is_patch = lambda f: re.search(r"\bpatch\b", " ".join(map(ast.unparse, f.decorator_list)))
    patched = [f for f in tree.body if isinstance(f, ast.FunctionDef) and is_patch(f) and f.name[0] != "_"]
    hidden = {node.name for node in tree.body if isinstance(node, ast.ClassDef)} - names
    methods = {f"{f.args.args[0].annotation.id}.{f.name}" for f in patched if f.args.args[0].annotation.id not in hidden}
    return (names & defined - {f.name for f in patched}) | {name for name in methods if not name.startswith("_")}


def missing(module: str, text: str) -> list[str]:
    "What the page of a module lacks: a symbol's signature, its docstring or its table of parameters, or a constant."
    from fastcore.docments import docments

    found = []
    for name in sorted(public(module)):
        symbol = attrgetter(name)(import_module(f"videopure.{module}"))
        symbol = getattr(symbol, "fget", None) or symbol
        parts = re.findall(rf'<section id="{name.lower()}(?:-\d)?" class="[^"]*symbol.*?(?=<section|</section>)', text, flags=re.S)
        plain = {part: unescape(re.sub(r"<[^>]+>", "", part)) for part in parts}
        parts = [part for part in parts if re.search(rf"(class|def) {re.escape(name)}\b", plain[part])]
        if len(parts) != 1:
            found.append(f"{name}: no signature under a heading of its own")
            continue
        if inspect.getdoc(symbol).split()[0].strip("`").split("`")[0] not in plain[parts[0]]:
            found.append(f"{name}: no docstring")
        if any(p.get("docment") for p in docments(symbol, full=True).values()) and 'class="docments"' not in parts[0]:
            found.append(f"{name}: no table of parameters")
    summaries = " ".join(re.findall(r"<summary>Source of ([^<]+)</summary>", text)).replace(",", "").split()
    return found + [f"{n}: no source" for n in import_module(f"videopure.{module}").__all__ if n.isupper() and n not in summaries]


@pytest.mark.slow
def test_every_public_symbol_is_on_its_page(site):
    found = {module: missing(module, (site / f"{module}.html").read_text(encoding="utf-8")) for module in MODULES}
    assert MODULES and not [f"{module}.{what}" for module in found for what in found[module]]
    module = next(module for module in MODULES if public(module))
    assert len(missing(module, "<p>an empty page</p>")) >= len(public(module)), "an empty page would do as well"


@pytest.mark.slow
def test_every_lesson_opens_in_colab(site):
    start = "https://colab.research.google.com/github/videopure/videopure/blob/main/nbs/"
    for page in site.rglob("*.html"):
        name = page.relative_to(site).with_suffix("").as_posix()
        links = re.findall(rf'href="{re.escape(start)}([^"]+)"', page.read_text("utf-8"))
        assert len(links) == 1 and re.fullmatch(rf"(\d\d[a-z]?_)?{name}\.ipynb", links[0]), name
        assert (ROOT / "nbs" / links[0]).exists(), name


@pytest.mark.slow
def test_site_is_complete_and_small(site):
    assert sum((site / f"images/{name}.webp").stat().st_size for name in ("rescue", "scene")) <= 2_000_000
    assert not re.search(r"\\\(|\\\[|\$\$", "".join(re.findall(r"<p>.*?</p>", (site / "inversion.html").read_text("utf-8"), flags=re.S)))
    assert "<math" in (site / "inversion.html").read_text("utf-8")


def test_the_scene_is_a_clip_in_which_the_ball_moves_left():
    import numpy as np

    ball = tool("scene").rolling_ball(24, frames=4)
    assert ball.shape == (1, 3, 4, 24, 24) and 0 <= ball.min() and ball.max() <= 1
    red = (ball[0, 0] - ball[0, 1] > 0.25).numpy()
    middle = np.array([np.nonzero(frame)[1].mean() for frame in red])
    assert (np.diff(middle) < -1).all()


@pytest.mark.slow
def test_moving_picture_is_made_again(tmp_path, monkeypatch):
    "tools/loop.py still runs with the library as it is, and makes pictures of the size of those that are kept."
    from PIL import Image

    loop = tool("loop")
    monkeypatch.setattr(loop, "IMAGES", tmp_path)
    monkeypatch.setattr("sys.argv", ["loop.py"])
    loop.main()
    for name in ("rescue.webp", "rescue_still.png", "scene.webp", "scene_still.png"):
        with Image.open(tmp_path / name) as made, Image.open(ROOT / "nbs/images" / name) as kept:
            assert (made.size, getattr(made, "n_frames", 1)) == (kept.size, getattr(kept, "n_frames", 1)), name
