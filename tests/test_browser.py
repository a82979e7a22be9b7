"The site in a real browser: every page, wide and on a phone, without network."

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

NBS = Path(__file__).resolve().parent.parent / "nbs"
NOTEBOOKS = sorted(p.relative_to(NBS) for p in NBS.rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)
PAGES = [p.with_name(re.sub(r"^\d\d[a-z]?_", "", p.stem) + ".html").as_posix() for p in NOTEBOOKS]
DRAWN = """host => {
  const all = [...host.shadowRoot.querySelectorAll("canvas")];
  const pixels = canvas => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  return all.length > 0 && all.every(canvas => pixels(canvas).some((value, i) => i % 4 < 3 && value)) }"""


@pytest.fixture(scope="module")
def home(site, serve) -> str:
    return serve(site)


@pytest.fixture
def visit(chromium, home):
    "Open a page of the site in a window of its own; what goes wrong is collected in `page.wrong`."
    contexts = []

    def open_page(name: str, width: int = 1280, **options):
        contexts.append(chromium.new_context(viewport={"width": width, "height": 850}, **options))
        page = contexts[-1].new_page()
        page.wrong = []
        page.on("console", lambda message: page.wrong.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: page.wrong.append(str(error)))
        page.on("requestfailed", lambda request: page.wrong.append(f"failed: {request.url[:200]}"))
        inside = (home, "data:", "blob:", "about:")
        page.on("request", lambda request: None if request.url.startswith(inside) else page.wrong.append(f"outside: {request.url[:200]}"))
        page.goto(home + name, wait_until="load")
        return page

    yield open_page
    for context in contexts:
        context.close()


def faults(page) -> list[str]:
    "What is wrong with an open page: errors, requests to outside, a picture or player that is not there, and being wider than a phone."
    found = []
    for host in page.query_selector_all("[data-videopure]"):
        page.wait_for_function("host => host.dataset.playing !== undefined", arg=host)
        found += [] if host.evaluate(DRAWN) else ["a player shows nothing"]
    broken = page.evaluate("[...document.images].filter(i => !(i.complete && i.naturalWidth)).map(i => i.alt || i.src.slice(0, 80))")
    page.set_viewport_size({"width": 390, "height": 844})
    width = page.evaluate("document.documentElement.scrollWidth")
    return found + [f"no picture: {what}" for what in broken] + page.wrong + ([f"{width} wide on a phone"] if width > 390 else [])


def test_every_page(visit):
    found = []
    for name in PAGES:
        page = visit(name)
        found += [f"{name}: {fault}" for fault in faults(page)]
        page.context.close()
    assert PAGES and not found, "\n".join(found)


def test_faults_are_noticed(tmp_path, chromium, serve):
    "On a page made for the purpose: a lost picture, an error of a script, and a wide box."
    (tmp_path / "a.html").write_text('<img alt="lost" src="b.png"><div style="width: 900px">x</div><script>throw Error("oh")</script>')
    page = chromium.new_page()
    page.wrong = []
    page.on("pageerror", lambda error: page.wrong.append(str(error)))
    page.goto(serve(tmp_path) + "a.html", wait_until="load")
    found = faults(page)
    page.close()
    assert len(found) == 3 and "lost" in found[0] and "oh" in found[1] and "wide" in found[2]


def test_search(visit):
    "Typing a word lists the page it belongs to, and the first hit leads there."
    page = visit("index.html")
    page.keyboard.press("/")
    page.keyboard.type("voting")
    page.wait_for_selector(".search-result")
    assert "voting.html" in " ".join(a.get_attribute("href") for a in page.query_selector_all(".search-result"))
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.query_selector("main.content") and not page.wrong


def test_search_from_a_file(site, visit):
    "Opened without a server the search works too."
    page = visit("index.html")
    page.goto((site / "tutorials/break_the_defense.html").as_uri())
    page.fill(".smalldocs-search input", "wilson interval")
    page.wait_for_selector(".search-result")


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_landing_page_moves_unless_asked_not_to(motion, visit):
    page = visit("index.html", reduced_motion=motion)
    source = page.evaluate("document.querySelector('main img[src*=rescue]').currentSrc")
    assert source.endswith("rescue.webp" if motion == "no-preference" else "rescue_still.png")
    page.wait_for_function("document.querySelector('[data-videopure]').dataset.playing")
    assert page.get_attribute("[data-videopure]", "data-playing") == ("true" if motion == "no-preference" else "false")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_drawings_follow_the_theme(scheme, visit):
    page = visit("voting.html", color_scheme=scheme)
    look = page.evaluate("getComputedStyle(document.querySelector('main img[data-drawing]')).filter")
    assert ("invert" in look) == (scheme == "dark")


