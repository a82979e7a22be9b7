"Parts by name, by import and as they are; what describes them in plain values."

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import partial

import pytest
import torch
from torch import nn

from videopure.registry import Registry, describe, fingerprint, import_part, is_code, make, plain_attributes
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
    one_line(lambda: make("part", "f", function), "part 'f'", "no options")


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
