"Parts by name, by import and as they are; what describes them in plain values."

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import types
from collections import defaultdict, deque
from dataclasses import dataclass
from functools import partial, wraps
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler
from torch import nn

from videopure.attacks import PGD
from videopure.data import Clips
from videopure.journal import data_identity
from videopure.pipeline import VideoPurePipeline
from videopure.registry import (
    Registry,
    describe,
    file_identity,
    fingerprint,
    identity,
    import_part,
    is_code,
    make,
    plain_attributes,
)
from videopure.video import VideoPureError


@dataclass
class Part:
    "A part of one's own."

    size: int = 3
    label: str = "x"


def function(video):
    return video


def one_line(make_it, *words):
    with pytest.raises(VideoPureError) as error:
        make_it()
    text = str(error.value)
    assert text and "\n" not in text
    for word in words:
        assert word in text, text


# by name


def test_find_by_name_by_import_and_as_it_is():
    parts = Registry("part", one=Part, two=function)
    parts["three-and-more"] = function
    assert parts.find("one") is Part and parts.find("two") is parts.find("three-and-more") is function
    assert parts.find("test_registry:Part") is Part and parts.find("collections:OrderedDict.fromkeys").__name__ == "fromkeys"
    ready = Part(5)
    for part in (Part, function, ready, None, 7):
        assert parts.find(part) is part
    assert list(parts) == ["one", "two", "three-and-more"] and len(parts) == 3 and isinstance(parts, dict)
    one_line(lambda: parts.find("four"), "unknown part 'four'", "one, two, three-and-more", "package.module:Name")


def test_register_returns_the_part_and_the_last_one_counts():
    parts = Registry("part")

    def define(size):
        @parts.register("mine")
        class Mine:
            pass

        Mine.size = size
        return Mine

    first = define(1)
    assert parts.find("mine") is first
    again = define(2)  # as when a cell of a notebook is run again
    assert again.size == 2 and again is not first and parts.find("mine") is again


