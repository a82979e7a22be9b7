"The `videopure` command as a person runs it: files in, files out, one line when something is wrong."

import json
import math
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import torch

import videopure
from videopure import cli
from videopure.cli import COMMANDS, main
from videopure.pipeline import VideoPurePipeline, load_pipeline
from videopure.video import VideoPureError, moving_shapes, read_video, write_video

DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture
def clip(tmp_path):
    return str(write_video(moving_shapes(1, seed=0, size=48)[0], tmp_path / "in.mp4"))


def psnr(a, b):
    return -10 * math.log10((a - b).square().mean().item())


@pytest.mark.slow
def test_demo(tmp_path, capsys):
    assert main(["demo", "--n-clips", "6", "--eps", "4/255", "--seed", "3", "--out", str(tmp_path / "a" / "b")]) == 0
    said = capsys.readouterr().out
    assert "gray-box" in said and "adaptive" in said
    for name in ("none", "JPEG 30", "DDIM", "one-step x0", "VideoPure", "VideoPure, paper's setting"):
        assert name in said
    results = json.loads((tmp_path / "a" / "b" / "card.json").read_text())
    assert results["cells"]["VideoPure"]["PGD 4/255"]["accuracy"]["n"] == 6
    page = (tmp_path / "a" / "b" / "report.html").read_text()
    assert page.count("<figure") == 16 and "gray-box" in page and "src=\"http" not in page


@pytest.mark.slow
def test_demo_repeats_under_a_seed(tmp_path):
    for folder in ("a", "b"):
        assert main(["demo", "--n-clips", "4", "--out", str(tmp_path / folder)]) == 0
    a, b = ((tmp_path / folder / "table.md").read_text() for folder in ("a", "b"))
    assert a == b


@pytest.mark.slow
def test_evaluate(tmp_path, capsys):
    run = tmp_path / "run.toml"
    run.write_text('data = { n_clips = 2, seed = 1 }\n[attacks]\n"PGD 4/255" = { eps = "4/255", steps = 2 }')
    assert main(["evaluate", str(run), "--out", str(tmp_path / "out"), "--quiet"]) == 0
    assert "VideoPure" in capsys.readouterr().out and (tmp_path / "out" / "card.html").exists()
    paper = ["--protocol", "videopure", "--n-clips", "1", "--defenses", "JPEG 30", "none"]
    assert main(["evaluate", *paper, "--out", str(tmp_path / "paper"), "--quiet"]) == 0
    assert "robust*" in capsys.readouterr().out


@pytest.mark.slow
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


ENDS = [(VideoPureError("too few clips"), 2), (KeyboardInterrupt(), 130)]
WORDS = {"demo": [], "purify": ["in.mp4", "out.mp4"], "evaluate": [], "train": ["clips"], "train-tiny": []}


@pytest.mark.parametrize(("error", "status"), ENDS, ids=["error", "interrupt"])
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_ends_in_one_line(command, error, status, monkeypatch, capsys):
    def fail(*args, **options):
        raise error

    module, name = COMMANDS[command].split(":")
    monkeypatch.setattr(import_module(module), name, fail)
    assert main([command, *WORDS[command]]) == status
    said = capsys.readouterr().err
    assert said.startswith("videopure: ") and said.count("\n") == 1


def test_help_names_every_command(capsys):
    said = ""
    for args in ([], *([command] for command in COMMANDS)):
        with pytest.raises(SystemExit) as stop:
            main([*args, "--help"])
        assert stop.value.code == 0
        said += capsys.readouterr().out
        assert args or all(command in said for command in COMMANDS)
    assert all(word in said for word in ("--n-clips", "--model", "--metrics", "--allow-code", "--quiet"))
    assert "8/255" in said and "package.module:Name" in said and not re.search(r"--(clips|classes)\b", said)


