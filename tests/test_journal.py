"""Runs and cards of version 0.1 are refused with a way out, and migrated whole or not at all. (notebook 15a)"""

import gzip
import importlib.util
import json
import os
from pathlib import Path

import pytest

from videopure.journal import Journal, config_hash, read_json, read_results
from videopure.results import Card
from videopure.video import VideoFileError, VideoPureError

SPEC = importlib.util.spec_from_file_location("migrate_tool", Path(__file__).parents[1] / "tools" / "migrate.py")
tool = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(tool)
migrate = tool.migrate

CLIPS, ATTACKS, DEFENSES = [f"ü/clip-{i}" for i in range(4)], ["none", "PGD", "Square"], ["none", "ours"]
OLD_CONFIG = {
    "title": "old",
    "clips": 4,
    "seed": 3,
    "dataset": {"name": "TensorDataset", "clips": "abc"},
    "defenses": {"none": {"method": "none"}, "ours": {"method": "VideoPurePipeline", "purify_steps": 4}},
    "attacks": {"none": {"clips": None}, "PGD": {"clips": {"others": 4, "ours": 2}, "eps": "8/255"}, "Square": {"clips": 3}},
}
NEW_CONFIG = {
    "title": "old",
    "n_clips": 4,
    "seed": 3,
    "dataset": {"name": "TensorDataset", "clips": "abc"},
    "defenses": {"none": {"method": "none"}, "ours": {"method": "VideoPure", "purify_steps": 4}},
    "attacks": {"none": {"n_clips": None}, "PGD": {"n_clips": {"others": 4, "ours": 2}, "eps": "8/255"}, "Square": {"n_clips": 3}},
}
SKIPPED = {"clip": "z.mp4", "skipped": "z.mp4 is cut short"}


def old_results() -> list[dict]:
    cells = enumerate((c, d, a) for d in DEFENSES for a in ATTACKS for c in CLIPS)
    fixed = [{"clip": c, "label": 1, "defense": d, "attack": a, "predicted": [i % 3], "right": [i % 3 == 1]} for i, (c, d, a) in cells]
    extra = {"calls": 8.0, "seconds": 0.25, "memory": None}
    return [r | {"size": 0.5, "queries": i if r["attack"] == "Square" else None} | extra for i, r in enumerate(fixed)] + [SKIPPED]


def new_results() -> list[dict]:
    kept, found = ("clip", "label", "defense", "attack", "predicted", "right"), []
    for old in old_results()[:-1]:
        queries = {"queries": old["queries"]} if old["attack"] == "Square" else {}
        found.append({k: old[k] for k in kept} | {"metrics": {"budget_used": 0.5, **queries, "calls": 8.0, "seconds": 0.25}})
    return [*found, SKIPPED]


@pytest.fixture
def old(tmp_path) -> Path:
    "A run of two writers with its card, as version 0.1 left it; the second writer was killed in the middle of a line."
    folder, lines = tmp_path / "old", [json.dumps(r) + "\n" for r in old_results()]
    folder.mkdir()
    head = {"hash": config_hash(OLD_CONFIG), "config": OLD_CONFIG, "about": {"videopure": "0.1.0", "device": "cpu"}}
    (folder / "run.json").write_text(json.dumps(head, indent=1))
    (folder / "records-000.jsonl").write_text("".join(lines[:10]))
    (folder / "records-001.jsonl").write_text("".join(lines[10:]) + '{"clip": "torn')
    (folder / "records.jsonl.gz").write_bytes(gzip.compress("".join(lines).encode()))
    cell = {"accuracy": {"right": 1, "n": 4, "interval": [0, 1]}, "average": 0.25}
    cell |= {"calls": 8.0, "seconds": 0.25, "memory": None, "queries": None}
    card = head | {"cells": {"ours": {"PGD": cell}}, "worst": {}, "skipped": [SKIPPED], "clips": CLIPS, "records": len(lines)}
    (folder / "card.json").write_text(json.dumps(card))
    (folder / "attacked").mkdir()
    (folder / "attacked/kept.npz").write_bytes(b"kept")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def check_new(folder: Path) -> None:
    "The folder holds all of the run, in the new form, and nothing else."
    files = ["attacked/kept.npz", "card.json", "results-000.jsonl", "results-001.jsonl", "results.jsonl.gz", "run.json"]
    assert list(contents(folder)) == files
    journal, card = Journal(folder, NEW_CONFIG), Card.load(folder)
    assert journal.results == new_results() and list(read_results(folder / "results.jsonl.gz")) == new_results()
    assert journal.about == card.about == {"videopure": "0.1.0", "device": "cpu"} and card.config == NEW_CONFIG
    for name in ("run.json", "card.json"):
        assert read_json(folder / name, mend="")["hash"] == config_hash(NEW_CONFIG)
    saved = json.loads((folder / "card.json").read_text())
    assert saved["cells"]["ours"]["PGD"]["metrics"] == {"calls": 8.0, "seconds": 0.25} and saved["results"] == len(new_results())


USES = [Journal, lambda f: Journal(f, OLD_CONFIG), Card.load, lambda f: list(read_results(f / "records.jsonl.gz"))]


@pytest.mark.parametrize("use", USES)
def test_old_folders_are_refused_with_a_way_out(old, use):
    before = contents(old)
    with pytest.raises(VideoFileError) as error:
        use(old)
    text = str(error.value)
    assert "\n" not in text and "version 0.1" in text and f"tools/migrate.py {old}" in text
    assert contents(old) == before


def test_migrated_and_continued(old):
    assert migrate(str(old)) == old
    check_new(old)
    again = contents(old)
    migrate(old)
    assert contents(old) == again
    journal = Journal(old, NEW_CONFIG)
    journal.append(new_results()[0] | {"clip": "one more"})
    assert len(Journal(old).results) == len(new_results()) + 1


