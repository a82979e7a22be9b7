"The `videopure` command as a person runs it: files in, files out, one line when something is wrong."

import errno
import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from html import escape
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Literal, Optional

import av
import pytest
import torch
import yaml

import videopure
from videopure import cli, demo
from videopure.baselines import PURIFIERS
from videopure.cli import COMMANDS, main
from videopure.config import read_config, run_config
from videopure.options import options_of, short
from videopure.pipeline import VideoPurePipeline, load_pipeline, save_pipeline
from videopure.purifier import VideoPure
from videopure.show import save_page
from videopure.video import MOTIONS, VideoPureError, moving_shapes, read_video, write_video

DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(autouse=True, scope="module")
def rate():
    "Clips written with the rate of their source, also while `frame_rate` is not there yet."
    if not hasattr(videopure.video, "frame_rate"):
        videopure.video.frame_rate = lambda path, frames=None: 8.0
    yield


@pytest.fixture
def clip(tmp_path):
    return str(write_video(moving_shapes(1, seed=0, size=48)[0], tmp_path / "in.mp4"))


def psnr(a, b):
    return -10 * math.log10((a - b).square().mean().item())


DEMO = ["demo", "--n-clips", "6", "--eps", "4/255", "--seed", "3"]


@pytest.fixture(scope="module")
def shown(tmp_path_factory) -> tuple[Path, str]:
    "What the demonstration leaves, in folders that were not there, and what it says."
    out = tmp_path_factory.mktemp("demo") / "a" / "b"
    with redirect_stdout(StringIO()) as said:
        assert main([*DEMO, "--out", str(out)]) == 0
    return out, said.getvalue()


@pytest.mark.slow
def test_demo(shown):
    out, said = shown
    limits = "drawn clips of 32 pixels, from one generator. The paper's 1.7B model, UCF-101 and Kinetics-400 were not run."
    assert "gray-box" in said and "adaptive" in said and said.count(limits) == 1
    for name in ("none", "JPEG 30", "DDIM", "one-step x0", "VideoPure", "VideoPure, paper's setting"):
        assert name in said
    results = json.loads((out / "card.json").read_text())
    assert results["cells"]["VideoPure"]["PGD 4/255"]["accuracy"]["n"] == 6
    assert limits in (out / "card.md").read_text() and limits in (out / "table.md").read_text()
    page = (out / "report.html").read_text()
    assert escape(limits) in page and escape(limits) in (out / "card.html").read_text()
    assert page.count("<figure") == 16 and "gray-box" in page and 'src="http' not in page
    assert page.index("A change that nobody sees") < page.index("<figure") < page.index("<table"), "the point first"
    assert "worst case" not in page and {"✓", "✗"} <= {*page} and "#15803d" in page and "#b91c1c" in page


@pytest.mark.slow
def test_demo_repeats_under_a_seed(shown, tmp_path):
    assert main([*DEMO, "--out", str(tmp_path)]) == 0
    assert (tmp_path / "table.md").read_text() == (shown[0] / "table.md").read_text()


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
    "report that is no page": ["--report", "report.mp4"],
    "endless rate": ["--fps", "inf"],
    "no rate": ["--fps", "nan"],
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
    assert ["cannot write" in line for line in capsys.readouterr().err.splitlines()] == [False, True]  # after what it costs


