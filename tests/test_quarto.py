"""What can be checked of the site that quarto would render, without quarto: its configuration, and its pages as pandoc reads them.

The tables hold the keys that Quarto's schema documents, as far as this project uses them; a key that is not here is refused.
"""

import importlib.util
import json
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent

if not (ROOT / "_quarto.yml").exists():
    pytest.skip("an installed package carries no site", allow_module_level=True)

pypandoc = pytest.importorskip("pypandoc")


# --- the configuration --------------------------------------------------------------------------------------------------------

TEXT, YES_OR_NO = str, bool
THEMES = set(
    "default cerulean cosmo cyborg darkly flatly journal litera lumen lux materia minty morph pulse quartz sandstone simplex sketchy slate"
    " solar spacelab superhero united vapor yeti zephyr".split()
)
COLOURS = {"primary", "secondary", "success", "danger", "warning", "info", "light", "dark"}
ITEM = {"href": TEXT, "text": TEXT, "icon": TEXT, "aria-label": TEXT, "rel": TEXT, "target": TEXT}
SECTION = {"section": TEXT, "contents": [TEXT]}
CONFIGURATION = {  # a type, a set of values, a table, or a list of one of these
    "project": {"type": {"website"}, "output-dir": TEXT, "render": [TEXT], "resources": [TEXT]},
    "website": {
        "title": TEXT,
        "description": TEXT,
        "site-url": TEXT,
        "repo-url": TEXT,
        "repo-branch": TEXT,
        "repo-subdir": TEXT,
        "issue-url": TEXT,
        "repo-actions": [{"none", "edit", "source", "issue"}],
        "favicon": TEXT,
        "image": TEXT,
        "page-navigation": YES_OR_NO,
        "back-to-top-navigation": YES_OR_NO,
        "bread-crumbs": YES_OR_NO,
        "search": YES_OR_NO,
        "navbar": {"background": COLOURS, "left": [ITEM], "right": [ITEM], "pinned": YES_OR_NO, "search": YES_OR_NO},
        "page-footer": {"left": TEXT, "center": TEXT, "right": [ITEM], "border": YES_OR_NO},
        "sidebar": {"style": {"floating", "docked"}, "contents": [SECTION], "collapse-level": int, "search": YES_OR_NO},
    },
    "format": {
        "html": {
            "theme": {"light": THEMES, "dark": THEMES},
            "css": TEXT,
            "toc": YES_OR_NO,
            "toc-depth": int,
            "code-copy": {True, False, "hover"},
            "code-fold": {True, False, "show"},
            "html-math-method": {"plain", "webtex", "gladtex", "mathml", "mathjax", "katex"},
            "include-after-body": {"text": TEXT, "file": TEXT},
            "include-in-header": {"text": TEXT, "file": TEXT},
        }
    },
}
FRONT = {"title": TEXT, "description": TEXT, "output-file": TEXT, "toc": YES_OR_NO, "image": TEXT, "order": int}
CELL = {
    "code-fold": {True, False, "show"},
    "code-summary": TEXT,
    "fig-alt": TEXT,
    "fig-cap": TEXT,
    "label": TEXT,
    "echo": {True, False, "fenced"},
    "output": {True, False, "asis"},
    "eval": YES_OR_NO,
    "warning": YES_OR_NO,
    "include": YES_OR_NO,
}


def refused(found: object, allowed: object, at: str = "") -> list[str]:
    "Where a configuration leaves what is allowed."
    if isinstance(allowed, dict):
        if not isinstance(found, dict):
            return [f"{at}: no table"]
        unknown = [f"{at}/{key}: no such key" for key in found if key not in allowed]
        return unknown + [wrong for key in found.keys() & allowed for wrong in refused(found[key], allowed[key], f"{at}/{key}")]
    if isinstance(allowed, list):
        return [wrong for part in found for wrong in refused(part, allowed[0], at)] if isinstance(found, list) else [f"{at}: no list"]
    good = found in allowed if isinstance(allowed, set) else type(found) is allowed
    return [] if good else [f"{at}: {found!r}"]


def configuration() -> dict:
    return yaml.safe_load((ROOT / "_quarto.yml").read_text(encoding="utf-8"))