def test_a_card_alone(old):
    for path in (old / "run.json", *old.glob("records-*")):
        path.unlink()
    Card.load(migrate(old)).save(old)
    card = Card.load(old)
    assert card.metric("ours", "Square", "queries") == sum(range(20, 24)) / 4 and card.metric("ours", "PGD", "queries") is None
    assert '"n_clips"' in (old / "card.md").read_text() and "VideoPurePipeline" not in (old / "card.md").read_text()


@pytest.mark.parametrize("name", ["run.json", "card.json", "records-001.jsonl", "records.jsonl.gz"])
def test_a_damaged_file_stops_it_before_anything_is_written(old, name):
    text = (old / name).read_bytes()
    (old / name).write_bytes(b"#!\n" + text[: len(text) // 2])
    before = contents(old)
    with pytest.raises(VideoFileError) as error:
        migrate(old)
    assert name in str(error.value) and "\n" not in str(error.value)
    assert contents(old) == before


@pytest.mark.parametrize("step", range(5))
def test_a_disk_that_fails_while_writing_changes_nothing(old, step, monkeypatch):
    before, write, count = contents(old), Path.write_bytes, iter(range(9))

    def full(path, content):
        if next(count) == step:
            raise OSError(28, "No space left on device")
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(VideoFileError) as error:
        migrate(old)
    assert "no space left" in str(error.value) and contents(old) == before


class Killed(BaseException):
    "What a kill does to a program: nothing after it runs."


@pytest.mark.parametrize("step", range(8))
def test_killed_at_any_step_and_called_again(old, step, monkeypatch):
    "Five files move to their places, three are removed; before each of these steps the process ends."
    replace, unlink, count = os.replace, Path.unlink, iter(range(99))

    def end(do, *args, **options):
        if next(count) >= step:
            raise Killed
        do(*args, **options)

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", lambda *args: end(replace, *args))
        patched.setattr(Path, "unlink", lambda path, missing_ok=False: None if missing_ok else end(unlink, path))
        with pytest.raises(Killed):
            migrate(old)
    for path in old.glob(".*"):
        path.unlink()  # temporary files that a kill leaves
    with pytest.raises(VideoFileError) as error:
        Journal(old)
    assert "migrate" in str(error.value)
    migrate(old)
    check_new(old)


def test_command(old, tmp_path, capsys):
    assert tool.main([str(old)]) == 0 and "present form" in capsys.readouterr().out
    assert Journal(old).config == NEW_CONFIG and Card.load(old).metric("ours", "PGD", "calls") == 8 and (old / "card.html").exists()
    assert tool.main([str(tmp_path / "nothing")]) == 2 and capsys.readouterr().err.count("\n") == 1


def test_folders_that_are_no_run(tmp_path):
    for folder in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(VideoPureError) as error:
            migrate(folder)
        assert "neither a run nor a card" in str(error.value) and str(folder) in str(error.value)


def test_configurations_in_any_form_that_toml_has(tmp_path):
    for i, config in enumerate(({"attacks": ["PGD"], "defenses": [{"name": "a"}]}, {"attacks": {"PGD": "x"}}, {})):
        folder = tmp_path / str(i)
        folder.mkdir()
        (folder / "run.json").write_text(json.dumps({"config": config, "about": {}}))
        (folder / "records-000.jsonl").write_text("")
        assert Journal(migrate(folder)).config == config


KEPT = {"identity": {"the data": "0a"}, "clips": ["a", "b"]}
RESULT = {"clip": "a", "label": 1, "defense": "none", "attack": "none", "predicted": [1], "right": [True]}
WRONG = RESULT | {"predicted": [2], "right": [False]}


@pytest.mark.parametrize(
    "more, left",
    [
        ([], [RESULT]),
        ([RESULT], [RESULT]),
        ([WRONG], []),  # nobody knows which of the two is right
        ([WRONG, RESULT], [RESULT]),  # measured again
        ([{"clip": "a", "skipped": "cannot be read"}], [RESULT]),
        ([{k: v for k, v in RESULT.items() if k != "predicted"} | {"clip": "b"}], [RESULT]),
        ([RESULT | {"clip": "b", "made_with": None}], [RESULT]),
    ],
)
def test_results_that_contradict_themselves_or_each_other(more, left, tmp_path):
    config = {"defenses": {"none": {}}, "attacks": {"none": {}}}
    journal = Journal(tmp_path, config, kept=KEPT)
    journal.append(RESULT)
    made_with = json.loads(journal.path.read_text())["made_with"]
    with open(journal.path, "a") as file:
        for each in more:
            line = {"made_with": made_with} | each
            print(json.dumps({name: value for name, value in line.items() if value is not None}), file=file)
    if more in ([], [RESULT]):
        found = Journal(tmp_path, config, kept=KEPT).results
    else:
        with pytest.warns(UserWarning, match="left out"):
            found = Journal(tmp_path, config, kept=KEPT).results
    assert found == left


@pytest.mark.parametrize(
    "change",
    [{"identity": "0a"}, {"identity": None}, {"identity": ["the data"]}, {"identity": {}}, {"identity": {"the data": "0a", "more": "1"}},
     {"clips": 5}, {"clips": None}, {"clips": ["a"]}],
)  # fmt: skip
def test_a_run_written_by_hand(change, tmp_path):
    Journal(tmp_path, {"n": 1}, kept=KEPT)
    path = tmp_path / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(VideoPureError, match="new folder"):
        Journal(tmp_path, {"n": 1}, kept=KEPT)
    assert Journal(tmp_path).results == []  # to look at it is no harm
