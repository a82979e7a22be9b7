"What README.md tells a reader to type is run: the shell lines by .ci/run or here, the Python here."

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8") if (ROOT / "README.md").exists() else ""


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.S | re.M)


SHELL = [line.split("#")[0].strip() for block in blocks("sh") for line in block.splitlines()]


def test_make_and_pip_lines_are_run_by_ci():
    ci, makefile = (ROOT / ".ci/run").read_text(encoding="utf-8"), (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "make demo" in SHELL and "make test" in SHELL
    for line in SHELL:
        if line.startswith("make "):
            assert re.search(rf"^{line.split()[1]}:", makefile, flags=re.M), line
        if line.startswith(("make ", "pip ")):
            assert line.removesuffix(".").strip() in ci, f".ci/run does not run: {line}"


@pytest.mark.parametrize("line", [line for line in SHELL if line.startswith("videopure ")])
def test_commands_run(line, tmp_path):
    from videopure.video import moving_shapes, write_video

    write_video(moving_shapes(1, seed=0)[0], tmp_path / "clip.mp4")
    command = Path(sys.executable).with_name("videopure")
    done = subprocess.run([command, *line.split()[1:]], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    made = {"purify": {"purified.mp4", "report.html"}, "evaluate": {"results"}}
    assert {p.name for p in tmp_path.iterdir()} >= made[line.split()[1]]


@pytest.mark.parametrize("code", blocks("python"))
def test_python_runs(code, tmp_path):
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_no_link_of_readme_is_broken():
    for target in re.findall(r"\]\((?!https?:|#)([^)\s]+)\)", README):
        assert (ROOT / target).exists(), target
