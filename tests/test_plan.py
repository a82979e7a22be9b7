"The hours of a run before it starts: what is left, what one cell costs, and that nothing is written."

import pytest
import torch

from videopure.attacks import PGD, VideoAttack, make_attack
from videopure.baselines import GaussianBlur, make_purifier
from videopure.cli import main
from videopure.config import run_config
from videopure.defense import Defended
from videopure.evaluate import benchmark
from videopure.plan import TimeUp, longest, plan_config, seconds_of, time_limit, unbroken_seconds
from videopure.suite import MEMBERS
from videopure.tiny import tiny_classifier
from videopure.video import VideoPureError, moving_shapes

CLIPS, LABELS = moving_shapes(2, seed=3)
CONFIG = {
    "data": {"n_clips": 4, "seed": 31},
    "defenses": {"none": {"method": "none"}, "JPEG": {"method": "jpeg"}, "blur": {"method": "blur"}},
    "attacks": {"PGD": {"steps": 2}, "exact": {"sees": "full", "steps": 2, "n_clips": 2}, "noise": {"method": "noise", "sees": "scores"}},
}
CONFIG["attacks"]["noise"]["draws"] = 3
QUIET = {"progress": False}


@pytest.fixture(scope="module")
def classifier():
    return tiny_classifier()


def left(table):
    return {(row[0], row[1]): row[2] for row in table.rows[:-1]}


def files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_is_left_goes_to_zero_and_nothing_is_written(tmp_path):
    out = tmp_path / "run"
    cells = {(defense, attack): 4 for attack in ("none", "PGD", "noise") for defense in CONFIG["defenses"]}
    cells |= {("none", "exact"): 2, ("blur", "exact"): 2}  # JPEG has no gradient
    planned = plan_config(CONFIG, out, **QUIET)
    assert left(planned) == cells and planned.rows[-1][2] == 40 and not out.exists()
    run_config(CONFIG, out, only_attacks=["PGD"], **QUIET)
    before = files(out)
    assert left(plan_config(CONFIG, out, **QUIET)) == {cell: n for cell, n in cells.items() if cell[1] != "PGD"}
    assert left(plan_config(CONFIG, out, only_attacks=["noise"], only_defenses=["blur"], **QUIET)) == {("blur", "noise"): 4}
    assert files(out) == before
    run_config(CONFIG, out, **QUIET)
    before, finished = files(out), plan_config(CONFIG, out, **QUIET)
    assert finished.rows == [["all", "", 0, None, "", "0", "0"]] and files(out) == before
    with pytest.raises(VideoPureError, match="holds another run"):
        plan_config(CONFIG | {"seed": 1}, out, **QUIET)


def test_results_that_are_there_replace_the_estimate(tmp_path):
    config = CONFIG | {"defenses": {"none": {"method": "none"}}, "attacks": {"PGD": {"steps": 2, "n_clips": 3}}}
    run_config(config, tmp_path, only_attacks=["none"], **QUIET)
    path = next(tmp_path.glob("results-*.jsonl"))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:3]))
    table = plan_config(config, tmp_path, **QUIET)
    assert left(table) == {("none", "none"): 1, ("none", "PGD"): 3}
    assert [row[4] for row in table.rows] == ["3 results", "2 clips", ""]


def test_the_longest_attack_counts_steps_restarts_draws_and_members(classifier, monkeypatch):
    asked = []
    monkeypatch.setattr("videopure.plan.seconds_of", lambda model, clips, labels, grad=True: asked.append((model, grad)) or 1.0)
    length = lambda attack, model=classifier: longest(attack, model, CLIPS, LABELS)
    assert length(PGD(classifier, steps=9, restarts=3)) == 30 and length(PGD(classifier, steps=9, eot=4)) == 40
    still = PGD(classifier, steps=9, eot=4)
    still.varies = False
    assert length(still) == 10
    assert length(make_attack("square", classifier, queries=70)) == 70 and asked[-1] == (classifier, False)
    assert length(lambda clips, labels: clips) is None and length(VideoAttack("own", classifier)) is None
    defended, count = Defended(classifier, GaussianBlur(1.0)), len(asked)
    suite = make_attack("video-auto-1", defended)
    assert length(suite, defended) > length(make_attack("video-auto-1", classifier)) > 200
    assert {model for model, grad in asked[count:] if model is classifier} and len(asked) - count <= 2 * len(MEMBERS) + 2


