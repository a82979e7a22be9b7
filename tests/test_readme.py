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


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    "What the commands of the README read: clip.mp4, and labelled clips of two persons."
    from videopure.video import moving_shapes, write_video

    folder = tmp_path_factory.mktemp("readme")
    clips, labels = moving_shapes(40, seed=0)
    write_video(clips[:1], folder / "clip.mp4")
    rows = ["path,label,person"]
    for k, motion in enumerate(("left", "right")):
        (folder / "clips" / motion).mkdir(parents=True)
        for i, clip in enumerate(clips[labels == k]):
            write_video(clip[None], folder / "clips" / motion / f"{i}.mp4")
            rows.append(f"{motion}/{i}.mp4,{motion},{'ABC'[i % 3]}")
    (folder / "clips" / "manifest.csv").write_text("\n".join(rows))
    return folder


SHORT = "--steps 2 --classifier-steps 2 --frames 8 --size 16 --batch-size 2 --workers 0"  # the same command, but for how long it takes


@pytest.mark.parametrize("line", [line for line in SHELL if line.startswith("videopure ")])  # in the README's order
def test_commands_run(line, folder):
    words = line.split()[1:] + (SHORT.split() if line.startswith("videopure train ") else [])
    done = subprocess.run([Path(sys.executable).with_name("videopure"), *words], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    made = {"purify": ["purified.mp4", "report.html"], "train": ["mine/model_index.json"]}
    made["evaluate"] = ["evaluation/card.html"] if "--data" in words else ["results/card.html"]
    assert all((folder / name).exists() for name in made[words[0]])


@pytest.mark.parametrize("code", blocks("python"))
def test_python_runs(code, tmp_path):
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_no_link_of_readme_is_broken():
    for target in re.findall(r"\]\((?!https?:|#)([^)\s]+)\)", README):
        assert (ROOT / target).exists(), target
