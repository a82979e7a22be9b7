"""A run of somebody else is believed when its table follows from its results and its results come again. (notebook 16h)"""

import gzip
import json
import shutil

import pytest

from videopure.checks import VideoPureError
from videopure.cli import main
from videopure.config import run_config
from videopure.results import Card
from videopure.verify import pieces, run_of, verify_run

SETTINGS = {
    "title": "theirs",
    "seed": 4,
    "batch_size": 4,
    "trials": 2,
    "data": {"n_clips": 8, "seed": 61},
    "defenses": {"none": {"method": "none"}, "shuffle": {"method": "shuffle"}, "JPEG": {"method": "jpeg", "quality": 30}},
    "attacks": {
        "PGD": {"sees": "classifier", "eps": "8/255", "steps": 3},
        "BPDA": {"sees": "bpda", "eps": "8/255", "steps": 3, "n_clips": 4},
    },
}


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("theirs") / "run"
    run_config(SETTINGS, folder, "cpu", progress=False)
    return folder


@pytest.fixture
def copied(theirs, tmp_path):
    return shutil.copytree(theirs, tmp_path / "copy")


def verified(folder, settings=SETTINGS, **more):
    return verify_run(folder, settings, device="cpu", progress=False, **{"seed": 1, "pieces_again": 20} | more)


def test_an_honest_run(theirs):
    "All of it comes again, random defenses and attacks on a part of the clips included."
    before = {path.name: path.read_bytes() for path in theirs.iterdir() if path.is_file()}
    report = verified(theirs)
    assert report.passed and report["measured again"].numbers == "36 of 36 results came again", report
    assert {path.name: path.read_bytes() for path in theirs.iterdir() if path.is_file()} == before, "nothing is written"


@pytest.mark.parametrize("changed", ["right", "label", "budget"])
def test_results_that_contradict_themselves(copied, changed):
    card = Card.load(copied)
    result = next(r for r in card.results if r["attack"] == "PGD" and r["defense"] == "none")
    other = {"right": {"right": [not result["right"][0]]}, "label": {"label": (result["label"] + 1) % 10}}
    other["budget"] = {"metrics": result["metrics"] | {"budget_used": 1.2}}
    Card(card.config, [result | other[changed], *(r for r in card.results if r is not result)], card.about).save(copied)
    report = verified(copied, None)
    assert report["answers"].verdict == "failed" and report["table"].verdict == "passed" and not report.passed


def test_results_that_are_invented(copied):
    "Right and consistent, and never measured: more than one that does not come again is a failure, one is a warning."
    card = Card.load(copied)
    for most, verdict in ((1, "warning"), (99, "failed")):
        lost = [r for r in card.results if (r["attack"], r["defense"]) == ("PGD", "none") and not all(r["right"])][:most]
        better = [r | {"predicted": [r["label"]], "right": [True]} if r in lost else r for r in card.results]
        Card(card.config, better, card.about).save(copied)
        report = verified(copied)
        assert report["answers"].verdict == report["table"].verdict == "passed" and report["measured again"].verdict == verdict
        assert "of none under PGD" in report["measured again"].meaning


@pytest.mark.parametrize("name", ["table.md", "card.json"])
def test_a_table_that_was_written_by_hand(copied, name):
    path = copied / name
    if name == "table.md":
        path.write_text(path.read_text().replace("0.0 [", "88.0 [", 1))
    else:
        saved = json.loads(path.read_text())
        saved["cells"]["none"]["PGD"]["accuracy"]["right"] = 7
        path.write_text(json.dumps(saved))
    report = verified(copied, None)
    assert report["table"].verdict == "failed" and name in report["table"].meaning
    assert report["answers"].verdict == "passed"


@pytest.mark.parametrize(
    "other", [{"seed": 5}, {"data": {"n_clips": 8, "seed": 62}}, {"attacks": SETTINGS["attacks"] | {"PGD": {"eps": "4/255", "steps": 3}}}]
)
def test_another_configuration(theirs, other):
    "It is not measured again, since it is not the run that was claimed."
    report = verified(theirs, SETTINGS | other)
    assert report["configuration"].verdict == "failed" and not report.passed
    assert "measured again" not in {check.name for check in report.checks}


def test_pieces(theirs):
    "Chosen by a seed, within the time, at least one, attacked ones where there are any."
    run, card = run_of(SETTINGS, "cpu")[0], Card.load(theirs)
    every = pieces(run, card, 1e6, 99, 0)
    assert len(every) == 2 * 3 + 1 * 3 and all(name != "none" for name, *_ in every) and len({*map(str, every)}) == len(every)
    assert pieces(run, card, 1e6, 2, 7) == pieces(run, card, 1e6, 2, 7) and len(pieces(run, card, 0, 9, 7)) == 1
    assert len({str(pieces(run, card, 1e6, 2, seed)) for seed in range(20)}) > 5


@pytest.mark.parametrize("odd", [{"pieces_again": 0}, {"minutes": -1}, {"seed": -3}, {"pieces_again": 1.5}])
def test_odd_settings(theirs, odd):
    with pytest.raises(VideoPureError, match=next(iter(odd))):
        verified(theirs, **odd)


def test_command(copied, tmp_path, capsys):
    (tmp_path / "run.toml").write_text(
        'title = "theirs"\nseed = 4\nbatch_size = 4\ntrials = 2\ndata = { n_clips = 8, seed = 61 }\n'
        'defenses = { none = { method = "none" }, shuffle = { method = "shuffle" }, JPEG = { method = "jpeg", quality = 30 } }\n'
        'attacks = { PGD = { sees = "classifier", eps = "8/255", steps = 3 }, '
        'BPDA = { sees = "bpda", eps = "8/255", steps = 3, n_clips = 4 } }\n'
    )
    words = ["verify", str(copied), str(tmp_path / "run.toml"), "--device", "cpu", "--quiet"]
    assert main(words) == 0 and "results came again" in capsys.readouterr().out
    with gzip.open(copied / "results.jsonl.gz", "rt") as file:
        lines = [json.loads(line) for line in file]
    lines[-1]["right"] = [not right for right in lines[-1]["right"]]
    with gzip.open(copied / "results.jsonl.gz", "wt") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)
    assert main(words) == 2
    said = capsys.readouterr()
    assert said.err.startswith("videopure: ") and said.err.count("\n") == 1 and "is not verified" in said.err and "failed" in said.out
    assert main(["verify", str(tmp_path / "nothing")]) == 2 and capsys.readouterr().err.count("\n") == 1
