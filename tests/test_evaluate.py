"The benchmark: killed, shared, fed with damaged clips and bad settings."

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
import warnings
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import Dataset

from videopure import journal
from videopure.attacks import ATTACKS
from videopure.baselines import JPEG, PURIFIERS, GaussianBlur, NoiseAndDenoise, OneStep, RandomizedSmoothing
from videopure.classifiers import VideoClassifier, load_classifier
from videopure.cli import main
from videopure.config import _reading, load_data, parts_of, read_config, run_config
from videopure.data import ClipFolder, Clips, MovingShapes
from videopure.defense import Defended
from videopure.evaluate import Run, benchmark
from videopure.protocols import PROTOCOLS, AttackSpec, as_attack_spec
from videopure.journal import Journal, file_name
from videopure.metrics import METRICS
from videopure.pipeline import VideoPurePipeline, load_pipeline
from videopure.checks import AnswerError
from videopure.purifier import NoGradientError, Purifier
from videopure.registry import fingerprint
from videopure.results import Card, five_metrics
from videopure.threats import THREATS, Linf
from videopure.tiny import MotionClassifier, save_classifier, tiny_classifier
from videopure.voting import RULES
from videopure.video import MOTIONS, VideoFileError, VideoPureError, moving_shapes, read_video, write_video

RUN = """
title = "Small"
seed = 5
data = { n_clips = 5, seed = 31 }

[defenses]
none = { method = "none" }
"JPEG 30" = { method = "jpeg", quality = 30 }
smoothing = { method = "smoothing", sigma = 0.05, votes = 3 }

[attacks]
"PGD 8/255" = { sees = "classifier", eps = "8/255", steps = 3 }
"BPDA 4/255" = { sees = "bpda", eps = "4/255", steps = 3, n_clips = 4 }
"noise" = { method = "noise", sees = "scores", eps = "16/255" }
"""
PGD = {"sees": "classifier", "eps": "8/255", "steps": 3}
DATA = MovingShapes(3, seed=32)


@pytest.fixture(scope="module")
def classifier():
    return tiny_classifier()


@pytest.fixture(scope="module")
def run_file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("run") / "run.toml"
    path.write_text(RUN)
    return path


@pytest.fixture(scope="module")
def expected(run_file, tmp_path_factory) -> str:
    "The table of an uninterrupted run."
    out = tmp_path_factory.mktemp("whole")
    assert main(["evaluate", str(run_file), "--out", str(out), "--quiet"]) == 0
    return (out / "table.md").read_text()


def command(*arguments, launcher=("-m",)) -> list[str]:
    return [sys.executable, *launcher, "videopure", "evaluate", *map(str, arguments), "--quiet"]


def lines(folder: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in folder.glob("results-*.jsonl"))


@pytest.mark.slow
def test_killed_and_started_again(run_file, expected, tmp_path):
    "kill -9 at several moments; the same command ends with the same table, byte for byte."
    for moment in (1, 9, 20):
        process = subprocess.Popen(command(run_file, "--out", tmp_path), stdout=subprocess.DEVNULL)
        while process.poll() is None and lines(tmp_path) < moment:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, "the run was over before it could be killed"
        before = lines(tmp_path)
        assert before >= moment and not (tmp_path / "table.md").exists()
    assert main(["evaluate", str(run_file), "--out", str(tmp_path), "--quiet"]) == 0
    assert (tmp_path / "table.md").read_text() == expected
    assert lines(tmp_path) == len(Card.load(tmp_path).results) == 5 * 3 * 3 + 4 * 3


@pytest.mark.slow
def test_two_processes(run_file, expected, tmp_path):
    "Under accelerate's launcher, two processes share the clips and give the table of one."
    launcher = ("-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--main_process_port", "0", "-m")
    shell = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command(run_file, "--out", tmp_path, launcher=launcher), env=shell, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    counts = [path.read_bytes().count(b"\n") for path in sorted(tmp_path.glob("results-*.jsonl"))]
    assert len(counts) == 2 and min(counts) > 0
    assert (tmp_path / "table.md").read_text() == expected


@pytest.mark.slow
def test_workers(run_file, expected, tmp_path):
    "Two processes of the command's own give the table of one; what is wrong is said once, with the status of one process."
    shell = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command(run_file, "--out", tmp_path, "--workers", "2"), env=shell, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    counts = [path.read_bytes().count(b"\n") for path in sorted(tmp_path.glob("results-*.jsonl"))]
    assert len(counts) == 2 and min(counts) > 0 and done.stdout.count("written: ") == 1
    assert (tmp_path / "table.md").read_text() == expected
    done = subprocess.run(command(run_file, "--out", tmp_path, "--seed", "9", "--workers", "2"), env=shell, capture_output=True, text=True)
    assert done.returncode == 2 and "seed" in done.stderr and done.stderr.count("\n") == 1, done.stderr


ADDRESS = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}
LEFT_OVER = {
    "no number": ({"WORLD_SIZE": "x"}, "WORLD_SIZE is 'x'"),
    "no rank": ({"WORLD_SIZE": "2"} | ADDRESS, "RANK is ''"),
    "rank alone": ({"RANK": "1"}, "WORLD_SIZE is ''"),
    "another job's": ({"WORLD_SIZE": "2", "RANK": "1", "LOCAL_RANK": "1"} | ADDRESS, "the other processes did not come"),
}


@pytest.mark.parametrize("variables, words", LEFT_OVER.values(), ids=LEFT_OVER)
def test_variables_of_a_launcher_left_over(variables, words, classifier, monkeypatch):
    "Neither an endless wait nor half of the clips, from Python as from the command line."
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(journal.time, "sleep", lambda seconds: None)
    with pytest.raises(VideoPureError) as error:
        benchmark(classifier, {"none": None}, moving_shapes(2), {}, progress=False)
    assert words in str(error.value) and "accelerate launch" in str(error.value) and "\n" not in str(error.value)


@pytest.mark.slow
def test_parts_one_after_the_other(run_file, expected, tmp_path):
    "Columns and rows can be worked on apart, in any order."
    for chosen in (["--attacks", "noise"], ["--defenses", "smoothing", "none"], []):
        assert main(["evaluate", str(run_file), "--out", str(tmp_path), "--quiet", *chosen]) == 0
    assert (tmp_path / "table.md").read_text() == expected


REAL = Path(__file__).resolve().parents[2] / "shared" / "data" / "ut_interaction"
SHORT = '[defenses]\nnone = { method = "none" }\n"JPEG 30" = { method = "jpeg" }\n[attacks]\nPGD = { eps = "8/255", steps = 3 }\n'
NAMES = [f"motion {i}" for i in range(10)]


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> Path:
    "A good clip of each class as a video file."
    root = tmp_path_factory.mktemp("good") / "clips"
    clips, labels = moving_shapes(10, seed=3)
    for clip, label in zip(clips, labels.tolist()):
        (root / MOTIONS[label]).mkdir(parents=True)
        write_video(clip[None], root / MOTIONS[label] / "good.mp4", lossless=True)
    return root


@pytest.fixture
def folder(good, tmp_path) -> Path:
    "The same, with a corrupt clip, a torn one, one too short and one of another size in the first class."
    root = shutil.copytree(good, tmp_path / "clips")
    first, clip = root / MOTIONS[0], moving_shapes(1, seed=3)[0]
    (first / "corrupt.mp4").write_bytes(b"not a video at all")
    (first / "torn.mp4").write_bytes((first / "good.mp4").read_bytes()[:3000])
    write_video(clip[:, :, :4], first / "short.mp4", lossless=True)
    write_video(moving_shapes(1, seed=4, size=48)[0], first / "large.mp4", lossless=True)
    return root


BROKEN = [f"{MOTIONS[0]}/{name}.mp4" for name in ("corrupt", "short", "torn")]


@pytest.fixture
def shell(tmp_path, capsys):
    "`videopure evaluate` with some arguments, two quick defenses and one attack: status, output, errors."
    (tmp_path / "run.toml").write_text(SHORT)

    def call(*arguments, config=tmp_path / "run.toml", out=tmp_path / "out"):
        capsys.readouterr()
        status = main(["evaluate", *map(str, filter(None, [config])), "--out", str(out), "--quiet", *map(str, arguments)])
        return status, *capsys.readouterr()

    return call


def test_folder_with_damaged_clips(folder, tmp_path, capsys, classifier):
    data = ClipFolder(folder, classes=MOTIONS)
    card = benchmark(classifier, {"none": None, "JPEG": JPEG(30)}, data, {"PGD": PGD}, out=tmp_path / "out", progress=False)
    assert [record["clip"] for record in card.skipped] == BROKEN
    assert len(data) == 14 and card.accuracy("none").n == card.accuracy("JPEG", "PGD").n == 11
    assert all(record["skipped"] and "\n" not in record["skipped"] for record in card.skipped)
    assert "corrupt.mp4" in capsys.readouterr().err
    assert "corrupt.mp4" in (tmp_path / "out" / "card.md").read_text()


@pytest.mark.slow
def test_command_line_on_a_folder(folder, tmp_path, shell, classifier):
    "From a folder, a saved classifier and a saved purifier to the card; damaged clips are counted and named, also the second time."
    models = save_classifier(classifier, tmp_path / "mine.safetensors"), tmp_path / "purifier"
    VideoPurePipeline.tiny().save_pretrained(models[1])
    settings = tmp_path / "gray.toml"
    settings.write_text('[attacks]\nPGD = { eps = "8/255", steps = 3 }')
    for _ in range(2):
        status, out, _ = shell("--data", folder, "--classifier", models[0], "--model", models[1], config=settings)
        assert status == 0 and "3 clips skipped" in out and all(name in out for name in BROKEN)
    card = Card.load(tmp_path / "out")
    assert [r["clip"] for r in card.skipped] == BROKEN and card.defenses == ["none", "JPEG 30", "VideoPure"]
    assert card.accuracy("none").right == card.accuracy("none").n == card.accuracy("VideoPure", "PGD").n == 11
    assert card.accuracy("VideoPure", "PGD").right > 8 > 3 > card.accuracy("none", "PGD").right
    assert all(name in (tmp_path / "out" / file).read_text() for name in BROKEN for file in ("card.md", "card.html", "card.json"))


def test_a_folder_with_some_of_the_classes(folder, shell, tmp_path):
    "Labels come from the classifier's names, not from the place of a folder among those that are there."
    for name in ("up", "down", "shrink"):
        shutil.rmtree(folder / name)
    status, out, err = shell("--data", folder, "--attacks", "none")
    assert status == 0 and "videopure: " in err and "no clip of 3 of the classifier's 10 classes: 'up', 'down', 'shrink'" in err
    assert Card.load(tmp_path / "out").accuracy("none").right == 8


