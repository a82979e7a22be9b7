"""Results survive a kill, tables do not depend on it, and cards say the same after saving. (notebooks 15a and 15b)"""

import csv
import io
import itertools
import json
import os
import subprocess
import sys
import threading
from html.parser import HTMLParser

import pytest

from videopure.journal import Journal, config_hash, difference, environment, plain, read_results, result_key
from videopure.results import METRIC_FORMATS, Card, plot_accuracy
from videopure.statistics import Accuracy
from videopure.table import Table
from videopure.video import VideoFileError, VideoPureError

CONFIG = {"title": "a run", "seed": 3, "eps": "8/255", "defenses": ["none", "b", "a"], "attacks": ["none", "PGD", "BPDA"]}
CLIPS = [f"clip-{i}" for i in range(6)]


def result(clip="clip-0", defense="none", attack="none", right=(True,), metrics=None, **more):
    fixed = {"clip": clip, "label": 1, "defense": defense, "attack": attack, "predicted": [int(r) for r in right], "right": list(right)}
    numbers = {"budget_used": 1.0, "calls": 8, "seconds": 0.5, "memory": 2**21} | (metrics or {})
    return fixed | {"metrics": {name: value for name, value in numbers.items() if value is not None}} | more


def all_results():
    "Clip i under attack j against defense k is right or not in a fixed, uneven pattern."
    names = itertools.product(enumerate(CONFIG["defenses"]), enumerate(CONFIG["attacks"]), enumerate(CLIPS))
    return [result(clip, d, a, ((i + 1) * (k + 1) % 5 >= j,)) for (k, d), (j, a), (i, clip) in names]


def one_line(error, *words):
    text = str(error.value)
    assert text and "\n" not in text and len(text) < 300, text
    for word in words:
        assert str(word) in text, text


# ---------------------------------------------------------------- journal

WRITER = """
import json, sys, time
from videopure.journal import Journal, result_key
journal = Journal(sys.argv[1], json.loads(sys.argv[2]))
for result in json.loads(sys.argv[3]):
    if result_key(result) not in journal.done:
        journal.append(result); print(len(journal.results), flush=True); time.sleep(0.03)
"""


