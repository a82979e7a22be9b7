"What several files of tests need: the built site, and a browser."

import hashlib
import importlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = ["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    "Files with the most slow tests come first, so that of two processes none is left alone with a long file at the end."
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[item.path])


@pytest.fixture(scope="module")
def own_module(tmp_path_factory) -> Iterator[Callable[[str, str], object]]:
    "Write a module of a reader's own, by a name and its source, and import it; gone after the tests of the file."
    folder, made = tmp_path_factory.mktemp("own"), []
    sys.path.insert(0, str(folder))

    def make(name: str, source: str) -> object:
        (folder / f"{name}.py").write_text(source)
        importlib.invalidate_caches()
        made.append(name)
        return importlib.import_module(name)

    yield make
    sys.path.remove(str(folder))
    for name in made:
        del sys.modules[name]


@pytest.fixture(scope="session")
def site() -> Path:
    "The folder of the site, built anew if what it is made from has changed since; by one process, where several run tests."
    pytest.importorskip("smalldocs")
    from filelock import FileLock

    if not (ROOT / "tools/docs.py").exists():
        pytest.skip("an installed package carries no site")
    sources = [p for p in (ROOT / "nbs").rglob("*") if p.is_file() and ".ipynb_checkpoints" not in p.parts]
    changed = max(p.stat().st_mtime for p in [*sources, *(ROOT / "tools").glob("*.py"), ROOT / "_quarto.yml"])
    built = ROOT / "_docs/.nojekyll"
    name = hashlib.sha256(str(ROOT).encode()).hexdigest()[:16]
    with FileLock(Path(tempfile.gettempdir()) / f"videopure-site-{name}.lock"):
        if not built.exists() or built.stat().st_mtime < changed:
            done = subprocess.run([sys.executable, ROOT / "tools/docs.py"], capture_output=True, text=True)
            assert built.exists() and built.stat().st_mtime >= changed, done.stdout + done.stderr
    return built.parent


@pytest.fixture(scope="session")
def serve():
    "A function that serves a folder and returns its address."
    servers = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    def start(folder: Path) -> str:
        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=folder)))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}/"

    yield start
    for server in servers:
        server.shutdown()


def find_browser(own: str) -> str | None:
    "A Chromium: the one that CHROMIUM names, one on the path, or playwright's own."
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    return found or (own if Path(own).exists() else None)


@pytest.fixture(scope="module")  # while it runs, nothing else can use asyncio in this thread
def chromium():
    "A running Chromium. Without one tests are skipped, but in CI they fail."
    in_ci = os.environ.get("CI", "") not in ("", "0", "false")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        (pytest.fail if in_ci else pytest.skip)("playwright is missing: pip install playwright")
    with sync_playwright() as playwright:
        path = find_browser(playwright.chromium.executable_path)
        if path is None:
            (pytest.fail if in_ci else pytest.skip)(f"no browser: expected {', '.join(BROWSERS)} on the path, or its path in CHROMIUM")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu", *QUIET])
        yield browser
        browser.close()
