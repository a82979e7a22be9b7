"""Build the sites of earlier releases beside the present one: `python tools/versions.py`, after `make docs`.

Of each minor version the newest tag counts: v0.2.1 is built in a worktree, by its own `make docs`, and lies in _docs/v0.2. A release that
can no longer be built is left out with a warning. versions.html lists what is there; the foot of every page leads to it.
"""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>Versions of videopure</title>
<body style="font: 1.1em/1.6 sans-serif; max-width: 40em; margin: 3em auto; padding: 0 1em">
<h1>Versions</h1>
<ul>
{}
</ul>
"""


def git(*words: str | Path) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True, text=True).stdout


def newest(tags: list[str]) -> dict[str, str]:
    "The newest tag of each minor version, the newest version first: {'v0.2': 'v0.2.1'}. Other tags are no releases."
    found = sorted((tuple(map(int, m.groups())), tag) for tag in tags if (m := re.fullmatch(r"v(\d+)\.(\d+)\.(\d+)", tag)))
    return dict(reversed({f"v{major}.{minor}": tag for (major, minor, _), tag in found}.items()))


def build(tag: str, target: Path) -> bool:
    "Build the site of a tag; whether that worked."
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "release"
        git("worktree", "add", "--detach", place, tag)
        try:
            made = subprocess.run(["make", "docs"], cwd=place).returncode == 0 and (place / "_docs" / "index.html").exists()
            if made:
                shutil.move(place / "_docs", target)
        finally:
            git("worktree", "remove", "--force", place)
    return made


def main() -> None:
    "Build what is missing, and the list."
    site, lines = ROOT / "_docs", ['<li><a href="index.html">latest</a>: as it is developed</li>']
    for version, tag in newest(git("tag").split()).items():
        if (site / version).exists() or build(tag, site / version):
            lines.append(f'<li><a href="{version}/index.html">{version}</a>: release {tag}</li>')
        else:
            print(f"::warning::the site of {tag} cannot be built any more")
    (site / "versions.html").write_text(PAGE.format("\n".join(lines)), encoding="utf-8")


if __name__ == "__main__":
    main()
