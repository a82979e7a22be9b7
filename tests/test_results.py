"""Tables depend on the configuration alone, cards say the same after saving, and runs are compared clip by clip. (notebook 15b)"""

import itertools
import json
import os
from html.parser import HTMLParser

import pytest
from scipy.stats import binomtest

from videopure.journal import read_results
from videopure.results import METRIC_FORMATS, Accuracy, Card, Paired, Table, plot_accuracy
from videopure.video import VideoFileError, VideoPureError

CONFIG = {"title": "a run", "seed": 3, "eps": "8/255", "defenses": ["none", "b", "a"], "attacks": ["none", "PGD", "BPDA"]}
CLIPS = [f"clip-{i}" for i in range(6)]


def result(clip="clip-0", defense="none", attack="none", right=(True,), metrics=(), **more):
    fixed = {"clip": clip, "label": 1, "defense": defense, "attack": attack, "predicted": [int(r) for r in right], "right": list(right)}
    return fixed | {"metrics": {"budget_used": 1.0, "calls": 8, "seconds": 0.5, "memory": 2**21} | dict(metrics)} | more


def all_results():
    "Clip i under attack j against defense k is right or not in a fixed, uneven pattern."
    names = itertools.product(enumerate(CONFIG["defenses"]), enumerate(CONFIG["attacks"]), enumerate(CLIPS))
    return [result(clip, d, a, ((i + 1) * (k + 1) % 5 >= j,)) for (k, d), (j, a), (i, clip) in names]


def one_line(error, *words):
    text = str(error.value)
    assert text and "\n" not in text and len(text) < 300, text
    for word in words:
        assert str(word) in text, text


# ---------------------------------------------------------------- accuracy