def test_nothing_to_read(good, shell, tmp_path):
    "Only damaged clips: the card says so, and the command fails."
    lonely = tmp_path / "lonely" / MOTIONS[0]
    lonely.mkdir(parents=True)
    (lonely / "one.mp4").write_bytes(b"nothing")
    status, out, err = shell("--data", lonely.parent)
    assert status == 2 and f"{MOTIONS[0]}/one.mp4" in out and "none of the 1 clips could be read" in err


def with_folder(name: str, clip: bool = True):
    def change(root: Path) -> list:
        (root / name).mkdir()
        if clip:
            shutil.copy(root / MOTIONS[0] / "good.mp4", root / name)
        return ["--data", root]

    return change


class Runs:
    "Pickled, it would print."

    def __reduce__(self):
        return print, ("code ran",)


def pickled(root: Path) -> list:
    torch.save({"state_dict": Runs()}, root.parent / "code.pth")
    return ["--data", root, "--classifier", "slowfast_4x16_resnet50_kinetics400", "--weights", root.parent / "code.pth"]


def few_folders(root: Path) -> list:
    "A classifier without names for its ten classes, and nine folders."
    shutil.rmtree(root / MOTIONS[4])
    (root.parent / "unnamed_model.py").write_text(
        "from torch import nn\nfrom videopure.tiny import tiny_classifier\ndef make(): return nn.Sequential(tiny_classifier())\n"
    )
    return ["--data", root, "--classifier", "unnamed_model:make", "--frames", 16, "--size", 32]


def no_files(root: Path) -> list:
    shutil.rmtree(root)
    root.mkdir()
    return ["--data", root]


REFUSED = {
    "number of classes": (lambda root: ["--data", root, "--num-classes", 3], "has 10 classes, asked for --num-classes 3"),
    "fewer folders": (few_folders, "has 9 classes and the classifier 10"),
    "unknown folder": (with_folder("zigzag"), "clips of 'zigzag', not among the classifier's 10 class names, 'left'"),
    "class without clip": (with_folder("zigzag", clip=False), "zigzag has no clip in it"),
    "empty folder": (no_files, "has no class folders in it"),
    "no folder": (lambda root: ["--data", root / "nowhere"], "is not a folder"),
    "no weights": (lambda root: ["--data", root, "--weights", root / "no.pth"], "no.pth"),
    "weights of code": (pickled, "is a pickle"),
    "weights wanted": (lambda root: ["--classifier", "slowfast_4x16_resnet50_kinetics400"], "needs weights=FILE"),
    "classifier": (lambda root: ["--classifier", "resnet"], "unknown classifier 'resnet'"),
    "where": (lambda root: ["--data", root, "--where", "8"], "--where needs --group"),
    "where not": (lambda root: ["--data", root, "--where-not", "8"], "--where-not needs --group"),
    "manifest": (lambda root: ["--data", root, "--group", "who"], "manifest.csv does not exist"),
    "group of shapes": (lambda root: ["--group", "who"], "group"),
    "frames": (lambda root: ["--data", root, "--frames", 1], "frames"),
    "clips": (lambda root: ["--data", root, "--n-clips", 0], "clips is 0"),
    "negative": (lambda root: ["--n-clips", -1], "-1"),
}


@pytest.mark.parametrize("change, words", REFUSED.values(), ids=REFUSED)
def test_refused_in_one_line(change, words, good, shell, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    status, out, err = shell(*change(shutil.copytree(good, tmp_path / "clips")))
    lines = [line for line in err.splitlines() if "no clip of" not in line]
    assert status == 2 and words in lines[0] and len(lines) == 1 and "code ran" not in out, err


def test_labels_outside_the_range(good, tmp_path, shell):
    (tmp_path / "list.txt").write_text("".join(f"{MOTIONS[k]}/good.mp4 {label}\n" for k, label in ((0, 0), (1, 12))))
    config = tmp_path / "list.toml"
    config.write_text(f'data = {{ dataset = "list", folder = "{good}", listing = "{tmp_path / "list.txt"}" }}\n{SHORT}')
    status, _, err = shell(config=config)
    assert status == 2 and err.count("\n") == 1 and "label 12 of" in err and "0 to 9" in err
    with pytest.raises(VideoPureError, match="labels run from 0 to 12, but the model knows the classes 0 to 9"):
        data = Clips(good, [f"{name}/good.mp4" for name in MOTIONS[:2]], [0, 12], NAMES + list("abc"))
        benchmark(tiny_classifier(), {"none": None}, data, {"PGD": PGD}, progress=False)


@pytest.mark.slow
def test_a_network_of_the_field_with_a_checkpoint(good, tmp_path, shell):
    "SlowFast with random weights for ten classes: right or wrong, every clip gets an answer, of the size that is asked for."
    name, weights = "slowfast_4x16_resnet50_kinetics400", tmp_path / "slowfast.pth"
    random = load_classifier(name, "random", 10)
    assert _reading(random, {}, True) == {"frames": 32, "size": 224}
    with pytest.warns(UserWarning, match="read with size=32"):
        assert _reading(torch.nn.Identity(), {"frames": 8}, True) == {"size": 32}
    torch.save({"state_dict": random.model.state_dict()}, weights)
    arguments = ["--data", good, "--classifier", name, "--weights", weights, "--n-clips", 2, "--attacks", "none"]
    status, _, err = shell(*arguments, "--defenses", "none", "--frames", 16, "--size", 32)
    card = Card.load(tmp_path / "out")
    assert status == 0 and card.accuracy("none").n == 2 and card.config["dataset"]["reading"]["size"] == 32
    status, _, err = shell(*arguments, "--num-classes", 11)
    assert status == 2 and "classes 10" in err and err.count("\n") == 1


def test_reading_is_what_the_classifier_wants(good, tmp_path):
    wants = VideoClassifier(tiny_classifier(), None, None, frames=8, size=(24, 20), class_names=list(MOTIONS))
    data = load_data(wants, folder=str(good))
    assert data[0][0].shape == (3, 8, 24, 20) and load_data(wants, folder=str(good), frames=4)[0][0].shape == (3, 4, 24, 20)
    assert load_data(wants)[0][0].shape == (3, 8, 24, 24) and load_data(wants, size=16, n_clips=3)[0][0].shape == (3, 8, 16, 16)
    with pytest.warns(UserWarning, match="read with frames=16 and size=32"):
        assert load_data(nn.Sequential(wants), folder=str(good))[0][0].shape == (3, 16, 32, 32)
    assert load_data(nn.Sequential(wants))[0][0].shape == (3, 16, 32, 32)
    assert load_data(tiny_classifier(), folder=str(good))[0][0].shape == (3, 16, 32, 32)


def test_names_are_found_whatever_their_order(good):
    classifier = nn.Identity()
    classifier.frames = classifier.size = 8
    classifier.class_names = ["Nothing", *(name.replace("_", " ").title() for name in reversed(MOTIONS))]
    with pytest.warns(UserWarning, match="no clip of 1 of the classifier's 11 classes: 'Nothing'"):
        data = load_data(classifier, folder=str(good))
    assert [classifier.class_names[k].lower().replace(" ", "_") for k in data.labels] == [name.split("/")[0] for name in data.ids]
    given = load_data(classifier, folder=str(good), classes=list(MOTIONS))
    assert given.labels == [MOTIONS.index(name.split("/")[0]) for name in data.ids]


def test_limits_take_some_of_each_class(good, tmp_path, classifier):
    for copy in ("a", "b", "c"):
        for name in MOTIONS:
            (tmp_path / name).mkdir(exist_ok=True)
            shutil.copy(good / name / "good.mp4", tmp_path / name / f"{copy}.mp4")
    data = ClipFolder(tmp_path, classes=MOTIONS)
    columns = {"none": AttackSpec(n_clips={"others": 20, "few": 5}), "PGD": AttackSpec(n_clips=10)}
    run = Run(classifier, {"none": None}, data, columns)
    first = lambda n: [name.split("/")[0] for name in run.ids[:n]]
    assert sorted(run.ids) == sorted(data.ids) and len(set(first(5))) == 5
    assert sorted(first(10)) == sorted(MOTIONS) and sorted(first(20)) == sorted(MOTIONS * 2)
    assert {*run.ids[:5]} < {*run.ids[:10]} and {*run.ids[:10]} == {*Run(classifier, {"none": None}, data, {}, n_clips=10).ids}
    assert [data.ids[i] for i in run.order] == run.ids
    assert Run(classifier, {"none": None}, data, {}).ids == data.ids
    assert len(Run(classifier, {"none": None}, data, {}, n_clips=99).ids) == 30
    assert Run(classifier, {"none": None}, MovingShapes(30), columns, n_clips=7).order == list(range(7))


def test_clips_keep_their_labels_in_another_order(good, tmp_path, classifier):
    card = benchmark(classifier, {"none": None}, ClipFolder(good, classes=MOTIONS), {}, n_clips=6, batch_size=4, progress=False)
    assert card.accuracy("none").right == card.accuracy("none").n == 6
    assert all(MOTIONS[r["label"]] == r["clip"].split("/")[0] for r in card.results)


def test_groups_on_the_command_line(good, tmp_path, shell):
    root = shutil.copytree(good, tmp_path / "clips")
    rows = [f"{name}/good.mp4,{name},{k % 3}" for k, name in enumerate(MOTIONS)]
    (root / "manifest.csv").write_text("\n".join(["path,label,who", *rows]))
    for arguments, count in ((["--where", 1, 2], 6), (["--where-not", 1, 2], 4), ([], 10)):
        status, _, _ = shell("--data", root, "--group", "who", *arguments, "--attacks", "none", out=tmp_path / str(count))
        card = Card.load(tmp_path / str(count))
        assert status == 0 and card.accuracy("none").right == card.accuracy("none").n == count
    status, _, err = shell("--data", root, "--group", "who", "--where", 7)
    assert status == 2 and "no row with who=7" in err and err.count("\n") == 1


def test_data_sets_by_name(good, tmp_path, shell):
    "UCF-101 and Kinetics in small, numbered by the names of the classifier's outputs."
    root, lists = tmp_path / "UCF", tmp_path / "lists"
    lists.mkdir()
    (lists / "classInd.txt").write_text("".join(f"{k} {name}\n" for k, name in enumerate(sorted(MOTIONS), 1)))
    files = [f"{name}/v_{name}_g01_c01.avi" for name in MOTIONS[:4]]
    (lists / "testlist02.txt").write_text("\n".join(files))
    for file in files:
        (root / file).parent.mkdir(parents=True)
        shutil.copy(good / file.split("/")[0] / "good.mp4", root / file)
    table = "".join(f"{name},id_{name},0,10,val\n" for name in MOTIONS[:4])
    (tmp_path / "val.csv").write_text("label,youtube_id,time_start,time_end,split\n" + table + "left,gone,0,10,val\n")
    for name in MOTIONS[:4]:
        shutil.copy(good / name / "good.mp4", tmp_path / f"id_{name}_000000_000010.mp4")
    ucf = f'dataset = "ucf101", folder = "{root}", annotations = "{lists}", split = 2, subset = "test"'
    kinetics = f'dataset = "kinetics400", folder = "{tmp_path}", annotations = "{tmp_path / "val.csv"}"'
    for name, data, missing in (("UCF101", ucf, 0), ("Kinetics400", kinetics, 1)):
        (tmp_path / "run.toml").write_text(f"data = {{ {data} }}\n{SHORT}")
        status, _, err = shell("--attacks", "none", out=tmp_path / name)
        card = Card.load(tmp_path / name)
        assert status == 0 and card.accuracy("none").right == card.accuracy("none").n == 4
        assert card.config["dataset"]["name"] == name and card.config["dataset"]["missing"] == missing
        assert ("lacks 1 of 5 listed clips" in err) == bool(missing)


def test_place_of_the_clips_is_replaced_and_their_reading_kept(good, tmp_path, shell):
    (tmp_path / "run.toml").write_text(f'data = {{ folder = "elsewhere", frames = 8, stride = 2 }}\n{SHORT}')
    status, _, _ = shell("--data", good, "--size", 24, "--n-clips", 2, "--attacks", "none")
    reading = Card.load(tmp_path / "out").config["dataset"]["reading"]
    assert status == 0 and (reading["frames"], reading["stride"], reading["size"]) == (8, 2, 24)


def test_classifier_as_a_table(good, tmp_path, shell):
    "A table names weights and classes; the command line goes before it."
    other = MotionClassifier(class_names=tuple(NAMES))
    torch.save(other.state_dict(), tmp_path / "other.pth")
    table = f'[classifier]\nname = "tiny"\nweights = "{tmp_path / "other.pth"}"\nframes = 8\nclass_names = {json.dumps(MOTIONS[::-1])}\n'
    (tmp_path / "run.toml").write_text(table + SHORT)
    assert shell("--data", good, "--n-clips", 2, "--attacks", "none")[0] == 0
    card = Card.load(tmp_path / "out")
    found = card.config["classifier"]
    assert found["name"] == "VideoClassifier" and found["network"] == "MotionClassifier" and found["frames"] == 8
    assert card.config["dataset"]["reading"]["frames"] == 8
    assert all(MOTIONS[-1 - r["label"]] == r["clip"].split("/")[0] for r in card.results)
    status, _, err = shell("--classifier", "tiny", "--n-clips", 1, "--attacks", "none", out=tmp_path / "again")
    assert status == 0 and Card.load(tmp_path / "again").config["classifier"]["name"] == "MotionClassifier"


TABLES = {
    "key": ("colour = 1", "unknown key 'classifier.colour': expected name, weights, num_classes, class_names, mean, std"),
    "class_names": ('class_names = ["a", "b"]', "10 logits for a clip, expected 2"),
    "type": ("name = 3", "classifier.name is 3, expected text"),
    "mean": ("mean = 3", "mean"),
    "layout": ('layout = "BTCH"', "layout"),
}


@pytest.mark.parametrize("text, words", TABLES.values(), ids=TABLES)
def test_bad_tables_are_one_line(text, words, tmp_path, shell):
    (tmp_path / "run.toml").write_text(f"[classifier]\n{text}\n{SHORT}")
    status, _, err = shell()
    assert status == 2 and words in err and err.count("\n") == 1


def test_how_clips_are_prepared_is_part_of_the_configuration(tmp_path):
    make = lambda **options: VideoClassifier(tiny_classifier(), None, None, class_names=list(MOTIONS), **options)
    benchmark(make(), {"none": None}, DATA, {"PGD": PGD}, n_clips=1, out=tmp_path, progress=False)
    with pytest.raises(VideoPureError, match="holds another run: classifier.frames"):
        benchmark(make(frames=8), {"none": None}, DATA, {"PGD": PGD}, n_clips=1, out=tmp_path, progress=False)


def test_order_of_the_classes_is_part_of_the_configuration(good, tmp_path, classifier):
    for names, words in ((MOTIONS, None), (MOTIONS[::-1], "holds another run: dataset.labels")):
        call = lambda: benchmark(classifier, {"none": None}, ClipFolder(good, classes=names), {}, n_clips=1, out=tmp_path, progress=False)
        if words is None:
            call()
        else:
            pytest.raises(VideoPureError, call).match(words)


@pytest.mark.slow
@pytest.mark.skipif(not REAL.is_dir(), reason="needs ../shared/data/ut_interaction")
def test_real_clips(tmp_path, shell, monkeypatch):
    "Clips of some sequences of UT-Interaction, with a corrupt one, one too short and one of another size, and a network of the reader's."
    root, rows = tmp_path / "clips", (REAL / "manifest.csv").read_text().splitlines()
    kept = [row for row in rows[1:] if row.split(",")[2] in ("8", "9", "12")]
    for row in kept:
        source = row.split(",")[0]
        (root / source).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REAL / source, root / source)
    names = sorted(path.name for path in root.iterdir())
    for file, clip in (("short", torch.rand(1, 3, 4, 64, 80)), ("large", torch.rand(1, 3, 20, 96, 64))):
        write_video(clip, root / names[0] / f"{file}.mp4")
    (root / names[0] / "corrupt.avi").write_bytes((root / kept[0].split(",")[0]).read_bytes()[:5000])
    damaged = [f"{names[0]}/{file},{names[0]},8,1,64,80,4,8" for file in ("short.mp4", "large.mp4", "corrupt.avi")]
    (root / "manifest.csv").write_text("\n".join([rows[0], *kept, *damaged]))
    (tmp_path / "readers_model.py").write_text(
        "import torch\nfrom videopure.classifiers import VideoClassifier\nfrom videopure.tiny import MotionClassifier\n"
        f"def make():\n    torch.manual_seed(0)\n    net = MotionClassifier(class_names={names[::-1]!r})\n"
        f"    return VideoClassifier(net, None, None, class_names={names[::-1]!r}, frames=16, size=(24, 32))\n"
    )
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    (tmp_path / "run.toml").write_text('[attacks]\nPGD = { eps = "8/255", steps = 2 }')
    arguments = ["--classifier", "readers_model:make", "--model", "tiny", "--group", "sequence", "--where", "8", "9"]
    status, out, err = shell("--data", root, *arguments)
    card = Card.load(tmp_path / "out")
    chosen = sum(row.split(",")[2] in ("8", "9") for row in kept)
    assert status == 0 and "2 clips skipped" in out and {r["clip"].split("/")[1] for r in card.skipped} == {"short.mp4", "corrupt.avi"}
    assert card.accuracy("none").n == card.accuracy("VideoPure", "PGD").n == chosen + 1
    assert all(names[::-1][r["label"]] == r["clip"].split("/")[0] for r in card.results if "label" in r)


