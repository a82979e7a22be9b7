"The committed tables: they belong to their configuration files and to the embedded models, can be made again, and say what is claimed."

import json
from collections import Counter
from dataclasses import asdict
from itertools import product
from pathlib import Path

import pytest

from videopure import Card, tiny_classifier
from videopure.config import read_config, run_config
from videopure.protocols import as_attack_spec
from videopure.pipeline import load_pipeline
from videopure.registry import fingerprint
from videopure.training import Recipe

FOLDER = Path(__file__).resolve().parent.parent / "benchmarks"
RUNS = [path.stem for path in sorted(FOLDER.glob("*.toml")) if (FOLDER / path.stem / "card.json").exists()]

if not RUNS:
    pytest.skip("an installed package carries no tables", allow_module_level=True)


TABLES = {path.parent.relative_to(FOLDER).as_posix(): Card.load(path.parent) for path in sorted(FOLDER.rglob("card.json"))}
PLACES = {name: FOLDER / f"{name.split('/')[0]}.toml" for name in TABLES}  # folds share a file; a script has none
GROWING = {"second", "frontier"}  # measured over several sittings, the first clips first
CONFIGS = {name: read_config(path) for name, path in PLACES.items() if path.exists()}


# --- what a table is ------------------------------------------------------------------------------------------------------------


def test_tables_belong_to_their_configurations():
    assert set(RUNS) <= set(TABLES)
    for run, config in CONFIGS.items():
        card = TABLES[run]
        assert list(card.config["defenses"]) == list(config["defenses"]), run
        for name, spec in config["attacks"].items():
            assert card.config["attacks"][name] == as_attack_spec(spec).describe() | {"method": spec.get("method", "pgd")}, (run, name)
        assert not card.skipped, run
    for run in RUNS:
        assert TABLES[run].config["seed"] == CONFIGS[run]["seed"], run
        assert TABLES[run].config["dataset"]["seed"] == CONFIGS[run]["data"]["seed"], run


def test_every_cell_has_its_clips():
    "What the configuration asks for is there; a column may only be missing where there is no gradient."
    for run in RUNS:
        config, card = CONFIGS[run], TABLES[run]
        total = config["data"]["n_clips"]
        for name in card.attacks:
            column = as_attack_spec(config["attacks"].get(name, {}))
            for defense in card.defenses:
                wanted = sum(column.covers(i, defense) for i in range(total))
                found = len(card.cell(defense, name))
                no_gradient = found == 0 and column.sees.startswith(("full", "surrogate"))
                so_far = run in GROWING and found <= wanted and found % config["batch_size"] == 0
                assert found == wanted or no_gradient or so_far, (run, defense, name, found, wanted)


def test_rows_of_a_growing_table_have_the_first_clips():
    "Some have more of them than others, and none is bold among rows of other clips."
    for run in GROWING & TABLES.keys():
        for name in TABLES[run].attacks:
            cells = [list(TABLES[run].cell(defense, name)) for defense in TABLES[run].defenses]
            longest = max(cells, key=len)
            assert all(cell == longest[: len(cell)] for cell in cells), (run, name)
            column = TABLES[run].table().head.index({"none": "clean"}.get(name, name))
            assert column not in TABLES[run].table().best or len({tuple(cell) for cell in cells if cell}) == 1, (run, name)


def test_attacks_kept_their_constraint():
    assert not [(run, result) for run, card in TABLES.items() for result in card.results if result["metrics"]["budget_used"] > 1.001]


def test_weights_are_those_of_the_embedded_models():
    marks = {}
    for name, dtype in product(("tiny", "tiny-flow", "tiny-robust"), ("float32", "bfloat16")):
        pipe = load_pipeline(name, "cpu", dtype)
        marks[name, dtype] = fingerprint(pipe.network, pipe.vae) + ("" if dtype == "float32" else f" in {dtype}")
    for run in RUNS:
        kind = CONFIGS[run].get("classifier", "tiny").partition("-")[2] or "plain"
        assert TABLES[run].config["classifier"]["weights"] == fingerprint(tiny_classifier(kind)), run
        for name, defense in CONFIGS[run]["defenses"].items():
            mark = marks[defense.get("model", CONFIGS[run].get("model", "tiny")), defense.get("dtype", "float32")]
            if defense["method"] in ("videopure", "one-step"):
                assert TABLES[run].config["defenses"][name]["weights"] == mark, (run, name)