ENDS = {
    "error": (VideoPureError("too few\nclips"), 2),
    "interrupt": (KeyboardInterrupt(), 130),
    "terminated": (KeyboardInterrupt(signal.SIGTERM), 143),
    "full disk": (OSError(errno.ENOSPC, "No space left on device"), 2),
    "read-only": (OSError(errno.EROFS, "Read-only file system", "/ro/.o-717cdca6.npz"), 2),
    "memory": (MemoryError(), 2),
    "memory of a GPU": (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.\nMore lines."), 2),
    "long": (VideoPureError("no such device" + ", cpu" * 400), 2),
    "long sentences": (VideoPureError("a sentence of no great length with some words more in it. " * 30), 2),
}
WORDS = {"demo": [], "purify": ["in.mp4", "out.mp4"], "info": ["in.mp4"], "evaluate": [], "certify": ["frames"], "train": ["clips"]}
WORDS |= {"train-tiny": [], "verify": ["run"]}


@pytest.mark.parametrize(("error", "status"), ENDS.values(), ids=ENDS)
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_ends_in_one_line(command, error, status, monkeypatch, capsys):
    def fail(*args, **options):
        raise error

    module, name = COMMANDS[command].split(":")
    monkeypatch.setattr(import_module(module), name, fail)
    assert main([command, *WORDS[command]]) == status
    said = capsys.readouterr().err
    assert said.startswith("videopure: ") and said.count("\n") == 1 and len(said) < 300


def test_a_mistake_of_ours_keeps_its_traceback(monkeypatch):
    monkeypatch.setattr(cli, "purify", lambda **options: cli._data_of(None, {}))
    with pytest.raises(AttributeError):
        main(["purify", "in.mp4", "out.mp4"])


MINE = {"value": "raise ValueError(1)", "name": "return clpis", "key": "return {}['sigma']", "torch": "return clips @ clips[..., 1:, :]"}


@pytest.mark.parametrize("body", MINE.values(), ids=MINE)
def test_an_error_of_the_user_s_own_purifier_names_its_line(body, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path), monkeypatch.syspath_prepend(tmp_path)
    module = f"mine_{abs(hash(body))}"
    Path(f"{module}.py").write_text(f"def purifier(clips):\n    {body}\n")
    defenses = f'defenses = {{ mine = {{ method = "{module}:purifier" }} }}'
    Path("run.toml").write_text(f"{defenses}\ndata = {{ n_clips = 1 }}\nattacks = {{ none = {{}} }}\n")
    assert main(["evaluate", "run.toml", "--out", "out", "--allow-code", "--quiet"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and f"{module}.py, line 2, in purifier: " in said and "Error" in said


TYPED = {
    "command": (["purfy"], "did you mean purify?; see videopure --help"),
    "option": (["purify", "a", "b", "--modle", "tiny"], "did you mean --model?; see videopure purify --help"),
    "setting": (["evaluate", "--n-clips", "0"], "--n-clips is 0"),
    "other name": (["purify", "film.gif", "b.mp4", "--steps", "-3"], "--steps is -3"),
    "equal sign": (["purify", "film.gif", "b.mp4", "--ss", "100"], "from --ss 100 on"),
    "classifier": (["evaluate", "--classifier", "tyni"], "did you mean 'tiny'?"),
    "file": (["evaluate", "--classifier", "no.safetensors"], "does not exist"),
    "attack": (["evaluate", "--attacks", "pdg"], "did you mean 'PGD 8/255'?"),
}


@pytest.mark.parametrize(("words", "said"), TYPED.values(), ids=TYPED)
def test_messages_speak_of_options_and_of_the_nearest_name(words, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_video(moving_shapes(1, frames=4)[0], "film.gif")
    try:
        assert main(words) == 2
    except SystemExit as stopped:
        assert stopped.code == 2
    found = capsys.readouterr().err
    assert said in found and found.count("\n") == 1


def test_long_lines_keep_what_matters():
    cut = short("/deep" * 100 + "/clip.mp4: No such file or directory")
    assert len(cut) < 290 and cut.startswith("/deep") and cut.endswith("clip.mp4: No such file or directory")
    sentence = "The operator that was asked for cannot be run on this device: the build of torch was made without it and its friends"
    assert short(f"{sentence}. Others are {'CPU: registered at, ' * 100}") == sentence
    assert short("a few words") == "a few words"


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
    text, options = options_of(COMMANDS[command])
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


EARLY = {
    "no such file": ["nofile.mp4", "out.mp4"],
    "no video": ["notes.txt", "out.mp4"],
    "unknown container": ["film.gif", "out.xyz"],
    "too few frames": ["film.gif", "out.mp4", "--frames", "1"],
    "no such folder": ["film.gif", "nowhere/out.mp4"],
    "nothing left": ["film.gif", "out.mp4", "--ss", "60"],
    "no file fits": ["*.mov", "out"],
}


@pytest.mark.parametrize("arguments", EARLY.values(), ids=EARLY)
def test_what_cannot_be_purified_is_told_before_a_model_is_loaded(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("notes.txt").write_text("no film")
    write_video(moving_shapes(1, frames=4)[0], "film.gif")
    done, _, heavy = watched(RUN, "purify", *arguments)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 2, done.stderr
    assert "diffusers" not in heavy and not list(tmp_path.glob("out*"))


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


# -- nothing of a user's ----------------------------------------------------------------------------------------------------------------


SAME = {
    "itself": lambda clip: clip,
    "another path": lambda clip: f"{Path(clip).parent}/../{Path(clip).parent.name}/{Path(clip).name}",
    "symlink": lambda clip: os.symlink(clip, f"{clip}.mp4") or f"{clip}.mp4",
    "hard link": lambda clip: os.link(clip, f"{clip}.mp4") or f"{clip}.mp4",
    "folder by a link": lambda clip: os.symlink(Path(clip).parent, f"{clip}.d") or f"{clip}.d/in.mp4",
}


@pytest.mark.parametrize("name", SAME.values(), ids=SAME)
def test_the_source_is_no_target(name, clip, tmp_path, capsys):
    target, before = name(clip), Path(clip).read_bytes()
    for words in ([clip, target], [target, clip], [clip, str(tmp_path / "new.npz"), "--report", target]):
        assert main(["purify", *words]) == 2
        said = capsys.readouterr().err
        assert "is the source itself" in said and said.count("\n") == 1
    assert Path(clip).read_bytes() == before and not (tmp_path / "new.npz").exists()


@pytest.mark.parametrize("name", ["report.html", "run.json", "thesis.pdf"])
def test_demo_leaves_a_users_files(name, tmp_path, capsys):
    (tmp_path / name).write_text("mine")
    assert main(["demo", "--n-clips", "1", "--out", str(tmp_path)]) == 2
    assert f"holds {name!r}" in capsys.readouterr().err
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]


def test_labels_are_escaped_in_the_report(tmp_path):
    name = "<img src=x onerror=alert(1)>"
    classifier = videopure.tiny_classifier()
    classifier.class_names = (name,) * 10
    sample = [(clip, 0) for clip in moving_shapes(1, seed=1)[0]]
    pgd = {"eps": 8 / 255, "alpha": 2 / 255, "steps": 1, "seed": 0}
    parts = demo._players(classifier, VideoPurePipeline.tiny(), sample, pgd)
    page = save_page(tmp_path / "page.html", "", *parts).read_text()
    assert "<img src=x" not in page and page.count("&lt;img src=x onerror=alert(1)&gt;") >= 4


# -- run files --------------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def read(tmp_path):
    "`read_config` of a text or bytes."

    def call(content: str | bytes, **options) -> dict:
        (tmp_path / "run.toml").write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_config(tmp_path / "run.toml", **options)

    return call


def refusal(call: Callable) -> str:
    "The line with which a call is refused."
    with pytest.raises(VideoPureError) as error:
        call()
    assert "\n" not in str(error.value) and len(short(str(error.value))) < 300
    return str(error.value)


ODD = ["1", "-1", "0.5", '"x"', "[]", "[1]", "{ a = 1 }"]
NEVER = ["true", "nan", "inf", "2020-01-01", "12:30:00", "[[1]]", "[{ a = 1 }]", "9" * 30]
PLACES = ["title", "seed", "trials", "batch_size", "n_clips", "protocol", "store", "model", "variant", "dtype", "worst", "metrics", "data"]
PLACES += ["defenses", "attacks", "classifier", "defenses.a", "attacks.a", *(f"defenses.a.{name}" for name in ("method", "rule"))]
PLACES += [f"data.{name}" for name in ("dataset", "folder", "frames", "size", "n_clips", "seed", "classes", "where", "stride", "loop")]
PLACES += [f"classifier.{name}" for name in ("name", "weights", "num_classes", "class_names", "mean", "std", "layout", "size", "frames")]
PLACES += [f"attacks.a.{name}" for name in ("method", "sees", "n_clips", "uint8", "eps", "alpha", "steps", "best", "seed", "threat")]
BOOL = {"store", "data.loop", "attacks.a.uint8", "attacks.a.best"}


@pytest.mark.parametrize("place", PLACES)
def test_values_of_a_run_file_have_their_type(place, read):
    "Whatever stands anywhere, it is taken or refused in one line, and some things are right nowhere."
    beside = 'data.folder = "x"\n' if place.startswith("data.") and not place.endswith(("folder", "n_clips", "seed")) else ""
    for value in ODD:
        with suppress(VideoPureError):
            read(f"{beside}{place} = {value}")
    for value in NEVER:
        if value != "true" or place not in BOOL:
            assert "expected" in refusal(lambda: read(f"{beside}{place} = {value}")), value


WRONG = {
    "types": ("data = 1", "data is 1, expected a table"),
    "rows": ("defenses = { JPEG = 30 }", "expected a table"),
    "list": ("metrics = [1]", "metrics is [1], expected a list of text or a table"),
    "truth": ("seed = true", "seed is True, expected a whole number"),
    "option": ('[defenses]\nx = { method = "jpeg", quality = "30" }', "defenses.x.quality is '30', expected a whole number"),
    "attack": ('[attacks]\nx = { steps = "10" }', "attacks.x.steps is '10', expected a whole number"),
    "not a number": ("[defenses]\nx = { method = 'blur', sigma = nan }", "defenses.x.sigma is nan, expected a number"),
    "object": ('[defenses]\nx = { method = "shuffle", generator = "x" }', "an object that a file cannot hold"),
    "function": ('[defenses]\nx = { method = "videopure", sign = "x" }', "expected package.module:Name"),
    "slip": ("clasifier = 'tiny'", "unknown key 'clasifier': did you mean 'classifier'?"),
    "slip below": ('[defenses]\nx = { method = "jpeg", qualty = 3 }', "unknown key 'defenses.x.qualty': did you mean 'quality'?"),
    "slip of data": ("data = { folder = 'x', frame = 3 }", "did you mean 'frames'?"),
    "a part's own": ("data = { classifier = 'x' }", "unknown key 'data.classifier'"),
    "pipe": ('[defenses]\nx = { method = "videopure", pipe = "x" }', "unknown key 'defenses.x.pipe'"),
    "model": ('[attacks]\nx = { model = "x" }', "unknown key 'attacks.x.model'"),
    "protocol": ('protocol = "standard"\nattacks = { x = "noise" }', "protocol has no effect"),
    "limit": ("[attacks]\nx = { n_clips = { nonne = 3 } }", "there is no defense 'nonne'"),
    "deep": ("data = " + "[" * 3000 + "]" * 3000, "is not a TOML file"),
    "deep tables": ("data = " + "{a=" * 3000 + "1" + "}" * 3000, "is not a TOML file"),
    "dotted": (".".join("a" * 3000) + " = 1", "is not a TOML file"),
    "long number": ("seed = " + "9" * 5000, "is not a TOML file"),
    "backslash": ('data.folder = "C:\\clips"', "write paths with / or in single quotes"),
    "Latin 1": ("title = 'Prüfung'".encode("latin1"), "save it as UTF-8"),
    "half of UTF-16": (b"\xff\xfet\x00i", "save it as UTF-8"),
    "zero": (b"title = '\0'", "is not a TOML file"),
    "endless": (b"#" * 2_000_000, "larger than a megabyte"),
    "twice": ("seed = 1\nseed = 2", "is not a TOML file"),
}


@pytest.mark.parametrize("content, words", WRONG.values(), ids=WRONG)
def test_wrong_run_files(content, words, read):
    assert words in refusal(lambda: read(content))


@pytest.mark.parametrize("path", sorted((Path(__file__).parents[1] / "benchmarks").glob("*.toml")), ids=lambda path: path.stem)
def test_run_files_of_the_project(path):
    "What is right is taken, also by parts that take any name."
    assert "defenses" in read_config(path)


def test_parts_that_say_little_of_themselves(read, monkeypatch):
    "A part that a reader has registered may have any annotations, or none."

    def faded(by: "float" = 0.5, *, keep: Optional[int] = None, how: Literal["a"] = "a", other=None) -> Callable:
        return lambda video: video * by

    for name, part in {"faded": faded, "module": torch.nn.Identity(), "type": type, "pipe": VideoPure(VideoPurePipeline.tiny())}.items():
        monkeypatch.setitem(PURIFIERS, name, part)
    read('[defenses]\nx = { method = "faded", by = 0.25, keep = 3, how = "a", other = [1] }\ny = { method = "module" }\nz = "type"')
    read('[defenses]\nx = { method = "pipe", purify_steps = 2 }')
    assert "keep is 'x', expected a whole number" in refusal(lambda: read('[defenses]\nx = { method = "faded", keep = "x" }'))
    assert "purify_steps is 'x'" in refusal(lambda: read('[defenses]\nx = { method = "pipe", purify_steps = "x" }'))


def test_run_files_of_every_editor(read):
    text = "title = 'Prüfung'\r\ndata = { folder = 'C:\\clips' }\r\n"
    for content in (text.encode(), text.encode("utf-8-sig"), text.encode("utf-16"), b"\xfe\xff" + text.encode("utf-16-be")):
        assert read(content) == {"title": "Prüfung", "data": {"folder": "C:\\clips"}}


def test_no_door_to_code_is_open(read):
    "Also deep inside, as a value or in a list, and in what a part takes that is a function."
    doors = ["metrics = { x = 'os:getcwd' }", "data.dataset = 'os:getcwd'", "protocol = 'os:getcwd'"]
    doors += [f'[defenses]\nx = {{ method = "videopure", {name} = "os:getcwd" }}' for name in ("sign", "rule", "flow")]
    doors += ['[attacks]\nx = { threat = { name = "os:getcwd" } }', '[attacks]\nx = { loss = ["ce", ["os:getcwd"]] }']
    for text in doors:
        assert "allow it with --allow-code" in refusal(lambda: read(text)), text


def test_a_configuration_of_python_is_checked_too():
    "Objects are left to the parts that take them; words are held to the same table."
    assert "did you mean 'defenses'?" in refusal(lambda: run_config({"defences": {}}))
    assert "data.n_clips is '2'" in refusal(lambda: run_config({"data": {"n_clips": "2"}}))
    assert "has no effect" in refusal(lambda: run_config({"defenses": {"x": {"method": "none", "rule": "mean"}}}))
    assert "say with out where" in refusal(lambda: run_config({"store": True}))
    assert "has no effect" in refusal(lambda: run_config({"data": {"dataset": "moving-shapes", "folder": "clips"}}))
    small = {"data": {"n_clips": 1}, "attacks": {"noise": {"method": "noise", "sees": "scores"}}}
    assert run_config(small | {"defenses": {"same": lambda video: video}}, progress=False).accuracy("same").n == 1


@pytest.mark.parametrize("option", ["size 0", "size -1", "size 7", "frames 1", "n-clips 0"])
def test_sizes_of_moving_shapes(option, tmp_path, capsys):
    assert main(["evaluate", "--out", str(tmp_path / "out"), "--quiet", *f"--{option}".split()]) == 2
    said = capsys.readouterr().err
    assert f"--{option.replace(' ', ' is ')}, expected a whole number" in said and said.count("\n") == 1


@pytest.mark.parametrize("command", ["purify", "evaluate"])
def test_variant_reaches_the_model(command, clip, tmp_path, monkeypatch):
    "It is passed on, and only if it was given."
    asked = []

    def load(*arguments, **options):
        asked.append(options)
        raise VideoPureError("enough")

    monkeypatch.setattr("videopure.pipeline.load_pipeline", load)
    monkeypatch.setattr("videopure.config.load_pipeline", load)
    words = ["purify", clip, str(tmp_path / "out.npz")] if command == "purify" else ["evaluate", "--out", str(tmp_path / "out")]
    assert main(words) == main([*words, "--variant", "fp16"]) == 2
    assert asked == [{}, {"variant": "fp16"}]


def test_clips_play_as_long_as_their_source(clip, tmp_path):
    "Five of sixteen frames of two seconds: 2.5 a second."
    out = tmp_path / "out.mp4"
    assert main(["purify", clip, str(out), "--frames", "5", "--steps", "1"]) == 0
    with av.open(str(out)) as file:
        assert float(file.streams.video[0].average_rate) == 2.5 and file.duration == 2_000_000


# -- as the machine ends it -------------------------------------------------------------------------------------------------------------

DOORS = {"package": ["-m", "videopure"], "module": ["-m", "videopure.cli"]}


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_doors(door):
    run = lambda *words: subprocess.run([sys.executable, *door, *words], capture_output=True, text=True)
    assert run("--version").stdout == f"{videopure.__version__}\n"
    assert run("demo", "--n-clips", "few").returncode == 2


@pytest.mark.parametrize("module", ["evaluate", "training", "config", "train"])
def test_modules_are_no_doors(module):
    "Running one would do nothing and look well; imported, each is silent."
    done = subprocess.run([sys.executable, "-m", f"videopure.{module}", "run.toml"], capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and f"videopure.{module} is a module" in done.stderr
    code = "import sys; sys.argv[0] = '-c'; import videopure.checks"
    assert subprocess.run([sys.executable, "-c", code, f"-mvideopure.{module}"], capture_output=True).stderr == b""


SAYS = """
import sys
from videopure import cli
cli.purify = lambda **words: WHAT
sys.exit(cli.main(["purify", "in.npz", "out.npz"]))
"""


def said_to(where: str, what: str = "'done'", **variables) -> subprocess.CompletedProcess:
    "A command that says something, its output sent by the shell to a place."
    code = SAYS.replace("WHAT", what)
    call = ["bash", "-c", f'"$0" -c "$1" {where}', sys.executable, code]
    return subprocess.run(call, capture_output=True, env=os.environ | {"PYTHONUNBUFFERED": ""} | variables)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_output_that_is_full_or_closed():
    "One line where somebody can read it, and never a traceback."
    full = said_to("> /dev/full")
    assert (full.returncode, full.stderr) == (2, b"videopure: cannot read or write: no space left on device\n")
    for where, status in (("| true; exit ${PIPESTATUS[0]}", 141), (">&-", 0), (">&- 2>&-", 0), ("2> /dev/full", 0), ("2>&1 | true", 0)):
        done = said_to(where, "__import__('time').sleep(0.3) or 'done'")
        assert (done.returncode, done.stderr) == (status, b""), where


@pytest.mark.parametrize("command", ["--help", "evaluate --help", "--version"])
def test_help_into_a_closed_pipe(command):
    call = f'(sleep 0.2; "$0" -m videopure {command}) | true'
    assert subprocess.run(["bash", "-c", call, sys.executable], capture_output=True).stderr == b""


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii", "cp437", "cp932", "cp1252"])
def test_consoles_that_lack_signs(encoding):
    "A sign that a console does not have is replaced, in output and in errors, also in names that are no text."
    signs = r"'full \u2265 BPDA \u2013 \u00d7 \udcff'"
    done = said_to("", signs, PYTHONIOENCODING=encoding)
    assert done.returncode == 0 and done.stdout.startswith(b"full ") and done.stderr == b""
    done = said_to("", f"(_ for _ in ()).throw(cli.videopure.VideoPureError({signs}))", PYTHONIOENCODING=encoding)
    assert done.returncode == 2 and done.stderr.startswith(b"videopure: full ") and done.stderr.count(b"\n") == 1


WAITS = """
import sys, time
from videopure import cli
def purify(**words):
    try:
        print("ready", flush=True)
        time.sleep(60)
    finally:
        print("tidy", flush=True)
cli.purify = purify
sys.exit(cli.main(["purify", "in.npz", "out.npz"]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_signals_tidy_up(kind):
    running = subprocess.Popen([sys.executable, "-c", WAITS], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert running.stdout.readline() == "ready\n"
    running.send_signal(getattr(signal, kind))
    output, errors = running.communicate(timeout=60)
    assert (output, running.returncode) == ("tidy\n", 128 + getattr(signal, kind))
    assert errors.startswith("videopure: interrupted") and errors.count("\n") == 1


DONE = """
import atexit, sys, time
from videopure import cli
cli.purify = lambda **words: "done"
atexit.register(lambda: (print("tidying", flush=True), time.sleep(1)))
sys.argv = ["videopure", "purify", "in.npz", "out.npz"]
cli.start()
"""


@pytest.mark.parametrize("kind", ["SIGINT", "SIGTERM"])
def test_interrupted_when_all_is_done(kind):
    running = subprocess.Popen([sys.executable, "-c", DONE], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert [running.stdout.readline() for _ in range(2)] == ["done\n", "tidying\n"]
    running.send_signal(getattr(signal, kind))
    assert running.communicate(timeout=60) == ("", "") and running.returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("command", [["purify", "in.npz", "out.npz"], ["train", "clips"], ["evaluate"]], ids=lambda words: words[0])
def test_interrupted_while_importing(command, tmp_path):
    "Whenever the signal comes after the first moments, when Python itself starts: one line."
    for seconds in (0.3, 0.8, 1.4, 2.2):
        call = [sys.executable, "-m", "videopure", *command]
        running = subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
        time.sleep(seconds)
        running.send_signal(signal.SIGINT)
        _, errors = running.communicate(timeout=60)
        assert running.returncode in (130, 2) and errors.startswith("videopure: ") and errors.count("\n") == 1, errors


@pytest.mark.parametrize("command", [["evaluate"], ["demo"], ["train-tiny"]], ids=lambda words: words[0])
def test_variables_of_a_launcher_left_over(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for value in ("x", "2", "-1"):
        monkeypatch.setenv("WORLD_SIZE", value)
        assert main(command) == 2
        said = capsys.readouterr().err
        assert "a launcher sets WORLD_SIZE" in said and said.count("\n") == 1 and len(said) < 300
    assert not list(tmp_path.iterdir())


def test_a_message_of_ours_is_cut_once_at_most(capsys, tmp_path):
    assert main(["evaluate", "--classifier", "resnet", "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert "unknown classifier 'resnet'" in said and said.endswith(" more\n") and " ..." not in said
    longest = str(videopure.VideoPureError("the disk. " + "x" * 5000))
    assert short(longest) == longest and len(f"videopure: {longest}\n") < 300


def test_wrong_words_are_one_line(capsys):
    for words in ([], ["evalute"], ["demo", "--n-clips", "9" * 5000], ["purify", "a", "b", "--colour", "red"], ["evaluate", "--seed"]):
        with pytest.raises(SystemExit) as stop:
            main(words)
        said = capsys.readouterr().err
        assert stop.value.code == 2 and said.count("\n") == 1 and said.startswith("videopure: ") and len(said) < 300, said


# -- the project's own machine ----------------------------------------------------------------------------------------------------------

WORKFLOWS = sorted((Path(__file__).parents[1] / ".github" / "workflows").glob("*.yml"))


@pytest.mark.skipif(not WORKFLOWS, reason="an installed package carries no workflows")
@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_may_do_little(path):
    "They may read; a job that may write runs no command; an action is pinned by its commit."
    flow = yaml.safe_load(path.read_text())
    assert flow["permissions"] == {"contents": "read"}
    for job in flow["jobs"].values():
        uses = [step["uses"] for step in job["steps"] if "uses" in step]
        assert all(re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", action) for action in uses)
        if "write" in job.get("permissions", {}).values():
            assert not any("run" in step for step in job["steps"]) and len(job["steps"]) == 1


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
    assert f"--n-clips is {count}, expected a whole number from 1" in said and said.count("\n") == 1


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


def test_a_model_of_clips_that_it_was_trained_on(tmp_path, capsys):
    "The evaluation of a training's own clips says so, on the screen and in the title of the card."
    for k, name in enumerate(MOTIONS):
        (tmp_path / "clips" / name).mkdir(parents=True)
        write_video(moving_shapes(10, seed=k)[0][k : k + 1], tmp_path / "clips" / name / "a.npz")
    model = save_pipeline(VideoPurePipeline.tiny(), tmp_path / "model")
    (model / "training.json").write_text(json.dumps({"train": ["up/a.npz", "down/a.npz", "up/gone.npz"]}))
    words = ["evaluate", "--data", str(tmp_path / "clips"), "--model", str(model), "--defenses", "none", "--attacks", "none"]
    assert main([*words, "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr()
    assert "2 of 10 clips were trained on" in said.err and "2 of 10 clips were trained on" in said.out


def test_a_setting_of_files_without_files(capsys):
    assert main(["evaluate", "--stride", "2"]) == 2
    assert "clips in files have it" in capsys.readouterr().err


def test_interrupted_inside_a_module_that_makes_another_error_of_it():
    "Libraries that load modules when they are first used wrap what came up meanwhile."
    try:
        try:
            raise KeyboardInterrupt(signal.SIGTERM)
        except KeyboardInterrupt as stopped:
            raise RuntimeError("Failed to import") from stopped
    except RuntimeError as error:
        assert videopure.cli._stopped(error) == signal.SIGTERM
    assert videopure.cli._stopped(RuntimeError("other")) == 0