class Sometimes(MovingShapes):
    "The second clip is no clip."

    def __getitem__(self, i):
        clip, label = super().__getitem__(i)
        return (clip.clone().fill_(float("nan")) if i == 1 else clip), label


def test_clips_that_are_none(classifier):
    card = benchmark(classifier, {"none": None}, Sometimes(3, seed=2), {"PGD": PGD}, progress=False, batch_size=3)
    assert (card.accuracy("none", "PGD").n, [r["clip"][-4:] for r in card.skipped]) == (2, ["0001"])


@pytest.mark.slow
def test_full_disk_keeps_what_was_recorded(run_file, tmp_path):
    "A limit on the size of files stands for a full disk."
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))
    done = subprocess.run(command(run_file, "--out", tmp_path), preexec_fn=limit, capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.strip().count("\n") == 0, done.stderr
    assert "results are kept" in done.stderr
    journal = Journal(tmp_path)
    assert 0 < len(journal.results) < 45 and lines(tmp_path) == len(journal.results)


def test_unwritable_folder_is_one_line(run_file, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["evaluate", str(run_file), "--out", str(tmp_path / "file" / "out"), "--quiet"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_batches_change_nothing_that_is_not_random(classifier):
    "The attack starts from the clip; then clips do not know of each other."
    attack = {"PGD": PGD | {"random_start": False}}
    alone, together = (
        benchmark(classifier, {"none": None, "blur": GaussianBlur(1.0)}, DATA, attack, batch_size=b, progress=False) for b in (1, 3)
    )
    assert alone.table()._repr_markdown_() == together.table()._repr_markdown_()
    assert [r["predicted"] for r in alone.results] == [r["predicted"] for r in together.results]


@pytest.mark.slow
def test_random_purifiers_are_asked_several_times_and_repeat(classifier):
    pipe = VideoPurePipeline.tiny()
    rows = {"smoothing": RandomizedSmoothing(0.3, votes=1), "DDIM": NoiseAndDenoise(pipe, 2, torch.Generator()), "JPEG": JPEG(30)}
    state = torch.get_rng_state()
    first, second = (benchmark(classifier, rows, DATA, {"PGD": PGD}, trials=4, progress=False) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), state)
    assert [r["predicted"] for r in first.results] == [r["predicted"] for r in second.results]
    assert {len(r["predicted"]) for r in first.cell("smoothing").values()} == {len(r["right"]) for r in first.cell("DDIM").values()} == {4}
    assert {len(r["predicted"]) for r in first.cell("JPEG").values()} == {1}
    other = benchmark(classifier, rows, DATA, {"PGD": PGD}, trials=4, seed=1, progress=False)
    assert [r["predicted"] for r in first.results] != [r["predicted"] for r in other.results]


def test_attacked_clips_are_stored_without_loss(classifier, tmp_path):
    columns = {"PGD 8/255": PGD, "8 bits": PGD | {"uint8": True}}
    benchmark(classifier, {"none": None}, DATA, columns, out=tmp_path, store=True, progress=False)
    for name, card_name in ((file_name("PGD 8/255"), "PGD 8/255"), ("8 bits", "8 bits")):
        assert len([*(tmp_path / "attacked" / name).iterdir()]) == 3
        stored = torch.cat([read_video(tmp_path / "attacked" / name / f"{file_name(clip)}.npz") for clip in DATA.ids[:3]])
        clean = torch.stack([DATA[i][0] for i in range(3)])
        levels = (stored * 255 - (stored * 255).round()).abs().max()
        assert (stored - clean).abs().max() <= 8 / 255 + (0.5 / 255 if name == "8 bits" else 0) + 1e-6
        assert (levels < 1e-3) == (name == "8 bits")
        predicted = classifier(stored).argmax(1).tolist()
        records = Card.load(tmp_path).cell("none", card_name).values()
        assert predicted == [r["predicted"][0] for r in records] and all(r["metrics"]["budget_used"] <= 1.0001 for r in records)


@pytest.mark.slow
def test_columns_see_what_they_say(classifier):
    "Gray-box clips are made once; a defense's own attack is made on the defense."
    pipe = VideoPurePipeline.tiny()
    columns = {"gray": PGD, "full": PGD | {"sees": "full"}, "scores": {"method": "noise", "sees": "scores", "eps": 0.03, "draws": 2}}
    card = benchmark(classifier, {"none": None, "VideoPure": pipe, "JPEG": JPEG(30)}, DATA, columns, n_clips=2, progress=False)
    calls = {name: card.metric("VideoPure", name, "calls") for name in ("none", "gray", "full", "scores")}
    steps = pipe.config["purify_steps"]
    assert calls["none"] == calls["gray"] == 2 * steps
    assert calls["full"] > 2 * calls["gray"] and calls["scores"] >= 2 * calls["gray"]
    assert not card.cell("JPEG", "full"), "a defense without gradient has no such column"
    assert card.metric("none", "gray", "calls") == 0
    assert all(r["metrics"]["queries"] > 0 for r in card.cell("VideoPure", "scores").values())


@pytest.mark.slow
def test_rules_and_limits(classifier):
    pipe = VideoPurePipeline.tiny()
    rows = {"majority": pipe, "mean": Defended(classifier, pipe, "mean-probability")}
    limited = {"none": AttackSpec(n_clips={"others": 3, "mean": 1}), "PGD": AttackSpec(n_clips=2, options={"eps": "8/255", "steps": 1})}
    card = benchmark(classifier, rows, DATA, limited, progress=False)
    assert [card.accuracy(d).n for d in rows] == [3, 1] and card.accuracy("mean", "PGD").n == 2
    assert card.config["defenses"]["mean"]["rule"] == "mean-probability"


@pytest.mark.slow
def test_protocol_of_the_paper(classifier):
    card = benchmark(classifier, {"none": None, "JPEG 30": JPEG(30)}, DATA, protocol="videopure", n_clips=2, progress=False)
    pgd = card.config["attacks"]["PGD 4/255"]
    assert (pgd["eps"], pgd["alpha"], pgd["steps"], pgd["sees"]) == ("4/255", "2/255", 10, "classifier")
    assert card.config["attacks"]["BPDA 4/255"]["sees"] == "bpda"
    table = five_metrics(card)
    assert table.head == ["defense", "clean", "standard", "attack", "robust*", "robust (BPDA)"]
    assert [row[0] for row in table.rows] == ["JPEG 30"]


def test_random_purifiers_are_attacked_over_several_draws(classifier):
    "One lucky draw must not end an attack on a purifier that will draw again; for the others averaging is left out."
    smoothing = Defended(classifier, RandomizedSmoothing(0.1, votes=2))
    for name, spec in PROTOCOLS["standard"].items():
        if spec["sees"] in ("bpda", "full"):
            column = as_attack_spec(spec)
            assert (column.attack(smoothing).eot, column.attack(smoothing).varies) == (4, True), name
            assert not column.attack(Defended(classifier, JPEG(30)), random=False).varies, name


TYPES = """
data = { n_clips = 2, seed = 31 }
[defenses]
none = { method = "none" }
VideoPure = { method = "videopure", purify_steps = 2 }
"one-step x0" = { method = "one-step" }
[attacks]
PGD = { eps = "8/255", steps = 2 }
full = { sees = "full", eps = "8/255", steps = 1 }
"""


@pytest.mark.slow
def test_type_of_the_model(tmp_path, shell):
    "Half precision, on the command line or in the file, is of the purifiers only; a run is not continued in another type."
    (tmp_path / "run.toml").write_text(TYPES)
    assert shell("--dtype", "bfloat16")[0] == 0
    card, found = Card.load(tmp_path / "out"), lines(tmp_path / "out")
    assert found == 2 * 3 * 3 and not card.skipped
    rows, half = card.config["defenses"], fingerprint(*(getattr(load_pipeline(dtype="bfloat16"), m) for m in ("unet", "vae")))
    assert {name: row.get("weights") for name, row in rows.items()} == {"none": None} | dict.fromkeys(list(rows)[1:], f"{half} in bfloat16")
    status, _, err = shell()
    assert status == 2 and "holds another run: defenses.VideoPure.weights" in err and "in bfloat16" in err and err.count("\n") == 1
    (tmp_path / "run.toml").write_text(f'dtype = "bfloat16"\n{TYPES}')
    assert shell()[0] == 0 and lines(tmp_path / "out") == found
    assert shell("--dtype", "float32")[0] == 2


def test_weights_are_part_of_the_configuration(classifier, tmp_path):
    benchmark(classifier, {"none": None}, DATA, {"PGD": PGD}, n_clips=1, out=tmp_path, progress=False)
    other = tiny_classifier()
    with torch.no_grad():
        next(other.parameters()).add_(1e-3)
    with pytest.raises(VideoPureError, match="holds another run: classifier.weights"):
        benchmark(other, {"none": None}, DATA, {"PGD": PGD}, n_clips=1, out=tmp_path, progress=False)


BAD = {
    "label": (lambda c: benchmark(c, {"none": None}, (torch.rand(1, 3, 4, 16, 16), torch.tensor([10])), {"PGD": PGD}), "classes 0 to 9"),
    "protocol": (lambda c: benchmark(c, {"none": None}, DATA, protocol="easy"), "unknown protocol"),
    "attack": (lambda c: benchmark(c, {"none": None}, DATA, {"x": {"method": "NoSuch"}}), "NoSuch"),
    "option": (lambda c: benchmark(c, {"none": None}, DATA, {"x": PGD | {"speed": 3}}), "speed"),
    "eps": (lambda c: benchmark(c, {"none": None}, DATA, {"x": {"eps": "8/0"}}), "'8/255'"),
    "sees": (lambda c: benchmark(c, {"none": None, "J": JPEG(30)}, DATA, {"x": PGD | {"sees": "everything"}}), "everything"),
    "no clips": (lambda c: benchmark(c, {"none": None}, DATA, {"PGD": PGD}, n_clips=0), "clips"),
    "no defenses": (lambda c: benchmark(c, {}, DATA, {"PGD": PGD}), "defense"),
    "threat": (lambda c: benchmark(c, {"none": None}, DATA, {"x": PGD | {"threat": {"kind": "Linfinity"}}}), "Linfinity"),
    "trials": (lambda c: benchmark(c, {"none": None}, DATA, {"PGD": PGD}, trials=0), "trials"),
    "batch": (lambda c: benchmark(c, {"none": None}, DATA, {"PGD": PGD}, batch_size=0), "batch_size"),
    "row": (lambda c: benchmark(c, {"none": None}, DATA, {"PGD": PGD}, only_defenses=["nobody"]), "nobody"),
}


@pytest.mark.parametrize("call, word", BAD.values(), ids=BAD)
def test_bad_settings_are_one_line(call, word, classifier):
    with pytest.raises(VideoPureError) as error:
        call(classifier)
    assert word in str(error.value) and "\n" not in str(error.value)


FILES = {
    "missing": (None, "cannot read"),
    "no TOML": ("a = = 3", "not a TOML file"),
    "key": ("colour = 3", "unknown key 'colour'"),
    "method": ('[defenses]\nx = { method = "magic" }', "unknown purifier 'magic'"),
    "purifier option": ('[defenses]\nx = { method = "jpeg", speed = 1 }', "speed"),
    "code": ('classifier = "no.such:thing"', "allow it with --allow-code"),
    "classifier file": ('classifier = "nowhere.safetensors"', "nowhere"),
    "model": ('model = "no/such/folder"', "cannot load the model"),
    "type": ('dtype = "int8"', "unknown dtype 'int8'"),
    "no type": ("dtype = 16", "dtype is 16, expected text"),
    "data": ("data = { colour = 1 }", "colour"),
    "folder": ('data = { folder = "no/such/folder" }', "not a folder"),
}


@pytest.mark.parametrize("text, words", FILES.values(), ids=FILES)
def test_bad_files_are_one_line(text, words, tmp_path, capsys):
    path = tmp_path / "run.toml"
    if text is not None:
        path.write_text(text)
    assert main(["evaluate", str(path), "--out", str(tmp_path / "out"), "--quiet"]) == 2
    said = capsys.readouterr().err
    assert words in said and said.count("\n") == 1, said


WORDS = {"module": "no.such:thing", "name": "videopure.tiny:thing", "fails": "my_broken:thing"}


@pytest.mark.parametrize("word", WORDS.values(), ids=WORDS)
def test_code_that_cannot_be_imported_is_one_line(word, tmp_path, monkeypatch, shell):
    (tmp_path / "my_broken.py").write_text("raise ValueError('first line\\nsecond line')")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "run.toml").write_text(f'classifier = "{word}"')
    status, _, err = shell("--allow-code")
    assert status == 2 and f"cannot import {word!r}" in err and err.count("\n") == 1


def test_configuration_is_carried_by_the_card(run_file, tmp_path):
    card = run_config(read_config(run_file) | {"n_clips": 1}, tmp_path, progress=False)
    carried = json.loads((tmp_path / "card.json").read_text())["config"]
    assert carried == card.config and carried["attacks"]["BPDA 4/255"]["steps"] == 3 and carried["defenses"]["JPEG 30"]["quality"] == 30
    assert carried["seed"] == 5 and len(carried["classifier"]["weights"]) == 12


def test_user_classifier_by_name(tmp_path, monkeypatch):
    (tmp_path / "my_models.py").write_text("from videopure.tiny import tiny_classifier\ndef mine(): return tiny_classifier()\n")
    monkeypatch.syspath_prepend(tmp_path)
    config = {"classifier": "my_models:mine", "data": {"n_clips": 1}, "defenses": {"none": {"method": "none"}}, "attacks": {"PGD": PGD}}
    assert run_config(config, progress=False).accuracy("none").n == 1


def test_a_saved_classifier_that_is_none(tmp_path):
    (tmp_path / "weights.safetensors").write_bytes(b"nothing")
    with pytest.raises(VideoFileError):
        run_config({"classifier": str(tmp_path / "weights.safetensors"), "data": {"n_clips": 1}})


PARTS = """
from dataclasses import dataclass

import torch

from videopure.attacks import PGD
from videopure.purifier import Purifier
from videopure.threats import Linf


class Step(PGD):
    "One step."

    def __init__(self, model, eps="8/255", **options):
        super().__init__(model, eps, steps=1, random_start=False, **options)


class Narrow(PGD):
    def __init__(self, model, eps="8/255"):
        super().__init__(model, eps, steps=1)


def make_step(model, eps="8/255"):
    return Step(model, eps)


def brighter(clips, labels):
    return (clips + 8 / 255).clamp(0, 1)


@dataclass
class Darker(Linf):
    "Nothing may become brighter."

    eps: float = 8 / 255

    def shrink(self, delta, clips):
        return delta.clamp(-self.eps, 0)


class Plain(Linf):
    "It takes its size as it is."

    def __init__(self, eps):
        self.eps = eps

    def shrink(self, delta, clips):
        return delta.clamp(-self.eps, 0)


@dataclass
class Dim(Purifier):
    by: float = 0.75

    def __call__(self, video):
        return self.by * video


def brightness(purified, clean):
    return (purified - clean).flatten(1).mean(1)


class Brightness:
    def __call__(self, purified, clean):
        return brightness(purified, clean)

"""


@pytest.fixture(scope="module")
def parts(own_module):
    return own_module("my_parts", PARTS)


def of_one_kind(card: Card, *skip: str) -> list[dict]:
    "What was measured, without what depends on the machine."
    machine = ("seconds", "memory", *skip)
    return [r | {"metrics": {k: v for k, v in r["metrics"].items() if k not in machine}} for r in card.results]


ATTACK_FORMS = {
    "class": lambda parts, classifier: parts.Step,
    "factory": lambda parts, classifier: parts.make_step,
    "object": lambda parts, classifier: parts.Step(classifier),
    "word": lambda parts, classifier: "my_parts:Step",
    "word of a factory": lambda parts, classifier: "my_parts:make_step",
    "name": lambda parts, classifier: "step",
    "table": lambda parts, classifier: {"method": "my_parts:Step", "eps": 8 / 255},
    "table with an object": lambda parts, classifier: {"method": parts.Step(classifier)},
    "table of a name": lambda parts, classifier: {"method": "step", "eps": "8/255"},
    "AttackSpec": lambda parts, classifier: AttackSpec(parts.Step, options={"eps": "8/255"}),
}


@pytest.fixture
def registered(parts, monkeypatch):
    "The parts of my_parts under names."
    monkeypatch.setitem(ATTACKS, "step", parts.Step)
    monkeypatch.setitem(THREATS, "darker", parts.Darker)
    monkeypatch.setitem(PURIFIERS, "dim", parts.Dim)
    monkeypatch.setitem(METRICS, "brightness", parts.brightness)
    return parts


@pytest.mark.slow
@pytest.mark.parametrize("form", ATTACK_FORMS.values(), ids=ATTACK_FORMS)
def test_an_attack_in_every_form(form, registered, classifier):
    "All forms are the same attack."
    plain = {"eps": "8/255", "steps": 1, "random_start": False, "early_stop": True, "best": True}
    run = lambda attack: benchmark(classifier, {"none": None}, DATA, {"x": attack}, metrics=["psnr"], progress=False)
    card, same = run(form(registered, classifier)), run(plain)
    assert card.metric("none", "x", "budget_used") > 0.99 and 25 < card.metric("none", "x", "psnr") < 50
    assert of_one_kind(card, "steps_used") == of_one_kind(same, "steps_used")
    assert json.loads(json.dumps(card.config)) == card.config


def test_an_attack_that_takes_few_options(registered, classifier):
    "What a gray-box attack gets beside its options is only what it takes."
    card = benchmark(classifier, {"none": None}, DATA, {"x": registered.Narrow}, progress=False)
    assert card.metric("none", "x", "budget_used") == pytest.approx(1, abs=1e-3)


def test_a_function_of_clips_and_labels_is_an_attack(registered, classifier):
    for attack in (registered.brighter, "my_parts:brighter", {"method": registered.brighter, "uint8": True}):
        card = benchmark(classifier, {"none": None}, DATA, {"x": attack}, metrics=["brightness"], progress=False)
        assert 0 < card.metric("none", "x", "brightness") <= 8 / 255 + 1e-5


THREAT_FORMS = {
    "class": lambda parts: {"threat": parts.Darker, "eps": "4/255"},
    "object": lambda parts: {"threat": parts.Darker(4 / 255)},
    "object as eps": lambda parts: {"eps": parts.Darker("4/255")},
    "word": lambda parts: {"threat": "my_parts:Darker", "eps": "4/255"},
    "name": lambda parts: {"threat": "darker", "eps": 4 / 255},
    "table": lambda parts: {"threat": {"kind": "my_parts:Darker", "eps": "4/255"}},
    "class that needs a number": lambda parts: {"threat": parts.Plain, "eps": "4/255"},
    "table of a name": lambda parts: {"threat": {"kind": "darker"}, "eps": "4/255"},
    "table as eps": lambda parts: {"eps": {"kind": "darker", "eps": "4/255"}},
}


@pytest.mark.slow
@pytest.mark.parametrize("form", THREAT_FORMS.values(), ids=THREAT_FORMS)
def test_a_threat_in_every_form(form, registered, classifier):
    attack = {"steps": 2, "random_start": False} | form(registered)
    card = benchmark(classifier, {"none": None}, DATA, {"x": attack}, metrics=["brightness"], progress=False)
    assert card.metric("none", "x", "brightness") < 0, "nothing may become brighter"
    assert card.metric("none", "x", "budget_used") == pytest.approx(1, abs=1e-3)


PURIFIER_FORMS = {
    "class": lambda parts: parts.Dim,
    "partial": lambda parts: partial(parts.Dim, by=0.75),
    "object": lambda parts: parts.Dim(),
    "function": lambda parts: lambda video: 0.75 * video,
    "word": lambda parts: "my_parts:Dim",
    "name": lambda parts: "dim",
    "Defended": lambda parts: Defended(tiny_classifier(), parts.Dim()),
}


@pytest.mark.parametrize("wrong, words", [("magic", "unknown purifier 'magic'"), (OneStep, "needs a pipeline"), (3, "not int")], ids=str)
def test_wrong_purifiers_are_one_line(wrong, words, classifier):
    with pytest.raises(VideoPureError, match=words) as error:
        benchmark(classifier, {"x": wrong}, DATA, {}, progress=False)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("form", PURIFIER_FORMS.values(), ids=PURIFIER_FORMS)
def test_a_purifier_in_every_form(form, registered, classifier):
    card = benchmark(classifier, {"x": form(registered)}, DATA, {}, metrics=["brightness"], progress=False)
    clean = torch.stack([DATA[i][0] for i in range(3)]).mean().item()
    assert card.metric("x", "none", "brightness") == pytest.approx(-0.25 * clean, abs=1e-5)


METRIC_FORMS = {
    "function": lambda parts: [parts.brightness],
    "name": lambda parts: ["brightness"],
    "word": lambda parts: ["my_parts:brightness"],
    "table": lambda parts: {"mine": "my_parts:brightness"},
    "object in a table": lambda parts: {"mine": parts.Brightness()},
    "object": lambda parts: [parts.Brightness()],
    "class": lambda parts: [parts.Brightness],
    "word of a class": lambda parts: ["my_parts:Brightness"],
}


@pytest.mark.parametrize("form", METRIC_FORMS.values(), ids=METRIC_FORMS)
def test_a_metric_in_every_form(form, registered, classifier, tmp_path):
    "Under a name that is the same in the next process, so that the run can go on."
    run = lambda: benchmark(classifier, {"x": registered.Dim()}, DATA, {}, metrics=form(registered), out=tmp_path, progress=False)
    card = run()
    (name,) = card.config["metrics"]
    assert " at 0x" not in name and card.metric("x", "none", name) < 0
    assert run().results == card.results


def test_metrics_reach_the_card(classifier, tmp_path):
    metrics = ["psnr", "ssim", "temporal-consistency"]
    rows = {"none": None, "JPEG 30": JPEG(30)}
    card = benchmark(classifier, rows, DATA, {"PGD": PGD}, metrics=metrics, out=tmp_path, progress=False)
    assert set(metrics) < set(card.metric_names) and all(set(metrics) < set(r["metrics"]) for r in card.results)
    assert card.metric("none", "none", "psnr") == 100 and card.metric("none", "none", "ssim") == pytest.approx(1)
    assert 10 < card.metric("JPEG 30", "none", "psnr") < 60 and card.metric("none", "PGD", "psnr") < 40
    saved = json.loads((tmp_path / "card.json").read_text())
    assert saved["cells"]["JPEG 30"]["PGD"]["metrics"]["psnr"] == card.metric("JPEG 30", "PGD", "psnr")
    assert list(saved["config"]["metrics"]) == metrics
    for file in ("card.md", "card.html"):
        assert all(name in (tmp_path / file).read_text() for name in metrics)
    assert Card.load(tmp_path).metric("JPEG 30", "PGD", "ssim") == card.metric("JPEG 30", "PGD", "ssim")


def test_what_an_attack_counts_reaches_the_card(classifier):
    columns = {"PGD": PGD | {"early_stop": False}, "Square": {"method": "square", "sees": "scores", "queries": 5}}
    card = benchmark(classifier, {"none": None}, DATA, columns, progress=False)
    assert card.metric("none", "PGD", "steps_used") == 3 and 1 <= card.metric("none", "Square", "queries") <= 5
    assert card.metric("none", "none", "queries") is None


def test_a_run_with_metrics_goes_on(classifier, tmp_path):
    "A torn file of results: what is missing is measured again, what is there is kept, and the card is the same."
    run = lambda out, **options: benchmark(
        classifier, {"none": None, "JPEG 30": JPEG(30)}, DATA, {"PGD": PGD}, metrics=["psnr", "ssim"], out=out, progress=False, **options
    )
    whole = run(tmp_path / "a")
    run(tmp_path / "b")
    for name in ("card.json", "table.md"):
        (tmp_path / "b" / name).unlink()
    path = tmp_path / "b" / "results-000.jsonl"
    kept = path.read_bytes().splitlines(keepends=True)[:5]
    path.write_bytes(b"".join(kept) + b'{"clip": "torn')
    again = run(tmp_path / "b")
    assert path.read_bytes().startswith(b"".join(kept)) and lines(tmp_path / "b") == 12
    assert of_one_kind(again) == of_one_kind(whole) and len(again.results) == 12
    assert (tmp_path / "a" / "table.md").read_text() == (tmp_path / "b" / "table.md").read_text()


@pytest.mark.parametrize("other", [(), ["psnr"], ["psnr", "ssim", "temporal-consistency"], {"psnr": "ssim", "ssim": "psnr"}], ids=str)
def test_other_metrics_are_another_run(other, classifier, tmp_path):
    run = lambda metrics: benchmark(classifier, {"none": None}, DATA, {}, n_clips=1, metrics=metrics, out=tmp_path, progress=False)
    run(["psnr", "ssim"])
    with pytest.raises(VideoPureError, match="holds another run: metrics") as error:
        run(other)
    assert "\n" not in str(error.value)


BAD_METRICS = {
    "unknown": (["clarity"], "unknown metric 'clarity': expected one of psnr, ssim"),
    "no module": (["no_such_module:thing"], "no_such_module"),
    "one number": ({"mine": lambda purified, clean: (purified - clean).mean()}, "'mine' returned shape (), expected (1,)"),
}


@pytest.mark.parametrize("metrics, words", BAD_METRICS.values(), ids=BAD_METRICS)
def test_bad_metrics_are_one_line(metrics, words, classifier):
    with pytest.raises(VideoPureError) as error:
        benchmark(classifier, {"none": None}, DATA, {}, metrics=metrics, progress=False)
    assert words in str(error.value) and "\n" not in str(error.value)


CODE = {  # each names one thing to import
    "attack": '[attacks]\nx = { method = "my_parts:Step" }',
    "attack as a word": '[attacks]\nx = "my_parts:Step"',
    "threat": '[attacks]\nx = { threat = "my_parts:Darker", steps = 1 }',
    "kind of a threat": '[attacks]\nx = { threat = { kind = "my_parts:Darker" }, steps = 1 }',
    "eps": '[attacks]\nx = { eps = "my_parts:Darker", steps = 1 }',
    "threat in a threat": '[attacks]\nx = { threat = { kind = "Frames", threat = "my_parts:Darker" }, steps = 1 }',
    "purifier": '[defenses]\nx = { method = "my_parts:Dim" }',
    "metric": 'metrics = ["psnr", "my_parts:brightness"]',
    "purifier as a word": '[defenses]\nx = "my_parts:Dim"',
    "attack with a misleading name": '[attacks]\ntitle = "my_parts:Step"',
    "metric by name": '[metrics]\nmine = "my_parts:brightness"',
    "classifier": 'classifier = "my_parts:classifier"',
    "classifier in a table": '[classifier]\nname = "my_parts:classifier"',
    "data": 'data = { dataset = "my_parts:data" }',
}


@pytest.mark.slow
@pytest.mark.parametrize("text", CODE.values(), ids=CODE)
def test_a_file_names_code_only_if_allowed(text, tmp_path, monkeypatch, shell):
    "A file from elsewhere runs nothing. With --allow-code it does, and each kind of part works."
    extra = "\nfrom videopure.data import MovingShapes\nfrom videopure.tiny import tiny_classifier\n"
    extra += "def classifier(): return tiny_classifier()\ndef data(): return MovingShapes(1)\n"
    ran = f"\nopen({str(tmp_path / 'ran')!r}, 'w').close()\n"
    (tmp_path / "my_parts.py").write_text(PARTS + extra + ran)
    monkeypatch.delitem(sys.modules, "my_parts", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    short = {"defenses": '[defenses]\nnone = { method = "none" }\n', "attacks": "[attacks]\nPGD = { steps = 1 }\n"}
    rest = "".join(part for name, part in short.items() if f"[{name}]" not in text)
    table = text.startswith("[")
    (tmp_path / "run.toml").write_text(f"{rest}\n{text}" if table else f"{text}\n{rest}")
    try:
        status, _, err = shell("--n-clips", 1)
        assert status == 2 and "my_parts:" in err and "--allow-code" in err and err.count("\n") == 1
        assert not (tmp_path / "ran").exists(), "code of the file ran"
        with pytest.raises(VideoPureError, match="--allow-code"):
            read_config(tmp_path / "run.toml")
        status, _, err = shell("--n-clips", 1, "--allow-code")
        assert status == 0 and (tmp_path / "ran").exists(), err
    finally:
        sys.modules.pop("my_parts", None)


@pytest.mark.parametrize("word", ["transformers:set_seed", "torchvision:set_image_backend"])
def test_a_prefix_of_classifiers_is_no_way_around(word, tmp_path):
    "Only a classifier may begin with transformers: or torchvision:, where it names weights and no code."
    (tmp_path / "run.toml").write_text(f'[attacks]\nx = {{ method = "{word}" }}')
    with pytest.raises(VideoPureError, match="--allow-code"):
        read_config(tmp_path / "run.toml")
    (tmp_path / "run.toml").write_text('classifier = "transformers:someone/videomae"')
    assert read_config(tmp_path / "run.toml")["classifier"] == "transformers:someone/videomae"


NAMES_IN_A_FILE = """
metrics = ["brightness", "psnr"]
[defenses]
x = { method = "dim", by = 0.5 }
[attacks]
step = { method = "step", eps = "8/255" }
short = "step"
dark = { threat = "darker", eps = "4/255", steps = 1, random_start = false }
"""


def test_registered_names_in_a_file_need_no_code(tmp_path, registered, shell):
    (tmp_path / "run.toml").write_text(NAMES_IN_A_FILE)
    status, _, err = shell("--n-clips", 1)
    assert status == 0, err
    card = Card.load(tmp_path / "out")
    assert card.config["defenses"]["x"] | {"rule": ""} == {"method": "my_parts:Dim", "by": 0.5, "rule": ""}
    assert card.attacks == ["none", "step", "short", "dark"] and card.metric("x", "dark", "brightness") < 0


def test_parts_on_the_command_line(tmp_path, parts, shell):
    "Who types a word means it: the command line needs no --allow-code for its own words."
    words = ["--metrics", "psnr", "my_parts:brightness", "--classifier", "videopure.tiny:tiny_classifier"]
    status, _, err = shell("--n-clips", 1, *words)
    assert status == 0, err
    card = Card.load(tmp_path / "out")
    assert list(card.config["metrics"]) == ["psnr", "my_parts:brightness"]
    assert card.metric("JPEG 30", "PGD", "my_parts:brightness") is not None
    status, _, err = shell("--n-clips", 1, "--metrics", "clarity", out=tmp_path / "other")
    assert status == 2 and "unknown metric 'clarity'" in err and err.count("\n") == 1


EPS = {
    "PGD": lambda eps: {"eps": eps, "steps": 1, "random_start": False},
    "noise": lambda eps: {"method": "noise", "eps": eps},
    "Square": lambda eps: {"method": "square", "eps": eps, "queries": 2},
    "threat": lambda eps: {"threat": "Linf", "eps": eps, "steps": 1, "random_start": False},
    "table": lambda eps: {"threat": {"kind": "Linf", "eps": eps}, "steps": 1, "random_start": False},
    "frames": lambda eps: {"threat": {"kind": "Frames", "threat": eps, "frames": 2}, "steps": 1, "random_start": False},
}


@pytest.mark.parametrize("spec", EPS.values(), ids=EPS)
def test_eps_is_a_fraction(spec, classifier, tmp_path, shell):
    "As 8/255 or as its number it is the same; a bare 8 is refused in one line, in Python and in a file."
    run = lambda eps: benchmark(classifier, {"none": None}, DATA, {"x": spec(eps)}, n_clips=1, seed=3, progress=False)
    assert of_one_kind(run("8/255")) == of_one_kind(run(8 / 255))
    for bare in (8, 8.0, "8"):
        with pytest.raises(VideoPureError, match="so write 8/255, not 8") as error:
            run(bare)
        assert "\n" not in str(error.value)
    table = json.dumps(spec(8)).replace('":', '" =')
    (tmp_path / "run.toml").write_text(f"[attacks]\nx = {table}\n".replace('"random_start" = false', "random_start = false"))
    status, _, err = shell()
    assert status == 2 and "so write 8/255, not 8" in err and err.count("\n") == 1


@pytest.mark.parametrize("old, new", [("clips", "n_clips"), ("grad", "sees")])
def test_old_words_of_an_attack(old, new, classifier, tmp_path, shell):
    with pytest.raises(VideoPureError, match=f"{old!r} of an attack is called {new!r} now") as error:
        benchmark(classifier, {"none": None}, DATA, {"x": PGD | {old: 3}}, progress=False)
    assert "\n" not in str(error.value)
    (tmp_path / "run.toml").write_text(f"[attacks]\nx = {{ {old} = 3 }}")
    status, _, err = shell()
    assert status == 2 and repr(new) in err and err.count("\n") == 1


@pytest.mark.parametrize("text", ["clips = 3", "data = { clips = 3 }"])
def test_old_words_of_a_file(text, tmp_path, shell):
    (tmp_path / "run.toml").write_text(text)
    status, _, err = shell()
    assert status == 2 and "n_clips" in err and err.count("\n") == 1


def test_results_of_an_older_version_are_one_line(tmp_path, shell):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "records-000.jsonl").write_text("")
    status, _, err = shell("--n-clips", 1)
    assert status == 2 and "version 0.1" in err and "migrate" in err and err.count("\n") == 1


# what must not give a wrong number


class Times(nn.Module):
    "A wrapper with a plain number in it."

    def __init__(self, net, k):
        super().__init__()
        self.net, self.k = net, k

    def forward(self, video):
        return self.net(video * self.k)


class Wrapped(nn.Module):
    "Any function of a classifier and clips, as a classifier."

    def __init__(self, net, function):
        super().__init__()
        self.net, self.function = net, function

    def forward(self, video):
        return self.function(self.net, video)


class Listed(Dataset):
    "A data set of one's own, whose clips are made from a number that no attribute of its clips tells."

    def __init__(self, k):
        self.read = lambda i: (DATA[i][0] * k, DATA[i][1])

    def __len__(self):
        return 2

    def __getitem__(self, i):
        return self.read(i)


def weakened(k):
    return lambda video: video * k


class Weakened(Purifier):
    "A purifier whose setting is a tensor, under a private name."

    def __init__(self, k):
        self._k = torch.full((1,), k)

    def __call__(self, video):
        return video * self._k


CHANGED = {  # what changes -> (classifier, defense, data, attack) made with a number
    "a constant of the classifier": lambda c, k: (Times(c, k), None, DATA, {}),
    "a variable of a function": lambda c, k: (c, weakened(k), DATA, {}),
    "a tensor of a purifier": lambda c, k: (c, Weakened(k), DATA, {}),
    "a module as purifier": lambda c, k: (c, Times(nn.Identity(), k), DATA, {}),
    "clips of a data set": lambda c, k: (c, None, Listed(k), {}),
    "arrays": lambda c, k: (c, None, (torch.stack([DATA[i][0] * k for i in range(2)]), [DATA[0][1], DATA[1][1]]), {}),
    "a loss": lambda c, k: (c, None, DATA, {"PGD": {"eps": 0.01, "steps": 1, "loss": lambda logits, labels: logits[:, 0, 0] * k}}),
    "a metric": lambda c, k: (c, None, DATA, {}, [lambda purified, clean: purified.mean((1, 2, 3, 4)) * k]),
}


@pytest.mark.parametrize("what", CHANGED)
def test_another_run_is_noticed(classifier, tmp_path, what):
    def go(k):
        model, defense, data, attacks, *metrics = CHANGED[what](classifier, k)
        return benchmark(model, {"d": defense}, data, attacks, out=tmp_path, n_clips=2, metrics=(metrics or [()])[0], progress=False)

    first = go(1.0)
    assert go(1.0).results == first.results
    with pytest.raises(VideoPureError, match="holds another run"):
        go(0.5)


def test_changed_files_are_noticed(classifier, tmp_path):
    for k in (1.0, 0.0):
        for i in range(2):
            folder = tmp_path / "clips" / classifier.class_names[DATA[i][1]]
            folder.mkdir(parents=True, exist_ok=True)
            write_video(DATA[i][0][None] * k, folder / f"{i}.npz")
        data = ClipFolder(tmp_path / "clips").in_order_of(classifier.class_names)
        go = lambda: benchmark(classifier, {"d": None}, data, {}, out=tmp_path / "out", progress=False)
        if k:
            go()
        else:
            with pytest.raises(VideoPureError, match="the data computes something else"):
                go()


def test_what_cannot_be_told_apart_is_not_kept(classifier, tmp_path):
    class Logged(Purifier):
        def __init__(self):
            self.log = open(tmp_path / "log", "w")

        def __call__(self, video):
            return video

    assert benchmark(classifier, {"d": Logged()}, DATA, {}, n_clips=1, progress=False).accuracy("d").n == 1
    with pytest.raises(VideoPureError, match="the defense 'd' cannot be told apart"):
        benchmark(classifier, {"d": Logged()}, DATA, {}, n_clips=1, out=tmp_path / "out", progress=False)
    Logged.identity = lambda self: "logged"
    benchmark(classifier, {"d": Logged()}, DATA, {}, n_clips=1, out=tmp_path / "out", progress=False)


def test_results_of_another_run_are_left_out_and_named(classifier, tmp_path):
    card = benchmark(classifier, {"d": None}, DATA, {}, n_clips=2, out=tmp_path, progress=False)
    lines = (tmp_path / "results-000.jsonl").read_text().splitlines()
    result = json.loads(lines[0])
    wrong = [{"clip": "ghost"}, {"attack": "x"}, {"defense": "y"}, {"made_with": "videopure 0.0.1, torch 1.0"}, {"label": 3}]
    for change in [*wrong, {"right": [not result["right"][0]]}]:
        (tmp_path / "results-000.jsonl").write_text("\n".join([*lines, json.dumps(result | {"clip": card.clips[1]} | change)]) + "\n")
        with pytest.warns(UserWarning, match="left out 1 results"):
            again = benchmark(classifier, {"d": None}, DATA, {}, n_clips=2, out=tmp_path, progress=False)
        assert again.results == card.results, change
    run = json.loads((tmp_path / "run.json").read_text())
    (tmp_path / "run.json").write_text(json.dumps(run | {"about": run["about"] | {"torch": "1.0"}}))
    with pytest.raises(VideoPureError, match="measured with torch 1.0"):
        benchmark(classifier, {"d": None}, DATA, {}, n_clips=2, out=tmp_path, progress=False)


NO_ANSWER = {
    "NaN": lambda video: video * torch.where(video.mean((1, 2, 3, 4), keepdim=True) > 0.4, torch.nan, 1.0),
    "inf in one pixel": lambda video: video.index_fill(4, torch.tensor([0]), torch.inf),
    "0 to 255": lambda video: video * 255,
    "negative": lambda video: video - 0.5,
}


@pytest.mark.parametrize("what", NO_ANSWER)
@pytest.mark.parametrize("batch_size", [1, 3])
def test_no_answer_is_never_right(classifier, what, batch_size):
    clips, labels = torch.stack([DATA[i][0] for i in range(3)]), torch.tensor([DATA[i][1] for i in range(3)])
    there = NO_ANSWER[what](clips)
    good = there.isfinite().flatten(1).all(1) & (there.flatten(1).amin(1) >= 0) & (there.flatten(1).amax(1) <= 1)
    attacks = {"PGD": {"eps": "2/255", "steps": 1}, "noise": {"method": "noise", "eps": "2/255", "sees": "scores"}}
    card = benchmark(classifier, {"d": NO_ANSWER[what]}, (clips, labels), attacks, batch_size=batch_size, progress=False)
    for result in card.results:
        answered = good[int(result["clip"])].item()
        if result["attack"] == "none":
            assert (result["predicted"] != [None]) == answered == ("not answered" not in result.get("flags", []))
        if not answered:
            assert result["right"] == [False]
    assert not good.all() and card.accuracy("d").n == 3
    with pytest.raises(AnswerError):
        Defended(classifier, NO_ANSWER[what]).predict(clips)


def test_a_model_that_overflows_is_not_answered(classifier):
    pipe = load_pipeline("tiny", "cpu")
    with torch.no_grad():
        next(pipe.unet.parameters()).fill_(torch.nan)
    attack = {"PGD": {"sees": "full", "eps": "4/255", "steps": 1}}
    card = benchmark(classifier, {"d": pipe, "none": None}, DATA, attack, n_clips=2, batch_size=2, progress=False)
    assert all(result["right"] == [False] and "not answered" in result["flags"] for result in card.cell("d").values())
    assert card.accuracy("none").n == card.accuracy("d").n == 2 and card.accuracy("none").right


def test_a_classifier_without_an_answer(classifier):
    broken = Wrapped(classifier, lambda net, video: net(video).index_fill(1, torch.tensor([3]), torch.nan))
    card = benchmark(broken, {"d": None, "same": lambda video: video}, DATA, {}, n_clips=3, batch_size=3, progress=False)
    assert all(result["right"] == [False] and result["flags"] == ["not answered"] for result in card.results)


def noisy(video):
    return (video + 0.15 * torch.randn_like(video)).clamp(0, 1)


def numpy_noise(video):
    return (video + 0.15 * torch.from_numpy(np.random.standard_normal(video.shape)).to(video)).clamp(0, 1)


def repeated_noise(video):
    return noisy(video)[:, None].expand(-1, 3, -1, -1, -1, -1)


@pytest.mark.parametrize("what", [noisy, numpy_noise, repeated_noise, nn.Sequential(nn.Identity())])
def test_randomness_is_measured(classifier, what):
    attack = {"PGD": {"sees": "full", "eps": "4/255", "steps": 1, "eot": 3}}
    card = benchmark(classifier, {"d": what}, DATA, attack, trials=4, n_clips=1, progress=False)
    result, random = card.cell("d", "PGD")[card.clips[0]], not isinstance(what, nn.Module)
    assert (len(result["right"]), result["metrics"]["eot"]) == ((4, 3) if random else (1, 1))


def test_a_random_classifier_is_asked_several_times(classifier):
    model = Wrapped(classifier, lambda net, video: net(noisy(video)))
    card = benchmark(model, {"none": None}, DATA, {"PGD": {"eps": "4/255", "steps": 1, "eot": 2}}, trials=5, n_clips=1, progress=False)
    result = card.cell("none", "PGD")[card.clips[0]]
    assert len(result["right"]) == 5 and result["metrics"]["eot"] == 2


def test_what_an_attack_knows_about_its_failure_is_on_the_card(classifier):
    sure = Wrapped(classifier, lambda net, video: (net(video) * 200).softmax(1))
    outside = lambda clips, labels: (clips + 0.2).clamp(0, 1)
    outside.threat = Linf(0.1)
    attacks = {"PGD": {"eps": "1/255", "steps": 2}, "nothing": lambda clips, labels: clips, "outside": outside}
    attacks["nothing"].threat = Linf(0.1)
    with pytest.warns(UserWarning, match="no gradient"):
        card = benchmark(sure, {"none": None}, DATA, attacks, batch_size=3, progress=False)
    flags = lambda name: [flag for result in card.cell("none", name).values() for flag in result.get("flags", [])]
    assert "no gradient in 2 of 2 steps" in flags("PGD") and flags("outside") == ["outside the threat model"] * 3
    assert set(flags("nothing")) == {"clip left unchanged by the attack"}


def test_modes_and_random_state_are_left_as_they_were(classifier):
    model, state = tiny_classifier().train(), torch.get_rng_state()
    purifier = nn.Sequential(nn.Dropout(0.5), nn.BatchNorm3d(3, affine=False))
    benchmark(model, {"d": lambda video: purifier(video).clamp(0, 1)}, DATA, {"PGD": {"eps": 0.01, "steps": 1}}, n_clips=1, progress=False)
    assert all(module.training for part in (model, purifier) for module in part.modules()) and not purifier[1].running_mean.any()
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    "words",
    [{"attacks": 3}, {"attacks": ["pgd"]}, {"defenses": "jpeg"}, {"defenses": {"d": 3}}, {"data": None}, {"data": (1, 2)}]
    + [{"classifier": None}, {"protocol": 3}, {"trials": "3"}, {"batch_size": 1.5}, {"n_clips": "all"}, {"seed": "x"}]
    + [{"only_attacks": "none"}, {"only_defenses": 3}, {"worst": "none"}, {"attacks": {"a": {"sees": 3}}}]
    + [{"attacks": {"a": {"n_clips": "x"}}}, {"attacks": {"a": {"uint8": "yes"}}}]
    + [{"attacks": {"a": None}}, {"metrics": 3}, {"metrics": ["psnr", 4]}],
)
def test_wrong_types_are_one_line(classifier, words):
    right = {"classifier": classifier, "defenses": {"d": None}, "data": DATA, "attacks": {}, "n_clips": 1, "progress": False}
    with pytest.raises(VideoPureError) as error:
        benchmark(**right | words)
    assert "\n" not in str(error.value) and len(str(error.value)) < 300