@pytest.mark.parametrize("command", [c for c in COMMANDS if c != "train"])
def test_every_option_is_explained(command):
    "The text behind a parameter is its help; one without would be an empty line in --help."
    text, options = cli._read(COMMANDS[command])
    assert text and options and all(option.help for option in options)


def test_options_have_the_types_of_their_signature():
    words = cli.parser().parse_args(["evaluate", "--n-clips", "3", "--attacks", "a", "b", "--seed", "5", "--allow-code"])
    assert (words.n_clips, words.attacks, words.seed, words.allow_code, words.quiet, words.config) == (3, ["a", "b"], 5, True, False, None)
    words = cli.parser().parse_args(["demo", "--eps", "4/255"])
    assert (words.eps, words.n_clips, words.out) == ("4/255", 100, "demo")
    assert cli.parser().parse_args(["purify", "a.mp4", "b.mp4", "--fps", "12.5"]).fps == 12.5


def test_fields_of_a_dataclass_are_options(tmp_path, monkeypatch, capsys):
    "A command whose parameter is a dataclass has an option for each field, and gets the object."
    (tmp_path / "my_command.py").write_text(COMMAND)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(COMMANDS, "bake", "my_command:bake")
    assert main(["bake", "oven", "--heat", "210", "--no-fan", "--turns", "1", "2"]) == 0
    assert capsys.readouterr().out == "oven Settings(heat=210, fan=False, turns=['1', '2']) None\n"
    with pytest.raises(SystemExit):
        main(["bake", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "bake in an oven" in said and "of the oven, 100 % (default: 180)" in said and "recipe" not in said


COMMAND = """
from dataclasses import dataclass

@dataclass
class Settings:
    "How."
    heat: int = 180  # of the oven, 100 %
    fan: bool = True  # whether it is on
    turns: list[str] | None = None  # when

def bake(
    place: str,  # which oven
    *,
    recipe: Settings = None,  # how
    out: str | None = None,  # where to
) -> str:
    "bake in an oven"
    return f"{place} {recipe} {out}"
"""


AT_ONCE = {"version": ["--version"], "help": ["--help"], "help of a command": ["evaluate", "--help"], "wrong command": ["evalute"]}
RUN = "import runpy, sys; sys.argv = ['videopure', *sys.argv[1:]]; runpy.run_module('videopure', run_name='__main__')"
WATCH = """
import atexit, resource, sys

@atexit.register
def tell():
    used = resource.getrusage(resource.RUSAGE_SELF)
    heavy = {"torch", "diffusers", "transformers", "numpy", "accelerate", "matplotlib", "PIL", "av", "cv2"} & {*sys.modules}
    print("used", used.ru_utime + used.ru_stime, *sorted(heavy), file=sys.stderr)
"""


def watched(code: str, *arguments: str) -> tuple[subprocess.CompletedProcess, float, list[str]]:
    "A program in a process of its own, the CPU seconds that it took, and which large packages it imported."
    done = subprocess.run([sys.executable, "-c", WATCH + code, *arguments], capture_output=True, text=True)
    _, seconds, *heavy = done.stderr.splitlines()[-1].split()
    return done, float(seconds), heavy


@pytest.mark.parametrize("arguments", AT_ONCE.values(), ids=AT_ONCE)
def test_help_and_version_come_at_once(arguments):
    done, seconds, heavy = watched(RUN, *arguments)
    assert done.returncode == (2 if arguments == ["evalute"] else 0), done.stderr
    assert heavy == [] and seconds < 1
    assert arguments != ["--version"] or done.stdout == f"{videopure.__version__}\n"


@pytest.mark.parametrize("code", ["import videopure", "import videopure.cli", "import videopure; dir(videopure); videopure.__all__"])
def test_import_costs_nothing(code):
    done, seconds, heavy = watched(code)
    assert done.returncode == 0 and heavy == [] and seconds < 1


@pytest.mark.parametrize("name", videopure.__all__)
def test_every_name_of_the_front_door(name):
    part = getattr(videopure, name)
    assert callable(part) and part.__name__ == name and part.__module__.startswith("videopure.")
    assert name in dir(videopure)


def test_names_that_there_are_not():
    for name in ("no_such_name", "_private", "__wrapped__"):
        with pytest.raises(AttributeError, match=name):
            getattr(videopure, name)
    assert videopure.threats.format_eps(8 / 255) == "8/255", "a module is loaded when it is asked for"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["evalute"], "invalid choice: 'evalute'"),
        ([], "COMMAND"),
        (["demo", "--clips", "3"], "unrecognized arguments: --clips"),
        (["demo", "--n-clips", "few"], "invalid int value: 'few'"),
        (["purify", "one.mp4"], "TARGET"),
    ],
    ids=["command", "nothing", "old option", "no number", "too few"],
)
def test_wrong_words(arguments, words):
    done = subprocess.run([sys.executable, "-m", "videopure", *arguments], capture_output=True, text=True)
    assert done.returncode == 2 and words in done.stderr and "Traceback" not in done.stderr and done.stdout == ""