def test_modules_that_add_parts_are_imported_when_a_name_is_missing(tmp_path, monkeypatch):
    (tmp_path / "more_parts_of_a_test.py").write_text("from test_registry import LAZY\nLAZY['late'] = 3\nLAZY['mine'] = 4\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    LAZY["mine"] = 2
    try:
        assert LAZY.find("early") == 1 and LAZY.find("mine") == 2 and "more_parts_of_a_test" not in sys.modules
        assert LAZY.find("late") == 3
        one_line(lambda: LAZY.find("never"), "expected one of early, mine, late")
    finally:
        sys.modules.pop("more_parts_of_a_test", None)


LAZY = Registry("part", "more_parts_of_a_test", early=1)


@pytest.mark.slow
def test_a_part_of_ones_own_outlives_the_import_of_others(tmp_path):
    "A user's attack under a name that a module of the package brings too is the user's, before and after that import."
    code = """
from videopure.attacks import ATTACKS
@ATTACKS.register("square")
class Mine: pass
assert ATTACKS.find("square") is Mine
ATTACKS.find("noise")
assert ATTACKS.find("square") is Mine
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("word", ["a:B", "a.b:C", "_a.b1:c", "a:B.c"])
def test_words_that_name_code(word):
    assert is_code(word)


@pytest.mark.parametrize(
    "word", ["", "a", "a.b", "a:", ":B", "a:b:c", "1a:B", "a b:C", "8/255", "C:\\x", "a:B()", "https://x.org", None, 7, Part]
)
def test_words_that_do_not(word):
    assert not is_code(word)


def test_import_from_the_current_folder(tmp_path, monkeypatch):
    (tmp_path / "my_parts_of_a_test.py").write_text("class Mine:\n    class Inner: pass\n")
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)
    try:
        assert import_part("my_parts_of_a_test:Mine.Inner").__qualname__ == "Mine.Inner"
        assert sys.path == before and os.getcwd() == str(tmp_path)
    finally:
        sys.modules.pop("my_parts_of_a_test", None)


def test_what_cannot_be_imported(tmp_path, monkeypatch):
    (tmp_path / "broken_part_of_a_test.py").write_text("raise RuntimeError('two\\nlines')\n")
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)
    for word, *reason in (
        ("no_such_module:X", "ModuleNotFoundError"),
        ("json:Nothing", "AttributeError", "Nothing"),
        ("json:loads.x", "AttributeError"),
        ("broken_part_of_a_test:X", "RuntimeError", "two lines"),
    ):
        one_line(lambda: import_part(word), f"cannot import {word!r}", "package.module:Name", *reason)
    assert sys.path == before


def test_make_says_what_is_wrong_with_options():
    assert make("part", "one", Part, 4, label="y") == Part(4, "y")
    one_line(lambda: make("part", "one", Part, colour=1), "part 'one'", "colour")
    one_line(lambda: make("part", Part, Part, colour=1, weight=2), "test_registry:Part", "colour, weight")
    one_line(lambda: make("part", "f", function), "part 'f' needs 'video'")


# in plain values


def test_fingerprint_follows_every_weight_and_buffer():
    def network():
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4))

    seen = {fingerprint(network())}
    assert seen == {fingerprint(network())} and all(len(mark) == 12 and int(mark, 16) >= 0 for mark in seen)
    for change in (
        lambda net: net[0].weight.data[0, 0].add_(1e-6),
        lambda net: net[1].running_mean.add_(1),
        lambda net: net[1].num_batches_tracked.add_(1),
        lambda net: net.to(torch.bfloat16),
        lambda net: net.to(torch.float64),
    ):
        net = network()
        change(net)
        seen.add(fingerprint(net))
    seen |= {fingerprint(network(), network()), fingerprint(), fingerprint(nn.ModuleDict({"a": network()}))}
    assert len(seen) == 9
    net = network().eval().requires_grad_(False).to(memory_format=torch.channels_last)
    assert fingerprint(net) == fingerprint(network()), "the mode and the order in memory are no weights"


class Own:
    "An object that describes itself."

    def describe(self):
        return {"name": "own", "size": 3}


def test_describe_gives_what_json_keeps():
    net = nn.Linear(2, 2)
    for part, expected in (
        (None, None),
        (True, True),
        (0.5, 0.5),
        ("8/255", "8/255"),
        ((1, "a", None), [1, "a", None]),
        ({1: (2,), "b": {"c": Part(4)}}, {"1": [2], "b": {"c": {"name": "test_registry:Part", "size": 4, "label": "x"}}}),
        (Part, "test_registry:Part"),
        (function, "test_registry:function"),
        (partial(function, size=3, kind=Part), {"name": "test_registry:function", "size": 3, "kind": "test_registry:Part"}),
        (Own(), {"name": "own", "size": 3}),
        (Own, "test_registry:Own"),
        (net, {"name": "torch.nn.modules.linear:Linear", "weights": fingerprint(net)}),
        (describe, "describe"),
    ):
        assert describe(part) == expected and json.loads(json.dumps(describe(part))) == expected
    assert describe({3}) == [3]


def test_positional_arguments_are_settings_too():
    "A run that goes on compares descriptions: what differs must not look equal."
    assert describe(partial(function, 3)) != describe(partial(function, 4)) == describe(partial(function, 4))


def test_descriptions_are_the_same_in_every_process():
    for part in (torch.sign, torch.relu, partial(function, sign=torch.sign), Part.__init__, {"flow": function}):
        assert " at 0x" not in json.dumps(describe(part))
    assert describe(torch.sign) != describe(torch.relu)


def test_plain_attributes_leaves_out_the_rest():
    part = Part(2)
    part._hidden, part.net, part.table = 3, nn.Linear(1, 1), {"a": 1}
    assert plain_attributes(part) == {"size": 2, "label": "x"} and plain_attributes(nn.Linear(1, 1)) == plain_attributes(7) == {}


# identity


K = 1.0


def times_global(video):
    return video * K


def times_through(video):
    return times_global(video)


class Slotted:
    __slots__ = ("k",)

    def __init__(self, k):
        self.k = k


class Base:
    factor = 1.0

    def __call__(self, video):
        return video * self.factor


class Remembering(dict):
    "A container that can have attributes."


class Configured:
    "Something with a configuration that does not say all."

    def __init__(self, k):
        self.config, self.k = {"a": 1}, k


def alphas(k):
    "A scheduler whose noise schedule was changed by hand."
    scheduler = DDIMScheduler()
    scheduler.alphas_cumprod = scheduler.alphas_cumprod**k
    return scheduler


def replaced(k):
    "A pipeline with another method in place of one of its own."
    pipe = VideoPurePipeline.tiny()
    pipe.predict_noise = lambda latents, t: latents * k
    return pipe


def made(k):
    "Parts that compute with a number, each in another way."

    class Local(Base):
        factor = k

    class Property:
        @property
        def k(self):
            return k

    def decorated(video):
        return video

    decorated.k = k
    net = nn.Conv3d(1, 1, 1)
    net.weight.data.fill_(k), net.bias.data.zero_()
    hooked = nn.Identity()
    hooked.register_forward_hook(lambda module, inputs, output: output * k)
    buffered = nn.Module()
    buffered.register_buffer("k", torch.tensor(k), persistent=False)
    own = nn.Identity()
    own.settings = {"deep": [{"k": k}]}
    defaulted = lambda video, k=k: video * k
    disguised = wraps(nn.functional.interpolate)(lambda video: video * k)
    backwards = nn.Identity()
    backwards.register_full_backward_hook(lambda module, before, after: (after[0] * k,))
    own_module = types.ModuleType("own_module")
    exec(f"def go(video): return video * {k}", vars(own_module))
    scope = {"__name__": "__main__", "own": own_module, "K": k}
    exec("def by_module(video): return own.go(video)\ndef by_name(video): return video * globals()['K']", scope)
    container = lambda kind, *held: type("Own", (kind,), {"__module__": "__main__", "__call__": lambda self, video: video * k})(*held)
    attributed = Remembering(a=1)
    attributed.k = k
    operator = torch.library.custom_op("videopure_tests::times", lambda video: video * k, mutates_args=(), schema="(Tensor x) -> Tensor")
    metaclass = type("Meta", (type,), {"__module__": "__main__", "factor": k})("Of", (), {"__module__": "__main__"})
    return {
        "class": Local, "object of a class": Local(), "property": Property(), "attribute of a function": decorated, "slots": Slotted(k),
        "weights": net, "hook": hooked, "buffer that is not saved": buffered, "nested settings": own, "default": defaulted,
        "bound method": Local().__call__, "partial": partial(function, k=k), "nested partial": partial(partial(function, 1), other=[k]),
        "half precision": torch.full((3,), k, dtype=torch.float16), "numpy": np.full((2, 2), k), "numpy scalar": np.float32(k),
        "object array": np.array([{"k": k}], dtype=object), "set": {1, k}, "frozen": Part(3, str(k)),
        "operator of your own": lambda video: operator(video),
        "pattern": re.compile(f"a{k}"), "complex": complex(k, 1), "path": Path(str(k)),
        "dtype": {1.0: torch.float16, 2.0: torch.float64}[k],
        "keyword only": eval("lambda *, k=k: k", {"k": k}),
        "inner function": eval("lambda: (lambda: k)", {"k": k}),
        "sequential": nn.Sequential(nn.Dropout(k / 4)), "sparse": torch.eye(2).mul(k).to_sparse(),
        "named like a library's": disguised, "backward hook": backwards,
        "another file": scope["by_module"], "by its name": scope["by_name"],
        "own dict": container(dict), "own list": container(list), "own tuple": container(tuple), "own set": container(set),
        "own int": container(int, 3), "own text": container(str, "a"), "attribute of an own dict": attributed,
        "deque": deque([k]), "defaultdict": defaultdict(lambda: k), "metaclass": metaclass,
        "config and more": Configured(k), "alphas": alphas(k), "method of a pipeline": replaced(k),
    }  # fmt: skip


@pytest.mark.parametrize("what", made(1.0))
def test_identity_changes_with_what_a_part_computes(what):
    assert identity(made(1.0)[what]) == identity(made(1.0)[what]) != identity(made(2.0)[what])


def test_identity_follows_the_variables_of_a_file(monkeypatch):
    before = identity(times_through)
    monkeypatch.setattr(sys.modules[__name__], "K", 2.0)
    assert identity(times_through) != before


def test_identity_follows_what_a_function_imports(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    scope, marks = {"__name__": "__main__"}, []
    exec("def f(video):\n    from helpers_of_f import K\n    return video * K", scope)
    for k in (1, 1, 2):
        (tmp_path / "helpers_of_f.py").write_text(f"K = {k}\nunused = {len(marks)}\n")
        sys.modules.pop("helpers_of_f", None), importlib.invalidate_caches()
        shutil.rmtree(tmp_path / "__pycache__", ignore_errors=True)
        marks.append(identity(scope["f"]))
    assert marks[0] == marks[1] != marks[2]


def test_identity_of_what_is_the_same():
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    before = identity(net)
    net.eval()
    net[0].weight.requires_grad_(False)
    assert identity(net) == before == identity(torch.compile(net))
    assert identity({"a": 1, "b": 2}) == identity({"b": 2, "a": 1}) and identity({1, 2, 3}) == identity({3, 2, 1})
    generator = torch.Generator().manual_seed(3)
    before = identity(generator)
    torch.rand(2, generator=generator)
    assert identity(generator) == before
    loop = []
    loop.append(loop)
    assert identity(loop) == identity(loop)


@pytest.mark.slow
def test_identity_is_the_same_in_another_process(tmp_path):
    (tmp_path / "mine.py").write_text(
        "import torch\nfrom functools import partial\nNAMES = {'a', 'b', 'c'}\n"
        "def clean(video, k=2): return video * k if 'a' in NAMES else video\n"
        "from videopure.registry import identity\nprint(identity([clean, partial(clean, k=torch.ones(3)), frozenset('abc')]))\n"
    )
    run = lambda seed: subprocess.run(
        [sys.executable, "mine.py"], cwd=tmp_path, env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
    )
    assert run("1").stdout == run("2").stdout != ""


THINGS = [partial(open, os.devnull), lambda: (i for i in "a"), threading.Lock, partial(torch.zeros, 2, device="meta")]


@pytest.mark.parametrize("thing", THINGS)
def test_identity_of_what_cannot_be_written_down(thing):
    one_line(lambda: identity(partial(function, thing()), "the defense 'd'"), "the defense 'd' cannot be told apart", "identity()")


def test_identity_of_files_and_data(tmp_path):
    big, small = tmp_path / "big", tmp_path / "small"
    big.write_bytes(bytes(5 << 20)), small.write_bytes(b"a")
    before = file_identity(big), file_identity(small), file_identity(tmp_path)
    with open(big, "r+b") as file:
        file.seek(-1, os.SEEK_END), file.write(b"x")
    small.write_bytes(b"b")
    assert not {*before} & {file_identity(big), file_identity(small), file_identity(tmp_path)}
    pairs = [(torch.zeros(2), 0), (torch.ones(2), 1)]
    assert len({data_identity(pairs, order) for order in ([0], [1], [0, 1], [1, 0])}) == 4


def test_identity_of_clips_that_a_class_of_ones_own_reads(tmp_path):
    (tmp_path / "a").write_bytes(b"clip")

    def clips(k, other=0):
        kind = type("Own", (Clips,), {"__module__": "__main__", "__getitem__": lambda self, i: (torch.zeros(3) * k, 0)})
        data = kind(tmp_path, ["a"], [0], ["x"])
        data.gain = other
        return data_identity(data, [0])

    assert clips(1) == clips(1) and len({clips(1), clips(2), clips(1, 1)}) == 3


def test_parts_that_lead_back_to_themselves():
    "A classifier whose code names an attack on it, as in a notebook: both have an identity, and the attack's settings are in it."
    scope = {"nn": torch.nn, "__name__": "mine"}
    source = "class Net(nn.Module):\n    def __init__(self): super().__init__(); self.head = nn.Linear(3, 2)\n"
    source += "    def forward(self, video): return self.head(video.mean((2, 3, 4))) if attack else None\n"
    exec(source, scope)
    net = scope["Net"]()
    found = []
    for steps in (1, 2, 1):
        scope["attack"] = PGD(net, steps=steps)
        found.append((identity(net), identity(scope["attack"])))
    assert found[0] == found[2] and found[0][0] != found[1][0] and found[0][1] != found[1][1]


class Recurrent(nn.Module):
    "A classifier with what `nn.LSTM` keeps beside its weights; `speed` is an attribute, and the name of a variable below."

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.inner, self.speed = nn.LSTM(4, 3, 2, bidirectional=True), nn.Linear(6, 2)

    def forward(self, x):
        return self.speed(self.inner(x)[0][:, -1])


speed = 1


def test_identity_of_recurrent_networks_follows_their_weights_only():
    model, other = Recurrent(), Recurrent()
    first = identity(model)
    x = torch.randn(2, 5, 4, requires_grad=True)
    model(x).sum().backward()
    assert identity(model) == first == identity(other)
    with torch.no_grad():
        other.inner.weight_hh_l1_reverse[0, 0] += 1
    assert identity(other) != first


def test_identity_takes_no_attribute_for_a_variable_of_the_file(monkeypatch):
    first = identity(Recurrent())
    monkeypatch.setattr(sys.modules[__name__], "speed", 2)
    assert identity(Recurrent()) == first


class Scaled(nn.Module):
    def __init__(self, factor):
        super().__init__()
        torch.manual_seed(0)
        self.inner, self.factor = nn.Linear(4, 3), factor

    def forward(self, x):
        return self.factor * self.inner(x)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("compiled", [torch.jit.script, lambda model: torch.jit.trace(model, torch.ones(1, 4))])
def test_identity_of_torchscript_follows_code_settings_and_weights(compiled, tmp_path):
    torch.jit.save(compiled(Scaled(2.0)), tmp_path / "model.pt")
    first, again = (torch.jit.load(tmp_path / "model.pt") for _ in range(2))
    assert identity(first) == identity(again) and identity(compiled(Scaled(2.0))) == identity(compiled(Scaled(2.0)))
    assert identity(compiled(Scaled(3.0))) != identity(compiled(Scaled(2.0)))
    with torch.no_grad():
        again.inner.weight[0, 0] += 1
    assert identity(first) != identity(again)