BPDA = {"bpda": {"sees": "bpda", "eps": "4/255", "steps": 2, "eot": 3}}


def noisy_where(chosen):
    "A purifier that draws noise for the clips of which `chosen` says so."

    def purifier(video):
        rows = [clip + 0.01 * torch.randn_like(clip) if chosen(video, clip) else clip for clip in video]
        return torch.stack(rows).clamp(0, 1)

    return purifier


def test_randomness_is_noticed_for_the_clips_that_it_is_about(classifier):
    clips, labels = moving_shapes(3, seed=5)
    mark = clips[1].mean()
    purifier = noisy_where(lambda _, clip: (clip.mean() - mark).abs() < 1e-3)
    card = benchmark(classifier, {"x": purifier}, (clips, labels), BPDA, progress=False)
    assert [len(result["right"]) for result in card.cell("x").values()] == [1, 3, 1]
    assert card.cell("x", "bpda")["1"]["metrics"]["eot"] == 3 and card.cell("x", "bpda")["0"]["metrics"]["eot"] == 1


@pytest.mark.parametrize("chosen", ["batches", "attacked"])
def test_randomness_is_noticed_in_batches_and_under_attack(chosen, classifier):
    clips, labels = moving_shapes(2, seed=5)
    attacked = lambda _, clip: not any(torch.equal(clip, each) for each in clips)
    purifier = noisy_where(attacked if chosen == "attacked" else lambda video, _: len(video) > 1)
    batch = {"batch_size": 2} if chosen == "batches" else {}
    card = benchmark(classifier, {"x": purifier}, (clips.clone(), labels), BPDA, progress=False, **batch)
    for attack in ("none", "bpda") if chosen == "batches" else ("bpda",):
        assert all(len(result["right"]) == 3 for result in card.cell("x", attack).values())
    assert all(result["metrics"]["eot"] == 3 for result in card.cell("x", "bpda").values())