MISSING = [["purify", "missing.mp4", "out.mp4"], ["evaluate", "missing.toml"]]


@pytest.mark.slow
@pytest.mark.parametrize("arguments", MISSING, ids=" ".join)
def test_missing_files(arguments, tmp_path):
    "As a person runs it: one line, status 2, nothing written."
    done = subprocess.run([sys.executable, "-m", "videopure", *arguments], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2 and done.stdout == "" and done.stderr.startswith("videopure: ")
    assert done.stderr.count("\n") == 1 and "missing" in done.stderr and not list(tmp_path.iterdir())


@pytest.mark.parametrize("eps", ["8", "8.0", "0", "-1/255", "8/0", "much"])
def test_demo_eps_is_a_fraction(eps, tmp_path, capsys):
    assert main(["demo", "--n-clips", "1", f"--eps={eps}", "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert "eps is" in said and said.count("\n") == 1 and eps.removesuffix(".0") in said
    assert eps not in ("8", "8.0") or "so write 8/255, not 8" in said


@pytest.mark.parametrize("count", ["0", "-3"])
def test_demo_needs_clips(count, tmp_path, capsys):
    assert main(["demo", f"--n-clips={count}", "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert f"n_clips is {count}, expected a whole number from 1" in said and said.count("\n") == 1


def test_metrics_of_evaluate(tmp_path, capsys):
    arguments = ["--n-clips", "2", "--attacks", "none", "--defenses", "none", "JPEG 30", "--metrics", "psnr", "temporal-consistency"]
    assert main(["evaluate", *arguments, "--out", str(tmp_path), "--quiet"]) == 0
    cells = json.loads((tmp_path / "card.json").read_text())["cells"]
    assert cells["none"]["none"]["metrics"]["psnr"] == 100 > cells["JPEG 30"]["none"]["metrics"]["psnr"] > 20
    assert main(["evaluate", *arguments[:-1], "--out", str(tmp_path), "--quiet"]) == 2
    said = capsys.readouterr().err
    assert "holds another run: metrics" in said and said.count("\n") == 1



def test_load_is_on_the_device_and_type():
    pipe = load_pipeline("tiny", "cpu", "bfloat16")
    assert pipe.unet.dtype == torch.bfloat16 and pipe.device.type == "cpu"


REAL = sorted(DATA.glob("ut_interaction/*/*.avi"))[::16] + sorted(DATA.glob("ucf101_clips/*"))


@pytest.mark.slow
@pytest.mark.skipif(not REAL, reason="needs ../shared/data")
@pytest.mark.parametrize("source", REAL, ids=lambda p: p.stem)
def test_real_clips_survive(source, tmp_path):
    out = tmp_path / "out.mp4"
    assert main(["purify", str(source), str(out), "--size", "112", "--frames", "16"]) == 0
    assert psnr(read_video(out), read_video(source, frames=16, size=112)) >= 24
