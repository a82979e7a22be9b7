"""Build the site into _docs.

nbdev's processors turn each notebook into a page, with four things of our own: source that folds, signature and table of parameters
for every public symbol, a button for Colab, and code that is no wider than a page (narrow.py). The pages lie in _proc, where the
_quarto.yml of the root joins them; quarto renders them, or smalldocs where quarto is missing. smalldocs takes formulas' script and fonts
from the network: here formulas become MathML, and fonts are the browser's own, so that the site needs nothing else. Last, every link
inside the site is checked.
"""

import ast
import base64
import inspect
import io
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from html import unescape
from html.parser import HTMLParser
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from urllib.parse import unquote, urlsplit

from execnb.nbio import mk_cell, read_nb, write_nb
from fastcore.docments import docments
from nbdev.config import get_config
from nbdev.doclinks import patch_name
from nbdev.process import Processor
from nbdev.processors import FilterDefaults, add_fold, clean_show_doc, exec_show_docs, mv_exports, rm_export
from PIL import Image, ImageOps

sys.path.insert(0, str(Path(__file__).resolve().parent))
from narrow import narrow_cells  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
NBS, PROC, SITE = ROOT / "nbs", ROOT / "_proc", ROOT / "_docs"


# symbols: signature, docstring, parameters


def kind(annotation: object) -> str:
    "A type as one writes it: names without their modules, nothing for none."
    if annotation is inspect.Parameter.empty:
        return ""
    return re.sub(r"\b(?:\w+\.)+(?=\w)", "", inspect.formatannotation(annotation)).strip("'")


def argument(name: str, p: inspect.Parameter) -> str:
    "One parameter of a signature."
    stars = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
    typed = f"{stars}{name}: {kind(p.annotation)}" if kind(p.annotation) else stars + name
    default = getattr(p.default, "__name__", None) or repr(p.default)
    return typed if p.default is p.empty else f"{typed} = {default}" if ":" in typed else f"{typed}={default}"


def signature(symbol: object, name: str, width: int = 82) -> str:
    "`name(parameters) -> type`, a line for each parameter where one line would be wider than `width`."
    try:
        found = inspect.signature(symbol)
    except (TypeError, ValueError):  # an exception takes what its base takes
        return name
    parts = [argument(key, p) for key, p in found.parameters.items() if key not in ("self", "cls")]
    result = f" -> {kind(found.return_annotation)}" if kind(found.return_annotation) and not inspect.isclass(symbol) else ""
    line = f"{name}({', '.join(parts)}){result}"
    if len(line) < width or not parts:
        return line
    inside = [textwrap.fill(f"{part},", width, initial_indent=" " * 4, subsequent_indent=" " * 8, break_long_words=False) for part in parts]
    return "\n".join([f"{name}(", *inside, f"){result}"])


def row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def parameters(symbol: object) -> str:
    "The table of docments: name, type, default and meaning of each parameter, and the result. Empty where nothing is explained."
    found = docments(symbol, full=True)
    if not any(p.get("docment") for p in found.values()):
        return ""
    lines = [row("", "Type", "Default", "Meaning"), "|---|---|---|---|"]
    for name, p in found.items():
        if name == "self" or (name == "return" and inspect.isclass(symbol)):
            continue
        default = p.get("default", inspect.Parameter.empty)
        shown = "" if default is inspect.Parameter.empty else f"`{getattr(default, '__name__', None) or repr(default)}`"
        typed = f"`{kind(p.anno)}`" if kind(p.anno) else ""
        lines.append(row("**result**" if name == "return" else f"`{name}`", typed, shown, p.get("docment") or ""))
    return "\n".join(["::: {.docments}", *lines, ":::"])