def test_a_record_that_no_vote_asks_for_is_looked_at(classifier):
    def purifier(video):
        return torch.stack([video] * 4 + [torch.full_like(video, torch.nan)], 1)

    card = benchmark(classifier, {"x": purifier}, moving_shapes(2, seed=5), {}, progress=False)
    assert card.flags("x") == {"not answered": 2} and card.accuracy("x").right == 0


def test_what_works_in_place_changes_no_clip(classifier):
    class Halving(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = classifier

        def forward(self, video):
            return self.inner(video.mul_(0.5))

    clips, labels = moving_shapes(2, seed=5)
    before = clips.clone()
    benchmark(Halving(), {"none": None, "x": lambda video: video.mul_(0.5)}, (clips, labels), BPDA, progress=False)
    defended = Defended(classifier, lambda video: video.mul_(0.5))
    defended(clips), defended.vote(clips), defended.predict(clips)
    assert torch.equal(clips, before)


UNFOLLOWED = [lambda video: video[:, :, ::2], lambda video: torch.from_numpy(video.numpy() * 1)]


@pytest.mark.parametrize("purifier", UNFOLLOWED)
def test_a_purifier_that_an_attack_cannot_follow_has_no_such_column(purifier, classifier):
    attacks = {"full": {"sees": "full", "eps": "4/255", "steps": 1}} if purifier(torch.zeros(1, 3, 4, 8, 8)).shape[2] == 4 else BPDA
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        card = benchmark(classifier, {"x": purifier}, moving_shapes(1, seed=5), attacks, progress=False)
    assert any("asked about other clips" in str(each.message) for each in said) == (attacks is BPDA)
    assert len(card.cell("x")) == 1 and not card.cell("x", next(iter(attacks)))


def test_one_frame_is_not_stretched_over_all_of_them():
    class Colours(nn.Module):
        def forward(self, video):
            return video.mean((2, 3, 4))

    clip = moving_shapes(1, seed=5)[0].requires_grad_()
    with pytest.raises(NoGradientError, match="bpda"):
        Defended(Colours(), lambda video: video[:, :, :1], sees="bpda")(clip)


def nothing(clips, labels):
    "An attack that does nothing."
    return clips


IDLE = [
    (nothing, "unchanged"),
    ({"method": "FGSM", "eps": "8/255"}, "unchanged"),
    ({"method": "torchattacks:PGD", "eps": 8 / 255, "steps": 1}, "no gradient"),
    ({"eps": "8/255", "alpha": 1e-6, "steps": 3}, "reach less"),
    ({"eps": "8/255", "alpha": 0.0, "steps": 3}, "reach less"),
]


@pytest.mark.parametrize("attack, said", IDLE)
def test_an_attack_that_did_nothing_is_flagged_whoever_wrote_it(attack, said, classifier):
    class Saturated(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = classifier

        def forward(self, video):
            return 1e6 * self.inner(video)

    model = Saturated() if isinstance(attack, dict) and "method" in attack else classifier
    card = benchmark(model, {"x": None}, moving_shapes(2, seed=5), {"a": attack}, progress=False)
    assert card.accuracy("x", "a").right == 2 and any(said in flag for flag in card.flags("x", "a")), card.flags("x", "a")


def test_a_classifier_that_changes_its_classes_is_one_line(classifier):
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = classifier

        def forward(self, video):
            return self.inner(video)[:, : 9 if video.mean() < 0.2 else 10]

    dark = Defended(Odd(), lambda video: torch.stack([video, video / 100], 1))
    for call in (dark, dark.predict):
        with pytest.raises(VideoPureError, match="with 9 and with 10 classes"):
            call(moving_shapes(1, seed=5)[0] / 2 + 0.5)


def test_a_vote_rule_of_ones_own_is_part_of_the_identity(classifier, tmp_path, monkeypatch):
    def run():
        defenses = {"x": Defended(classifier, nothing_done, "mine")}
        benchmark(classifier, defenses, moving_shapes(1, seed=5), {}, out=tmp_path, progress=False)

    rule = RULES["mean-probability"]
    monkeypatch.setitem(RULES, "mine", rule)
    run()
    monkeypatch.setitem(RULES, "mine", replace(rule, score=lambda counts, probability: -probability))
    with pytest.raises(VideoPureError, match="computes something else"):
        run()


def nothing_done(video):
    "A purifier that does nothing."
    return video


# --- what a reader could be misled by ---------------------------------------------------------------------------------------------
class Named(nn.Module):
    "A classifier of other classes than the moving shapes."

    def __init__(self, names):
        super().__init__()
        self.class_names, self.head = list(names), nn.Linear(3, len(names))

    def forward(self, video):
        return self.head(video.mean((2, 3, 4)))


@pytest.mark.parametrize("names", [["a", "b", "c"], [f"class {k}" for k in range(10)], MOTIONS[:7], MOTIONS[::-1]])
def test_a_classifier_of_other_classes_is_not_tried_on_moving_shapes(names):
    with pytest.raises(VideoPureError, match="moving shapes"):
        benchmark(Named(names), {"none": None}, MovingShapes(2, frames=4, size=16), {}, progress=False)


def test_a_clip_without_an_answer_says_why():
    clips, labels = moving_shapes(2, frames=4, size=16)
    card = benchmark(Named("abcdefghij"), {"bright": lambda video: 3 * video}, (clips, labels), {}, progress=False)
    assert "expected [0, 1]" in str(card) and all("expected [0, 1]" in result["why"] for result in card.results)


def test_more_clips_than_there_are():
    with pytest.warns(UserWarning, match="there are 2 clips, not the 100"):
        benchmark(Named(MOTIONS), {"none": None}, MovingShapes(2, frames=4, size=16), {}, n_clips=100, progress=False)


def test_a_row_without_results_is_not_in_the_five_metrics():
    card = benchmark(
        Named(MOTIONS), {"none": None, "p": lambda v: v, "q": lambda v: v}, MovingShapes(1, frames=4, size=16),
        protocol="videopure", only_defenses=["none", "p"], only_attacks=["none"], progress=False,
    )  # fmt: skip
    assert [row[0] for row in five_metrics(card).rows] == ["p"]


def test_a_surrogate_has_fewer_steps():
    clips, labels = moving_shapes(1)
    with pytest.raises(VideoPureError, match="surrogate has fewer steps"):
        ATTACKS["pgd"](Defended(tiny_classifier(), VideoPurePipeline.tiny(), sees="surrogate-9"), 8 / 255, steps=1)(clips, labels)


# -- told before hours are spent ----------------------------------------------------------------------------------------------------------


class Sure(torch.nn.Module):
    "Always says the same of a clip: the class that its first value names, moved by `shift`."

    def __init__(self, shift):
        super().__init__()
        self.shift = torch.nn.Parameter(torch.tensor(float(shift)))

    def forward(self, video):
        return torch.nn.functional.one_hot(((video[:, 0, 0, 0, 0] * 10).round() + self.shift).long() % 10, 10).float() * 9


@pytest.mark.parametrize("shift, n, told", [(0, 12, False), (1, 12, True), (1, 2, True), (1, 1, False), (0, 2, False)])
def test_a_classifier_that_guesses_is_told_first(shift, n, told):
    labels = torch.arange(n) % 10
    clips = (labels / 10).reshape(-1, 1, 1, 1, 1).expand(n, 3, 4, 8, 8).clone()
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        benchmark(Sure(shift), {"none": None}, (clips, labels), {}, progress=False)
    said = [str(w.message) for w in found if "guessing" in str(w.message)]
    assert len(said) == told and all(f"right on 0 of the first {n} clips, not surely more than by guessing" in line for line in said)


class Stream(Dataset):
    "Clips that come one after the other, whatever is asked for; each can be had once."

    def __init__(self, n):
        self.n, self.found = n, iter(zip(*moving_shapes(n, seed=4)))

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        return next(self.found)


def test_a_stream_of_clips_is_read_once():
    card = benchmark(tiny_classifier(), {"none": None}, Stream(5), {}, progress=False)
    assert card.accuracy("none").n == 5


def test_looking_first_changes_no_random_number():
    state = torch.get_rng_state()
    benchmark(tiny_classifier(), {"none": None}, moving_shapes(3, seed=4), {}, progress=False)
    assert torch.equal(state, torch.get_rng_state())


def test_a_finished_run_is_not_warned_of_again(tmp_path):
    labels = torch.arange(10)
    clips = (labels / 10).reshape(-1, 1, 1, 1, 1).expand(10, 3, 4, 8, 8).clone()
    run = lambda: benchmark(Sure(1), {"none": None}, (clips, labels), {}, out=tmp_path, progress=False)
    with pytest.warns(UserWarning, match="guessing"):
        run()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run()


def test_an_embedded_purifier_on_files_is_told(tmp_path, capsys):
    "In one sentence, with what to change; not for drawn clips, and not for purifiers without a model."
    for k, (clip, label) in enumerate(zip(*moving_shapes(10, seed=8))):
        (tmp_path / "clips" / MOTIONS[label]).mkdir(parents=True, exist_ok=True)
        write_video(clip[None], tmp_path / "clips" / MOTIONS[label] / f"{k}.npz")
    words = ["evaluate", "--data", str(tmp_path / "clips"), "--n-clips", "2", "--attacks", "none", "--quiet", "--device", "cpu"]
    assert main([*words, "--out", str(tmp_path / "a")]) == 0
    said = capsys.readouterr().err
    assert said.count("drawn shapes of 32 pixels and smears real clips") == 1 and "--model" in said
    assert said.startswith("videopure: VideoPure")
    assert main(["evaluate", "--n-clips", "2", "--attacks", "none", "--quiet", "--device", "cpu", "--out", str(tmp_path / "b")]) == 0
    assert "smears" not in capsys.readouterr().err


def test_a_defense_may_have_a_type_of_numbers_of_its_own():
    "Beside the run's; a defense without a model has none."
    rows = {"exact": {"method": "one-step"}, "short": {"method": "one-step", "dtype": "bfloat16"}, "JPEG": {"method": "jpeg"}}
    _, defenses, _, _ = parts_of({"defenses": rows, "data": {"n_clips": 2}}, "cpu")
    assert [defenses[name].purifier.pipe.unet.dtype for name in ("exact", "short")] == [torch.float32, torch.bfloat16]
    assert defenses["short"].purifier.describe()["weights"].endswith(" in bfloat16")
    with pytest.raises(VideoPureError, match="dtype"):
        parts_of({"defenses": {"JPEG": {"method": "jpeg", "dtype": "bfloat16"}}, "data": {"n_clips": 2}}, "cpu")