def write_until(folder, results, count):
    "Append in another process, kill it with SIGKILL after `count` more results; returns how many it said were safe."
    command = [sys.executable, "-c", WRITER, str(folder), json.dumps(CONFIG), json.dumps(results)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    for _ in range(count):
        process.stdout.readline()
    process.kill()
    said = process.stdout.read().split()
    process.wait()
    return int(said[-1]) if said else None


@pytest.mark.slow
def test_killed_and_continued(tmp_path):
    results = all_results()
    write_until(tmp_path / "killed", results, 7)
    first = len(Journal(tmp_path / "killed").results)
    assert 7 <= first < len(results)
    with open(tmp_path / "killed/results-000.jsonl", "a") as file:
        file.write('{"clip": "cli')  # a kill in the middle of a line
    write_until(tmp_path / "killed", results, 5)
    second = Journal(tmp_path / "killed")
    assert first + 5 <= len(second.results) and second.results == results[: len(second.results)]
    for r in results[len(second.results) :]:
        second.append(r | {"metrics": {"seconds": 99.0}})
    whole = Journal(tmp_path / "whole", CONFIG)
    for r in results:
        whole.append(r)
    cards = [Card(j.config, j.results) for j in (Journal(tmp_path / "killed"), Journal(tmp_path / "whole"))]
    for i, card in enumerate(cards):
        card.save(tmp_path / str(i))
    assert (tmp_path / "0/table.md").read_bytes() == (tmp_path / "1/table.md").read_bytes()
    assert len({card.table()._repr_html_() for card in cards}) == len({str(card.table()) for card in cards}) == 1


def test_torn_at_every_byte(tmp_path):
    journal = Journal(tmp_path, CONFIG)
    journal.append(result("a"))
    size = journal.path.stat().st_size
    journal.append(result("b"))
    text = journal.path.read_bytes()
    for cut in range(size, len(text)):
        journal.path.write_bytes(text[:cut])
        again = Journal(tmp_path, CONFIG)
        assert [r["clip"] for r in again.results] == ["a"]
        assert journal.path.read_bytes() == text[:cut], "opening changes nothing: the writer may be at work"
        again.append(result("b"))
        assert journal.path.read_bytes() == text


def test_one_process_finishes_what_two_began(tmp_path):
    one, two = (Journal(tmp_path, CONFIG, writer=i) for i in range(2))
    one.append(result("a"))
    two.append(result("b"))
    with open(two.path, "a") as file:
        file.write('{"torn')
    last = Journal(tmp_path, CONFIG)
    assert last.done == {("a", "none", "none"), ("b", "none", "none")}
    assert two.path.read_text().endswith('{"torn'), "the other writer may still be at it"
    last.append(result("c"))
    assert len(Journal(tmp_path).results) == 3


def test_first_of_duplicates_counts(tmp_path):
    for writer in (0, 1):
        Journal(tmp_path, CONFIG, writer).append(result(note=writer))
    found = Journal(tmp_path).results
    assert len(found) == 1 and found[0]["note"] == 0
    assert Card(CONFIG, [result(right=[False]), result()]).accuracy("none") == Accuracy(0, 1)


def test_another_configuration_is_refused(tmp_path):
    nested = CONFIG | {"attack": {"PGD": {"steps": 10}}}
    Journal(tmp_path, nested).append(result())
    Journal(tmp_path, dict(reversed(nested.items())))
    with pytest.raises(VideoPureError) as error:
        Journal(tmp_path, CONFIG | {"attack": {"PGD": {"steps": 40}}})
    one_line(error, tmp_path, "attack.PGD.steps was 10 and is now 40", "new folder")
    assert len(Journal(tmp_path).results) == 1


@pytest.mark.parametrize("seeds", [[0] * 12, list(range(12))], ids=["same", "different"])
def test_started_at_once(tmp_path, seeds):
    barrier, opened, refused = threading.Barrier(len(seeds)), [], []

    def start(i):
        barrier.wait()
        try:
            opened.append(Journal(tmp_path, CONFIG | {"seed": seeds[i]}, writer=i).config["seed"])
        except VideoPureError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=start, args=(i,)) for i in range(len(seeds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    same = len(set(seeds)) == 1
    assert len(opened) == (len(seeds) if same else 1) and len(refused) == len(seeds) - len(opened)
    assert all("another run: seed was" in text for text in refused)
    assert os.listdir(tmp_path) == ["run.json"] and Journal(tmp_path).config["seed"] == opened[0]


@pytest.mark.parametrize("line", ["#!", "[1, 2]", "7", '{"clip": "a"}', '{"defense": "none", "right": [true]}', "\xff\x00", ""])
def test_damage_in_the_middle_is_an_error(tmp_path, line):
    journal = Journal(tmp_path, CONFIG)
    journal.append(result("a"))
    with open(journal.path, "ab") as file:
        file.write(line.encode("latin-1") + b"\n")
    journal.append(result("b"))
    with pytest.raises(VideoFileError) as error:
        Journal(tmp_path)
    one_line(error, journal.path, "line 2 is damaged")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"hash": 1}', "\x00"])
def test_damaged_run_json(tmp_path, text):
    (tmp_path / "run.json").write_text(text)
    for config in (None, CONFIG):
        with pytest.raises(VideoFileError) as error:
            Journal(tmp_path, config)
        one_line(error, "run.json")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_full_disk(tmp_path):
    Journal(tmp_path, CONFIG).append(result("a"))
    journal = Journal(tmp_path, CONFIG, writer=1)
    journal.path.symlink_to("/dev/full")
    with pytest.raises(VideoFileError) as error:
        journal.append(result("b"))
    one_line(error, journal.path, "no space left", "1 results are kept")
    journal = Journal(tmp_path, CONFIG, writer=1)  # the link is no file to read
    assert [r["clip"] for r in journal.results] == ["a"]
    journal.path.unlink()
    journal.append(result("b"))
    assert len(Journal(tmp_path).results) == 2


LIMITED = """
import resource, sys
from videopure.journal import Journal
journal, n = Journal(sys.argv[1], {}), 0
resource.setrlimit(resource.RLIMIT_FSIZE, (700, 700))
try:
    while True:
        journal.append({"clip": str(n), "defense": "none", "attack": "none", "right": [True]}); n += 1
except OSError as error: print(n, error)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs resource")
def test_half_a_line_is_taken_back_when_it_does_not_fit(tmp_path):
    said = subprocess.run([sys.executable, "-c", LIMITED, str(tmp_path)], capture_output=True, text=True).stdout
    n = int(said.split()[0])
    assert n > 3 and f"{n} results are kept" in said
    text = (tmp_path / "results-000.jsonl").read_bytes()
    assert text.endswith(b"\n") and text.count(b"\n") == n == len(Journal(tmp_path).results)


def test_folders_that_cannot_be_used(tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file/run"):
        with pytest.raises(VideoFileError) as error:
            Journal(folder, CONFIG)
        one_line(error, folder)
    with pytest.raises(VideoFileError) as error:
        Journal(tmp_path / "nothing")
    one_line(error, "holds no run", "run.json")
    assert not (tmp_path / "nothing").exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_read_only_folder(tmp_path):
    Journal(tmp_path, CONFIG).append(result())
    tmp_path.chmod(0o500)
    try:
        journal = Journal(tmp_path, CONFIG, writer=1)
        assert len(journal.results) == 1
        with pytest.raises(VideoFileError) as error:
            journal.append(result("b"))
        one_line(error, "permission denied", "1 results are kept")
    finally:
        tmp_path.chmod(0o700)


BAD_METRICS = [result() | {"metrics": bad} for bad in (3, [1.0], {"psnr": None}, {"psnr": "high"}, {"psnr": object()}, None)]


@pytest.mark.parametrize("bad", [{}, {"clip": "a"}, {"skipped": "why"}, result(right=[]), result(more=object()), *BAD_METRICS])
def test_bad_results_are_refused(tmp_path, bad):
    journal = Journal(tmp_path, CONFIG)
    with pytest.raises(VideoPureError) as error:
        journal.append(bad)
    one_line(error)
    assert not journal.results and not journal.path.exists()


def test_ids_of_any_kind_come_back(tmp_path):
    ids = ["ü/日本.mp4", "a\nb", 'quo"te', "bytes-\udcff", "nul-\x00", "\u2028"]
    journal = Journal(tmp_path, CONFIG)
    for clip in ids:
        journal.append(result(clip))
    assert [r["clip"] for r in Journal(tmp_path).results] == ids
    Card(CONFIG, journal.results).save(tmp_path / "card")
    assert Card.load(tmp_path / "card").clips == sorted(ids)


def test_configuration_of_plain_values_only(tmp_path):
    with pytest.raises(VideoPureError) as error:
        Journal(tmp_path / "x", {"model": object()})
    one_line(error, "plain")
    assert not (tmp_path / "x").exists() or not os.listdir(tmp_path / "x")
    assert config_hash({"a": (1, 2)}) == config_hash({"a": [1, 2]})
    assert difference({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}) == "a.c was null and is now 2"
    assert difference({"a": None, "b": 1}, {"b": 1}) == "a is null in one and not there in the other"


def test_results_and_configurations_are_plain():
    assert plain({"a": (1, 2.5), "b": None}) == {"a": [1, 2.5], "b": None}
    assert result_key(result("a", "b", "PGD")) == ("a", "b", "PGD") and result_key({"clip": "a", "skipped": "x"}) == ("a", None, None)
    assert result_key({"clip": "a", "defense": "b", "attack": "c", "skipped": "x"}) == ("a", "b", "c")
    assert config_hash({"a": 1, "b": 2}) == config_hash({"b": 2, "a": 1}) != config_hash({"a": 1, "b": 3})
    assert difference({"a": 1}, {"a": 1}) is None and {"videopure", "torch", "python", "platform", "device"} <= environment().keys()


# ---------------------------------------------------------------- card


def test_order_and_columns_come_from_the_configuration():
    results = all_results()
    texts = set()
    for order in (results, results[::-1], sorted(results, key=lambda r: r["clip"])):
        texts.add(str(Card(CONFIG, [r | {"metrics": {"seconds": len(texts)}} for r in order]).table()))
    assert len(texts) == 1
    table = Card(CONFIG, results).table()
    assert [row[0] for row in table.rows] == ["none", "b", "a"]
    assert table.head == ["defense", "clean", "worst case", "PGD", "BPDA"]
    exact = {"PGD": {"sees": "classifier"}, "BPDA": {"sees": "bpda"}, "full": {"sees": "full"}, "suite": {"method": "video-auto-1"}}
    assert Card(CONFIG | {"attacks": exact}, results).table().head[2:] == ["worst case", "full", "suite", "PGD", "BPDA"]


@pytest.mark.parametrize("names", [["b", "a"], {"b": {"quality": 3}, "a": {}}, [{"name": "b"}, {"name": "a", "x": 1}]])
def test_names_in_any_form_that_toml_has(names):
    card = Card({"defenses": names, "attacks": ["PGD"]}, [result(defense=d, attack=a) for d in "ab" for a in ("none", "PGD")])
    assert card.defenses == ["b", "a"] and card.attacks == ["none", "PGD"]


def test_a_result_that_the_configuration_does_not_know_is_an_error():
    for unknown in (result(defense="else"), result(attack="else")):
        with pytest.raises(VideoPureError) as error:
            Card(CONFIG, [unknown])
        one_line(error, "'else'", "expected one of")


def test_random_defense_mean_and_worst():
    "The table has the mean over all draws; pairs need one answer a clip, the first."
    config = {"defenses": ["noise"], "attacks": ["PGD"]}
    clean = [result(c, "noise", right=[True] * 4) for c in "abc"]
    attacked = [result(c, "noise", "PGD", right) for c, right in zip("abc", ([1, 1, 1, 1], [1, 0, 0, 0], [0, 1, 1, 1]))]
    card = Card(config, clean + attacked)
    assert card.accuracy("noise", "PGD") == Accuracy(2, 3) and sum(card.outcomes("noise", "PGD").values()) == 2
    assert card.average("noise", "PGD") == pytest.approx((1 + 1 / 4 + 3 / 4) / 3)
    assert card.worst("noise") == Accuracy(1, 3)
    assert card.success("noise", "PGD") == Accuracy(1, 3)
    lucky = Card(config, [result(c, "noise", right=[True, False]) for c in "abc"])  # every first draw is right
    assert lucky.accuracy("noise") == Accuracy(1.5, 3) and "50.0 [13, 87]" in str(lucky.table())
    assert "mean over draws" in lucky.table().title
    assert lucky.to_dict()["cells"]["noise"]["none"]["accuracy"]["right"] == 1.5
    assert "draws" not in Card(CONFIG, all_results()).table().title


SEEN = {"classifier": False, None: False, "bpda": True, "surrogate-2": True, "full": True, "scores": True}


@pytest.mark.parametrize("sees, adaptive", SEEN.items())
def test_worst_case_of_what_was_attacked_adaptively_only(sees, adaptive, tmp_path):
    "In every view, for every form of the configuration; `worst` decides which columns count."
    attacks = {"PGD": {"sees": "classifier"}, "other": {"sees": sees} if sees else {}}
    both = [result(c, "blur", a) for c in "ab" for a in ("none", "PGD", "other")]
    for form in (attacks, [{"name": name} | spec for name, spec in attacks.items()]):
        card = Card({"defenses": {"blur": {"method": "blur"}}, "attacks": form}, both)
        shown = "100.0" if adaptive else "not attacked adaptively"
        assert card.adaptive("blur") == adaptive and str(cell_of(card, "blur", "worst case")).startswith(shown)
        assert all(("not attacked adaptively" in text) != adaptive for text in (card._repr_html_(), card._repr_markdown_(), str(card)))
        (entry,) = card.leaderboard()
        assert entry["unreliable"] != adaptive and ("not attacked adaptively" in entry["footnote"]) != adaptive
        assert ("blur" in card.to_dict()["worst"]) == adaptive and ("worst case" in str(card.compare(card))) == adaptive
        assert not Card(card.config | {"worst": ["PGD"]}, both).adaptive("blur"), "the column does not count"
        assert not Card(card.config, both[:2] + both[3:5]).adaptive("blur"), "it was not run"


def cell_of(card, defense, column):
    "What the table says in one row and column."
    table = card.table()
    return next(row[table.head.index(column)] for row in table.rows if row[0] == defense)


def test_no_worst_case_for_a_row_that_was_attacked_less():
    "Whoever was attacked least would look best."
    config = {"defenses": {d: {"method": d} for d in ("jpeg", "blur")}, "attacks": {"BPDA": {"sees": "bpda"}, "full": {"sees": "full"}}}
    results = [result(c, d, a, (a == "none",)) for c in "ab" for d in ("jpeg", "blur") for a in ("none", "BPDA", "full")]
    card = Card(config, [r for r in results if (r["defense"], r["attack"]) != ("jpeg", "full")])
    assert [cell_of(card, d, "worst case") for d in ("jpeg", "blur")] == ["not attacked by full", Accuracy(0, 2)]
    assert {*card.to_dict()["worst"]} == {"blur"} and [entry["unreliable"] for entry in card.leaderboard()] == [True, False]
    assert card.leaderboard()[0]["footnote"].endswith("not attacked by full")
    counted = Card(config | {"worst": ["BPDA", "PGD"], "attacks": config["attacks"] | {"PGD": {}}}, card.results)
    assert counted.doubt("jpeg") == "" and cell_of(counted, "jpeg", "worst case") == Accuracy(0, 2)


def test_one_attack_has_no_worst_case():
    "The column would say the same twice; what is not known stands below the table."
    config = {"defenses": {"blur": {"method": "blur"}}, "attacks": {"PGD": {"sees": "classifier"}, "full": {"sees": "full"}}}
    results = [result(c, "blur", a) for c in "ab" for a in ("none", "PGD", "full")]
    for worst, adaptive in (["PGD"], False), (["full"], True):
        table = Card(config | {"worst": worst}, results).table()
        assert table.head == ["defense", "clean", "full", "PGD"] and "worst case" not in table.title
        assert any("followed a whole defense" in note for note in table.notes) != adaptive


def test_forms_for_others(tmp_path):
    "CSV and LaTeX hold every cell with its interval; a row is cited with n, attacks and configuration."
    config = {"title": "50 % of a_b & c", "attacks": {"BPDA": {"sees": "bpda"}, "full": {"sees": "full"}}}
    config |= {"defenses": {d: {"method": "blur"} for d in ("b_1", "b,2")}}
    card = Card(config, [result(c, d, a, (a == "none",)) for c in "ab" for d in ("b_1", "b,2") for a in ("none", "BPDA", "full")])
    rows = [*csv.DictReader(io.StringIO(card.table().to_csv()))]
    assert [row["defense"] for row in rows] == ["b_1", "b,2"] and rows[0]["worst case n"] == "2" and rows[0]["clean low"] == "34.24"
    paper = card.table().to_latex("tab:x")
    assert paper.count("{") == paper.count("}") and r"50 \% of a\_b \& c" in paper and r"b\_1 &" in paper and paper.count("[34, 100]") == 2
    said = card.cite("b,2")
    assert said.startswith("b,2: 100.0 [34, 100] % of 2 clips without an attack; 0.0 [0, 66] % of 2 clips in the worst case of BPDA, full")
    assert config_hash(config) in said and config_hash(config) in card.bibtex()
    page = card.save(tmp_path / "card") / "card.html"
    assert all(f"<summary>{name}</summary>" in page.read_text() for name in ("CSV", "LaTeX", "Cite a row", "BibTeX"))
    with pytest.raises(VideoPureError, match="expected one of"):
        card.cite("b")

def test_a_bare_classifier_has_no_more_to_see():
    config = {"defenses": {"none": {"method": "none"}, "blur": {"method": "blur"}}, "attacks": {"PGD": {"sees": "classifier"}}}
    card = Card(config, [result("a", d, a, (d == "blur",)) for d in ("none", "blur") for a in ("none", "PGD")])
    assert [card.doubt(d) for d in ("none", "blur")] == ["", "not attacked adaptively"]


def test_footnote_of_the_leaderboard_names_what_counts():
    card = Card(
        {"attacks": {"BPDA": {"sees": "bpda"}, "Square": {"sees": "scores"}}, "worst": ["BPDA"]},
        [result("a", "blur", a) for a in ("none", "BPDA", "Square")],
    )
    assert card.leaderboard()[0]["footnote"] == "external: worst case, clip by clip, over BPDA"


def test_an_answer_that_was_not_given_is_wrong():
    card = Card(CONFIG, [result("a") | {"predicted": [None]}, result("b"), result("c", right=[True, True]) | {"predicted": [None, 1]}])
    assert card.accuracy("none") == Accuracy(1.5, 3) and card.outcomes("none") == {"a": False, "b": True, "c": False}
    assert card.worst_outcomes("none") == {"a": False, "b": True, "c": False}
    assert card.flags("none") == {"not answered": 2} and "(1) not answered: none under clean, 2 of 3 clips" in str(card.table())


def test_flags_are_marked_counted_and_saved(tmp_path):
    "A mark at the cell, a line below the table; in every view, escaped, and in card.json."
    evil = "<img src=x> | found"
    zero = [result(c, "b", "PGD", flags=["zero gradient on this clip", evil][: 1 + (c == "x")]) for c in "xyz"]
    card = Card(CONFIG, [result(c, d, a) for c in "xyz" for d in "ab" for a in ("none", "PGD") if (d, a) != ("b", "PGD")] + zero)
    assert card.flags("b", "PGD") == {"zero gradient on this clip": 3, evil: 1} and card.flags("a", "PGD") == {}
    for part in ("100.0 [44, 100] (1) (2)", "(2) zero gradient on this clip: b under PGD, 3 of 3 clips"):
        assert part in str(card.table())
    assert "(2) zero gradient" in card._repr_html_() and "<img" not in card._repr_markdown_()
    assert "img" not in Balanced(card._repr_html_()).seen
    assert json.loads((card.save(tmp_path) / "card.json").read_text())["cells"]["b"]["PGD"]["flags"] == card.flags("b", "PGD")
    assert "flags" not in card.to_dict()["cells"]["a"]["PGD"] and Card.load(tmp_path) == card
    many = Card({}, [result("x", d, flags=["no gradient"]) for d in "abcdefghij"])
    assert "h under clean, 1 of 1 clips; and 2 more cells" in str(many.table()) and many.flags("j") == {"no gradient": 1}
    for odd in ("text", [3, None], {"a": 1}, 7, None, []):
        assert "100.0" in str(Card({}, [result(flags=odd)]))


def card_of(**more):
    return Card({}, [result() | more])


NO_CARDS = [
    lambda: Card(None, []),
    lambda: Card({}, 3),
    lambda: Card({}, ["x"]),
    lambda: Card({"defenses": 3}, []),
    lambda: Card({"attacks": [3]}, []),
    lambda: card_of(right="yes"),
    lambda: card_of(right=[float("nan")]),
    lambda: card_of(right=["no"]),
    lambda: card_of(predicted=[1, 2]),
    lambda: Card({}, [result()], about=3),
    lambda: Card({"worst": 3}, [result()]),
    lambda: Card({"worst": "PGD"}, [result()]),
    lambda: card_of(clip=["a"]),
    lambda: Card(CONFIG, all_results()).compare(3),
    lambda: Table("t", ["a", "b"], [["x"]]),
    lambda: Table("t", "ab", [["x", "y"]]),
    lambda: Table("t", ["a"], "x"),
    lambda: Table("t", 3, None),
    lambda: Accuracy("1", 2),
    lambda: Accuracy(float("nan"), 2),
    lambda: plot_accuracy(3, "x"),
    lambda: plot_accuracy({}, "x"),
    lambda: plot_accuracy({"a": []}, "x"),
    lambda: plot_accuracy({"a": [(1, 2)]}, "x"),
    lambda: plot_accuracy({"a": [("x", Accuracy(1, 2))]}, "x"),
    lambda: plot_accuracy({"a": 3}, "x"),
    lambda: plot_accuracy({"a": [(float("nan"), Accuracy(1, 2))]}, "x"),
]


@pytest.mark.parametrize("wrong", NO_CARDS)
def test_what_is_no_card_no_table_no_curve_is_one_line(wrong):
    with pytest.raises(VideoPureError) as error:
        wrong()
    one_line(error)


def test_metrics_that_are_not_finite_are_shown_and_null_in_json(tmp_path):
    "JSON has no NaN; a mean that hides a clip would be worse than none."
    card = Card(CONFIG, [result("a", metrics={"psnr": float("inf")}), result("b", metrics={"psnr": 3.0, "x": float("nan")})])
    assert "inf" in str(card.metrics_table("psnr")) and "nan" in card.metrics_table("x")._repr_html_()
    text = (card.save(tmp_path) / "card.json").read_text()
    json.loads(text, parse_constant=lambda word: pytest.fail(word))
    assert json.loads(text)["cells"]["none"]["none"]["metrics"]["psnr"] is None and Card.load(tmp_path).accuracy("none") == Accuracy(2, 2)


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
    card = Card(CONFIG, [result("a", metrics={"seconds": 1.0}), result("b", metrics={"seconds": 2.0, "memory": None, "calls": 10})])
    assert card.metric("none", "none", "seconds") == 1.5 and card.metric("none", "none", "memory") == 2**21
    assert card.metric("none", "none", "queries") is None
    table = card.metrics_table("calls", "seconds", "memory")
    assert table.head == ["defense", "clean"] and table.title.endswith("noise predictions / seconds / peak memory in MiB")
    assert "9 / 1.5 / 2" in str(table) and "1.5" not in str(card.table())


def test_any_metric_is_shown_saved_and_loaded(tmp_path):
    "Nothing in the package knows these names."
    sharp = [result(c, attack=a, metrics={"sharpness": 12.3456, "<b>|x": v}) for a in ("none", "PGD") for c, v in (("a", 1), ("b", 2))]
    card = Card(CONFIG, [*sharp, result("a", "b", metrics={"psnr": 30.0})])
    assert card.metric_names == ["calls", "seconds", "memory", "budget_used", "<b>|x", "psnr", "sharpness"]
    assert card.metric("none", "PGD", "<b>|x") == 1.5 and card.metric("b", "none", "sharpness") is None
    assert card.metrics_table("sharpness", "psnr").rows == [["none", "12.3 / –", "12.3 / –"], ["b", "– / 30", None], ["a", None, None]]
    assert card.metrics_table("psnr").head == ["defense", "clean"]
    for text in (str(card), card._repr_html_(), card._repr_markdown_()):
        assert "sharpness" in text and "12.3" in text
    assert "<b>|x" not in card._repr_html_() and "b" not in Balanced(card.metrics_table("<b>|x")._repr_html_()).seen
    saved = json.loads((card.save(tmp_path) / "card.json").read_text())["cells"]
    usual = {"calls": 8, "seconds": 0.5, "memory": 2**21, "budget_used": 1}
    assert saved["none"]["PGD"]["metrics"] == usual | {"<b>|x": 1.5, "sharpness": 12.3456}
    assert Card.load(tmp_path) == card
    with pytest.raises(VideoPureError) as error:
        card.metrics_table("psnr", "ssim")
    one_line(error, "'ssim'", "sharpness")


def test_a_format_of_ones_own(monkeypatch):
    monkeypatch.setitem(METRIC_FORMATS, "psnr", ("PSNR in dB", 1, ".1f"))
    table = Card(CONFIG, [result(metrics={"psnr": 20.04})]).metrics_table("psnr")
    assert table.title == "Mean per clip: PSNR in dB" and table.rows[0][1] == "20.0"


def test_results_without_metrics_are_results():
    bare = {"clip": "a", "defense": "none", "attack": "none", "right": [True]}
    card = Card({}, [bare])
    assert card.metric_names == [] and card.to_dict()["cells"]["none"]["none"]["metrics"] == {} and "100.0" in str(card)
    assert card.metrics_table().head == ["defense"] and Card({}, iter([bare])).results == card.results


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
    names = ["card.html", "card.json", "card.md", "results.jsonl.gz", "table.csv", "table.md", "table.tex"]
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
    assert "**90.0**" not in table._repr_markdown_() and "**20.0**" in table._repr_markdown_(), "bold is for equals"
    assert "two n=10" in str(table) and "one n=20" in str(table) and "90.0 [60, 98] n=10" in str(table), "what differs says so"
    assert "<b>20.0</b>" in table._repr_html_() and "–" in table._repr_html_()
    assert "<b>" not in Table("t", table.head, rows)._repr_html_()


def test_bold_is_for_the_same_clips():
    "Also where their number is the same by chance; and nothing is the best of one."
    results = [result(c, d, right=[d == "a"]) for d, clips in (("none", "xy"), ("a", "xy"), ("b", "yz")) for c in clips]
    card = lambda defenses: Card(CONFIG | {"defenses": defenses}, [r for r in results if r["defense"] in defenses])
    bold = lambda defenses: "<b>" in card(defenses).table()._repr_html_()
    assert bold(["none", "a"]) and not bold(["none", "a", "b"]) and not bold(["a"])


@pytest.mark.parametrize("log", [False, True])
def test_plot_accuracy(log):
    points = [(40, Accuracy(1, 10)), (10, Accuracy(5, 10))]
    fig = plot_accuracy({"one": points, "<two>": [(10, Accuracy(10, 10))]}, "steps", log=log)
    (ax,) = fig.axes
    assert ax.lines[0].get_xdata().tolist() == [10, 40] and ax.lines[0].get_ydata().tolist() == [50, 10]
    assert len(ax.collections) == 2 and ax.get_xscale() == ("log" if log else "linear")
    assert [text.get_text() for text in fig.legends[0].get_texts()] == ["one", "<two>"]


@pytest.mark.parametrize("sign", ["\x1b[31m", "\x1b]0;title\x07", "\u202e", "\x9b2J", "\n| a | b |", "\udcff"], ids=ascii)
def test_names_cannot_speak_to_the_terminal(sign):
    "Names come from other people's files; in a table they are text, in one line."
    table = Table(f"of {sign}", ["defense", f"{sign}attack"], [[f"{sign}row", 1]], notes=[f"a note {sign}"])
    for text in (repr(table), table._repr_markdown_(), table._repr_html_()):
        assert all(c.isprintable() or c == "\n" for c in text)
    assert repr(table).count("\n") == 3 and table._repr_markdown_().count("\n") == 6


# ---------------------------------------------------------------- rows that draw noise, and rivals


def drawn():
    "Three draws a clip of a random row, clean and attacked, and one draw of another row."
    rights = {"none": [(1, 1, 1), (1, 1, 0), (1, 1, 1), (0, 1, 1)], "PGD": [(1, 0, 1), (0, 0, 0), (1, 1, 1), (1, 1, 0)]}
    draws = [result(c, "b", a, [*map(bool, r)]) for a, each in rights.items() for c, r in zip("wxyz", each)]
    return Card(CONFIG, draws + [result(c, "a", a, [c != "w"]) for a in rights for c in "wxyz"])


def test_random_rows_show_mean_and_every_draw_beside_clean_clips(tmp_path):
    card = drawn()
    assert card.accuracy("b", "PGD").right == pytest.approx(2 / 3 + 0 + 1 + 2 / 3)
    assert (card.every_draw("b").right, card.every_draw("b", "PGD").right, card.every_draw("a", "PGD").right) == (2, 1, 3)
    *_, note = card.table().notes
    assert note.startswith("b, right in every one of 3 draws: 50.0 [15, 85] without an attack, 25.0 [5, 70] under PGD")
    saved = json.loads((card.save(tmp_path) / "card.json").read_text())["cells"]
    assert saved["b"]["PGD"]["every_draw"]["right"] == 1 and saved["b"]["PGD"]["every_draw"]["draws"] == 3
    assert "every_draw" not in saved["a"]["PGD"] and note in (tmp_path / "table.md").read_text()


def test_cards_saved_before_still_load(tmp_path):
    "What an older version wrote has no word of the draws; its numbers are the same."
    folder, cells = drawn().save(tmp_path), drawn().to_dict()["cells"]
    old = json.loads((folder / "card.json").read_text())
    for attack in old["cells"]["b"].values():
        del attack["every_draw"]
    (folder / "card.json").write_text(json.dumps(old))
    assert Card.load(folder).to_dict()["cells"] == cells


def test_rivals_by_clips_and_by_groups():
    "Eight recordings of two clips: one rival loses one clip in each of them, another in the first three."
    clips = [f"{group}{i}" for group in "abcdefgh" for i in range(2)]
    lost = {"none": set(), "b": {clip for clip in clips if clip[1] == "0"}, "a": {"a0", "b0", "c0"}}
    card = Card(CONFIG, [result(clip, d, right=[clip not in gone]) for d, gone in lost.items() for clip in clips])
    table = card.rivals("none")
    assert [row[:5] for row in table.rows] == [["b", 8, 8, 0, 0], ["a", 13, 3, 0, 0]]
    assert [row[5:] for row in table.rows] == [[f"{2 / 2**8:.2g}", f"{4 / 2**8:.2g}"], [f"{2 / 2**3:.2g}"] * 2]
    halves = card.rivals("none", groups=lambda clip: clip[0] in "abcd", others=["b"])
    assert halves.rows[0][5:] == ["0.5", "0.5"] and halves.head[-2:] == ["p, by groups", "p, corrected"]
    both = Card(CONFIG, [r for r in card.results if r["defense"] == "none"]).compare(card, groups=lambda clip: clip[0])
    assert both.rows[0][-2:] == ["1", "1"]
    with pytest.raises(VideoPureError, match="expected a function"):
        card.rivals("none", groups={"a0": 1})


@pytest.mark.parametrize("name", ["=1+1", "+cmd", "-2+3", "@SUM(A1)"])
def test_a_spreadsheet_computes_nothing(name):
    "Names come from other people's cards."
    (row,) = csv.DictReader(io.StringIO(Table("t", ["defense", "n"], [[name, -1.5]]).to_csv()))
    assert row == {"defense": f"'{name}", "n": "-1.5"}


@pytest.mark.parametrize("name", ["[x]", "*bold*"])
def test_a_name_does_not_belong_to_the_line_break_before_it(name):
    paper = Table("t", ["defense"], [["first"], [name]]).to_latex()
    assert "{}" + name in paper


@pytest.mark.parametrize("name", ["clean", "worst case"])
def test_attacks_are_not_called_as_columns_are(name):
    with pytest.raises(VideoPureError, match="take another name"):
        Card({"attacks": {name: {}}}, [])