def members(cls: type) -> str:
    "A table of the public methods and properties in a class's body; those grown by `@patch` have their own place on the page."
    lines = [row("Member", "Meaning"), "|---|---|"]
    for name, found in vars(cls).items():
        function = getattr(found, "fget", None) or getattr(found, "func", None) or getattr(found, "__func__", None) or found
        code = getattr(inspect.unwrap(function), "__code__", None) if callable(function) else None
        if name.startswith("_") or code is None or code.co_qualname != f"{cls.__qualname__}.{name}":
            continue
        plain = isinstance(found, property) or hasattr(found, "func")
        shown = f"{name}: {kind(inspect.signature(function).return_annotation)}" if plain else signature(function, name, 1000)
        meaning = " ".join((inspect.getdoc(function) or "").split("\n\n")[0].split())
        lines.append(row(f'<span id="{cls.__name__}.{name}"></span>'.lower() + f"`{shown}`", meaning))
    return "\n".join(["::: {.docments}", *lines, ":::"]) if len(lines) > 2 else ""


def document(symbol: object, name: str) -> str:
    "A public symbol on its page: heading, link to the source, signature, docstring, parameters, members."
    cls = inspect.isclass(symbol)
    file = f"{symbol.__module__.replace('.', '/')}.py#L{inspect.getsourcelines(symbol)[1]}"
    source = f"[source]({get_config().git_url}/blob/{get_config().branch}/{file}){{.source-link}}"
    code = f"```python\n{'class' if cls else 'def'} {signature(symbol, name)}\n```"
    heading = "### " + name.replace("_", "\\_") + " {.symbol}"
    parts = [heading, source, code, inspect.getdoc(symbol) or "", parameters(symbol), members(symbol) if cls else ""]
    return "\n\n".join(filter(None, parts))


# notebooks become pages


def defined(tree: list[ast.stmt]) -> list[str]:
    "Names that a cell defines, in its order."
    names = []
    for node in tree:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.append(patch_name(node) or node.name)
        for target in getattr(node, "targets", [getattr(node, "target", None)]):
            names += [part.id for part in ast.walk(target or ast.Pass()) if isinstance(part, ast.Name)]
    return list(dict.fromkeys(names))


def fold(cell) -> None:
    "Exported source stays on the page and folds: the core of a lesson (`exports`, `open`) is open, all other closed."
    marks = set(cell.directives_)
    if cell.cell_type != "code" or not marks & {"export", "exports", "exporti", "hide", "default_exp"}:
        return
    tree = cell.parsed_() or []
    if marks & {"hide", "default_exp"} or all(isinstance(node, (ast.Import, ast.ImportFrom, ast.Try)) for node in tree):
        del cell["source"]
    else:
        summary = f"Source of {', '.join(defined(tree))}".removesuffix(" of ")
        is_open = bool(marks & {"exports", "open"})
        cell.source = f'#| code-fold: {"show" if is_open else "true"}\n#| code-summary: "{summary}"\n{cell.source}'


def quote_alt(cell) -> None:
    "A text after `fig-alt:` may hold a colon, which YAML allows in quotes only."
    if cell.cell_type == "code":
        quoted = lambda m: f"#| fig-alt: {json.dumps(m[1], ensure_ascii=False)}"
        cell.source = re.sub(r"^#\| *fig-alt: *(?!\")(.+)$", quoted, cell.source, flags=re.M)


class Document(Processor):
    "What nbdev would run as `show_doc(name)` is taken from the module, and comes before the source; several in the order of the source."

    def begin(self) -> None:
        module = next((cell.directives_["default_exp"][0] for cell in self.nb.cells if "default_exp" in cell.directives_), None)
        cells, source = [], 0
        for cell in self.nb.cells:
            if not getattr(cell, "has_sd", False):
                source = len(cells)
                cells.append(cell)
                continue
            name = cell.source.removeprefix("show_doc(").removesuffix(")")
            symbol = attrgetter(name)(import_module(f"{get_config().lib_path.name}.{module}"))
            symbol = getattr(symbol, "fget", None) or symbol
            cells.insert(source, mk_cell(document(symbol, name), "markdown"))  # nbdev puts the last first
        self.nb.cells = cells


def colab(notebook) -> str:
    "A link that opens the notebook in Colab."
    config, path = get_config(), Path(notebook.path_).resolve().relative_to(NBS).as_posix()
    url = f"https://colab.research.google.com/github/{config.user}/{config.repo}/blob/{config.branch}/nbs/{path}"
    return f"[Open in Colab]({url}){{.colab}}"