def test_wilson_interval_is_scipys():
    for n in (1, 2, 7, 30, 1000):
        for right in {0, 1, n // 3, n - 1, n}:
            want = binomtest(right, n).proportion_ci(method="wilson")
            assert Accuracy(right, n).interval == pytest.approx((want.low, want.high), abs=1e-6)


@pytest.mark.parametrize("right, n", [(0, 0), (-1, 3), (4, 3)])
def test_no_accuracy(right, n):
    with pytest.raises(VideoPureError) as error:
        Accuracy(right, n)
    one_line(error, "no accuracy")


# ---------------------------------------------------------------- card


def test_order_and_columns_come_from_the_configuration():
    results = all_results()
    texts = set()
    for order in (results, results[::-1], sorted(results, key=lambda r: r["clip"])):
        texts.add(str(Card(CONFIG, [r | {"metrics": {"seconds": len(texts)}} for r in order]).table()))
    assert len(texts) == 1
    table = Card(CONFIG, results).table()
    assert [row[0] for row in table.rows] == ["none", "b", "a"]
    assert table.head == ["defense", "clean", "PGD", "BPDA", "worst case"]


@pytest.mark.parametrize("names", [["b", "a"], {"b": {"quality": 3}, "a": {}}, [{"name": "b"}, {"name": "a", "x": 1}]])
def test_names_in_any_form_that_toml_has(names):
    card = Card({"defenses": names, "attacks": ["PGD"]}, [result(defense=d, attack=a) for d in "ab" for a in ("none", "PGD")])
    assert card.defenses == ["b", "a"] and card.attacks == ["none", "PGD"]


def test_a_result_that_the_configuration_does_not_know_is_an_error():
    for unknown in (result(defense="else"), result(attack="else")):
        with pytest.raises(VideoPureError) as error:
            Card(CONFIG, [unknown])
        one_line(error, "'else'", "expected one of")


def test_random_defense_first_trial_average_and_worst():
    config = {"defenses": ["noise"], "attacks": ["PGD"]}
    clean = [result(c, "noise", right=[True] * 4) for c in "abc"]
    attacked = [result(c, "noise", "PGD", right) for c, right in zip("abc", ([1, 1, 1, 1], [1, 0, 0, 0], [0, 1, 1, 1]))]
    card = Card(config, clean + attacked)
    assert card.accuracy("noise", "PGD") == Accuracy(2, 3)
    assert card.average("noise", "PGD") == pytest.approx((1 + 1 / 4 + 3 / 4) / 3)
    assert card.worst("noise") == Accuracy(1, 3)
    assert card.success("noise", "PGD") == Accuracy(1, 3)


def test_worst_case_over_clips_that_have_all_columns():
    results = [result(c, attack=a) for a, clips in (("none", "abcd"), ("PGD", "abc"), ("BPDA", "ab")) for c in clips]
    card = Card(CONFIG, results + [result("d", attack="BPDA", right=[False])])
    assert card.worst("none") == Accuracy(2, 2)
    assert card.worst_outcomes("a") == {} and "–" in str(card.table())
    with pytest.raises(VideoPureError):
        card.accuracy("a")


def test_attack_success_leaves_out_clips_that_were_wrong_before():
    before, after = (True, True, False, True), (False, True, False, True)
    card = Card(CONFIG, [result(c, attack=a, right=[r]) for a, rs in (("none", before), ("PGD", after)) for c, r in zip("abcd", rs)])
    assert card.success("none", "PGD") == Accuracy(1, 3) and card.accuracy("none", "PGD") == Accuracy(2, 4)


def test_costs_are_means_and_stand_apart():
    second = result("b", metrics={"seconds": 2.0, "calls": 10})
    del second["metrics"]["memory"]
    card = Card(CONFIG, [result("a", metrics={"seconds": 1.0}), second])
    assert card.metric("none", "none", "seconds") == 1.5 and card.metric("none", "none", "memory") == 2**21
    assert card.metric("none", "none", "queries") is None and card.metric("a", "PGD", "seconds") is None
    assert "9 / 1.5 / 2" in str(card.metrics_table("calls", "seconds", "memory")) and "1.5" not in str(card.table())


def test_metrics_of_any_name_are_shown():
    card = Card(CONFIG, [result(c, metrics={"psnr": v, "<mine>": 7}) for c, v in (("a", 20.0), ("b", 31.0))])
    assert card.metric_names == ["calls", "seconds", "memory", "budget_used", "<mine>", "psnr"], "known ones first, others by name"
    table = card.metrics_table("psnr", "<mine>")
    assert table.rows[0] == ["none", "25.5 / 7"] and table.title == "Mean per clip: psnr / <mine>"
    means = {"calls": 8, "seconds": 0.5, "memory": 2**21, "budget_used": 1, "<mine>": 7, "psnr": 25.5}
    assert card.to_dict()["cells"]["none"]["none"]["metrics"] == means
    assert "25.5" in card._repr_html_() and "&lt;mine&gt;" in card._repr_html_() and "25.5" in card._repr_markdown_()
    with pytest.raises(VideoPureError) as error:
        card.metrics_table("ssim")
    one_line(error, "'ssim'", "psnr")


def test_a_format_of_ones_own(monkeypatch):
    monkeypatch.setitem(METRIC_FORMATS, "psnr", ("PSNR in dB", 1, ".1f"))
    table = Card(CONFIG, [result(metrics={"psnr": 20.04})]).metrics_table("psnr")
    assert table.title == "Mean per clip: PSNR in dB" and table.rows[0][1] == "20.0"


def test_skipped_clips_are_counted_with_reasons():
    skips = [{"clip": "x.mp4", "skipped": "x.mp4 is cut short"}, {"clip": "a", "defense": "none", "attack": "PGD", "skipped": "not finite"}]
    card = Card(CONFIG, [result("a"), *skips])
    assert "2 clips skipped" in str(card) and "cut short" in str(card) and "none under PGD" in str(card)
    assert card.to_dict()["skipped"] == sorted(skips, key=lambda r: r["clip"]) and card.accuracy("none") == Accuracy(1, 1)
    assert card.clips == ["a"]


class Balanced(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.open, self.seen = [], set()
        self.feed(text)
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        if tag not in ("br", "meta", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_names_are_escaped_everywhere(tmp_path):
    evil = '<img src=x onerror="alert(1)">|`*'
    config = {"title": evil, "defenses": [evil], "attacks": [evil], "note": evil}
    results = [result(evil, evil, a, metrics={evil: 1}) for a in ("none", evil)] + [{"clip": evil + "2", "skipped": evil}]
    card = Card(config, results, about={evil: evil})
    for view in (card, card.compare(card), card.table(), card.skipped_table()):
        assert "img" not in Balanced(view._repr_html_()).seen
    assert "<img" not in card._repr_markdown_().split("Configuration")[0]
    card.save(tmp_path)
    assert "img" not in Balanced((tmp_path / "card.html").read_text()).seen


def test_saved_and_loaded(tmp_path):
    card = Card(CONFIG, [*all_results(), {"clip": "z", "skipped": "empty"}])
    card.save(tmp_path / "deep/folder")
    again = Card.load(tmp_path / "deep/folder")
    assert again == card and again.to_dict() == card.to_dict() == json.loads(json.dumps(card.to_dict()))
    names = ["card.html", "card.json", "card.md", "results.jsonl.gz", "table.md"]
    assert sorted(os.listdir(tmp_path / "deep/folder")) == names
    assert "http" not in (tmp_path / "deep/folder/card.html").read_text(), "self-contained"
    before = (tmp_path / "deep/folder/results.jsonl.gz").read_bytes()
    again.save(tmp_path / "deep/folder")
    assert (tmp_path / "deep/folder/results.jsonl.gz").read_bytes() == before
    assert list(read_results(tmp_path / "deep/folder/results.jsonl.gz")) == card.results


@pytest.mark.parametrize("name", ["card.json", "results.jsonl.gz"])
@pytest.mark.parametrize("damage", ["gone", "empty", "half", "noise"])
def test_damaged_cards(tmp_path, name, damage):
    Card(CONFIG, all_results()).save(tmp_path)
    path = tmp_path / name
    text = path.read_bytes()
    path.unlink()
    if damage != "gone":
        path.write_bytes({"empty": b"", "half": text[: len(text) // 2], "noise": b"noise" + text}[damage])
    with pytest.raises(VideoFileError) as error:
        Card.load(tmp_path)
    one_line(error, name, "no such file" if damage == "gone" else "")


def test_save_where_nothing_can_be_saved(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(VideoFileError) as error:
        Card(CONFIG, all_results()).save(tmp_path / "file")
    one_line(error, "file")


def test_leaderboard_has_robustbench_keys():
    config = CONFIG | {"dataset": {"name": "shapes"}, "classifier": "tiny", "leaderboard": {"authors": "A, B", "link": "https://x.org"}}
    entries = json.loads(json.dumps(Card(config | {"attacks": ["PGD", "AutoAttack"]}, renamed()).leaderboard()))
    keys = {"link", "name", "authors", "additional_data", "number_forward_passes", "dataset", "venue", "architecture", "eps"}
    keys |= {"clean_acc", "reported", "autoattack_acc", "external", "footnote", "unreliable"}
    assert all(keys <= entry.keys() for entry in entries) and [e["name"] for e in entries] == ["none", "b", "a"]
    first = entries[0]
    assert (first["dataset"], first["architecture"], first["authors"], first["venue"]) == ("shapes", "tiny", "A, B", None)
    assert first["clean_acc"] == "100.00" and float(first["external"]) <= float(first["autoattack_acc"]) < 100


def renamed():
    return [r | {"attack": {"BPDA": "AutoAttack"}.get(r["attack"], r["attack"])} for r in all_results()]


# ---------------------------------------------------------------- comparison


def test_mcnemar_is_scipys():
    for b, c in itertools.product((0, 1, 4, 30, 700), repeat=2):
        want = binomtest(b, b + c).pvalue if b + c else 1.0
        assert Paired(3, b, c, 2).p == pytest.approx(want, rel=1e-6)


def test_compare_pairs_by_clip_not_by_order():
    mine = [result(c, right=[r]) for c, r in zip("abcd", (1, 1, 0, 0))]
    other = [result(c, right=[r]) for c, r in zip("dcbe", (1, 0, 0, 1))]
    table = Card(CONFIG, mine).compare(Card(CONFIG | {"seed": 4}, other))
    assert "3 clips in both runs, 1 only in the first, 1 only in the second; seed was 3 and is now 4" in table.title
    assert table.rows[0][:6] == ["none", "clean", 0, 1, 1, 1]
    for view in (table._repr_html_(), table._repr_markdown_(), str(table)):
        assert "only first" in view


def test_runs_that_cannot_be_paired():
    card = Card(CONFIG, [result("a")])
    for other, why in ((result("b"), "share no clip"), (result("a", label=2), "a has label 1 in one and 2 in the other")):
        with pytest.raises(VideoPureError) as error:
            card.compare(Card(CONFIG, [other]))
        one_line(error, why)


# ---------------------------------------------------------------- views


def test_table_marks_the_best_and_states_n():
    rows = [["x", Accuracy(9, 10), Accuracy(1, 10)], ["y", Accuracy(18, 20), Accuracy(2, 10)], ["z", None, None]]
    table = Table("t", ["defense", "one", "two"], rows, best=True)
    assert table._repr_markdown_().count("**90.0**") == 2 and "**20.0**" in table._repr_markdown_()
    assert "two n=10" in str(table) and "one n=" not in str(table) and "n=20" in str(table)
    assert "<b>90.0</b>" in table._repr_html_() and "–" in table._repr_html_()
    assert "<b>" not in Table("t", table.head, rows)._repr_html_()


@pytest.mark.parametrize("log", [False, True])
def test_plot_accuracy(log):
    points = [(40, Accuracy(1, 10)), (10, Accuracy(5, 10))]
    fig = plot_accuracy({"one": points, "<two>": [(10, Accuracy(10, 10))]}, "steps", log=log)
    (ax,) = fig.axes
    assert ax.lines[0].get_xdata().tolist() == [10, 40] and ax.lines[0].get_ydata().tolist() == [50, 10]
    assert len(ax.collections) == 2 and ax.get_xscale() == ("log" if log else "linear")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["one", "<two>"]