def test_source_folds(visit):
    "Plumbing is closed, and opens from the keyboard."
    page = visit("voting.html")
    source = page.query_selector("details.code-fold:not([open])")
    assert source.query_selector("summary").inner_text().startswith("Source of ")
    source.query_selector("summary").focus()
    page.keyboard.press("Enter")
    assert source.get_attribute("open") is not None


CUT = """() => [...document.querySelectorAll("main pre")].filter(pre => {
  const inside = pre.querySelector("code") ?? pre;
  return pre.scrollWidth > pre.clientWidth + 1 || inside.scrollWidth > pre.clientWidth + 1;
}).map(pre => pre.innerText.slice(0, 80))"""
WIDE = """() => [...document.querySelectorAll("main pre.sourceCode:is(.python, .py, .sh)")].filter(pre => !pre.closest(".cell-output"))
  .flatMap(pre => pre.textContent.split("\\n")).filter(line => line.length > 88)"""
ROOM = """() => {
  const pre = document.querySelector("main pre.sourceCode code"), line = document.createElement("span");
  line.textContent = "x".repeat(88); pre.prepend(line, "\\n");
  const boxes = line.getClientRects().length; line.remove(); return boxes }"""
BROKEN = """() => {
  const found = [];
  for (const code of document.querySelectorAll("main td code")) {
    const walker = document.createTreeWalker(code, NodeFilter.SHOW_TEXT), range = document.createRange();
    for (let node; node = walker.nextNode();) for (const name of node.data.matchAll(/[\\w.]{2,}/g)) {
      range.setStart(node, name.index); range.setEnd(node, name.index + name[0].length);
      if (new Set([...range.getClientRects()].map(box => Math.round(box.top))).size > 1) found.push(name[0]);
    }
  }
  return found }"""
OPEN = "document.querySelectorAll('main details').forEach(part => part.open = true)"


def test_no_code_is_cut_and_no_name_is_broken(visit):
    "On every page, folded sources included: nothing is wider than its box; lines of 88 characters have room; names in tables stay whole."
    page, found, wide, count = visit("index.html"), [], [], 0
    home = page.url.removesuffix("index.html")
    assert page.evaluate(ROOM) == 1
    for name in PAGES:
        page.set_viewport_size({"width": 1280, "height": 850})
        page.goto(home + name, wait_until="domcontentloaded")
        page.evaluate(OPEN)
        count += page.locator("main pre").count()
        found += [f"{name}: cut: {text}" for text in page.evaluate(CUT)] + [f"{name}: broken: {text}" for text in page.evaluate(BROKEN)]
        wide += page.evaluate(WIDE)
        page.set_viewport_size({"width": 390, "height": 844})
        found += [f"{name}: broken on a phone: {text}" for text in page.evaluate(BROKEN)]
    assert count > 3000 and not found, "\n".join(found[:30])
    assert len(wide) < 80, "\n".join(wide)  # scripts and styles inside of strings (test_site.py): they go on below


def test_cut_code_and_broken_names_are_noticed(tmp_path, chromium, serve):
    text = '<main><pre class="sourceCode sh" style="width: 200px; overflow: auto"><code>' + "x" * 99 + "</code></pre>"
    text += '<table style="width: 40px"><td><code style="overflow-wrap: anywhere">classifier</code></table></main>'
    (tmp_path / "a.html").write_text(text)
    page = chromium.new_page()
    page.goto(serve(tmp_path) + "a.html")
    assert len(page.evaluate(CUT)) == 1 and page.evaluate(WIDE) == ["x" * 99] and page.evaluate(BROKEN) == ["classifier"]
    page.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_quickstart_is_found_at_once(width, visit):
    "On the first screen of the front page, in the bar, and as the next page."
    page = visit("index.html", width)
    link = page.locator("main p a[href='tutorials/quickstart.html']").first
    assert link.bounding_box()["y"] + link.bounding_box()["height"] < 844
    assert page.locator(".navbar a[href='tutorials/quickstart.html']").count() == 1
    assert page.locator(".nav-page-next a").get_attribute("href") == "tutorials/quickstart.html"
    with page.expect_navigation():
        link.click()
    assert page.locator("h1").inner_text() == "Quickstart"
