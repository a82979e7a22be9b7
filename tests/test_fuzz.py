"""Everything public is called with what nobody should give it: it answers, or says in one line what is wrong.

A few seconds in a normal run; `make fuzz` tries FUZZ=10000 inputs and prints how they ended.
"""

import os
import signal
import warnings
from collections import Counter
from contextlib import contextmanager
from importlib import import_module
from inspect import Parameter, signature
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from videopure.cli import main
from videopure.config import read_config
from videopure.pipeline import VideoPurePipeline
from videopure.video import VideoPureError, read_video, write_video

pytestmark = pytest.mark.slow
LONG = int(os.environ.get("FUZZ", 0))
ENDED = Counter()
MODULES = [path.stem for path in sorted(Path(import_module("videopure").__file__).parent.glob("[a-z]*.py"))]
CLIPS = torch.rand(2, 3, 4, 16, 16, generator=torch.Generator().manual_seed(0))
LABELS, LOGITS = torch.tensor([0, 2]), torch.randn(2, 3, 5, generator=torch.Generator().manual_seed(1))


def fuzz(share: float, least: int):
    "So many examples: `least` in a normal run, its share of a long one."
    return settings(
        max_examples=max(least, round(LONG * share)),
        deadline=None,
        derandomize=not LONG,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


class Net(nn.Module):
    "A classifier of three classes that costs nothing."

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(3, 3)

    def forward(self, video):
        return self.head(video.mean((2, 3, 4)).to(self.head.weight))


def odd_tensors():
    "Clips and labels of every wrong kind."
    clip = CLIPS[:1]
    numbers = [torch.nan, torch.inf, 255.0, -1.0, 1e30]
    return [
        *(clip * number for number in numbers), clip[0], clip[:, :2], clip[:0], clip[:, :, :1], clip.half(), clip.double(), clip.bfloat16(),
        (clip * 255).byte(), clip > 0.5, clip.to(torch.complex64), clip.to_sparse(), clip.to("meta"), clip.numpy(), clip.transpose(1, 2),
        clip.expand(3, -1, -1, -1, -1), clip[..., :1, :1], torch.tensor(0.5), torch.tensor([]), LABELS.int(), LABELS.float(), LABELS - 1,
        LABELS + 100, LABELS.numpy(), LABELS.tolist(), LABELS[None], clip.clone().requires_grad_(), np.array([None]), np.float32(0.1),
    ]  # fmt: skip


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 40),
    st.floats(-10, 10),
    st.sampled_from([float("nan"), float("inf"), -float("inf"), 1e-300, 2**70, -(2**70), 1 + 2j]),
    st.sampled_from([np.int64(3), np.float32(0.1), np.bool_(True), b"bytes", Path("x")]),
    st.sampled_from(["", "8/255", "8", "1/0", "pgd", "none", "no such name", "os:getcwd", "x:y", "a\nb", "\0", "ä" * 400]),
    st.text(max_size=8),
    st.lists(st.integers(-2, 5), max_size=3),
    st.tuples(st.floats(0, 1), st.floats(0, 1)),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    st.sampled_from([object(), int, Net, len, lambda *args: None, lambda video: video, {1, 2}, range(3), ...]),
    st.integers(0, len(odd_tensors()) - 1).map(lambda i: odd_tensors()[i]),
)