def test_a_measurement_is_ended_also_in_a_backward_pass(classifier):
    attack = PGD(Defended(classifier, GaussianBlur(1.0)), steps=10**6, early_stop=False, progress=False)
    hooks = len(classifier._forward_pre_hooks)
    for limit in (0.0, 0.3, 0.5):
        with pytest.raises(TimeUp), time_limit(limit, classifier):
            attack(CLIPS, LABELS)
    assert len(classifier._forward_pre_hooks) == hooks and seconds_of(classifier, CLIPS, LABELS) > 0


class Endless(VideoAttack):
    "Never ends, and does not say so."

    def __init__(self, model):
        super().__init__("Endless", model)

    def forward(self, clips, labels):
        while True:
            self.model(clips)


def test_what_takes_too_long_is_cut_off():
    attacks = {"long": {"steps": 10**5, "early_stop": False}, "endless": {"method": Endless}}
    config = {"data": {"n_clips": 2}, "defenses": {"none": {"method": "none"}}, "attacks": attacks}
    table = plan_config(config, only_attacks=[*attacks], limit=0.5, **QUIET)
    assert [row[4] for row in table.rows[:2]] == ["cut off: at most", "cut off: at least"]
    assert float(table.rows[0][3]) > 100 > 10 > float(table.rows[1][3]) >= 0.5 and "at least" in table.notes[-1]


def test_on_the_command_line(tmp_path, capsys):
    words = ["--out", str(tmp_path / "out"), "--n-clips", "2", "--attacks", "none", "--defenses", "none", "--quiet"]
    assert main(["evaluate", "--plan", *words]) == 0
    said = capsys.readouterr().out
    assert "core-hours" in said and "clips left" in said and not (tmp_path / "out").exists()
    assert main(["evaluate", *words]) == 0 and main(["evaluate", "--plan", *words]) == 0
    assert "1 of 1 cells have nothing left" in capsys.readouterr().out
    with pytest.raises(VideoPureError, match="limit"):
        plan_config(CONFIG, limit=0)


def test_on_a_gpu_hours_are_of_the_gpu():
    if not torch.cuda.is_available():
        pytest.skip("no GPU")
    table = plan_config({"data": {"n_clips": 1}, "attacks": {}}, device="cuda", **QUIET)
    assert "GPU-hours" in table.head


class Odd:
    "An attack that says odd things about itself."

    def __init__(self, model):
        self.model, self.steps, self.restarts, self.eot = model, 10, None, "x"

    def __call__(self, clips, labels):
        return clips


class Drawn(torch.utils.data.Dataset):
    "Clips that are another one each time they are read."

    def __len__(self):
        return 2

    def __getitem__(self, i):
        return moving_shapes(1, seed=int(torch.randint(100, ()).item()))[0][0], 0


def numpy_blur(video):
    return torch.from_numpy(video.numpy() * 1)


@pytest.mark.parametrize("data", [moving_shapes(2, seed=5), Drawn()], ids=["clips", "drawn"])
def test_an_estimate_stops_nothing_and_changes_nothing(data):
    rows = {"none": None, "numpy": numpy_blur, "smoothing": make_purifier("smoothing", sigma=0.1, votes=2)}
    attacks = {"own": {"method": Odd, "sees": "full"}, "full": {"sees": "full", "eps": "4/255", "steps": 1}}
    cards = []
    for expect in (None, unbroken_seconds):
        torch.manual_seed(3)
        cards.append(benchmark(tiny_classifier(), rows, data, attacks, progress=bool(expect), expect=expect))
    assert [r["predicted"] for r in cards[0].results] == [r["predicted"] for r in cards[1].results]
