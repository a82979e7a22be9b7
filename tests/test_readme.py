"What README.md tells a reader to type is run: commands and Python here, `make` and `pip` by .ci/run."

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8") if (ROOT / "README.md").exists() else ""

if not README:
    pytest.skip("an installed package carries no README.md", allow_module_level=True)


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.S | re.M)


SHELL = [line.split("#")[0].strip() for block in blocks("sh") for line in block.splitlines()]


@pytest.mark.skipif(shutil.which("make") is None, reason="no make")
def test_make_knows_its_targets():
    "Every target that the README names, in a block or in its prose."
    targets = dict.fromkeys(re.findall(r"(?<![\w-])make ([a-z][a-z-]+)`|^make ([a-z][a-z-]+)", README, flags=re.M))
    targets = sorted({name for pair in targets for name in pair if name})
    assert {"demo", "test", "lab", "docs"} <= set(targets)
    done = subprocess.run(["make", "-n", *targets], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def folder(tmp_path) -> Path:
    "What the commands of the README read: clip.mp4, and labelled clips of two persons."
    from videopure.video import moving_shapes, write_video

    clips, labels = moving_shapes(40, seed=0)
    write_video(clips[:1], tmp_path / "clip.mp4")
    rows = ["path,label,person"]
    for k, motion in enumerate(("left", "up")):
        (tmp_path / "clips" / motion).mkdir(parents=True)
        for i, clip in enumerate(clips[labels == k]):
            write_video(clip[None], tmp_path / "clips" / motion / f"{i}.mp4")
            rows.append(f"{motion}/{i}.mp4,{motion},{'ABC'[i % 3]}")
    (tmp_path / "clips" / "manifest.csv").write_text("\n".join(rows))
    return tmp_path


# the same command, but for how long it takes
SHORT = "--steps 2 --classifier-steps 2 --frames 8 --size 16 --batch-size 2 --workers 0 --validation 0.1"


@pytest.mark.slow
def test_commands_run(folder, monkeypatch, capsys):
    "In the README's order: what one makes, a later one reads."
    from videopure.cli import main

    lines = [line for line in SHELL if line.startswith("videopure ")]
    assert {line.split()[1] for line in lines} >= {"purify", "evaluate", "train"}
    monkeypatch.chdir(folder)
    for k, line in enumerate(lines):
        words = line.replace("--n-clips 4", "--n-clips 1").split()[1:] + (SHORT.split() if line.startswith("videopure train ") else [])
        if k == 0:  # the installed command; a process each would spend most of its time on importing
            done = subprocess.run([Path(sys.executable).with_name("videopure"), *words], capture_output=True, text=True)
            status, errors = done.returncode, done.stderr
        else:
            status, errors = main(words), capsys.readouterr().err
        assert status == 0, f"{line}\n{errors}"
        made = {"purify": ["purified.mp4", "report.html"], "train": ["mine/model_index.json"]}
        out = words[words.index("--out") + 1] if "--out" in words else "evaluation"
        made |= {"evaluate": [f"{out}/card.html"], "certify": [f"{out}/run.json"]}
        assert all((folder / name).exists() for name in made[words[0]]), line


@pytest.mark.slow
def test_python_runs(tmp_path, monkeypatch):
    "Each block by itself, with no name of another."
    assert blocks("python")
    monkeypatch.chdir(tmp_path)
    for code in blocks("python"):
        exec(compile(code, "README.md", "exec"), {"__name__": "__main__"})


def test_no_link_of_readme_is_broken():
    targets = re.findall(r"\]\((?!https?:|#)([^)\s]+)\)", README)
    assert not [target for target in targets if not (ROOT / target).exists()]
