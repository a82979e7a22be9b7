"The `videopure` command as a person runs it: files in, files out, one line when something is wrong."

import json
import math
from pathlib import Path

import pytest
import torch

from videopure import cli, evaluate, train
from videopure.cli import main
from videopure.evaluate import load_pipeline
from videopure.pipeline import VideoPurePipeline
from videopure.video import VideoPureError, moving_shapes, read_video, write_video

DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture
def clip(tmp_path):
    return str(write_video(moving_shapes(1, seed=0, size=48)[0], tmp_path / "in.mp4"))


def psnr(a, b):
    return -10 * math.log10((a - b).square().mean().item())


def test_demo(tmp_path, capsys):
    assert main(["demo", "--clips", "6", "--eps", "4", "--seed", "3", "--out", str(tmp_path / "a" / "b")]) == 0
    said = capsys.readouterr().out
    assert "gray-box" in said and "adaptive" in said
    for name in ("none", "JPEG 30", "DDIM", "one-step x0", "VideoPure", "VideoPure, paper's setting"):
        assert name in said
    results = json.loads((tmp_path / "a" / "b" / "card.json").read_text())
    assert results["cells"]["VideoPure"]["PGD 4/255"]["accuracy"]["n"] == 6
    page = (tmp_path / "a" / "b" / "report.html").read_text()
    assert page.count("<figure") == 16 and "gray-box" in page and "src=\"http" not in page


def test_demo_repeats_under_a_seed(tmp_path):
    for folder in ("a", "b"):
        assert main(["demo", "--clips", "4", "--out", str(tmp_path / folder)]) == 0
    a, b = ((tmp_path / folder / "table.md").read_text() for folder in ("a", "b"))
    assert a == b


def test_evaluate(tmp_path, capsys):
    run = tmp_path / "run.toml"
    run.write_text('data = { clips = 2, seed = 1 }\n[attacks]\n"PGD 4/255" = { eps = "4/255", steps = 2 }')
    assert main(["evaluate", str(run), "--out", str(tmp_path / "out"), "--quiet"]) == 0
    assert "VideoPure" in capsys.readouterr().out and (tmp_path / "out" / "card.html").exists()
    paper = ["--protocol", "videopure", "--clips", "1", "--defenses", "JPEG 30", "none"]
    assert main(["evaluate", *paper, "--out", str(tmp_path / "paper"), "--quiet"]) == 0
    assert "robust*" in capsys.readouterr().out


@pytest.mark.parametrize("target", ["out.mp4", "out.gif", "out.npz"])
def test_purify(clip, tmp_path, target):
    out, report = tmp_path / target, tmp_path / "report.html"
    assert main(["purify", clip, str(out), "--report", str(report)]) == 0
    before, after = read_video(clip), read_video(out)
    assert after.shape == before.shape and psnr(after, before) > 20
    assert "<figure" in report.read_text()


def test_purify_options(clip, tmp_path):
    out = tmp_path / "out.npz"
    assert main(["purify", clip, str(out), "--frames", "5", "--size", "24", "--steps", "1", "--device", "cpu", "--dtype", "bfloat16"]) == 0
    assert read_video(out).shape == (1, 3, 5, 24, 24)


def test_purify_with_a_saved_model(clip, tmp_path):
    VideoPurePipeline.tiny().save_pretrained(tmp_path / "model")
    assert main(["purify", clip, str(tmp_path / "a.npz"), "--model", str(tmp_path / "model")]) == 0
    assert main(["purify", clip, str(tmp_path / "b.npz")]) == 0
    assert torch.equal(read_video(tmp_path / "a.npz"), read_video(tmp_path / "b.npz"))


