"Training on clips of one's own: killed, shared, fed with damaged clips and bad settings."

import contextlib
import inspect
import io
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from fastcore.docments import docments
from safetensors.torch import load_file
from torch import nn

from videopure import cache as clip_cache
from videopure import cli, journal, tiny, trainer, training
from videopure.classifiers import load_classifier
from videopure.data import ClipFolder, Clips
from videopure.defense import Defended
from videopure.pipeline import VideoPurePipeline
from videopure.robust import Hardening
from videopure.tiny import MotionClassifier, save_classifier
from videopure.training import Recipe, Validation, split, train_folder, tune
from videopure.trainer import Trainer, generator_for
from videopure.video import VideoPureError, moving_shapes, write_video

SMALL = Recipe(steps=6, classifier_steps=6, every=3, batch_size=2, frames=4, size=16, validation=0.3, workers=0, mirror=False)
CLASSES, GROUPS = ("left", "right", "up"), "ABCDEF"


SCRIPT = "import sys; from videopure.cli import main; sys.exit(main())"


def settings(folder, out, recipe=SMALL, quiet=False, **options) -> dict:
    return {"folder": str(folder), "out": str(out), "recipe": recipe, "cpu": True, "quiet": quiet, **options}


def words(folder, out, *arguments, recipe=SMALL, **options) -> list[str]:
    "The command line that means the same."
    found = ["train", str(folder), "--out", str(out), "--cpu", *map(str, arguments)]
    found += ["--classifier"] * (options.pop("classifier", None) == "train")
    for name, value in (vars(recipe) | options).items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            found += [f"--{flag}"] if value else [f"--no-{flag}"] if name in vars(recipe) else []
        else:
            found += [f"--{flag}", *map(str, value if isinstance(value, list) else [value])]
    return found


def process(*arguments, launcher=("-c", SCRIPT), **options) -> list[str]:
    "The words that run the command in a process of its own."
    return [sys.executable, *launcher, *words(*arguments, **options)]


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    "Small models are quicker so, and every run adds up in the same order."
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> Path:
    "Two clips of each of three classes in each of six groups."
    root = tmp_path_factory.mktemp("good") / "clips"
    clips, labels = moving_shapes(130, seed=3, frames=8, size=20)
    rows = ["path,label,recording"]
    for k, name in enumerate(CLASSES):
        (root / name).mkdir(parents=True)
        for i, clip in enumerate(clips[labels == k][:12]):
            write_video(clip[None], root / name / f"{i:02d}.npz")
            rows.append(f"{name}/{i:02d}.npz,{name},{GROUPS[i % 6]}")
    (root / "manifest.csv").write_text("\n".join(rows))
    return root


@pytest.fixture
def folder(good, tmp_path) -> Path:
    "A copy that a test may damage."
    return shutil.copytree(good, tmp_path / "clips")


@pytest.fixture
def shell(capsys):
    "`train_folder` in this process: status, what it says, errors."

    def call(*arguments, quiet=True, **options):
        capsys.readouterr()
        try:
            status = print(train_folder(**settings(*arguments, quiet=quiet, **options))) or 0
        except VideoPureError as error:
            status = 2
            print(f"videopure: {error}", file=sys.stderr)
        return status, *capsys.readouterr()

    return call


@pytest.fixture
def refused(shell):
    "The one line with which arguments are refused."

    def call(*arguments, **options) -> str:
        status, output, errors = shell(*arguments, **options)
        assert status == 2 and output == ""
        assert errors.startswith("videopure: ") and errors.count("\n") == 1 and errors.endswith("\n"), errors
        return errors

    return call


@pytest.fixture(scope="module")
def cache(good, tmp_path_factory) -> clip_cache.ClipCache:
    return training.cache_clips(ClipFolder(good, 4, 16), tmp_path_factory.mktemp("cache") / "clips.npy", SMALL, progress=False)


@pytest.fixture(scope="module")
def sides() -> tuple[list[int], list[int]]:
    return list(range(0, 36, 2)), list(range(1, 36, 6))


def equal(a: Path, b: Path) -> None:
    "Two results with the same bits in all weights and the same numbers in the report."
    weights = [path.relative_to(a) for path in a.rglob("*.safetensors")]
    assert weights and sorted(weights) == sorted(path.relative_to(b) for path in b.rglob("*.safetensors"))
    for path in weights:
        same = (a / path).read_bytes() == (b / path).read_bytes()
        assert same, path  # the bytes themselves would take pytest minutes to show
    one, other = (json.loads((folder / "training.json").read_text()) for folder in (a, b))
    assert one == other


# -- interrupted ------------------------------------------------------------------------------------------------------------------------


def started(arguments: list[str]) -> subprocess.Popen:
    return subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=os.environ | {"OMP_NUM_THREADS": "1"})


def when(path: Path, running: subprocess.Popen, steps: int = 0) -> int:
    "Wait until a checkpoint of more than `steps` steps is there; how many."
    while running.poll() is None:
        with contextlib.suppress(OSError, RuntimeError, EOFError):
            if (found := len(torch.load(path, weights_only=True)["losses"])) > steps:
                return found
        time.sleep(0.005)
    raise AssertionError(f"the run was over before it could be stopped: {running.stderr.read().decode()[-2000:]}")


def first_step(errors: bytes, what: str) -> int:
    "The step at which the bar of a run began."
    return int(re.search(rf"{what} \w+: +\d+%\|[^|]*\| *(\d+)/", errors.decode())[1])


@pytest.mark.slow
def test_killed_and_started_again(good, tmp_path):
    "kill -9 in the classifier and in the purifier, Ctrl-C at last; each run goes on from the last checkpoint, and the end is the same."
    recipe = replace(SMALL, steps=24, classifier_steps=60, every=4, validation=0.2)
    options = {"classifier": "train", "group": "recording", "hold_out": ["F"], "recipe": recipe}
    saved = {what: tmp_path / "killed" / "checkpoints" / f"{what}.pt" for what in ("classifier", "purifier")}
    done = {"classifier": 0, "purifier": 0}
    stages = [("classifier", signal.SIGKILL), ("purifier", signal.SIGKILL), ("purifier", signal.SIGINT)]
    for what, kind in stages:
        running = started(process(good, tmp_path / "killed", **options))
        reached = when(saved[what], running, done[what])
        running.send_signal(kind)
        errors = running.communicate()[1]
        assert running.returncode == (-9 if kind == signal.SIGKILL else 130)
        assert reached < (recipe.classifier_steps if what == "classifier" else recipe.steps), "stopped too late to prove anything"
        for name, steps in done.items():
            assert not steps or first_step(errors, name) == steps
        assert not (tmp_path / "killed" / "training.json").exists()
        now = {name: len(torch.load(path, weights_only=True)["losses"]) for name, path in saved.items() if path.exists()}
        done |= now
    assert errors.decode().splitlines()[-1].startswith("videopure: interrupted") and "Traceback" not in errors.decode()
    for name in ("killed", "whole"):
        train_folder(**settings(good, tmp_path / name, quiet=True, **options))
    equal(tmp_path / "killed", tmp_path / "whole")
    assert not (tmp_path / "killed" / "checkpoints").exists()