def test_small_enough_to_keep():
    def kept(path):  # not what git ignores
        parts = path.relative_to(FOLDER).parts
        made = path.name.startswith(("results-", "seed-")) or path.suffix in (".html", ".tex", ".csv", ".pyc", ".pt") or "weights" in parts
        return path.is_file() and not made and not (parts[0] == "seeds" and parts[2:])

    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if kept(path)) < 2_000_000


@pytest.mark.slow
def test_first_clip_is_made_again():
    "The first clip of the reference table, from its configuration, in the cells that cost little."
    config, card = CONFIGS["reference"], TABLES["reference"]
    rows, columns = ["none", "JPEG 30", "DDIM", "VideoPure"], ["none", "PGD 8/255", "BPDA 8/255", "full 8/255"]
    again = run_config(config | {"n_clips": 1}, only_defenses=rows, only_attacks=columns, progress=False)
    for defense in rows:
        for attack in columns[: 3 if defense == "DDIM" else 4]:
            for clip, result in again.cell(defense, attack).items():
                assert result["predicted"] == card.cell(defense, attack)[clip]["predicted"], (defense, attack)


def test_own_clips_are_judged_on_others():
    "The tables of the tutorial: on sequences that the training has not seen."
    for fold in "ab":
        training = json.loads((FOLDER / "own_clips" / fold / "training.json").read_text(encoding="utf-8"))
        sequences = lambda clips: {clip.split("_")[1] for clip in clips}
        seen = sequences(training["train"]) | sequences(training["validation"])
        assert not sequences(TABLES[f"own_clips/{fold}"].clips) & seen
        assert not sequences(training["train"]) & sequences(training["validation"])
        assert training["recipe"] == asdict(Recipe()), "made with other settings than the defaults"


CODECS = {"JPEG 30", "H.264 crf 35"}  # no exact gradient


def test_a_worst_case_needs_all_attacks_that_count():
    "Rows that were attacked gray-box only, or by fewer attacks than others, have none, in the files too; the others keep theirs."
    gray = dict.fromkeys(TABLES, set()) | {"reference": {"DiffPure, 101 steps"}, "ablations": {*TABLES["ablations"].defenses}}
    gray |= {"robust_purifier": {"VideoPure, trained"}}  # under an attack that does not count: few steps, one size
    gray |= {f"own_clips/{fold}": {"DDIM", "VideoPure, paper's setting"} for fold in "ab"}
    fewer = {"reference": CODECS | {"bit depth 3"}, "curves": {"JPEG 30", "one-step x0"}} | {f"own_clips/{fold}": CODECS for fold in "ab"}
    for run, card in TABLES.items():
        if len(card.config.get("worst", [])) == 1:
            continue  # the worst of one attack is that attack, which has a column of its own
        found = {row[0]: row[2] for row in card.table().rows if isinstance(row[2], str)}
        saved = json.loads((FOLDER / run / "card.json").read_text(encoding="utf-8"))["worst"]
        assert {row for row, why in found.items() if why == "not attacked adaptively"} == gray[run], run
        assert {row for row, why in found.items() if why.startswith("not attacked by ")} == fewer.get(run, set()), run
        measured = {defense for defense in card.defenses if any(card.cell(defense, attack) for attack in card.attacks)}
        assert found.keys() == measured - saved.keys(), run
        assert (FOLDER / run / "table.md").read_text(encoding="utf-8") == card.table()._repr_markdown_() + "\n", run
        assert {entry["name"] for entry in card.leaderboard() if entry["unreliable"]} == {*found}, run


def test_tables_of_drawn_clips_say_what_they_are_not():
    "One sentence under each table, in every file of the run; other clips have none."
    for run, card in TABLES.items():
        drawn, said = card.config["dataset"]["name"] == "MovingShapes", "The paper's 1.7B model, UCF-101 and Kinetics-400 were not run."
        for file in ("table.md", "card.md", "card.json"):
            assert (said in (FOLDER / run / file).read_text(encoding="utf-8")) == drawn, (run, file)


