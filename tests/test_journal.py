"""Results survive a kill, damage and a full disk, and come back as they were. (notebook 15a)"""

import gzip
import json
import os
import subprocess
import sys
import threading

import pytest
from test_results import CONFIG, all_results, one_line, result

from videopure.journal import Journal, config_hash, difference, environment, migrate, plain, read_results, result_key
from videopure.results import Accuracy, Card
from videopure.video import VideoFileError, VideoPureError

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
        second.append(r | {"seconds": 99.0})
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
    for writer, right in ((0, True), (1, False)):
        Journal(tmp_path, CONFIG, writer).append(result(right=[right]))
    found = Journal(tmp_path).results
    assert len(found) == 1 and found[0]["right"] == [True]
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


BAD = [{}, {"clip": "a"}, {"skipped": "why"}, result(right=[]), result(size=object())]
BAD += [result() | {"metrics": metrics} for metrics in ({"psnr": None}, {"psnr": "20"}, {"psnr": [1.0]}, {"psnr": object()}, [1], 7)]


@pytest.mark.parametrize("bad", BAD)
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


def test_results_and_configurations_are_plain():
    assert plain({"a": (1, 2.5), "b": None}) == {"a": [1, 2.5], "b": None}
    assert result_key(result("a", "b", "PGD")) == ("a", "b", "PGD") and result_key({"clip": "a", "skipped": "x"}) == ("a", None, None)
    assert result_key({"clip": "a", "defense": "b", "attack": "c", "skipped": "x"}) == ("a", "b", "c")
    assert config_hash({"a": 1, "b": 2}) == config_hash({"b": 2, "a": 1}) != config_hash({"a": 1, "b": 3})
    assert difference({"a": 1}, {"a": 1}) is None and {"videopure", "torch", "python", "platform", "device"} <= environment().keys()


# ---------------------------------------------------------------- runs of version 0.1


def old_result(clip, attack="none", right=True):
    "A result as version 0.1 wrote it: numbers beside the answers, None for what was not measured."
    fixed = {"clip": clip, "label": 1, "defense": "none", "attack": attack, "predicted": [1], "right": [right]}
    return fixed | {"size": 0.5, "queries": None, "calls": 8, "seconds": 0.25, "memory": 2**21}


OLD_CONFIG = {"seed": 3, "clips": 2, "defenses": {"none": {"method": "VideoPurePipeline"}}, "attacks": {"PGD": {"steps": 2, "clips": 1}}}
OLD_RESULTS = [old_result("a"), old_result("b"), old_result("a", "PGD", False), {"clip": "c", "skipped": "cut short"}]


@pytest.fixture
def old_run(tmp_path):
    "A run of version 0.1, by two writers."
    (tmp_path / "run.json").write_text(json.dumps({"hash": "0", "config": OLD_CONFIG, "about": {"torch": "1"}}))
    for i, part in enumerate((OLD_RESULTS[:3], OLD_RESULTS[3:])):
        (tmp_path / f"records-{i:03d}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in part))
    return tmp_path


def test_old_runs_are_refused_until_they_are_migrated(old_run):
    for read in (lambda: Journal(old_run), lambda: list(read_results(old_run / "records-000.jsonl"))):
        with pytest.raises(VideoFileError) as error:
            read()
        one_line(error, "earlier version", "videopure.journal.migrate(")
    assert migrate(old_run) == old_run
    assert sorted(os.listdir(old_run)) == ["results-000.jsonl", "results-001.jsonl", "run.json"]
    found = Journal(old_run)
    numbers = {"budget_used": 0.5, "calls": 8, "seconds": 0.25, "memory": 2**21}
    assert [r.get("metrics") for r in found.results] == [numbers] * 3 + [None] and found.results[3] == OLD_RESULTS[3]
    assert [r["right"] for r in found.results[:3]] == [[True], [True], [False]] and found.about == {"torch": "1"}
    assert found.config == {
        "seed": 3,
        "n_clips": 2,
        "defenses": {"none": {"method": "VideoPure"}},
        "attacks": {"PGD": {"steps": 2, "n_clips": 1}},
    }
    assert json.loads((old_run / "run.json").read_text())["hash"] == config_hash(found.config)
    assert Card(found.config | {"defenses": ["none"], "attacks": ["PGD"]}, found.results).accuracy("none", "PGD") == Accuracy(0, 1)
    found.append(result("d"))
    before = {path.name: path.read_bytes() for path in old_run.iterdir()}
    migrate(old_run)
    assert {path.name: path.read_bytes() for path in old_run.iterdir()} == before, "a second time changes nothing"


@pytest.mark.parametrize("name", ["run.json", "records-000.jsonl"])
def test_damaged_old_runs_stay_as_they_are(old_run, name):
    with open(old_run / name, "a") as file:
        file.write("{]\n")
    before = {path.name: path.read_bytes() for path in old_run.iterdir()}
    with pytest.raises(VideoFileError) as error:
        migrate(old_run)
    one_line(error, name, "damaged")
    assert {path.name: path.read_bytes() for path in old_run.iterdir()} == before


def test_old_cards_are_migrated(tmp_path):
    cells = {"none": {"none": {"accuracy": {"right": 2, "n": 2}, "average": 1.0, "calls": 8.0, "queries": None}}}
    config = {"clips": 2, "defenses": ["none"], "attacks": ["PGD"]}
    card = {"config": config, "hash": "0", "about": {}, "cells": cells, "worst": {}, "skipped": [], "clips": ["a", "b"], "records": 3}
    (tmp_path / "card.json").write_text(json.dumps(card))
    (tmp_path / "records.jsonl.gz").write_bytes(gzip.compress("".join(json.dumps(r) + "\n" for r in OLD_RESULTS[:3]).encode()))
    found = Card.load(migrate(tmp_path))
    assert found.accuracy("none") == Accuracy(2, 2) and found.metric("none", "PGD", "budget_used") == 0.5
    assert found.config["n_clips"] == 2 and sorted(os.listdir(tmp_path)) == ["card.json", "results.jsonl.gz"]
    saved = json.loads((tmp_path / "card.json").read_text())
    assert saved["cells"]["none"]["none"]["metrics"] == {"calls": 8.0} and saved["results"] == 3


def test_nothing_to_migrate(tmp_path):
    with pytest.raises(VideoFileError) as error:
        migrate(tmp_path)
    one_line(error, "neither a run nor a card")
