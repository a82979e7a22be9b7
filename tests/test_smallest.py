"""The smallest size that breaks a clip: where it is known, proved by a clip, and an upper bound whatever the attack. (notebook 13e)"""

import gzip
import json
import math
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
import torch
from torch import nn

from videopure import PGD, Defended, moving_shapes, tiny_classifier
from videopure.smallest import Smallest, format_median, smallest_eps
from videopure.statistics import Accuracy, Median
from videopure.threats import Flicker, FrameL2, Linf
from videopure.video import VideoPureError

ROOT = Path(__file__).resolve().parent.parent


def linear(dims: int = 3 * 2 * 6 * 6) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(dims, 2, bias=False))


MODEL, X = linear(), 0.4 + 0.2 * torch.rand(10, 3, 2, 6, 6, generator=torch.Generator().manual_seed(3))
Y = MODEL(X).argmax(1)


def truth(norm: float) -> torch.Tensor:
    "The margin over the dual norm of the weights."
    scores, weight = MODEL(X).detach(), MODEL[1].weight.detach()
    return (scores[:, 0] - scores[:, 1]).abs() / (weight[0] - weight[1]).norm(norm)


def test_linear_linf_is_the_closed_form():
    found = smallest_eps(MODEL, X, Y, steps=20, high="24/255", tolerance="0.1/255")
    assert (found.eps >= truth(1) - 1e-6).all() and (found.eps <= truth(1) + 0.1 / 255 + 1e-5).all()


def test_linear_l2_is_the_closed_form():
    found = smallest_eps(MODEL, X, Y, threat="L2", steps=20, high=2.0, tolerance=0.02)
    assert (found.eps >= truth(2) - 1e-5).all() and (found.eps <= truth(2) + 0.025).all()


@pytest.mark.parametrize("threat", ["Linf", FrameL2(0.5), Flicker()])
def test_each_size_is_proved_by_a_clip(threat):
    found = smallest_eps(MODEL, X, Y, threat=threat, high=0.5, tolerance=0.01, steps=10)
    broken = found.eps.isfinite()
    unit = Linf(1.0) if threat == "Linf" else threat.of_size(0.5)
    assert broken.any() and (MODEL(found.clips).argmax(1) != Y)[broken].all()
    assert torch.allclose((unit.distance(found.clips, X) * unit.eps)[broken], found.eps[broken], atol=1e-5)
    assert (found.clips[~broken] == X[~broken]).all()


class Uneven(PGD):
    "An attack that fails on purpose within one range of sizes."

    def forward(self, clips, labels):
        return clips if 13 / 255 < self.eps < 18 / 255 else super().forward(clips, labels)


def test_an_attack_that_fails_somewhere_still_gives_an_upper_bound():
    exact, uneven = (smallest_eps(MODEL, X, Y, attack, steps=20, high=32 / 255) for attack in ("pgd", Uneven))
    assert (uneven.eps >= truth(1) - 1e-6).all() and uneven.eps.isfinite().all()
    assert (uneven.eps >= exact.eps - 0.3 / 255).all() and (MODEL(uneven.clips).argmax(1) != Y).all()


def test_an_attack_outside_its_size_proves_nothing():
    def far(model, eps):
        return lambda clips, labels: 1 - clips

    assert smallest_eps(MODEL, X, Y, far, high=1 / 255).eps.isinf().all()


def test_wrong_without_attack_and_never_broken():
    found = smallest_eps(MODEL, X, torch.where(torch.arange(10) < 4, 1 - Y, Y), high=1e-6, tolerance=1e-7)
    assert found.eps.tolist() == [0.0] * 4 + [math.inf] * 6 and (found.clips == X).all()
    assert found.accuracy(0).right == found.accuracy(1e-6).right == 6
    with pytest.raises(VideoPureError, match="was tried"):
        found.accuracy(1)
    assert math.isinf(found.median.value) and "> " in str(found) and "n=10" in str(found)