@contextmanager
def within(seconds: int):
    "An error instead of a hang."

    def ring(*_):
        raise TimeoutError(f"not done in {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def tensors(found: object) -> list[torch.Tensor]:
    return [found] if isinstance(found, torch.Tensor) else [t for each in found for t in tensors(each)] if isinstance(found, tuple) else []


def try_it(name: str, call, kwargs: dict, finite: bool = True) -> None:
    "The oracle: an answer of finite numbers, or one short line."
    try:
        with within(60), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = call(**kwargs)
    except VideoPureError as error:
        ENDED["one line"] += 1
        text = str(error)
        assert text and "\n" not in text and len(text) <= 300, f"{name}: {len(text)} characters: {text[:400]}"
        return
    except Exception as error:
        ENDED[type(error).__name__] += 1
        shown = {key: f"{type(value).__name__} {str(value)[:80]}" for key, value in kwargs.items()}
        raise AssertionError(f"{name}: {type(error).__name__}: {str(error)[:200]} for {shown}") from error
    ENDED["answer"] += 1
    for each in tensors(found) if finite else ():
        if each.is_floating_point() and each.device.type != "meta" and not each.isfinite().all():
            ENDED["not finite"] += 1
            raise AssertionError(f"{name}: an answer that is not finite")


# what is called, by name -> (function, what is right, whose parameters are tried besides)


def of(part, *args):
    "Something that is made with settings and then called."
    return lambda **given: part(**given)(*args)


def entries() -> dict:
    from videopure import attacks, baselines, blackbox, classifiers, data, defense, evaluate, flow, metrics
    from videopure import pipeline, purifier, results, schedule, show, threats, training, video, voting

    net, pipe, one = Net(), VideoPurePipeline.tiny(), CLIPS[:1]
    pipe.set_progress_bar_config(disable=True)
    pair, purify = {"purified": one, "clean": one * 0.9}, lambda purifier: [*purifier_of(purifier).records(one)]
    purifier_of = lambda given: purifier.as_purifier(given) or purifier.as_purifier(len)
    run = {"classifier": net, "defenses": {"none": None}, "data": (CLIPS, LABELS), "attacks": {}, "progress": False}
    found = {
        "video.check_video": (video.check_video, {"video": one}),
        "video.moving_shapes": (video.moving_shapes, {"n": 1, "frames": 2, "size": 8}),
        "show.strip": (show.strip, {"clips": one}),
        "show.magnify": (show.magnify, {"original": one, "changed": one}),
        "show.differences": (show.differences, {"clips": {"a": one, "b": one}}),
        "show.Player": (show.Player, {"clips": {"clip": one}}),
        "schedule.ddim_levels": (schedule.ddim_levels, {"scheduler": pipe.scheduler, "purify_steps": 2}),
        "flow.optical_flow": (flow.optical_flow, {"video": one}),
        "voting.vote": (voting.vote, {"logits": LOGITS}),
        "pipeline.load_pipeline": (pipeline.load_pipeline, {"name": "tiny"}),
        "pipeline.VideoPurePipeline": (lambda **given: pipe(**given).videos, {"video": one, "purify_steps": 1}, pipe.__call__),
        "classifiers.load_classifier": (classifiers.load_classifier, {"name": "tiny"}),
        "classifiers.VideoClassifier": (of(classifiers.VideoClassifier, one), {"model": net}, classifiers.VideoClassifier),
        "purifier.as_purifier": (purify, {"purifier": pipe}),
        "defense.Defended": (of(defense.Defended, one), {"classifier": net, "purifier": pipe}, defense.Defended),
        "data.MovingShapes": (of(lambda **given: data.MovingShapes(**given).__getitem__, 0), {"n": 1}, data.MovingShapes),
        "evaluate.AttackSpec": (evaluate.AttackSpec, {}),
        "evaluate.benchmark": (evaluate.benchmark, run),
        "results.Card": (results.Card, {"config": {}, "results": []}),
        "results.Table": (results.Table, {"title": "x", "head": ["a"], "rows": [["b"]]}),
        "training.Recipe": (training.Recipe, {}),
        "threats.as_threat": (threats.as_threat, {"eps": 0.1}),
        "metrics.psnr": (metrics.psnr, pair),
        "metrics.ssim": (metrics.ssim, pair),
        "attacks.make_attack": (attacks.make_attack, {"method": "pgd", "model": net}),
        "attacks.call": (lambda clips, labels: attacks.PGD(net, steps=1)(clips, labels), {"clips": CLIPS, "labels": LABELS}),
    }
    for name, part in threats.THREATS.items():
        found[f"threats.{name}"] = of(lambda part=part, **given: part(**given).random_start, CLIPS), {}, part
    for part in (attacks.PGD, blackbox.TemporalTranslation, blackbox.Square, blackbox.RandomNoise):
        least = {"steps": 1} if part in (attacks.PGD, blackbox.TemporalTranslation) else {}
        found[f"attacks.{part.__name__}"] = of(part, CLIPS, LABELS), {"model": net} | least, part
    found["attacks.Square"][1]["queries"] = 2
    for part in (baselines.JPEG, baselines.BitDepth, baselines.GaussianBlur, baselines.MedianBlur, baselines.TemporalShuffle):
        found[f"baselines.{part.__name__}"] = of(part, one), {}, part
    for part in (baselines.OneStep, baselines.DiffPure, baselines.DDIMInversion):
        found[f"baselines.{part.__name__}"] = of(part, one), {"pipe": pipe}, part
    return found


ENTRIES = entries()
COSTS = {"n", "frames", "size", "restarts", "eot", "queries", "draws", "trials", "kernel", "votes", "steps"}  # what is asked for


def parameters(name: str) -> list[str]:
    "Names that a call can be given."
    call, right, *part = ENTRIES[name]
    kinds = (Parameter.VAR_KEYWORD, Parameter.VAR_POSITIONAL)
    return sorted({p.name for p in signature((part or [call])[0]).parameters.values() if p.kind not in kinds} | {*right})


def calls(name: str):
    "A right call of which one or two arguments are odd."
    right = ENTRIES[name][1]
    return st.dictionaries(st.sampled_from(parameters(name)), ODD, min_size=1, max_size=2).map(lambda odd: right | odd)


@pytest.mark.parametrize("name", sorted(ENTRIES))
def test_odd_arguments(name):
    call, right = ENTRIES[name][:2]
    call(**right)

    @fuzz(0.6 / len(ENTRIES), 12)
    @given(calls(name))
    def run(kwargs):
        if not any(isinstance(value, int) and abs(value) > 1000 for key, value in kwargs.items() if key in COSTS):
            try_it(name, call, kwargs)

    run()


# files


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    "Small real files, made here."
    folder, found = tmp_path_factory.mktemp("files"), {}
    for suffix in (".mp4", ".gif", ".npz"):
        found[suffix] = write_video(CLIPS[:1], folder / f"clip{suffix}").read_bytes()
    return found


@pytest.mark.parametrize("suffix", [".mp4", ".gif", ".npz"])
def test_mutated_files(suffix, originals, tmp_path):
    "Bytes changed, cut out, doubled: the file is read or refused; that all damage is seen is not promised."
    text, path = originals[suffix], tmp_path / f"mutant{suffix}"
    place = st.integers(0, len(text) - 1)
    change = st.tuples(place, st.sampled_from(["flip", "cut", "double", "zero", "end"]), st.integers(1, 255), st.integers(1, 64))

    @fuzz(0.2 / 3, 15)
    @given(st.lists(change, min_size=1, max_size=4), st.sampled_from([None, 2, 4, 10**9]))
    def run(changes, frames):
        data = bytearray(text)
        for at, how, value, length in changes:
            at %= max(1, len(data))
            if how == "flip" and data:
                data[at] ^= value
            elif how == "zero":
                data[at : at + length] = bytes(min(length, max(0, len(data) - at)))
            else:
                data[at:] = {"cut": data[at + length :], "double": data[at : at + length] * 2 + data[at + length :], "end": b""}[how]
        path.write_bytes(bytes(data))
        try_it(f"read_video({suffix})", read_video, {"path": path, "frames": frames})

    run()


# run files and command lines

KEYS = "data defenses attacks classifier model method eps sees n_clips seed trials metrics title worst folder frames x"
WORD = st.sampled_from(KEYS.split())
VALUE = st.recursive(
    st.one_of(st.booleans(), st.integers(-5, 5), st.floats(), st.sampled_from(['"jpeg"', '"8/255"', '"pgd"', '""', '"os:getcwd"'])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2).map(lambda parts: "[" + ", ".join(map(toml, parts)) + "]"),
        st.dictionaries(WORD, inner, max_size=2).map(lambda parts: "{" + ", ".join(f"{k} = {toml(v)}" for k, v in parts.items()) + "}"),
    ),
    max_leaves=4,
)


