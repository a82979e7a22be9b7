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
    return verify_run(folder, settings, device="cpu", progress=False, **{"seed": 1, "pieces_again": 99} | more)


def test_an_honest_run(theirs):
    "All of it comes again, random defenses and attacks on a part of the clips included."
    before = {path.name: path.read_bytes() for path in theirs.iterdir() if path.is_file()}
    report = verified(theirs)
    assert report.passed and report["measured again"].numbers == "60 of 60 results came again", report
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
    "Right and consistent, and never measured: more than one in twenty that does not come again is a failure."
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


def win(result):
    "A result as one might wish it."
    return result | {"predicted": [result["label"]] * len(result["right"]), "right": [True] * len(result["right"])}


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    "A run in which each clip is attacked alone, as it is without a batch size."
    folder, settings = tmp_path_factory.mktemp("alone") / "run", SETTINGS | {"batch_size": 1}
    run_config(settings, folder, "cpu", progress=False)
    return folder, settings


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("seconds", [0.0, 1e9])
@pytest.mark.parametrize("attack", ["PGD", "none", None])
def test_whatever_is_invented_fails(alone, tmp_path, seed, seconds, attack):
    "Everything, one column, or the accuracy without an attack; what the claim says about its cost decides nothing."
    card, wrong = Card.load(alone[0]), lambda r: r | {"predicted": [-1] * len(r["right"]), "right": [False] * len(r["right"])}
    made = [(wrong if attack == "none" else win)(r) if attack in (None, r["attack"]) else r for r in card.results]
    made = [r | {"metrics": r["metrics"] | {"seconds": seconds}} for r in made]
    Card(card.config, made, card.about).save(tmp_path)
    assert not verify_run(tmp_path, alone[1], seed=seed, device="cpu", progress=False).passed


def some(card, keep):
    return [r for r in card.results if keep(r)]


LESS = {
    "lost clips": lambda card: some(card, lambda r: all(card.outcomes("JPEG", "PGD")[c] for c in [r["clip"]])),
    "lost results": lambda card: some(card, lambda r: r["defense"] != "JPEG" or r["attack"] == "none" or all(r["right"])),
    "called unreadable": lambda card: [r if all(r["right"]) else {"clip": r["clip"], "skipped": "broken"} for r in card.results],
    "skipped in a cell": lambda card: [
        r if all(r["right"]) else {k: r[k] for k in ("clip", "defense", "attack")} | {"skipped": "memory"} for r in card.results
    ],
}


@pytest.mark.parametrize("less", LESS.values(), ids=LESS)
def test_what_was_left_out_is_noticed(copied, less):
    card = Card.load(copied)
    Card(card.config, less(card), card.about).save(copied)
    report = verified(copied)
    assert not report.passed and (report["complete"].verdict == "failed" or report["configuration"].verdict == "failed")


def test_a_column_that_was_left_out_is_told(copied):
    card = Card.load(copied)
    Card(card.config, some(card, lambda r: r["attack"] != "BPDA"), card.about).save(copied)
    assert "BPDA: no results" in verified(copied, None)["attacks"].meaning


def test_the_first_clips_alone_are_a_warning(copied):
    "A run that has not ended is honest; how much is missing is told."
    card = Card.load(copied)
    Card(card.config, some(card, lambda r: r["clip"] in card.clips[:4]), card.about).save(copied)
    report = verified(copied)
    assert report.passed and report["complete"].verdict == "warning" and "4 of 8" in report["complete"].meaning


def test_results_where_there_can_be_none(tmp_path):
    settings = SETTINGS | {"attacks": SETTINGS["attacks"] | {"full": {"sees": "full", "eps": "8/255", "steps": 2}}}
    run_config(settings, tmp_path / "run", "cpu", progress=False)
    card = Card.load(tmp_path / "run")
    assert not card.cell("JPEG", "full") and verified(tmp_path / "run", settings).passed
    more = [win(r) | {"attack": "full"} for r in card.cell("JPEG", "PGD").values()]
    Card(card.config, [*card.results, *more], card.about).save(tmp_path / "run")
    report = verified(tmp_path / "run", settings)
    assert report["complete"].verdict == "failed" and "there is no gradient" in report["complete"].meaning


@pytest.mark.parametrize("name", ["card.html", "card.md", "table.csv", "table.tex"])
def test_files_that_people_read(copied, name):
    (copied / name).write_text("JPEG 100.0 %")
    assert name in verified(copied, None)["table"].meaning and not verified(copied, None).passed


def test_limits_and_flags_cannot_be_taken_away(copied):
    card = Card.load(copied)
    Card(card.config, card.results, {k: v for k, v in card.about.items() if k != "limits"}).save(copied)
    assert verified(copied)["configuration"].verdict == "failed"


def test_odd_files_are_no_crash(copied):
    (copied / "table.md").write_bytes(b"\xff\xfe table")
    assert verified(copied, None)["table"].verdict == "failed"
    card = json.loads((copied / "card.json").read_text())
    del card["config"]["attacks"]["PGD"]["n_clips"]
    (copied / "card.json").write_text(json.dumps(card))
    assert "n_clips" in verified(copied)["configuration"].meaning


def test_pieces(theirs):
    "All of them in an order of the seed: a clean one, then those that claim to be right."
    run, card = run_of(SETTINGS, "cpu")[0], Card.load(theirs)
    every = pieces(run, card, 0)
    assert len(every) == 2 * 3 * 2 + 1 * 3 and len({*map(str, every)}) == len(every)
    assert every[0][0] == "none" and all(name != "none" for name, *_ in every[1:10])
    right = [any(any(card.cell(d, a)[run.ids[i]]["right"]) for i in span) for a, d, span in every[1:10]]
    assert right == sorted(right, reverse=True)
    assert pieces(run, card, 7) == pieces(run, card, 7) and len({str(pieces(run, card, seed)[:3]) for seed in range(20)}) > 5


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


def test_rows_that_draw_noise_on_another_kind_of_device(copied):
    "They are left out, since random numbers are others there; all else is measured again."
    card = Card.load(copied)
    Card(card.config, card.results, card.about | {"device": "NVIDIA H100"}).save(copied)
    report = verified(copied)
    assert report["measured again"].numbers == "40 of 40 results came again" and "shuffle" not in report["measured again"].meaning
