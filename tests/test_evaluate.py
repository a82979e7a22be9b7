"The benchmark: killed, shared, fed with damaged clips and bad settings."

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from videopure.baselines import JPEG, GaussianBlur, NoiseAndDenoise, RandomizedSmoothing
from videopure.data import ClipFolder, MovingShapes
from videopure.defense import Defended
from videopure.evaluate import Column, benchmark, five_metrics, main, read_config, run_config, standard
from videopure.pipeline import VideoPurePipeline
from videopure.results import Card, Journal
from videopure.tiny import tiny_classifier
from videopure.video import MOTIONS, VideoFileError, VideoPureError, moving_shapes, read_video, write_video

RUN = """
title = "Small"
seed = 5
data = { clips = 5, seed = 31 }

[defenses]
none = { method = "none" }
"JPEG 30" = { method = "jpeg", quality = 30 }
smoothing = { method = "smoothing", sigma = 0.05, votes = 3 }

[attacks]
"PGD 8/255" = { sees = "classifier", eps = "8/255", steps = 3 }
"BPDA 4/255" = { sees = "bpda", eps = "4/255", steps = 3, clips = 4 }
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
    assert main([str(run_file), "--out", str(out), "--quiet"]) == 0
    return (out / "table.md").read_text()


def command(*arguments, launcher=("-m",)) -> list[str]:
    return [sys.executable, *launcher, "videopure.evaluate", *map(str, arguments), "--quiet"]


def lines(folder: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in folder.glob("records-*.jsonl"))


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
    subprocess.run(command(run_file, "--out", tmp_path), check=True, stdout=subprocess.DEVNULL)
    assert (tmp_path / "table.md").read_text() == expected
    assert lines(tmp_path) == len(Card.load(tmp_path).records) == 5 * 3 * 3 + 4 * 3


def test_two_processes(run_file, expected, tmp_path):
    "Under accelerate's launcher, two processes share the clips and give the table of one."
    launcher = ("-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--main_process_port", "0", "-m")
    shell = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command(run_file, "--out", tmp_path, launcher=launcher), env=shell, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    counts = [path.read_bytes().count(b"\n") for path in sorted(tmp_path.glob("records-*.jsonl"))]
    assert len(counts) == 2 and min(counts) > 0
    assert (tmp_path / "table.md").read_text() == expected


def test_parts_one_after_the_other(run_file, expected, tmp_path):
    "Columns and rows can be worked on apart, in any order."
    for chosen in (["--attacks", "noise"], ["--defenses", "smoothing", "none"], []):
        assert main([str(run_file), "--out", str(tmp_path), "--quiet", *chosen]) == 0
    assert (tmp_path / "table.md").read_text() == expected


@pytest.fixture
def folder(tmp_path) -> Path:
    "A labelled folder with a good clip a class, and one corrupt, one too short, one of another size."
    clips, labels = moving_shapes(10, seed=3)
    for clip, label in zip(clips, labels.tolist()):
        (tmp_path / MOTIONS[label]).mkdir(exist_ok=True)
        write_video(clip[None], tmp_path / MOTIONS[label] / "good.npz")
    first = tmp_path / MOTIONS[0]
    (first / "corrupt.mp4").write_bytes(b"not a video at all")
    write_video(clips[:1, :, :4], first / "short.npz")
    write_video(moving_shapes(1, seed=4, size=48)[0], first / "large.npz")
    return tmp_path


def test_folder_with_damaged_clips(folder, tmp_path, capsys, classifier):
    data = ClipFolder(folder, classes=MOTIONS)
    card = benchmark(classifier, {"none": None, "JPEG": JPEG(30)}, data, {"PGD": PGD}, out=tmp_path / "out", progress=False)
    assert {Path(record["clip"]).name for record in card.skipped} == {"corrupt.mp4", "short.npz"}
    assert len(data) == 13 and card.accuracy("none").n == card.accuracy("JPEG", "PGD").n == 11
    assert all(record["skipped"] and "\n" not in record["skipped"] for record in card.skipped)
    assert "corrupt.mp4" in capsys.readouterr().err
    assert "corrupt.mp4" in (tmp_path / "out" / "card.md").read_text()


def test_command_line_on_a_folder(folder, tmp_path, capsys):
    run = tmp_path / "run.toml"
    names = ", ".join(f'"{name}"' for name in MOTIONS)
    rows = '[defenses]\nnone = { method = "none" }\n[attacks]\nPGD = { eps = "8/255", steps = 3 }'
    run.write_text(f"[data]\nclasses = [{names}]\n{rows}")
    assert main([str(run), "--data", str(folder), "--out", str(tmp_path / "out"), "--quiet"]) == 0
    assert "2 skipped" in capsys.readouterr().out


class Sometimes(MovingShapes):
    "The second clip is no clip."

    def __getitem__(self, i):
        clip, label = super().__getitem__(i)
        return (clip.clone().fill_(float("nan")) if i == 1 else clip), label


def test_clips_that_are_none(classifier):
    card = benchmark(classifier, {"none": None}, Sometimes(3, seed=2), {"PGD": PGD}, progress=False, batch_size=3)
    assert (card.accuracy("none", "PGD").n, [r["clip"][-4:] for r in card.skipped]) == (2, ["0001"])


def test_full_disk_keeps_what_was_recorded(run_file, tmp_path):
    "A limit on the size of files stands for a full disk."
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))
    done = subprocess.run(command(run_file, "--out", tmp_path), preexec_fn=limit, capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.strip().count("\n") == 0, done.stderr
    assert "records are kept" in done.stderr
    journal = Journal(tmp_path)
    assert 0 < len(journal.records) < 45 and lines(tmp_path) == len(journal.records)


def test_unwritable_folder_is_one_line(run_file, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main([str(run_file), "--out", str(tmp_path / "file" / "out"), "--quiet"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_batches_change_nothing_that_is_not_random(classifier):
    "The attack starts from the clip; then clips do not know of each other."
    attack = {"PGD": PGD | {"random_start": False}}
    alone, together = (
        benchmark(classifier, {"none": None, "blur": GaussianBlur(1.0)}, DATA, attack, batch_size=b, progress=False) for b in (1, 3)
    )
    assert alone.table()._repr_markdown_() == together.table()._repr_markdown_()
    assert [r["predicted"] for r in alone.records] == [r["predicted"] for r in together.records]


def test_random_purifiers_are_asked_several_times_and_repeat(classifier):
    pipe = VideoPurePipeline.tiny()
    rows = {"smoothing": RandomizedSmoothing(0.3, votes=1), "DDIM": NoiseAndDenoise(pipe, 2, torch.Generator()), "JPEG": JPEG(30)}
    state = torch.get_rng_state()
    first, second = (benchmark(classifier, rows, DATA, {"PGD": PGD}, trials=4, progress=False) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), state)
    assert [r["predicted"] for r in first.records] == [r["predicted"] for r in second.records]
    assert {len(r["predicted"]) for r in first.cell("smoothing").values()} == {len(r["right"]) for r in first.cell("DDIM").values()} == {4}
    assert {len(r["predicted"]) for r in first.cell("JPEG").values()} == {1}
    other = benchmark(classifier, rows, DATA, {"PGD": PGD}, trials=4, seed=1, progress=False)
    assert [r["predicted"] for r in first.records] != [r["predicted"] for r in other.records]


def test_attacked_clips_are_stored_without_loss(classifier, tmp_path):
    columns = {"PGD 8/255": PGD, "8 bits": PGD | {"uint8": True}}
    benchmark(classifier, {"none": None}, DATA, columns, out=tmp_path, store=True, progress=False)
    for name, card_name in (("PGD 8-255", "PGD 8/255"), ("8 bits", "8 bits")):
        stored = torch.cat([read_video(path) for path in sorted((tmp_path / "attacked" / name).iterdir())])
        clean = torch.stack([DATA[i][0] for i in range(3)])
        levels = (stored * 255 - (stored * 255).round()).abs().max()
        assert (stored - clean).abs().max() <= 8 / 255 + (0.5 / 255 if name == "8 bits" else 0) + 1e-6
        assert (levels < 1e-3) == (name == "8 bits")
        predicted = classifier(stored).argmax(1).tolist()
        records = Card.load(tmp_path).cell("none", card_name).values()
        assert predicted == [r["predicted"][0] for r in records] and all(r["size"] <= 1.0001 for r in records)


def test_columns_see_what_they_say(classifier):
    "Gray-box clips are made once; a defense's own attack is made on the defense."
    pipe = VideoPurePipeline.tiny()
    columns = {"gray": PGD, "full": PGD | {"sees": "full"}, "scores": {"method": "noise", "sees": "scores", "eps": 0.03, "draws": 2}}
    card = benchmark(classifier, {"none": None, "VideoPure": pipe, "JPEG": JPEG(30)}, DATA, columns, clips=2, progress=False)
    calls = {name: card.cost("VideoPure", name, "calls") for name in ("none", "gray", "full", "scores")}
    steps = pipe.config["purify_steps"]
    assert calls["none"] == calls["gray"] == 2 * steps
    assert calls["full"] > 2 * calls["gray"] and calls["scores"] >= 2 * calls["gray"]
    assert not card.cell("JPEG", "full"), "a defense without gradient has no such column"
    assert card.cost("none", "gray", "calls") == 0
    assert all(r["queries"] is not None for r in card.cell("VideoPure", "scores").values())


def test_rules_and_limits(classifier):
    pipe = VideoPurePipeline.tiny()
    rows = {"majority": pipe, "mean": Defended(classifier, pipe, "mean-probability")}
    limited = {"none": Column(clips={"others": 3, "mean": 1}), "PGD": Column(clips=2, options={"eps": "8/255", "steps": 1})}
    card = benchmark(classifier, rows, DATA, limited, progress=False)
    assert [card.accuracy(d).n for d in rows] == [3, 1] and card.accuracy("mean", "PGD").n == 2
    assert card.config["defenses"]["mean"]["rule"] == "mean-probability"


def test_protocol_of_the_paper(classifier):
    card = benchmark(classifier, {"none": None, "JPEG 30": JPEG(30)}, DATA, protocol="videopure", clips=2, progress=False)
    pgd = card.config["attacks"]["PGD 4/255"]
    assert (pgd["eps"], pgd["alpha"], pgd["steps"], pgd["sees"]) == ("4/255", "2/255", 10, "classifier")
    assert card.config["attacks"]["BPDA 4/255"]["sees"] == "bpda"
    table = five_metrics(card)
    assert table.head == ["defense", "clean", "standard", "attack", "robust*", "robust (BPDA)"]
    assert [row[0] for row in table.rows] == ["JPEG 30"]


def test_random_purifiers_are_attacked_over_several_draws(classifier):
    "One lucky draw must not end an attack on a purifier that will draw again; for the others averaging is left out."
    smoothing = Defended(classifier, RandomizedSmoothing(0.1, votes=2))
    for name, spec in standard().items():
        if spec["sees"] in ("bpda", "full"):
            column = Column.of(spec)
            assert (column.attack(smoothing).eot, column.attack(Defended(classifier, JPEG(30))).eot) == (4, 1), name


def test_weights_are_part_of_the_configuration(classifier, tmp_path):
    benchmark(classifier, {"none": None}, DATA, {"PGD": PGD}, clips=1, out=tmp_path, progress=False)
    other = tiny_classifier()
    with torch.no_grad():
        next(other.parameters()).add_(1e-3)
    with pytest.raises(VideoPureError, match="holds another run: classifier.weights"):
        benchmark(other, {"none": None}, DATA, {"PGD": PGD}, clips=1, out=tmp_path, progress=False)


BAD = {
    "label": (lambda c: benchmark(c, {"none": None}, (torch.rand(1, 3, 4, 16, 16), torch.tensor([10])), {"PGD": PGD}), "10 classes"),
    "protocol": (lambda c: benchmark(c, {"none": None}, DATA, protocol="easy"), "unknown protocol"),
    "attack": (lambda c: benchmark(c, {"none": None}, DATA, {"x": {"method": "NoSuch"}}), "NoSuch"),
    "option": (lambda c: benchmark(c, {"none": None}, DATA, {"x": PGD | {"speed": 3}}), "speed"),
    "eps": (lambda c: benchmark(c, {"none": None}, DATA, {"x": {"eps": "8/0"}}), "'8/255'"),
    "sees": (lambda c: benchmark(c, {"none": None, "J": JPEG(30)}, DATA, {"x": PGD | {"sees": "everything"}}), "everything"),
    "no clips": (lambda c: benchmark(c, {"none": None}, DATA, {"PGD": PGD}, clips=0), "clips"),
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
    "classifier": ('classifier = "no.such:thing"', "cannot load the classifier"),
    "classifier file": ('classifier = "nowhere.safetensors"', "nowhere"),
    "model": ('model = "no/such/folder"', "cannot load the model"),
    "data": ("data = { colour = 1 }", "colour"),
    "folder": ('data = { folder = "no/such/folder" }', "not a folder"),
}


@pytest.mark.parametrize("text, words", FILES.values(), ids=FILES)
def test_bad_files_are_one_line(text, words, tmp_path, capsys):
    path = tmp_path / "run.toml"
    if text is not None:
        path.write_text(text)
    assert main([str(path), "--out", str(tmp_path / "out"), "--quiet"]) == 2
    said = capsys.readouterr().err
    assert words in said and said.count("\n") == 1, said


def test_configuration_is_carried_by_the_card(run_file, tmp_path):
    card = run_config(read_config(run_file) | {"clips": 1}, tmp_path, progress=False)
    carried = json.loads((tmp_path / "card.json").read_text())["config"]
    assert carried == card.config and carried["attacks"]["BPDA 4/255"]["steps"] == 3 and carried["defenses"]["JPEG 30"]["quality"] == 30
    assert carried["seed"] == 5 and len(carried["classifier"]["weights"]) == 12


def test_user_classifier_by_name(tmp_path, monkeypatch):
    (tmp_path / "my_models.py").write_text("from videopure.tiny import tiny_classifier\ndef mine(): return tiny_classifier()\n")
    monkeypatch.syspath_prepend(tmp_path)
    config = {"classifier": "my_models:mine", "data": {"clips": 1}, "defenses": {"none": {"method": "none"}}, "attacks": {"PGD": PGD}}
    assert run_config(config, progress=False).accuracy("none").n == 1


def test_a_saved_classifier_that_is_none(tmp_path):
    (tmp_path / "weights.safetensors").write_bytes(b"nothing")
    with pytest.raises(VideoFileError):
        run_config({"classifier": str(tmp_path / "weights.safetensors"), "data": {"clips": 1}})