@pytest.mark.slow
def test_two_processes(good, tmp_path):
    "Under accelerate's launcher: one result, of the form of one process's."
    launch = ["-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--main_process_port", "0"]
    (tmp_path / "script.py").write_text(SCRIPT)
    launcher, recipe = (*launch, str(tmp_path / "script.py")), replace(SMALL, workers=1, validation=0.1)
    call = process(good, tmp_path / "two", classifier="train", quiet=True, recipe=recipe, launcher=launcher)
    done = subprocess.run(call, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("trained on 36 clips") == 1
    held = json.loads((tmp_path / "two" / "training.json").read_text())
    assert len(held["losses"]["classifier"]) == len(held["losses"]["purifier"]) == 6
    assert [note["step"] for note in held["notes"]["purifier"]] == [3, 6]
    assert load_classifier(tmp_path / "two" / "classifier.safetensors").class_names == CLASSES
    weights = VideoPurePipeline.from_pretrained(tmp_path / "two").unet.state_dict()
    start = tiny.tiny_unet().state_dict()
    assert {k: v.shape for k, v in weights.items()} == {k: v.shape for k, v in start.items()}
    assert any((weights[k] != start[k]).any() for k in start) and all(v.isfinite().all() for v in weights.values())


def interrupted(*_, **options):
    raise KeyboardInterrupt


def test_command_line_interrupted(good, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(training, "cache_clips", interrupted)
    assert cli.main(words(good, tmp_path / "out", "--quiet")) == 130
    said = capsys.readouterr().err
    assert said.startswith("videopure: interrupted") and "evaluate, train, certify and a folder" in said and said.count("\n") == 1


def test_checkpoint_of_another_run_and_a_damaged_one(good, cache, sides, tmp_path, refused, monkeypatch):
    (train_rows, val_rows), checkpoint = sides, tmp_path / "classifier.pt"
    fit = lambda rows, recipe: training._fit_classifier(cache, (rows, val_rows), CLASSES, recipe, checkpoint, "cpu", False)
    fit(train_rows, SMALL)
    for other in (replace(SMALL, seed=1), replace(SMALL, classifier_steps=7)):
        with pytest.raises(VideoPureError, match="is a checkpoint of classifier .* not of classifier .* choose another folder"):
            fit(train_rows, other)
    with pytest.raises(VideoPureError, match="is a checkpoint of"):
        fit(train_rows[1:], SMALL)
    fit(train_rows, replace(SMALL, every=5, workers=1))  # these may change
    with monkeypatch.context() as patched, pytest.raises(VideoPureError, match="is a checkpoint of"):
        first = training._new_classifier(CLASSES, SMALL)
        first.head.weight.data.mul_(2)
        patched.setattr(training, "_new_classifier", lambda *settings: first)
        fit(train_rows, SMALL)  # other weights to start from
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(training, "_fit_purifier", interrupted)
        training.train(ClipFolder(good, 4, 16), tmp_path / "out", recipe=SMALL, cpu=True, progress=False)
    for damage in (checkpoint.read_bytes()[:5000], b"", b"not a checkpoint"):
        (tmp_path / "out" / "checkpoints" / "purifier.pt").write_bytes(damage)
        assert "purifier.pt is not a whole checkpoint" in refused(good, tmp_path / "out")


# -- the result -------------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def broken(good, tmp_path_factory) -> Path:
    "The clips with a corrupt, a torn and a too short one among them, and group F, to be held out, with no readable clip at all."
    root = shutil.copytree(good, tmp_path_factory.mktemp("broken") / "my clips")
    (root / "up" / "corrupt.mp4").write_bytes(b"not a video at all")
    (root / "up" / "torn.npz").write_bytes((root / "up" / "00.npz").read_bytes()[:900])
    write_video(moving_shapes(1, seed=4, frames=3, size=20)[0], root / "left" / "short.npz")
    with (root / "manifest.csv").open("a") as table:
        table.write("\nup/corrupt.mp4,up,A\nup/torn.npz,up,B\nleft/short.npz,left,C")
    for path in root.glob("*/*5.npz"):
        path.write_bytes(b"whoever reads this has looked at what was held out")
    for path in root.glob("*/11.npz"):
        path.write_bytes(b"this too")
    return root


@pytest.fixture(scope="module")
def result(broken, tmp_path_factory) -> tuple[Path, str]:
    "What a run leaves, and what it said."
    out = tmp_path_factory.mktemp("result") / "deep" / "out"
    call = words(broken, out, classifier="train", group="recording", hold_out=["F", "E"])
    with contextlib.redirect_stdout(io.StringIO()) as output, contextlib.redirect_stderr(io.StringIO()) as errors:
        assert cli.main(call) == 0
    return out, output.getvalue(), errors.getvalue()


@pytest.fixture(scope="module")
def report(result) -> dict:
    return json.loads((result[0] / "training.json").read_text())


@pytest.mark.slow
def test_what_is_left(result, report):
    out = result[0]
    assert {path.name for path in out.iterdir()} == {
        "classifier.safetensors", "model_index.json", "report.html", "run.json", "samples", "scheduler", "training.json", "unet", "vae"
    }  # fmt: skip
    assert report["classes"] == list(CLASSES) and report["recipe"] == vars(SMALL) and report["classifier"] == "trained"
    assert [len(losses) for losses in report["losses"].values()] == [6, 6]
    for notes in report["notes"].values():
        assert [note["step"] for note in notes] == [3, 6] and all(0 <= note["right"] <= note["of"] for note in notes)
    assert all(path.stat().st_mode & 0o044 == 0o044 for path in out.rglob("*.safetensors"))


@pytest.mark.slow
def test_loads_with_tuned_guidance(result, report):
    "The settings that left most probability on the right class are those of the loaded pipeline."
    pipe = VideoPurePipeline.from_pretrained(result[0])
    best = max(report["tried"], key=lambda one: one["clean"] + one["attacked"])
    assert len(report["tried"]) == 64
    for name in ("purify_steps", "spatial_scale", "temporal_scale"):
        assert pipe.config[name] == report["guidance"][name] == best[name]
    clip = moving_shapes(2, seed=9, frames=4, size=16)[0]
    assert pipe(clip).videos.shape == (2, best["purify_steps"] + 1, 3, 4, 16, 16)


@pytest.mark.slow
def test_classifier_round_trip(result):
    classifier = load_classifier(result[0] / "classifier.safetensors")
    assert (classifier.class_names, classifier.frames, classifier.size) == (CLASSES, 4, 16)
    assert classifier(moving_shapes(2, seed=9, frames=4, size=16)[0]).shape == (2, 3)


@pytest.mark.slow
def test_skipped_by_name(result, report):
    out, output, errors = result
    assert sorted(report["skipped"]) == ["left/short.npz", "up/corrupt.mp4", "up/torn.npz"]
    assert all(reason and "\n" not in reason for reason in report["skipped"].values())
    assert "3 skipped" in output
    assert all(f"skipped {id}: " in errors for id in report["skipped"])


@pytest.mark.slow
def test_held_out_groups_are_never_read(report, broken):
    "All clips of group F are damaged, and nobody noticed."
    rows = [line.split(",") for line in (broken / "manifest.csv").read_text().splitlines()[1:]]
    group = {path: recording for path, _, recording in rows}
    parts = {name: {group[id] for id in report[name]} for name in ("train", "validation", "skipped")}
    assert not parts["train"] & parts["validation"]
    assert parts["train"] | parts["validation"] == set("ABCD") and not parts["skipped"] & set("EF")
    assert len(report["train"]) + len(report["validation"]) == 24


def test_held_out_files_may_be_gone(folder, shell, tmp_path):
    for path in [*folder.glob("*/05.npz"), *folder.glob("*/11.npz")]:
        path.unlink()
    status, output, _ = shell(folder, tmp_path / "out", group="recording", hold_out=["F"], recipe=replace(SMALL, steps=1))
    assert status == 0 and "trained on 30 clips" in output


@pytest.mark.slow
def test_pages_play_without_the_network(result):
    out = result[0]
    pages = [*sorted((out / "samples").iterdir()), out / "report.html"]
    assert [page.name for page in pages] == ["000003.html", "000006.html", "report.html"]
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert text.count("attacked") >= 2 and text.count("purified") >= 2 and "data:image" in text
        assert not re.findall(r"""(?:src|href)\s*=\s*["']?(?!data:|#)[^\s"'>]+""", text)
        assert "validation loss" in text


@pytest.mark.slow
def test_bars_go_to_stderr(result):
    _, output, errors = result
    assert all(what in errors for what in ("decoding", "classifier", "purifier", "tuning"))
    used, classifier, purifier, command = output.splitlines()
    assert "clips for training" in used or "for training" in used
    assert re.fullmatch(r"classifier: \d+ of \d+ validation clips right", classifier) and purifier.startswith("purifier: ")
    assert command.startswith("evaluate: videopure evaluate --data")


@pytest.mark.slow
def test_the_command_it_ends_with(result, tmp_path, capsys):
    "It runs, on the held-out clips, whose damaged ones it skips."
    line = result[1].splitlines()[-1].removeprefix("evaluate: ")
    first, *arguments = shlex.split(line)
    assert first == "videopure" and ["--where", "F", "E"] == arguments[arguments.index("--where") :][:3]
    (tmp_path / "run.toml").write_text('[defenses]\nnone = { method = "none" }\n[attacks]\nPGD = { eps = "8/255", steps = 1 }\n')
    assert cli.main([arguments[0], str(tmp_path / "run.toml"), *arguments[1:], "--quiet", "--device", "cpu"]) == 0
    assert "6 skipped" in capsys.readouterr().out
    assert (result[0] / "evaluation" / "card.html").exists()
    shutil.rmtree(result[0] / "evaluation")


@pytest.mark.slow
def test_finished_is_finished(result, broken, shell, refused, monkeypatch):
    "The same command again is over at once; another recipe, other clips or another classifier are refused."

    def never(*_):
        raise AssertionError("decoded again")

    monkeypatch.setattr(training, "cache_clips", never)
    (result[0] / "checkpoints").mkdir()  # killed after the report was written
    chosen = {"classifier": "train", "group": "recording", "hold_out": ["F", "E"]}
    for free in ({}, {"every": 7, "workers": 1}):
        assert shell(broken, result[0], recipe=replace(SMALL, **free), **chosen) == (0, result[1], "")
    assert not (result[0] / "checkpoints").exists()
    for other in ({"steps": 7}, {"seed": 1}, {"colours": False}, {"precision": "no"}):
        assert f"holds another run: recipe.{next(iter(other))} was" in refused(broken, result[0], recipe=replace(SMALL, **other), **chosen)
    for other in ({"classifier": None}, {"hold_out": ["F"]}, {"group": None, "hold_out": []}):
        assert "holds another run" in refused(broken, result[0], **chosen | other)


def test_damaged_report(good, tmp_path, refused, shell):
    quick = replace(SMALL, steps=1)
    assert shell(good, tmp_path, recipe=quick)[0] == 0
    for text in ("", "{}", "[]", "{", '{"train": 1, "validation": [], "skipped": {}}'):
        (tmp_path / "training.json").write_text(text)
        line = refused(good, tmp_path, recipe=quick)
        assert "training.json is" in line and "choose another folder" in line


# -- nothing of a user's, and nothing of another run -----------------------------------------------------------------------------------


@pytest.fixture
def stopped(folder, tmp_path, monkeypatch):
    "A function that starts a training in `out` and stops it with all clips decoded; returns the folder."

    def start(**options) -> Path:
        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr(training, "_fit_purifier", interrupted)
            train_folder(**settings(folder, tmp_path / "out", quiet=True, **options))
        return tmp_path / "out"

    return start


THEIRS = ["checkpoints/thesis.pt", "unet/config.json", "report.html", "notes.txt", "tiny/model.bin", "training.json", "samples/a.png"]


@pytest.mark.parametrize("name", THEIRS)
def test_nothing_of_a_user_is_touched(name, good, tmp_path, refused):
    "A folder that a training has not begun is refused, whatever is in it, by `train` and by `train_tiny`."
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    assert f"holds {name.split('/')[0]!r}, which this command has not written" in refused(good, tmp_path)
    with pytest.raises(VideoPureError, match="has not written"):
        trainer.train_tiny(tmp_path, classifier_steps=1, diffusion_steps=1, flow_steps=1, n_clips=10, device="cpu", progress=False)
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert left == [tmp_path / name] and left[0].read_text() == "mine"


def test_a_link_is_not_followed_into_a_users_folder(good, tmp_path, refused):
    (tmp_path / "mine").mkdir(), (tmp_path / "out").mkdir()
    (tmp_path / "mine" / "thesis.pt").touch()
    (tmp_path / "out" / "checkpoints").symlink_to(tmp_path / "mine")
    assert "holds 'checkpoints'" in refused(good, tmp_path / "out")
    assert (tmp_path / "mine" / "thesis.pt").exists()


def test_what_is_put_beside_the_checkpoints_stays(folder, shell, stopped):
    "Also an orphan of a kill goes, and only that."
    out = stopped()
    (out / "checkpoints" / "thesis.pt").touch(), (out / "checkpoints" / ".clips-0123abcd.npy").touch()
    assert shell(folder, out)[0] == 0
    assert [path.name for path in (out / "checkpoints").iterdir()] == ["thesis.pt"]


def rewrite_in_place(path: Path) -> None:
    "Change one byte of a file; size and time stay."
    times, content = path.stat(), bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def other_clip(folder):
    rewrite_in_place(folder / "up" / "00.npz")


def other_groups(folder):
    (folder / "manifest.csv").write_text((folder / "manifest.csv").read_text().replace(",A", ",B"))


OTHER_RUNS = {
    "clips": (other_clip, {}),
    "groups": (other_groups, {}),
    "group column": (lambda folder: None, {"group": None}),
    "recipe": (lambda folder: None, {"recipe": replace(SMALL, batch_size=1)}),
    "classifier": (lambda folder: None, {"classifier": "train"}),
}


@pytest.mark.parametrize("change", OTHER_RUNS)
def test_a_stopped_run_goes_on_only_as_the_same(change, folder, stopped, refused):
    "What could change a number is noticed, also in what was stopped half-way."
    out = stopped(group="recording")
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    changed, options = OTHER_RUNS[change]
    changed(folder)
    assert "holds another run" in refused(folder, out, **{"group": "recording"} | options)
    assert before == {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}


def test_a_given_classifier_belongs_to_the_run(folder, tmp_path, refused, stopped):
    saved = tmp_path / "mine.safetensors"
    save = lambda seed: torch.manual_seed(seed) and save_classifier(MotionClassifier(class_names=CLASSES, frames=4, size=16), saved)
    save(1)
    out = stopped(classifier=str(saved))
    save(2)
    assert "holds another run: classifier was" in refused(folder, out, classifier=str(saved))


def test_weights_to_start_from_belong_to_the_run(folder, tmp_path, stopped):
    recipe = replace(SMALL, start=str(tmp_path / "start"))
    for seed in (1, 2):
        torch.manual_seed(seed)
        training._new_pipeline(tiny.TinyUNet()).save_pretrained(tmp_path / "start")
        if seed == 1:
            out = stopped(recipe=recipe)
    with pytest.raises(VideoPureError, match="holds another run: start was"):
        train_folder(**settings(folder, out, recipe=recipe))


def test_frames_of_a_folder_are_looked_at(tmp_path):
    "A clip may be a folder of pictures; one that changes is a changed clip."
    (tmp_path / "clip").mkdir()
    for i in range(3):
        (tmp_path / "clip" / f"{i}.png").write_bytes(bytes(200_000))
    look = lambda: training.contents_of(Clips(tmp_path, ["clip"], [0], ["up"]), SMALL)
    before = look()
    rewrite_in_place(tmp_path / "clip" / "1.png")
    assert look() != before


DAMAGE = {"{": "clips.json", '{"contents": 1}': "clips.json", "[]": "clips.json", "": "clips.npy", "\0": "clips.json"}


@pytest.mark.parametrize("text", DAMAGE, ids=repr)
def test_damaged_clips_are_decoded_anew(text, folder, shell, stopped):
    out = stopped()
    (out / "checkpoints" / DAMAGE[text]).write_text(text)
    status, _, errors = shell(folder, out)
    assert status == 0 and errors == ""


def test_damaged_settings_of_a_run(folder, stopped, refused):
    out = stopped()
    (out / "run.json").write_text("{")
    assert "run.json is damaged" in refused(folder, out)


def test_clips_cut_short_are_decoded_anew(folder, shell, stopped):
    path = stopped() / "checkpoints" / "clips.npy"
    path.write_bytes(path.read_bytes()[:1000])
    assert shell(folder, path.parents[1])[0] == 0


def test_one_training_at_a_time(folder, shell, refused, stopped):
    "The second is told so; a lock that a kill has left holds nobody up."
    out = stopped()
    with trainer._only_here(out / "checkpoints"):
        assert "another training is at work" in refused(folder, out)
    (out / "checkpoints" / ".lock").touch()
    assert shell(folder, out)[0] == 0


@pytest.mark.slow
def test_two_at_once(good, tmp_path):
    recipe = replace(SMALL, steps=200, every=200)
    calls = [words(good, tmp_path / "out", "--quiet", recipe=recipe)] * 2
    both = [started([sys.executable, "-m", "videopure", *call]) for call in calls]
    errors = [running.communicate()[1].decode() for running in both]
    assert sorted(running.returncode for running in both) == [0, 2], errors
    assert [e.count("\n") for e in errors if e] == [1] and "another training is at work" in "".join(errors)


def test_dead_worker(good, tmp_path, refused, monkeypatch):
    monkeypatch.setattr(clip_cache._TwiceTheFrames, "__getitem__", lambda self, i: os.kill(os.getpid(), signal.SIGKILL))
    assert "use fewer workers" in refused(good, tmp_path / "out", recipe=replace(SMALL, workers=1))


SMALL_DISK = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
from videopure.cli import main
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("size", [100, 200_000, 3_000_000, 30_000_000])
def test_full_disk(size, good, tmp_path):
    "Wherever the disk is full, in a checkpoint or in the result: one line, and the run goes on afterwards."
    recipe = replace(SMALL, steps=2, classifier_steps=2, validation=0.1)
    call = words(good, tmp_path / "out", "--quiet", "--classifier", recipe=recipe)
    done = subprocess.run([sys.executable, "-c", SMALL_DISK, str(size), *call], capture_output=True, text=True)
    assert (done.returncode, done.stderr.count("\n")) == ((2, 1) if size < 30_000_000 else (0, 0)), done.stderr
    assert size == 30_000_000 or done.stderr.startswith("videopure: cannot ")
    assert cli.main(call) == 0


LEFT_OVER = {
    "no number": {"WORLD_SIZE": "x"},
    "alone": {"WORLD_SIZE": "2"},
    "rank": {"RANK": "1"},
    "no address": {"WORLD_SIZE": "2", "RANK": "0", "LOCAL_RANK": "0"},
    "no port": {"WORLD_SIZE": "2", "RANK": "0", "LOCAL_RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "x"},
}


@pytest.mark.parametrize("found", LEFT_OVER.values(), ids=LEFT_OVER)
def test_variables_of_a_launcher_left_over(found, good, tmp_path, refused, monkeypatch):
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    line = refused(good, tmp_path / "out")
    assert "a launcher sets WORLD_SIZE" in line and f"unset {next(iter(found))}" in line and not (tmp_path / "out").exists()


def test_processes_that_never_come(monkeypatch):
    "All variables are there, and nobody answers: the end comes soon, in one line."
    address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}
    for name, value in ({"WORLD_SIZE": "2", "RANK": "1", "LOCAL_RANK": "1"} | address).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(journal.time, "sleep", lambda seconds: None)
    with pytest.raises(VideoPureError, match="WORLD_SIZE is 2, but the other processes did not come"):
        journal.join_processes()


@pytest.mark.parametrize("stop", [None, 0, 3], ids=["to the end", "at once", "on the way"])
def test_the_callers_things_are_left_as_they_were(good, tmp_path, stop):
    "Modes and gradients of a given classifier, and the random state, whether training ends well or not."

    class Given(nn.Sequential):
        calls = 0

        def forward(self, video):
            self.calls += 1
            if stop is not None and self.calls > stop:
                raise KeyboardInterrupt
            return super().forward(video.mean((2, 3, 4)))

    given = Given(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 3))
    given[1].eval()
    given[0].weight.requires_grad_(False)
    about = lambda: ([m.training for m in given.modules()], [p.requires_grad for p in given.parameters()], given.state_dict().copy())
    before, state = about(), torch.get_rng_state()
    data = ClipFolder(good, SMALL.frames, SMALL.size)
    with pytest.raises(KeyboardInterrupt) if stop is not None else contextlib.nullcontext():
        training.train(data, tmp_path / "out", given, replace(SMALL, steps=2, every=1), cpu=True, progress=False)
    after = about()
    assert before[:2] == after[:2] and all(torch.equal(a, b) for a, b in zip(before[2].values(), after[2].values()))
    assert torch.equal(state, torch.get_rng_state()) and all(p.grad is None for p in given.parameters())


@pytest.mark.parametrize("name, value", [("batch_size", 2_000_000_000), ("workers", 100_000), ("frames", 10**9), ("size", 2**20)])
def test_sizes_are_bounded_before_memory_is_taken(name, value):
    with pytest.raises(VideoPureError):
        Recipe(**{name: value})


@pytest.mark.slow
def test_same_seed_same_result(good, tmp_path):
    data = ClipFolder(good, 4, 16, group="recording")
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        training.train(data, tmp_path / name, recipe=replace(SMALL, steps=2, seed=seed), cpu=True, progress=False)
    equal(tmp_path / "a", tmp_path / "b")
    with pytest.raises(AssertionError):
        equal(tmp_path / "a", tmp_path / "c")


def test_without_classifier(good, shell, tmp_path):
    "A purifier alone: the loss is all there is to look at, and the guidance stays as it is."
    status, output, errors = shell(good, tmp_path)
    assert (status, errors) == (0, "") and "--classifier NAME" in output
    held = json.loads((tmp_path / "training.json").read_text())
    assert held["tried"] == [] and set(held["losses"]) == {"purifier"} and "right" not in held["notes"]["purifier"][0]
    assert not (tmp_path / "classifier.safetensors").exists()
    assert VideoPurePipeline.from_pretrained(tmp_path).config.purify_steps == training.GUIDANCE["purify_steps"]
    assert "attacked" not in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_averaged_weights_are_saved(cache, sides, tmp_path):
    (train_rows, val_rows), val = sides, Validation(*cache.clips(sides[1]))
    purifier = training._fit_purifier(cache, train_rows, val, SMALL, tmp_path / "p.pt", tmp_path, "cpu", False)
    classifier = training._fit_classifier(cache, (train_rows, val_rows), CLASSES, SMALL, tmp_path / "c.pt", "cpu", False)
    for model, path in ((purifier.model, tmp_path / "p.pt"), (classifier.model, tmp_path / "c.pt")):
        state = torch.load(path, weights_only=True)
        assert all(torch.equal(weight, state["average"][name]) for name, weight in model.state_dict().items())
        assert any(not torch.equal(state["model"][name], weight) for name, weight in state["average"].items())
        assert not any(weight.requires_grad for weight in model.parameters()) and not model.training


@pytest.mark.slow
def test_validation_loss_falls(cache, sides, tmp_path):
    recipe, val = replace(SMALL, start="none", steps=60, every=20, batch_size=4), Validation(*cache.clips(sides[1]))
    run = training._fit_purifier(cache, sides[0], val, recipe, tmp_path / "p.pt", tmp_path, "cpu", False)
    values = [note["validation"] for note in run.notes]
    assert values[0] > values[1] > values[2] and values[2] < 0.9 * values[0]


@pytest.mark.slow
def test_goes_on_from_an_earlier_result(good, result, shell, tmp_path):
    status, _, errors = shell(good, tmp_path, recipe=replace(SMALL, start=str(result[0]), steps=1, learning_rate=1e-12))
    assert status == 0, errors
    one, other = (VideoPurePipeline.from_pretrained(path).unet.state_dict() for path in (result[0], tmp_path))
    assert all(torch.allclose(one[name], other[name], atol=1e-6) for name in one)
    assert not all(torch.allclose(weight, other[name], atol=1e-6) for name, weight in tiny.tiny_unet().state_dict().items())


# -- parts ------------------------------------------------------------------------------------------------------------------------------


class Fake:
    "A data set of which only names and groups matter."

    def __init__(self, n, groups=None, labels=None):
        self.groups, self.labels, self.ids = groups, labels, [f"c/{i:03d}" for i in range(n)]


@pytest.mark.parametrize("seed", range(6))
def test_no_group_on_both_sides(seed):
    groups = [f"g{int(i)}" for i in torch.randint(9, (50,), generator=torch.Generator().manual_seed(seed))]
    train_rows, val_rows = split(Fake(50, groups), 0.2, seed)
    assert sorted(train_rows + val_rows) == list(range(50)) and len(val_rows) >= 10
    assert not {groups[i] for i in train_rows} & {groups[i] for i in val_rows}
    assert (train_rows, val_rows) == split(Fake(50, groups), 0.2, seed)
    assert [len(side) for side in split(Fake(50), 0.2, seed)] == [40, 10]


@pytest.mark.parametrize("seed", range(6))
def test_validation_has_clips_of_every_class(seed):
    "Without groups, in equal shares; with them, as far as whole groups allow."
    labels = [0] * 40 + [1] * 12 + [2] * 8
    rows = split(Fake(60, labels=labels), 0.15, seed)[1]
    assert sorted(labels[i] for i in rows) == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    groups = [f"{label}{'abcd'[i % 4]}" for i, label in enumerate(labels)]
    assert {labels[i] for i in split(Fake(60, groups, labels), 0.3, seed)[1]} == {0, 1, 2}


def test_validation_clips_are_few_and_of_every_class():
    labels = torch.tensor([0] * 500 + [1] * 30 + [2] * 3)
    rows = list(range(0, 533))
    few = training._validation_subset(rows, labels, 30)
    assert few == training._validation_subset(rows, labels, 30) and len(set(few)) == 30 and set(few) <= set(rows)
    counts = torch.bincount(labels[few]).tolist()
    assert counts[2] == 3 and abs(counts[0] - counts[1]) <= 1
    assert training._validation_subset(rows[::40], labels, 30) == rows[::40]
    assert len(training._validation_subset(rows, labels)) == training._MOST_VALIDATED


def test_clips_are_decoded_once(folder, tmp_path, monkeypatch):
    "Found again if nothing has changed; decoded anew for other frames, sizes, settings and files."
    path, times = tmp_path / "clips.npy", []
    decode = clip_cache._decode
    monkeypatch.setattr(clip_cache, "_decode", lambda *arguments: times.append(1) or decode(*arguments))
    read = lambda recipe=SMALL, **options: training.cache_clips(ClipFolder(folder, 4, 16, **options), path, recipe, progress=False)
    first = read()
    assert first.video.shape == (36, 3, 8, 16, 16) and (read().video == first.video).all() and len(times) == 1
    assert read(replace(SMALL, frames=3)).video.shape[2] == 6 and len(times) == 2
    assert read(replace(SMALL, size=18)).video.shape[3] == 18 and len(times) == 3
    read(), read(stride=1), read(stride=1)
    assert len(times) == 5
    write_video(moving_shapes(1, seed=8, frames=8, size=20)[0], folder / "up" / "00.npz")
    os.utime(folder / "up" / "00.npz", ns=(1, 1))
    changed = read(stride=1)
    assert len(times) == 6 and (changed.video[changed.ids.index("up/00.npz")] != first.video[first.ids.index("up/00.npz")]).any()
    path.unlink()
    read(stride=1)
    assert len(times) == 7


def test_killed_between_clips_and_their_names(folder, tmp_path, monkeypatch):
    "Clips of one recipe are never taken for those of another."
    path, data = tmp_path / "clips.npy", ClipFolder(folder, 4, 16)
    training.cache_clips(data, path, SMALL, progress=False)
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        decode = clip_cache._decode

        def killed(*arguments):
            decode(*arguments)
            raise KeyboardInterrupt

        patched.setattr(clip_cache, "_decode", killed)
        training.cache_clips(data, path, replace(SMALL, size=18), progress=False)
    assert training.cache_clips(data, path, SMALL, progress=False).video.shape[3] == 16


def test_many_skipped_clips_are_not_many_lines(folder, tmp_path, capsys):
    for i in range(15):
        (folder / "up" / f"bad{i}.mp4").write_bytes(b"no")
    cache = training.cache_clips(ClipFolder(folder, 4, 16), tmp_path / "clips.npy", SMALL, progress=False)
    errors = capsys.readouterr().err.splitlines()
    assert len(cache.skipped) == 15 and len(errors) == 11 and errors[-1].startswith("skipped 15 clips in all")
    assert len(cache.video) == len(cache.ids) == len(cache.labels) == 36


def test_clips_with_few_frames_are_enough(folder, tmp_path):
    "A file with the frames of one clip, and not twice as many, gives what it has."
    write_video(moving_shapes(1, seed=5, frames=5, size=20)[0], folder / "up" / "brief.npz")
    cache = training.cache_clips(ClipFolder(folder, 4, 16), tmp_path / "clips.npy", SMALL, progress=False)
    brief = torch.from_numpy(cache.video[cache.ids.index("up/brief.npz")])
    assert not cache.skipped and torch.equal(brief[:, ::2], brief[:, 1::2])


def test_batches(cache):
    "Each step draws its own, the same each time; nothing leaves [0, 1]; what may not be changed is not."
    draw = lambda step, recipe=SMALL: cache.batch([0, 12, 24], 8, recipe, generator_for(0, step))
    clips, labels = draw(3)
    assert clips.shape == (8, 3, 4, 16, 16) and clips.dtype == torch.float32 and 0 <= clips.min() and clips.max() <= 1
    assert set(labels.tolist()) <= {0, 1, 2} and torch.equal(clips, draw(3)[0]) and not torch.equal(clips, draw(4)[0])
    grey = clip_cache.ClipCache(cache.video.copy(), cache.labels, cache.ids, {})
    grey.video[:, 0] = 255
    same = replace(SMALL, colours=False)
    brightest = lambda recipe: {one.mean((1, 2, 3)).argmax().item() for one in grey.batch([0], 30, recipe, generator_for(0, 1))[0]}
    assert brightest(same) == {0} and brightest(SMALL) == {0, 1, 2}


@pytest.mark.parametrize("precision", ["no", "bf16"])
def test_half_precision_ends_with_the_step(precision):
    "Validation and the result are in full precision, and a pipeline works on a copy."
    unet, latents = training._new_unet("tiny"), torch.randn(1, 12, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    expected = tiny.tiny_unet()(latents, 21).sample
    run, during = Trainer(unet, 2, 1e-3, "test", precision, "cpu"), []
    run.step(lambda n: during.append(run.wrapped(latents, 21).sample) or during[0].float().square().mean())
    assert (during[0].dtype == torch.bfloat16) == (precision == "bf16")
    run.model.load_state_dict(tiny.tiny_unet().state_dict())
    with torch.no_grad():
        assert torch.allclose(run.model(latents, 21).sample, expected, atol=1e-5)
        pipe = training._new_pipeline(run.model)
        for weight in run.model.parameters():
            weight.zero_()
        assert torch.allclose(pipe.unet(latents, 21).sample, expected, atol=1e-5), "a copy calls the model it was copied from"


def test_precisions_one_after_the_other(good, shell, refused, tmp_path):
    "Each works in the same process, or is refused in one line, and leaves nothing that hinders the next."
    for precision in ("no", "fp16", "bf16"):
        recipe = replace(SMALL, precision=precision, steps=2)
        if precision == "fp16":
            assert "needs a GPU: use 'bf16' or 'no'" in refused(good, tmp_path / precision, recipe=recipe)
        else:
            assert shell(good, tmp_path / precision, recipe=recipe)[0] == 0
    losses = [json.loads((tmp_path / name / "training.json").read_text())["losses"]["purifier"] for name in ("no", "bf16")]
    assert losses[0] != losses[1] and losses[0] == pytest.approx(losses[1], rel=0.1)


@pytest.mark.slow
def test_tuning_tells_the_truth(cache, sides):
    "What is remembered and shared between settings changes no number, and no noise is predicted twice."
    pipe, classifier = training._new_pipeline(tiny.tiny_unet()), tiny.tiny_classifier()
    val = Validation(*cache.clips(sides[1]), classifier)
    grid = {"purify_steps": (1, 2), "spatial_scale": (0.0, 0.5), "temporal_scale": (0.0, 1.0)}
    best, found = tune(pipe, val, grid, progress=False)
    for one in found:
        settings = {name: one[name] for name in grid}
        for name, video in (("clean", val.video), ("attacked", val.attacked)):
            scores = Defended(classifier, lambda clip: pipe(clip, **settings)).logits(video).softmax(-1).mean(1)  # noqa: B023
            assert one[name] == pytest.approx(scores.gather(1, val.labels[:, None]).mean().item(), abs=2e-4)
    assert len(found) == 8 and best == {name: max(found, key=lambda one: one["clean"] + one["attacked"])[name] for name in grid}
    calls, predict = [], pipe.predict_noise
    pipe.predict_noise = lambda latents, t: calls.append(t) or predict(latents, t)
    training._true_class_probability(pipe, classifier, val.video[:2], val.labels[:2], [{name: one[name] for name in grid} for one in found])
    assert sorted(calls) == [1, 1, 1, 21, 21]  # up and down once for each number of steps, but the first step up is the same
    with pytest.raises(KeyboardInterrupt), training._noise_cache(pipe):
        raise KeyboardInterrupt
    assert "predict_noise" not in vars(pipe)


# -- classifiers ------------------------------------------------------------------------------------------------------------------------

MODULE = "from torch import nn\ndef make(): return nn.Sequential(nn.Flatten(), nn.Linear(3 * 4 * 16 * 16, {k}))\n"


@pytest.mark.slow
def test_given_classifiers(good, shell, tmp_path, monkeypatch):
    "An existing classifier is attacked at every validation: the embedded one, a saved one, one from a function."
    saved = save_classifier(MotionClassifier(class_names=("up", "Right", "left"), frames=4, size=16), tmp_path / "mine.safetensors")
    (tmp_path / "own_models.py").write_text(MODULE.format(k=3))
    monkeypatch.chdir(tmp_path)
    seen = []
    monkeypatch.setattr(training, "tune", lambda pipe, val, progress: seen.append(val) or ({}, []))
    for n, name in enumerate(("tiny", str(saved), "own_models:make")):
        status, output, errors = shell(good, tmp_path / str(n), classifier=name, recipe=replace(SMALL, steps=2))
        assert status == 0, errors
        assert f"--classifier {name} " in output and "\n" not in errors.strip()
        held = json.loads((tmp_path / str(n) / "training.json").read_text())
        assert held["notes"]["purifier"][0]["of"] == len(held["validation"]) and set(held["losses"]) == {"purifier"}
        assert held["classifier"] == "given" and not (tmp_path / str(n) / "classifier.safetensors").exists()
        names = [held["classes"][k] for k in seen[-1].labels.tolist()]
        assert [name.casefold() for name in names] == [id.split("/")[0] for id in held["validation"]]
    assert held["classes"] == list(CLASSES) and json.loads((tmp_path / "1" / "training.json").read_text())["classes"][1] == "Right"


def test_classifiers_that_do_not_fit(good, refused, tmp_path, monkeypatch):
    other = save_classifier(MotionClassifier(class_names=("left", "right", "down")), tmp_path / "other.safetensors")
    line = refused(good, tmp_path / "out", classifier=str(other))
    assert "'up'" in line and "not among the classifier's 3 class names" in line
    (tmp_path / "odd_models.py").write_text(MODULE.format(k=5))
    monkeypatch.syspath_prepend(tmp_path)
    assert "the classifier knows 5 classes, expected 3" in refused(good, tmp_path / "out", classifier="odd_models:make")
    fits_not = refused(good, tmp_path / "out", classifier="odd_models:make", recipe=replace(SMALL, frames=6))
    assert "the classifier cannot take clips (1, 3, 6, 16, 16)" in fits_not
    assert "unknown classifier 'nonsense'" in refused(good, tmp_path / "out", classifier="nonsense")
    assert "say with --classifier NAME" in refused(good, tmp_path / "out", weights="some.pth")
    assert "say with --classifier NAME" in refused(good, tmp_path / "out", classifier="train", weights="some.pth")


def test_a_classifier_in_training_is_attacked_as_it_will_be_used(cache, sides):
    "Statistics of batch normalization stay as they are."
    model = nn.Sequential(nn.BatchNorm3d(3), nn.Flatten(), nn.Linear(3 * 4 * 16 * 16, 3)).train()
    before = model[0].running_mean.clone()
    data = type("Data", (), {"classes": CLASSES})
    given = training._given_classifier(model, data, SMALL, torch.device("cpu"))
    Validation(*cache.clips(sides[1]), given).attacked  # noqa: B018
    assert torch.equal(model[0].running_mean, before)


def test_new_classifier_starts_from_the_embedded_one():
    known = tiny.tiny_classifier().state_dict()
    fresh, random = (training._new_classifier(CLASSES, replace(SMALL, start=start)).state_dict() for start in ("tiny", "none"))
    assert fresh["head.weight"].shape[0] == 3
    assert all(torch.equal(known[name], weight) for name, weight in fresh.items() if not name.startswith("head"))
    assert not torch.equal(random["stem.weight"], known["stem.weight"])


# -- in one line ------------------------------------------------------------------------------------------------------------------------

BAD = [
    ("steps", -1, "whole number from 0"), ("classifier_steps", -3, "whole number from 1"), ("batch_size", 0, "whole number from 1"),
    ("frames", 1, "whole number from 2"), ("size", 8, "whole number from 16, even"), ("size", 33, "even"), ("every", 0, "from 1"),
    ("workers", -1, "from 0"), ("seed", -1, "from 0"), ("seed", 10**25, "from 0"), ("learning_rate", 0.0, "between 0 and inf"),
    ("learning_rate", float("nan"), "between 0 and inf"), ("learning_rate", float("inf"), "between 0 and inf"),
    ("validation", 0.0, "between 0 and 1"), ("validation", 1.0, "between 0 and 1"), ("precision", "fp8", "'no', 'bf16' or 'fp16'"),
]  # fmt: skip
bad_settings = pytest.mark.parametrize("name, value, expected", BAD, ids=[f"{name}={str(value)[:6]}" for name, value, _ in BAD])


@bad_settings
def test_bad_settings(name, value, expected):
    with pytest.raises(VideoPureError, match=f"^{name} is .*{expected}"):
        replace(SMALL, **{name: value})


@bad_settings
def test_command_line_bad_settings(good, tmp_path, capsys, name, value, expected):
    assert cli.main(words(good, tmp_path / "out") + [f"--{name.replace('_', '-')}", str(value)]) == 2
    line = capsys.readouterr().err
    assert line.startswith(f"videopure: --{name.replace('_', '-')} is ") and expected in line and line.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_command_line(good, tmp_path, capsys):
    "The options mean what the arguments of `train_folder` and the fields of `Recipe` mean."
    options = "--classifier", "--group", "recording", "--hold-out", "F"
    assert cli.main(words(good, tmp_path / "out", *options, "--quiet")) == 0
    assert "trained on 30 clips" in capsys.readouterr().out
    held = json.loads((tmp_path / "out" / "training.json").read_text())
    assert held["recipe"] == vars(SMALL) and held["classifier"] == "trained"


def test_every_setting_has_a_help_text():
    "`videopure train --help` shows them."
    helps = docments(Recipe) | docments(train_folder)
    names = [*vars(SMALL), *inspect.signature(train_folder).parameters]
    assert all(len(helps[name].split()) >= 3 for name in names)


def test_bad_folders(good, folder, tmp_path, refused):
    out = tmp_path / "out"
    assert "is not a folder" in refused(tmp_path / "nowhere", out)
    (tmp_path / "empty").mkdir()
    assert "has no class folders" in refused(tmp_path / "empty", out)
    (folder / "down").mkdir()
    assert "has no clip in it" in refused(folder, out)
    assert "has no column 'nonsense'" in refused(good, out, group="nonsense")
    assert "no row with recording=Z" in refused(good, out, group="recording", hold_out=["Z"])
    assert "say with --group" in refused(good, out, hold_out=["A"])
    assert "leave no clip" in refused(good, out, group="recording", hold_out=list(GROUPS))
    assert "1 groups of clips cannot be split" in refused(good, out, group="recording", hold_out=list(GROUPS[1:]))


def test_no_readable_clip(folder, tmp_path, shell):
    for path in folder.glob("*/*.npz"):
        path.write_bytes(b"not a clip")
    status, _, errors = shell(folder, tmp_path / "out")
    assert status == 2 and "none of the 36 clips can be read" in errors.splitlines()[-1]


def test_class_without_readable_clip(folder, tmp_path, shell):
    for path in (folder / "up").iterdir():
        path.write_bytes(b"not a clip")
    status, _, errors = shell(folder, tmp_path / "out", classifier="train")
    assert status == 2 and "no clip of 'up' to train on" in errors.splitlines()[-1]


@pytest.mark.parametrize("out", ["file", "file/below", "/proc/here"])
def test_unwritable(good, tmp_path, refused, out):
    (tmp_path / "file").write_text("a file")
    assert "cannot make the folder" in refused(good, tmp_path / out)


def test_result_among_the_clips(good, refused, monkeypatch):
    "It would be a class of its own the next time."
    assert "among the clips: choose a folder outside" in refused(good, good / "out")
    monkeypatch.chdir(good)
    assert "among the clips" in refused(".", "purifier")
    assert sorted(path.name for path in good.iterdir()) == [*CLASSES[:1], "manifest.csv", *CLASSES[1:]]


def test_start_that_is_no_pipeline(good, tmp_path, refused):
    assert "cannot load the model" in refused(good, tmp_path / "out", recipe=replace(SMALL, start=str(good)))
    assert "cannot load the model" in refused(good, tmp_path / "out", recipe=replace(SMALL, start=str(tmp_path / "nowhere")))
    assert not (tmp_path / "out").exists(), "it was worked on before the mistake was found"


def test_loss_that_is_not_a_number(good, tmp_path, refused):
    line = refused(good, tmp_path / "out", recipe=replace(SMALL, learning_rate=1e30))
    assert "try a lower learning_rate" in line


def test_read_only_folder(folder, tmp_path, shell):
    "Nothing is written among the clips."
    before = sorted((str(path), path.stat().st_mtime_ns) for path in folder.rglob("*"))
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        assert shell(folder, tmp_path / "out", group="recording", recipe=replace(SMALL, steps=1))[0] == 0
    finally:
        for path in [folder, *folder.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)
    assert sorted((str(path), path.stat().st_mtime_ns) for path in folder.rglob("*")) == before


def test_quiet(good, tmp_path, shell):
    assert shell(good, tmp_path / "quiet", recipe=replace(SMALL, steps=1))[2] == ""
    status, output, errors = shell(good, tmp_path / "loud", recipe=replace(SMALL, steps=1), quiet=False)
    assert status == 0 and "purifier" in errors and "decoding" in errors and "%" not in output


def test_from_python(good, tmp_path, monkeypatch):
    "A classifier by name; the result is where it was asked for, and the bars can be switched off."
    monkeypatch.setattr(training, "tune", lambda pipe, val, progress: ({"purify_steps": 2}, []))
    with pytest.warns(UserWarning, match="no clip of 7 of the classifier's 10 classes"):
        out = training.train(ClipFolder(good, 4, 16), tmp_path / "out", "tiny", replace(SMALL, steps=1), cpu=True, progress=False)
    assert out == tmp_path / "out" and VideoPurePipeline.from_pretrained(out).config.purify_steps == 2


# --- training that holds -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hardened(good, tmp_path_factory):
    "What the command leaves with all of the hardening at once."
    out = tmp_path_factory.mktemp("hardened") / "out"
    more = ["--classifier", "--robust", "2/255", "--robust-purifier", "2/255", "--purifier-steps", "2", "--steady"]
    assert cli.main(words(good, out, *more, "--quiet", recipe=replace(SMALL, steps=0))) == 0
    return out


def test_hardened_result(hardened, good):
    held = json.loads((hardened / "training.json").read_text())
    assert held["hardening"]["robust"] == pytest.approx(2 / 255) and set(held["losses"]) == {"classifier", "robust_purifier"}
    assert all("attacked" in note for note in held["notes"]["classifier"]) and held["notes"]["robust_purifier"]
    classifier = load_classifier(hardened / "classifier.safetensors")
    assert (classifier.steady, classifier.sees, classifier.pool) == (True, "deviations", 2)
    assert all("attacked" in note and note["attacked"] <= note["of"] for note in held["notes"]["robust_purifier"])
    report = (hardened / "report.html").read_text(encoding="utf-8")
    assert report.count("right under attack") == 2 and "robust purifier was trained" in report
    assert held["tried"] == []  # a one-step purifier has no guidance to tune
    pipe, start = VideoPurePipeline.from_pretrained(hardened), tiny.tiny_unet().state_dict()
    assert any(not torch.equal(value, start[name]) for name, value in pipe.unet.state_dict().items())


def test_command_after_a_robust_purifier_evaluates_one_step(hardened, good, tmp_path, capsys):
    more = ["--classifier", "--robust", "2/255", "--robust-purifier", "2/255", "--purifier-steps", "2", "--steady"]
    assert cli.main(words(good, hardened, *more, "--quiet", recipe=replace(SMALL, steps=0))) == 0
    *_, purifier, line = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"robust purifier: \d+ of \d+ validation clips right, \d+ under attack", purifier)
    _, *arguments = shlex.split(line.removeprefix("evaluate: "))
    arguments[arguments.index("--out") + 1] = str(tmp_path / "out")
    assert cli.main([*arguments, "--n-clips", "2", "--attacks", "none", "--quiet", "--device", "cpu"]) == 0
    described = json.loads((tmp_path / "out" / "card.json").read_text())["config"]["defenses"]
    assert [one["method"].split(":")[-1] for one in described.values()] == ["none", "OneStep"]


def test_mirror_between_classes_is_refused(good, tmp_path, capsys):
    assert cli.main(words(good, tmp_path / "out", "--quiet", recipe=replace(SMALL, mirror=True))) == 2
    line = capsys.readouterr().err
    assert "a mirror turns 'left' into 'right'" in line and "--no-mirror" in line and not (tmp_path / "out").exists()


def test_no_purifier_steps_leave_the_guidance_alone(good, tmp_path):
    out = training.train(ClipFolder(good, 4, 16), tmp_path / "out", "train", replace(SMALL, steps=0), cpu=True, progress=False)
    assert json.loads((out / "training.json").read_text())["tried"] == []


def test_given_classifier_is_trained_on_as_a_copy(good, tmp_path):
    torch.manual_seed(0)
    given = nn.Sequential(nn.Flatten(), nn.Linear(3 * 4 * 16 * 16, 3)).eval()
    before = {name: value.clone() for name, value in given.state_dict().items()}
    recipe = replace(SMALL, steps=0)
    data = ClipFolder(good, 4, 16)
    training.train(data, tmp_path / "out", given, recipe, cpu=True, progress=False, hardening=Hardening(noise=0.1))
    assert all(torch.equal(value, given.state_dict()[name]) for name, value in before.items())
    weights = load_file(tmp_path / "out" / "classifier.safetensors")
    assert weights.keys() == before.keys() and not torch.equal(weights["1.weight"], before["1.weight"])


@pytest.mark.parametrize(
    "more, said",
    [
        (["--robust", "8/255"], "needs a classifier"),
        (["--robust-purifier", "8/255"], "needs a classifier"),
        (["--classifier", "--robust", "3"], "robust"),
        (["--classifier", "--frozen", "--robust", "8/255"], "nothing to train"),
        (["--classifier", "--trades", "6"], "trades"),
        (["--classifier", "--masks", "4"], "expected fewer"),
    ],
)
def test_hardening_that_cannot_work_is_one_line(more, said, good, tmp_path, capsys):
    assert cli.main(words(good, tmp_path / "out", *more, "--quiet")) == 2
    line = capsys.readouterr().err
    assert said in line and line.count("\n") == 1 and not (tmp_path / "out").exists()
