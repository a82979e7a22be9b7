"What is built for PyPI, and the files that install it elsewhere."

import importlib.util
import re
import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest
import yaml

import videopure

ROOT = Path(__file__).resolve().parent.parent
if not (ROOT / "settings.ini").exists():
    pytest.skip("an installed package carries no sources", allow_module_level=True)

SETTINGS = ConfigParser(delimiters=["="])
SETTINGS.read(ROOT / "settings.ini", encoding="utf-8")
read = lambda name: (ROOT / name).read_text(encoding="utf-8")


def test_the_version_is_the_same_everywhere():
    version = SETTINGS["DEFAULT"]["version"]
    assert videopure.__version__ == version == yaml.safe_load(read("CITATION.cff"))["version"]
    headings = re.findall(r"^## (.+)$", read("CHANGELOG.md"), re.M)
    assert headings[0] == "Unreleased" and version in headings[:2]


@pytest.fixture(scope="module")
def metadata(tmp_path_factory):
    build = pytest.importorskip("build.util", reason="a part of the extra `dev`")
    source = tmp_path_factory.mktemp("source")
    for name in ("setup.py", "settings.ini", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "videopure", source / "videopure", ignore=shutil.ignore_patterns("assets", "__pycache__"))
    return build.project_wheel_metadata(source, isolated=False)


@pytest.mark.slow
def test_the_description_on_pypi_has_no_relative_link(metadata):
    text = metadata.get_payload()
    links = re.findall(r"\]\(\s*<?([^)\s>]+)", text) + re.findall(r'(?:href|src)="([^"]+)"', text)
    assert len(links) > 60 and len(text) > 0.9 * len(read("README.md"))
    assert not [link for link in links if not link.startswith("https://")]


@pytest.mark.slow
def test_what_pypi_is_told(metadata):
    told = set(metadata.get_all("Classifier"))
    tested = yaml.safe_load(read(".github/workflows/test.yml"))["jobs"]["test"]["strategy"]["matrix"]["python"]
    versions = {word.split(" :: ")[-1] for word in told if re.search(r"Python :: 3\.\d", word)}
    assert versions == set(tested) and metadata["Requires-Python"] == f">={min(tested, key=lambda v: int(v[2:]))}"
    assert "Typing :: Typed" in told and metadata["License-Expression"] == "Apache-2.0"
    assert set(metadata.get_all("Provides-Extra")) == {"text", "widgets", "all", "dev"}


def test_what_is_tested_together_is_what_is_installed():
    "Every requirement has its line in constraints.txt, which `make`, the containers and Binder name."
    wanted = [line for key, value in SETTINGS["DEFAULT"].items() if key.endswith("requirements") for line in value.split()]
    names = lambda lines: {re.match(r"[\w-]+", line)[0].lower() for line in lines}
    pinned = [line for line in read("constraints.txt").splitlines() if not line.startswith("#")]
    assert all("==" in line for line in pinned) and not names(wanted) - names(pinned)
    for name in ("Makefile", "Dockerfile", ".binder/requirements.txt"):
        assert "constraints.txt" in read(name), name
    assert "make env" in read(".devcontainer/devcontainer.json")


def test_the_container_gets_what_the_installation_reads():
    "No more: no environment, no history, no runs."
    kept = {line[1:] for line in read(".dockerignore").splitlines() if line.startswith("!")}
    assert "*" in read(".dockerignore").splitlines() and all((ROOT / name).exists() for name in kept)
    assert kept >= {"videopure", "setup.py", "settings.ini", "pyproject.toml", "README.md", "LICENSE", "constraints.txt"}


VERSIONS = ROOT / "tools" / "versions.py"
MAKEFILE = "docs:\n\tmkdir -p _docs && echo {} > _docs/index.html\n"


@pytest.mark.slow
def test_sites_of_earlier_releases(tmp_path, monkeypatch, capfd):
    "The newest tag of each minor version is built beside the present site; one that cannot be built is left out."
    spec = importlib.util.spec_from_file_location("versions", VERSIONS)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    monkeypatch.setattr(tool, "ROOT", tmp_path)
    git = lambda *words: subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x@x", *words], cwd=tmp_path, check=True)
    git("init", "-q", ".")
    for tag in ("v0.1.0", "v0.1.2", "v0.1.10", "v0.10.0", "v0.9.0", "other", "v1.0.0rc1"):
        (tmp_path / "Makefile").write_text("docs:\n\tfalse\n" if tag == "v0.9.0" else MAKEFILE.format(tag))
        git("add", "-A")
        git("commit", "-qm", tag)
        git("tag", tag)
    (tmp_path / "_docs").mkdir()
    tool.main()
    built = {path.parent.name: path.read_text().strip() for path in tmp_path.glob("_docs/*/index.html")}
    assert built == {"v0.1": "v0.1.10", "v0.10": "v0.10.0"}
    listed = re.findall('href="(.+?)"', (tmp_path / "_docs/versions.html").read_text())
    assert listed == ["index.html", "v0.10/index.html", "v0.1/index.html"]
    assert "::warning::the site of v0.9.0" in capfd.readouterr().out
    assert subprocess.check_output(["git", "worktree", "list"], cwd=tmp_path, text=True).count("\n") == 1, "a worktree is left"