def toml(value) -> str:
    return value if isinstance(value, str) else str(value).lower()


@fuzz(0.1, 25)
@given(st.dictionaries(WORD, VALUE, max_size=4), st.sampled_from(["", "\ufeff", "[", "# ä\n"]))
def test_run_files(tmp_path_factory, table, before):
    path = tmp_path_factory.mktemp("run") / "run.toml"
    path.write_text(before + "\n".join(f"{key} = {toml(value)}" for key, value in table.items()), encoding="utf-8")
    try_it("read_config", read_config, {"path": path})


OPTION = st.one_of(WORD.map(lambda word: f"--{word.replace('_', '-')}"), st.text(max_size=5), st.sampled_from(["-1", "0", "nan"]))


@fuzz(0.1, 10)
@given(st.sampled_from(["demo", "purify", "evaluate", "train", "train-tiny", ""]), st.lists(OPTION, max_size=4))
def test_command_lines(tmp_path_factory, command, words):
    "No option here names a real file, so no command gets far; a usage error of argparse is status 2 as well."
    folder = tmp_path_factory.mktemp("here")
    before = os.getcwd()
    os.chdir(folder)
    try:
        with within(60):
            status = main([command, *words, "--no-such-option", "1"])
    except SystemExit as error:
        status = error.code
    finally:
        os.chdir(before)
    ENDED["command"] += 1
    assert status == 2 and not list(folder.iterdir())


def test_counts(capsys):
    "The last of the file: how the inputs of this run ended."
    with capsys.disabled():
        if LONG:
            print(f"\n{sum(ENDED.values())} inputs: {dict(ENDED.most_common())}")
    assert not set(ENDED) - {"answer", "one line", "command"}