def test_pages_say_what_was_never_run():
    for path in ("README.md", "nbs/reference.ipynb"):
        text = " ".join((FOLDER.parent / path).read_text(encoding="utf-8").replace("\\n", " ").split())
        assert "The paper's 1.7B model, UCF-101 and Kinetics-400 were never run here" in text, path


# --- what the tables say; the map from the paper to the code names these tests ---------------------------------------------------


def kept(run: str, defense: str, attack: str = "PGD 8/255") -> float:
    "The share of clips that stayed right."
    accuracy = TABLES[run].accuracy(defense, attack)
    return accuracy.right / accuracy.n


def test_gray_box_the_defense_holds():
    assert kept("reference", "VideoPure") == 0.945 and kept("reference", "none") == 0


def test_bpda_sees_what_is_not_there():
    assert kept("reference", "VideoPure", "BPDA 8/255") == 0.9 and kept("reference", "VideoPure", "full 8/255") == 0
    assert TABLES["reference"].accuracy("VideoPure", "full 8/255").n == 100


def test_a_flow_transformer_stands_no_better():
    assert kept("flow", "VideoPure") == 0.97 and kept("flow", "VideoPure", "BPDA 8/255") == 0.99
    assert kept("flow", "VideoPure", "full 8/255") == kept("flow", "VideoPure, paper's setting", "full 8/255") == 0


def test_the_first_frames_noise_can_be_aimed_at():
    attack = "frame 0 only, 32/255"
    assert kept("share", "mean noise", attack) == 28 / 30 and kept("share", "first frame's noise", attack) == 20 / 30
    assert kept("share", "mean noise") >= kept("share", "first frame's noise") > 2 * kept("share", "each frame's own")


def test_shared_noise_carries_the_defense():
    assert [round(100 * kept("ablations", name)) for name in ("VideoPure", "no shared noise")] == [92, 37]


def test_the_sign_of_the_guidance_matters():
    whole, without, reversed_sign = (kept("ablations", name) for name in ("VideoPure", "no guidance", "spatial sign reversed"))
    assert reversed_sign < without < whole and round(100 * reversed_sign) == 25


def test_plain_inversion_defends_nothing():
    assert kept("reference", "DDIM inversion") == kept("ablations", "DDIM inversion only") == 0


def test_the_vote_adds_nothing_measured():
    others = ("vote: mean probability", "vote: lowest index (paper)", "last record only")
    assert all(kept("ablations", name) == kept("ablations", "VideoPure") for name in others)


def test_one_estimate_does_as_well():
    card = TABLES["reference"]
    for attack in ("none", "PGD 4/255", "PGD 8/255"):
        (low, high), (lower, higher) = (card.accuracy(name, attack).interval for name in ("VideoPure", "one-step x0"))
        assert lower <= high and low <= higher
    assert card.metric("VideoPure", "none", "calls") == 8 * card.metric("one-step x0", "none", "calls")


def test_two_of_five_comparisons_stand_sequence_by_sequence():
    "UT-Interaction: clips of a sequence share people and wall, so the test is over eight sequences, and six questions were asked."
    outcomes = lambda name: {c: r for fold in "ab" for c, r in TABLES[f"own_clips/{fold}"].outcomes(name, "PGD 8/255").items()}
    ours, standing = outcomes("VideoPure"), []
    for rival in ("H.264 crf 35", "JPEG 30", "blur", "DDIM", "one-step x0", "VideoPure, paper's setting"):
        theirs, difference = outcomes(rival), Counter()
        for clip in ours:
            difference[clip.split("_")[1]] += ours[clip] - theirs[clip]
        flipped = [sum(sign * d for sign, d in zip(signs, difference.values())) for signs in product((1, -1), repeat=len(difference))]
        p = sum(abs(total) >= abs(sum(difference.values())) for total in flipped) / len(flipped)
        assert len(difference) == 8
        standing += [rival] if 6 * p < 0.05 else []
    assert standing == ["DDIM", "one-step x0"]