class Pages(FilterDefaults):
    "nbdev's steps from a notebook to a page, with our own for source and signatures."

    def base_procs(self) -> list:
        ours = {exec_show_docs: Document, rm_export: fold, clean_show_doc: quote_alt}
        return [ours.get(step, step) for step in super().base_procs() if step not in (add_fold, mv_exports)]


def stage(quarto: bool) -> None:
    "Turn the notebooks into pages; links to our own site become relative, and pages get the names that quarto would give them."
    shutil.rmtree(PROC, ignore_errors=True)
    notebooks = {}
    for path in sorted(p for p in NBS.rglob("*") if p.is_file() and ".ipynb_checkpoints" not in p.parts):
        target = PROC / path.relative_to(NBS)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".ipynb":
            notebook = read_nb(path)
            Pages()(notebook)
            notebook.cells.insert(1, mk_cell(colab(notebook), "markdown"))
            notebooks[target] = notebook
        else:
            shutil.copy(path, target)
    cells = [cell for notebook in notebooks.values() for cell in notebook.cells if cell.cell_type in ("code", "markdown")]
    for cell, source in zip(cells, narrow_cells([(cell.cell_type, cell.source) for cell in cells])):
        cell.source = source
    for target, notebook in notebooks.items():
        write_nb(notebook, target)
    shutil.copy(ROOT / "_quarto.yml", PROC)
    home = get_config().doc_host + get_config().doc_baseurl + "/"
    for path in [*PROC.rglob("*.ipynb"), PROC / "_quarto.yml"]:
        text = path.read_text(encoding="utf-8").replace(f"]({home}", "](" + "../" * (len(path.relative_to(PROC).parts) - 1))
        if not quarto:  # smalldocs knows neither `output-file` nor `html-math-method`
            text = re.sub(r"(?<!/nbs/)\b\d\d[a-z]?_(\w+\.ipynb)", r"\1", text)
            text = re.sub(r"output-file: \w+\.html\\n|\n +html-math-method: .*", "", text)
        path.write_text(text, encoding="utf-8")
        if not quarto and path.parent == PROC:
            path.rename(path.with_name(re.sub(r"^\d\d[a-z]?_", "", path.name)))


# pages become the site


def mathml(page: Path) -> None:
    "Replace the TeX of a page by MathML, which browsers draw without a script."
    from latex2mathml.converter import convert

    def formula(m: re.Match) -> str:
        return convert(unescape(m[2]), display="block" if m[1] == "display" else "inline")

    text = page.read_text(encoding="utf-8")
    text = re.sub(r'<span class="math (inline|display)">\\[(\[](.*?)\\[)\]]</span>', formula, text, flags=re.S)
    page.write_text(text, encoding="utf-8")


def is_drawing(png: bytes) -> bool:
    "Whether a picture is a drawing on white, with few colours: such a one can be inverted on a dark page, a photograph cannot."
    picture = Image.open(io.BytesIO(png)).convert("RGBA")
    colours = ImageOps.posterize(picture.convert("RGB"), 5).getcolors(350)
    if colours is None or picture.getextrema()[3][0] < 255:
        return False
    share, colour = max(colours)
    return colour == (248, 248, 248) and share > 0.55 * picture.width * picture.height


def pictures(page: Path) -> None:
    "Mark drawings for the dark theme; a moving picture stands still for those who ask for it, where its `_still.png` lies beside it."

    def drawing(m: re.Match) -> str:  # smalldocs keeps pictures inside the page, quarto beside it
        inside, beside = m[1].removeprefix("data:image/png;base64,"), page.parent / unquote(m[1])
        png = base64.b64decode(inside) if inside != m[1] else beside.read_bytes() if beside.exists() else None
        return m[0].replace("<img ", '<img data-drawing="" ', 1) if png and is_drawing(png) else m[0]

    def moving(m: re.Match) -> str:
        still = str(Path(m[1]).with_suffix("")) + "_still.png"
        if not (page.parent / still).exists():
            return m[0]
        return f'<picture><source srcset="{still}" media="(prefers-reduced-motion: reduce)">{m[0]}</picture>'

    text = page.read_text(encoding="utf-8")
    text = re.sub(r'<img [^>]*src="(data:image/png;base64,[^"]+|[^":]+\.png)"[^>]*>', drawing, text)
    text = re.sub(r'<img [^>]*src="([^":]+\.(?:webp|gif))"[^>]*>', moving, text)
    page.write_text(text, encoding="utf-8")