def bad_inputs(folder):
    from av import open as av_open
    from av import AudioFrame
    import numpy as np

    (folder / "empty.mp4").touch()
    (folder / "text.mp4").write_text("not a video\n" * 100)
    whole = write_video(moving_shapes(1, seed=0, size=64)[0], folder / "whole.mp4").read_bytes()
    (folder / "truncated.mp4").write_bytes(whole[: len(whole) // 2])
    (folder / "folder").mkdir()
    with av_open(str(folder / "sound.mp4"), "w") as file:
        stream = file.add_stream("aac", rate=16000)
        frame = AudioFrame.from_ndarray(np.zeros((1, 16000), dtype="float32"), format="fltp", layout="mono")
        frame.sample_rate = 16000
        file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return ["missing.mp4", "empty.mp4", "text.mp4", "truncated.mp4", "folder", "sound.mp4"]


def test_bad_input_files(tmp_path, capsys):
    for name in bad_inputs(tmp_path):
        assert main(["purify", str(tmp_path / name), str(tmp_path / "out.mp4")]) == 2, name
        said = capsys.readouterr().err
        assert said.startswith("videopure: ") and said.count("\n") == 1, said
        assert not (tmp_path / "out.mp4").exists()


BAD_OPTIONS = {
    "steps": ["--steps", "0"],
    "too many steps": ["--steps", "99"],
    "device": ["--device", "quantum"],
    "no such GPU": ["--device", "cuda:77"],
    "dtype": ["--dtype", "int8"],
    "model": ["--model", "no/such/model"],
    "frames": ["--frames", "1000"],
    "one frame": ["--frames", "1"],
    "size": ["--size", "0"],
    "fps": ["--fps", "0"],
    "report": ["--report", "no/such/folder/report.html"],
}


@pytest.mark.parametrize("name", BAD_OPTIONS)
def test_bad_options(clip, tmp_path, capsys, name):
    before = sorted(tmp_path.iterdir())
    assert main(["purify", clip, str(tmp_path / "out.mp4"), *BAD_OPTIONS[name]]) == 2
    said = capsys.readouterr().err
    assert said.startswith("videopure: ") and said.count("\n") == 1, said
    assert sorted(tmp_path.iterdir()) == before


def test_unwritable_output(clip, tmp_path, capsys):
    for target in ("no/such/out.mp4", "out.txt", ""):
        assert main(["purify", clip, str(tmp_path / target)]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert [p.name for p in tmp_path.iterdir()] == ["in.mp4"]


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="needs a folder that nobody can write to")
def test_output_folder_that_cannot_be_written(clip, capsys):
    assert main(["purify", clip, "/proc/out.mp4"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(("error", "status"), [(VideoPureError("too few clips"), 2), (KeyboardInterrupt(), 130)])
@pytest.mark.parametrize(("module", "name", "words"), [(cli, "run_demo", ["demo"]), (evaluate, "run", []), (train, "run", ["clips"])])
def test_every_command_ends_in_one_line(module, name, words, error, status, monkeypatch, capsys):
    def fail(args):
        raise error

    monkeypatch.setattr(module, name, fail)
    assert module.main(words) == status
    said = capsys.readouterr().err
    assert said.startswith("videopure: ") and said.count("\n") == 1


def test_help_names_every_command(capsys):
    said = ""
    for args in ([], ["demo"], ["purify"], ["train-tiny"]):
        with pytest.raises(SystemExit) as stop:
            main([*args, "--help"])
        assert stop.value.code == 0
        said += capsys.readouterr().out
    assert all(word in said for word in ("--clips", "--model", "train-tiny"))


def test_load_is_on_the_device_and_type():
    pipe = load_pipeline("tiny", "cpu", "bfloat16")
    assert pipe.unet.dtype == torch.bfloat16 and pipe.device.type == "cpu"


REAL = sorted(DATA.glob("ut_interaction/*/*.avi"))[::16] + sorted(DATA.glob("ucf101_clips/*"))


@pytest.mark.skipif(not REAL, reason="needs ../shared/data")
@pytest.mark.parametrize("source", REAL, ids=lambda p: p.stem)
def test_real_clips_survive(source, tmp_path):
    out = tmp_path / "out.mp4"
    assert main(["purify", str(source), str(out), "--size", "112", "--frames", "16"]) == 0
    assert psnr(read_video(out), read_video(source, frames=16, size=112)) >= 24