def test_every_key_and_value_is_documented():
    assert not refused(configuration(), CONFIGURATION)


@pytest.mark.parametrize(
    "change, said",
    [
        (lambda c: c["website"].update(fonts="mine"), "/website/fonts: no such key"),
        (lambda c: c["website"]["sidebar"].update(style="fixed"), "/website/sidebar/style: 'fixed'"),
        (lambda c: c["website"]["navbar"]["left"].append({"url": "x"}), "/website/navbar/left/url: no such key"),
        (lambda c: c["format"]["html"].update(toc="yes"), "/format/html/toc: 'yes'"),
        (lambda c: c["website"].update({"repo-actions": "issue"}), "/website/repo-actions: no list"),
    ],
)
def test_what_is_not_documented_is_refused(change, said):
    change(config := configuration())
    assert refused(config, CONFIGURATION) == [said]


def test_navigation_names_files_as_quarto_looks_them_up():
    "An input by its whole name, so that a place on a page is named by the page that is made, not by the notebook."
    website = configuration()["website"]
    items = [*website["navbar"]["left"], *website["navbar"]["right"], *website["page-footer"]["right"]]
    inside = [item["href"] for item in items if "://" not in item["href"]]
    inside += [page for section in website["sidebar"]["contents"] for page in section["contents"]]
    assert not [href for href in inside if "#" in href and not href.partition("#")[0].endswith(".html")]
    assert not [href for href in inside if "#" not in href and not (ROOT / "nbs" / href).exists()]
    assert all((ROOT / "nbs" / path).exists() for path in (website["favicon"], configuration()["format"]["html"]["css"]))


# --- the pages ------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> dict[str, dict]:
    "The notebooks that tools/docs.py hands to quarto, by path; they are made here, once."
    pytest.importorskip("nbdev")
    spec = importlib.util.spec_from_file_location("docs", ROOT / "tools/docs.py")
    docs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(docs)
    docs.PROC = tmp_path_factory.mktemp("pages") / "_proc"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        docs.stage(quarto=True)
    found = {path.relative_to(docs.PROC).as_posix(): json.loads(path.read_text(encoding="utf-8")) for path in docs.PROC.rglob("*.ipynb")}
    assert len(found) == len([p for p in (ROOT / "nbs").rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts])
    assert yaml.safe_load((docs.PROC / "_quarto.yml").read_text(encoding="utf-8")) == configuration()
    return found


def sources(page: dict, kind: str) -> list[str]:
    return ["".join(cell["source"]) for cell in page["cells"] if cell["cell_type"] == kind]


def prose(page: dict) -> list[str]:
    "All that is markdown on a page: its cells, and the outputs that are tables."
    outputs = [out["data"] for cell in page["cells"] for out in cell.get("outputs", []) if "data" in out]
    return sources(page, "markdown") + ["".join(data["text/markdown"]) for data in outputs if "text/markdown" in data]


def options(source: str) -> dict:
    "The options of a code cell, as quarto reads them: the lines `#| ` at its top."
    lines = re.match(r"(?:#\|.*(?:\n|$))*", source)[0].splitlines()
    return yaml.safe_load("\n".join(line.removeprefix("#|").removeprefix(" ") for line in lines)) or {}


def front(page: dict) -> dict:
    return yaml.safe_load(next(source for source in sources(page, "raw") if source.startswith("---")).strip().strip("-"))


