"The committed tables: they belong to their configuration files and to the embedded models, and can be made again."

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from videopure.evaluate import AttackSpec, fingerprint, read_config, run_config
from videopure.pipeline import VideoPurePipeline
from videopure.results import Card
from videopure.tiny import tiny_classifier
from videopure.training import Recipe

FOLDER = Path(__file__).resolve().parent.parent / "benchmarks"
RUNS = [path.stem for path in sorted(FOLDER.glob("*.toml")) if (FOLDER / path.stem / "card.json").exists()]

if not RUNS:
    pytest.skip("an installed package carries no tables", allow_module_level=True)


@pytest.fixture(scope="module", params=RUNS)
def run(request) -> tuple[dict, Card]:
    return read_config(FOLDER / f"{request.param}.toml"), Card.load(FOLDER / request.param)


def test_table_belongs_to_its_configuration(run):
    config, card = run
    assert card.config["seed"] == config["seed"] and card.config["dataset"]["seed"] == config["data"]["seed"]
    assert list(card.config["defenses"]) == list(config["defenses"])
    for name, spec in config["attacks"].items():
        column = AttackSpec.of(spec)
        made = {k: v for k, v in vars(column).items() if k != "options"} | column.options
        assert card.config["attacks"][name] == made, name


def test_every_cell_has_its_clips(run):
    "What the configuration asks for is there; a column may only be missing where there is no gradient."
    config, card = run
    total = config["data"]["clips"]
    for name in card.attacks:
        column = AttackSpec.of(config["attacks"].get(name, {}))
        for defense in card.defenses:
            wanted = sum(column.covers(i, defense) for i in range(total))
            found = len(card.cell(defense, name))
            assert found == wanted or (found == 0 and column.sees.startswith(("full", "surrogate"))), (defense, name, found, wanted)
    assert not card.skipped


def test_attacks_kept_their_constraint(run):
    assert all(result["metrics"]["budget_used"] <= 1.001 for result in run[1].results)


def test_weights_are_those_of_the_embedded_models(run):
    pipe, card = VideoPurePipeline.tiny(), run[1]
    assert card.config["classifier"]["weights"] == fingerprint(tiny_classifier())
    assert card.config["defenses"]["VideoPure"]["weights"] == fingerprint(pipe.unet, pipe.vae)


def test_small_enough_to_keep(run):
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file() and not path.name.startswith("results-")) < 1_000_000


def test_first_clip_is_made_again():
    "The first clip of the reference table, from its configuration, in the cells that cost little."
    config, card = read_config(FOLDER / "reference.toml"), Card.load(FOLDER / "reference")
    rows, columns = ["none", "JPEG 30", "DDIM", "VideoPure"], ["none", "PGD 8/255", "BPDA 8/255", "full 8/255"]
    again = run_config(config | {"clips": 1}, only_defenses=rows, only_attacks=columns, progress=False)
    for defense in rows:
        for attack in columns[: 3 if defense == "DDIM" else 4]:
            for clip, result in again.cell(defense, attack).items():
                assert result["predicted"] == card.cell(defense, attack)[clip]["predicted"], (defense, attack)


@pytest.mark.parametrize("fold", "ab")
def test_own_clips_are_judged_on_others(fold):
    "The tables of the tutorial: made by their configuration, on sequences that the training has not seen."
    config, card = read_config(FOLDER / "own_clips.toml"), Card.load(FOLDER / "own_clips" / fold)
    training = json.loads((FOLDER / "own_clips" / fold / "training.json").read_text(encoding="utf-8"))
    assert list(card.config["defenses"]) == list(config["defenses"])
    for name, spec in config["attacks"].items():
        column = AttackSpec.of(spec)
        assert card.config["attacks"][name] == {k: v for k, v in vars(column).items() if k != "options"} | column.options
    sequence = lambda clip: clip.split("_")[1]
    seen = {sequence(clip) for clip in training["train"] + training["validation"]}
    assert not {sequence(clip) for clip in card.clips} & seen
    assert not {*map(sequence, training["train"])} & {*map(sequence, training["validation"])}
    assert all(result["metrics"]["budget_used"] <= 1.001 for result in card.results) and not card.skipped
    assert training["recipe"] == asdict(Recipe()), "made with other settings than the defaults"