def test_the_same_twice_and_other_random_numbers_untouched():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first = smallest_eps(MODEL, X, Y, steps=5)
    assert torch.equal(torch.rand(1), expected)
    assert torch.equal(first.eps, smallest_eps(MODEL, X, Y, steps=5).eps)


@pytest.mark.parametrize("attack", ["pgd", "video-auto-1"])
def test_defenses_suite_and_draws(attack):
    "Behind a purifier; by the suite, whose members take a size."
    clips, labels = moving_shapes(2, seed=77_001, frames=4)
    model = tiny_classifier()
    labels = model(clips).argmax(1)
    defended = Defended(model, lambda video: video)
    bare, found = (smallest_eps(each, clips, labels, attack, high=32 / 255, tolerance=2 / 255) for each in (model, defended))
    assert bare.eps.isfinite().all() and found.eps.isfinite().all()
    assert (model(found.clips).argmax(1) != labels).all()


def test_more_draws_than_one():
    noise = lambda video: (video + 0.002 * torch.randn_like(video)).clamp(0, 1)
    found = smallest_eps(Defended(MODEL, noise), X, Y, steps=10, draws=5, high=32 / 255, tolerance=1 / 255)
    assert found.eps.isfinite().all() and (found.eps < truth(1) + 6 / 255).all()


@pytest.mark.parametrize(
    "options, words",
    [
        ({"tolerance": 0}, "tolerance <= high"),
        ({"high": "1/255", "tolerance": "2/255"}, "tolerance <= high"),
        ({"high": math.inf}, "tolerance <= high"),
        ({"attack": "no such attack"}, "no such attack"),
        ({"attack": PGD(MODEL)}, "made already"),
        ({"stepz": 3}, "stepz"),
        ({"draws": 0}, "draws"),
        ({"threat": "Lhalf"}, "Lhalf"),
    ],
)
def test_errors_before_any_work(options, words):
    with pytest.raises(VideoPureError, match=words) as error:
        smallest_eps(MODEL, X, Y, **options)
    assert "\n" not in str(error.value)


def test_medians_in_words():
    assert format_median(Median(2.5 / 255, 1 / 255, math.inf, 9), 16 / 255) == "2.5/255 [1/255, > 16/255]"
    assert format_median(Median(2.5 / 255, -math.inf, math.inf, 3), 16 / 255) == "2.5/255 [0, > 16/255]"
    some = Smallest(torch.tensor([1.0, 3.0, 2.0]) / 255, torch.zeros(3, 3, 1, 2, 2), 16 / 255)
    assert some.accuracy(2 / 255) == Accuracy(1, 3) and str(some) == "2/255 [0, > 16/255] n=3"


def test_table_on_record_is_what_its_records_say():
    "Every median can be made again from the committed sizes; the models are those that the script names."
    folder = ROOT / "benchmarks" / "smallest"
    results = [json.loads(line) for line in gzip.decompress((folder / "results.jsonl.gz").read_bytes()).decode().splitlines()]
    spec = spec_from_file_location("smallest_script", ROOT / "benchmarks" / "smallest.py")
    script = module_from_spec(spec)
    spec.loader.exec_module(script)
    table = (folder / "table.md").read_text(encoding="utf-8")
    defenses = {r["defense"] for r in results}
    assert {"none", "blur", "one-step x0", "robust classifier"} <= defenses <= set(script.rows())
    for name in sorted(defenses):
        sizes = [math.inf if r["eps"] is None else r["eps"] for r in results if r["defense"] == name]
        median = format_median(Median.of(sizes), script.HIGH).replace("> ", "&gt; ")
        assert f"| {name} | {len(sizes)} | {median} | {sum(map(math.isinf, sizes))} |" in table
        assert all(0 <= size <= script.HIGH * 1.0001 or math.isinf(size) for size in sizes)