def pandoc(text: str, reader: str = "markdown", *arguments: str) -> list[dict]:
    "All nodes of pandoc's reading of a text, which has to go without warnings."
    command = [pypandoc.get_pandoc_path(), "-f", reader, "-t", "json", "--fail-if-warnings", *arguments]
    done = subprocess.run(command, input=text, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr

    def walk(node: object) -> Iterator[dict]:
        if isinstance(node, dict):
            yield node
        for part in node.values() if isinstance(node, dict) else node if isinstance(node, list) else []:
            yield from walk(part)

    return [node for node in walk(json.loads(done.stdout)["blocks"]) if "t" in node]


@pytest.mark.slow
def test_front_matter_and_cell_options(pages):
    "Every key is one of Quarto's, no option stands where quarto would not look, and two pages never become one file."
    wrong = [f"{path}{what}" for path, page in pages.items() for what in refused(front(page), FRONT)]
    for path, page in pages.items():
        for source in sources(page, "code"):
            wrong += [f"{path}{what}" for what in refused(options(source), CELL)]
            wrong += [f"{path}: an option below the code: {source[:60]}"] if source.count("\n#|") >= max(1, len(options(source))) else []
    assert not wrong
    made = [str(Path(path).with_name(front(page)["output-file"])) for path, page in pages.items()]
    assert len(set(made)) == len(made)


@pytest.mark.slow
def test_pictures_keep_their_alternative_texts(pages):
    "As many pictures with the same texts as the notebooks show, among the outputs and in the prose, and pandoc finds them all."
    shown = 0
    for path, page in pages.items():
        notebook = json.loads((ROOT / "nbs" / path).read_text(encoding="utf-8"))
        visible = "\n".join(source for source in sources(notebook, "code") if not source.startswith("#| hide\n"))
        texts = [text.strip('"') for text in re.findall(r"^#\| *fig-alt: *(.+)$", visible, flags=re.M)]
        assert [options(source)["fig-alt"] for source in sources(page, "code") if "fig-alt" in options(source)] == texts, path
        kinds = [kind for cell in page["cells"] for out in cell.get("outputs", []) for kind in out.get("data", {})]
        drawn = sum(kind.startswith("image/") for kind in kinds)
        pattern = r"!\[([^\]]+)\]\(([^)\s]+)\)"
        written = [found for source in sources(page, "markdown") for found in re.findall(pattern, source)]
        nodes = [node["c"] for text in sources(page, "markdown") for node in (pandoc(text) if "![" in text else []) if node["t"] == "Image"]
        plain = lambda parts: "".join(part.get("c", " ") if part["t"] in ("Str", "Space") else "?" for part in parts)
        assert [(re.sub(r"\s+", " ", alt), url) for alt, url in written] == [(plain(alt), url) for _, alt, (url, _) in nodes], path
        assert all(alt for _, alt, _ in nodes) and all((ROOT / "nbs" / Path(path).parent / url).exists() for _, _, (url, _) in nodes), path
        numbered = json.dumps(page).replace('"execution_count": null', '"execution_count": 1')  # pandoc, unlike quarto, wants a number
        found = [node for node in pandoc(numbered, "ipynb", "--ipynb-output=all") if node["t"] == "Image"]
        assert len(found) == drawn + len(nodes), path
        shown += len(found)
    assert shown > 50


class Tags(HTMLParser):
    "The tags that a piece of HTML opens."

    def __init__(self, text: str):
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.found.append(tag)


def as_pandoc_reads(text: str) -> Counter:
    "How many of each construct there are, by pandoc."
    nodes = pandoc(text)
    counts = Counter(node["t"] for node in nodes)
    counts.update(f"<{tag}>" for n in nodes if n["t"] in ("RawInline", "RawBlock") for tag in Tags(n["c"][1]).found)
    counts["<span>"] += counts["Span"]
    counts["callout"] = sum(any(name.startswith("callout-") for name in n["c"][0][1]) for n in nodes if n["t"] == "Div")
    return counts


MARKDOWN_IT = {
    "Header": {"heading_open"},
    "Math": {"math_inline", "math_inline_double", "math_block", "math_block_label"},
    "Image": {"image"},
    "Table": {"table_open"},
    "Link": {"link_open"},
    "Code": {"code_inline"},
    "CodeBlock": {"fence", "code_block"},
    "BulletList": {"bullet_list_open"},
    "OrderedList": {"ordered_list_open"},
    "DefinitionList": {"dl_open"},
    "BlockQuote": {"blockquote_open"},
    "Note": {"footnote_ref"},
    "Emph": {"em_open"},
    "Strong": {"strong_open"},
    "Strikeout": {"s_open"},
    "Subscript": {"sub_open"},
    "Superscript": {"sup_open"},
}


def as_smalldocs_reads(text: str) -> Counter:
    "The same, by the parser of smalldocs."
    markdown = pytest.importorskip("smalldocs.markdown")

    def flat(tokens: list) -> Iterator:
        for token in tokens:
            yield token
            yield from flat(token.children or [])

    tokens = list(flat(markdown.make_parser().parse(text)))
    kinds = Counter(token.type for token in tokens)
    counts = Counter({name: sum(kinds[kind] for kind in MARKDOWN_IT[name]) for name in MARKDOWN_IT})
    counts.update(f"<{tag}>" for token in tokens if token.type in ("html_inline", "html_block") for tag in Tags(token.content).found)
    counts["<span>"] += kinds["span_open"]
    del counts["<section>"]  # which it puts around the text below a heading
    return counts


def differences(text: str) -> list[str]:
    "Constructs that the two read differently; shortcodes, which are not ours, and callouts that Quarto does not know."
    theirs, ours = as_pandoc_reads(text), as_smalldocs_reads(text)
    names = {*MARKDOWN_IT, *(name for name in theirs | ours if name.startswith("<"))}
    found = [f"{name}: {theirs[name]} for pandoc, {ours[name]} for smalldocs" for name in sorted(names) if theirs[name] != ours[name]]
    code = re.sub(r"^```.*?^```|`[^`\n]*`", "", text, flags=re.S | re.M)
    callouts = re.findall(r"^:{3,}.*?\.callout-(\w+)", code, flags=re.M)
    found += [] if len(callouts) == theirs["callout"] else [f"{len(callouts)} callouts, {theirs['callout']} for pandoc"]
    found += [f"callout-{name}" for name in callouts if name not in ("note", "tip", "warning", "important", "caution")]
    return found + ["a shortcode"] * ("{{<" in code)


@pytest.mark.slow
def test_pandoc_and_smalldocs_read_the_same(pages):
    "Headings, formulas, pictures, tables, links, code, lists, raw HTML: the same number of each, by the parsers of both renderers."
    wrong = []
    for path, page in pages.items():
        if differences("\n\n".join(prose(page))):
            each = [f"{path}: {what}: {text[:100]!r}" for text in prose(page) for what in differences(text)]
            wrong += each or [f"{path}: {what}" for what in differences("\n\n".join(prose(page)))]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "text, name",
    [
        ("a line\n- an item right below it", "BulletList"),
        ("a line\n# a heading right below it", "Header"),
        ("a sum of $ 5 and $ 6, and {{< video x >}}", "a shortcode"),
        ("::: {.callout-hint}\nx\n:::", "callout-hint"),
    ],
)
def test_what_only_one_of_them_reads_is_noticed(text, name):
    assert any(what.startswith(name) for what in differences(text)), differences(text)


