"""Build the site into _docs.

nbdev processes the notebooks into _proc, where the _quarto.yml of the root joins them; quarto renders them, or smalldocs where
quarto is missing. smalldocs takes formulas' script and fonts from the network: here formulas become MathML, and fonts are the
browser's own, so that the site needs nothing else. Last, every link inside the site is checked.
"""

import os
import re
import shutil
import subprocess
import sys
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parent.parent
PROC, SITE = ROOT / "_proc", ROOT / "_docs"


def stage(quarto: bool) -> None:
    "Process the notebooks; links to our own site become relative, and pages get the names that quarto would give them."
    from nbdev.config import get_config
    from nbdev.serve import proc_nbs

    shutil.rmtree(PROC, ignore_errors=True)
    proc_nbs(n_workers=0)
    shutil.copy(ROOT / "_quarto.yml", PROC)
    home = get_config().doc_host + get_config().doc_baseurl + "/"
    for path in [*PROC.rglob("*.ipynb"), PROC / "_quarto.yml"]:
        text = path.read_text(encoding="utf-8").replace(f"]({home}", "](" + "../" * (len(path.relative_to(PROC).parts) - 1))
        if not quarto:  # smalldocs knows neither `output-file` nor `html-math-method`
            text = re.sub(r"\b\d\d[a-z]?_(\w+\.ipynb)", r"\1", text)
            text = re.sub(r"output-file: \w+\.html\\n|\n +html-math-method: .*", "", text)
        path.write_text(text, encoding="utf-8")
        if not quarto and path.parent == PROC:
            path.rename(path.with_name(re.sub(r"^\d\d[a-z]?_", "", path.name)))


def mathml(page: Path) -> None:
    "Replace the TeX of a page by MathML, which browsers draw without a script."
    from latex2mathml.converter import convert

    def formula(m: re.Match) -> str:
        return convert(unescape(m[2]), display="block" if m[1] == "display" else "inline")

    text = page.read_text(encoding="utf-8")
    text = re.sub(r'<span class="math (inline|display)">\\[(\[](.*?)\\[)\]]</span>', formula, text, flags=re.S)
    text = re.sub(r'<link [^>]*katex[^>]*>|<script [^>]*katex[^>]*>\s*</script>', "", text)
    page.write_text(text, encoding="utf-8")


class Links(HTMLParser):
    "The targets and the ids of one page."

    def __init__(self, page: Path):
        super().__init__()
        self.urls, self.ids = [], {""}
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list) -> None:
        attrs = dict(attrs)
        self.ids |= {attrs[k] for k in ("id", "name") if attrs.get(k)}
        self.urls += [attrs[k] for k in ("href", "src") if attrs.get(k)]


def unlink(site: Path) -> None:
    "nbdev links every name of the library: unlink those without a heading of their own (private ones, methods in a class's body)."
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
    (SITE / ".nojekyll").touch()
    pages = list(SITE.rglob("*.html"))
    if not quarto:
        for page in pages:
            mathml(page)
        for sheet in SITE.glob("site_libs/themes/*.css"):
            sheet.write_text(re.sub(r"@import url\(https?:[^)]*\);?", "", sheet.read_text(encoding="utf-8")), encoding="utf-8")
    unlink(SITE)
    broken = broken_links(SITE)
    print(f"{len(pages)} pages in {SITE.name}, {len(broken)} broken links")
    sys.exit("\n".join(broken) if broken else 0)


if __name__ == "__main__":  # nbdev starts processes that import this file
    main()