IMPORT = re.compile(r"""@import\s*(?:url\(\s*)?(?:"\s*https?://[^"]*"|'\s*https?://[^']*'|https?://[^)]*)\s*\)?[^;{}]*;?""")
LOADED = re.compile(r"""<script\b[^>]*\bsrc=["']https?://[^>]*>\s*</script>|<link\b(?=[^>]*\brel=["']?stylesheet)[^>]*\bhref=["']https?://[^>]*>""")


def from_nowhere_else(site: Path) -> None:
    "Take out the fonts, scripts and style sheets that pages or their themes would load from other addresses: nothing here needs them."
    for sheet in site.rglob("*.css"):
        sheet.write_text(IMPORT.sub("", sheet.read_text(encoding="utf-8")), encoding="utf-8")
    for page in site.rglob("*.html"):
        page.write_text(LOADED.sub("", page.read_text(encoding="utf-8")), encoding="utf-8")


class Links(HTMLParser):
    "The targets and the ids of one page."

    def __init__(self, page: Path):
        super().__init__()
        self.urls, self.ids = [], {""}
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list) -> None:
        attrs = dict(attrs)
        self.ids |= {attrs[k] for k in ("id", "name") if attrs.get(k)}
        self.urls += [attrs[k] for k in ("href", "src", "srcset") if attrs.get(k)]


def unlink(site: Path) -> None:
    "nbdev links every name of the library: unlink those that have no place on their page (private ones)."
    ids = {p.resolve(): Links(p).ids for p in site.rglob("*.html")}
    for page in ids:

        def keep(m: re.Match) -> str:
            return m[0] if m[2] in ids.get((page.parent / m[1]).resolve() if m[1] else page, {m[2]}) else m[3]

        text = page.read_text(encoding="utf-8")
        page.write_text(re.sub(r'<a href="([^"#:]*)#([^"]+)"[^>]*>(<code[^>]*>[^<]*</code>)</a>', keep, text), encoding="utf-8")


def broken_links(site: Path) -> list[str]:
    "Links of the site that lead nowhere inside it: a missing file, or a missing heading."
    pages = {p.resolve(): Links(p) for p in site.rglob("*.html")}
    broken = []
    for page, links in pages.items():
        for url in links.urls:
            parts = urlsplit(url)
            if parts.scheme or parts.netloc:
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            target = target / "index.html" if target.is_dir() else target
            found = target.exists() and (target not in pages or unquote(parts.fragment) in pages[target].ids)
            if not found:
                broken.append(f"{page.relative_to(site.resolve())} -> {url}")
    return sorted(set(broken))


def main() -> None:
    "Stage, render, check."
    os.chdir(ROOT)
    quarto = shutil.which("quarto") is not None
    stage(quarto)
    render = ["quarto", "render"] if quarto else [Path(sys.executable).with_name("smalldocs"), "render", "--quiet"]
    subprocess.run(render, cwd=PROC, check=True)
    shutil.rmtree(SITE, ignore_errors=True)
    shutil.move(PROC / "_docs", SITE)
    shutil.copytree(PROC / "images", SITE / "images", dirs_exist_ok=True)
    (SITE / "search.js").write_text("window.searchIndex = " + (SITE / "search.json").read_text(encoding="utf-8"), encoding="utf-8")
    pages = list(SITE.rglob("*.html"))
    for page in pages:
        if not quarto:
            mathml(page)
        pictures(page)
    from_nowhere_else(SITE)
    unlink(SITE)
    (SITE / ".nojekyll").touch()
    broken = broken_links(SITE)
    print(f"{len(pages)} pages in {SITE.name}, {len(broken)} broken links")
    sys.exit("\n".join(broken) if broken else 0)


if __name__ == "__main__":
    main()