@pytest.mark.slow
def test_links_lead_to_headings_that_pandoc_names(pages):
    "A link to a place on a page finds it under the name that pandoc gives to headings."
    ids, links, made = {}, [], {str(Path(path).with_name(front(page)["output-file"])): path for path, page in pages.items()}
    for path, page in pages.items():
        nodes = pandoc("\n\n".join(sources(page, "markdown")))
        attributes = [n["c"][1] if n["t"] == "Header" else n["c"][0] for n in nodes if n["t"] in ("Header", "Span", "Div", "Code", "Link")]
        ids[path] = {attribute[0] for attribute in attributes}
        links += [(path, n["c"][1], n["c"][2][0]) for n in nodes if n["t"] == "Link"]
    broken = []
    for path, label, url in links:
        parts = urlsplit(url)
        if parts.scheme or parts.netloc:
            continue
        target = (ROOT / "nbs" / path).parent.joinpath(unquote(parts.path)).resolve() if parts.path else ROOT / "nbs" / path
        target = target.relative_to(ROOT / "nbs").as_posix()
        target = made.get(target, target)
        is_name = [part["t"] for part in label] == ["Code"]  # nbdev links every name; docs.py unlinks those without a place
        if target not in pages and not (ROOT / "nbs" / target).exists():
            broken.append(f"{path} -> {url}: no such page")
        elif target in pages and parts.fragment and unquote(parts.fragment) not in ids[target] and not is_name:
            broken.append(f"{path} -> {url}: no such heading")
    assert len(links) > 500 and not broken
