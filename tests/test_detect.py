"I don't know: what disagreement measures, what a threshold promises, and that the attacker of a detector is really its attacker."

import math

import pytest
import torch
from torch import nn

from videopure import PGD, Defended, VideoPurePipeline, moving_shapes, tiny_classifier
from videopure.baselines import JPEG, OneStep
from videopure.detect import Selective, auc, disagreement, evading, selective_table
from videopure.purifier import Purifier
from videopure.video import VideoPureError

CLIPS, LABELS = moving_shapes(12, seed=92_001)


@pytest.fixture(scope="module")
def selective():
    pipe = VideoPurePipeline.tiny()
    pipe.set_progress_bar_config(disable=True)
    return Selective(Defended(tiny_classifier(), OneStep(pipe)))


def one_line(call, *words):
    with pytest.raises(VideoPureError) as error:
        call()
    assert "\n" not in str(error.value)
    assert all(word in str(error.value) for word in words), error.value


def test_disagreement_is_mutual_information():
    logits = torch.randn(5, 4, 7, generator=torch.Generator().manual_seed(0)) * 3
    p = logits.double().softmax(2)
    entropy = lambda q: -(q * q.log()).sum(-1)
    assert torch.allclose(disagreement(logits).double(), entropy(p.mean(1)) - entropy(p).mean(1), atol=1e-5)
    assert (disagreement(logits) >= -1e-6).all() and (disagreement(logits) <= math.log(4) + 1e-6).all()
    assert disagreement(logits[:, :1]).abs().max() < 1e-5 and disagreement(logits[:, [0, 0]]).abs().max() < 1e-5
    assert disagreement(1e4 * torch.eye(3)[None]).item() == pytest.approx(math.log(3), rel=1e-4)  # no overflow
    logits.requires_grad_()
    assert torch.autograd.grad(disagreement(logits).sum(), logits)[0].isfinite().all()


def test_area_is_the_share_of_right_pairs():
    generator = torch.Generator().manual_seed(1)
    clean, attacked = torch.rand(40, generator=generator), torch.rand(30, generator=generator) + 0.3
    pairs = [(a > c) + 0.5 * (a == c) for a in attacked.tolist() for c in clean.tolist()]
    area, low, high = auc(clean, attacked)
    assert area == pytest.approx(sum(pairs) / len(pairs)) and 0 <= low < area < high <= 1
    assert auc(clean, clean)[0] == pytest.approx(0.5) and auc(attacked, clean)[0] == pytest.approx(1 - area)
    one_line(lambda: auc(clean[:0], attacked), "auc")
    one_line(lambda: auc(clean, attacked / 0), "finite")


@pytest.mark.parametrize("n, m, shift", [(50, 50, 1.0), (24, 12, 2.66), (24, 12, 3.29)])
def test_interval_of_the_area_covers(n, m, shift):
    "Of 300 pairs of samples with a known area, up to 0.99, nearly 95 % of the intervals hold it, or more."
    generator, truth, held = torch.Generator().manual_seed(3), 0.5 * (1 + math.erf(shift / 2)), 0
    for _ in range(300):
        area, low, high = auc(torch.randn(n, generator=generator), torch.randn(m, generator=generator) + shift)
        held += low <= truth <= high
        assert low < high and 0 <= low <= area <= high <= 1
    assert 0.91 <= held / 300


def test_records_are_made_once_and_judged_as_they_are():
    class Drawn(Purifier):
        random, calls = True, 0

        def __call__(self, video):
            Drawn.calls += 1
            return (video + 0.2 * torch.randn(video.shape)).clamp(0, 1)

    selective = Selective(Defended(tiny_classifier(), Drawn()))
    selective.predict(CLIPS[:2])
    assert Drawn.calls == 1
    selective.calibrate(CLIPS[:4], 1.0)
    assert (selective.predict(CLIPS[:4]) == -1).all()


def test_impossible_classes_and_cheaper_gradients_are_fine():
    assert disagreement(torch.tensor([[[0.0, -math.inf], [0.0, 0.0]]])).item() == pytest.approx(0.2158, abs=1e-3)
    pipe = VideoPurePipeline.tiny()
    pipe.set_progress_bar_config(disable=True)
    clip = CLIPS[:1].clone().requires_grad_()
    Selective(Defended(tiny_classifier(), pipe, sees="surrogate-1")).everything(clip).sum().backward()
    assert clip.grad.abs().sum() > 0


def test_answers_and_scores_are_those_of_the_parts(selective):
    clip = CLIPS[:3]
    shown = [clip, *selective.defended.purifier.records(clip)]
    logits = torch.stack([selective.defended.classifier(one) for one in shown], 1)
    assert torch.allclose(selective.score(clip), disagreement(logits), atol=1e-4)
    assert torch.equal(selective(clip), selective.defended(clip))
    selective.threshold = math.log(10)
    assert torch.equal(selective.predict(clip), selective.defended.predict(clip))
    selective.threshold = 0.0
    assert (selective.predict(clip) == -1).all()


@pytest.mark.parametrize("withheld", [0.0, 0.25, 0.5])
def test_threshold_withholds_what_was_asked_for(selective, withheld):
    selective.calibrate(CLIPS, withheld)
    assert (selective.predict(CLIPS) == -1).sum() <= withheld * len(CLIPS)
    assert (selective.score(CLIPS) >= selective.threshold).sum() >= withheld * len(CLIPS)  # no lower one would do


def test_threshold_is_saved_and_needs_enough_clips(selective, tmp_path):
    selective.threshold = 0.321
    torch.save(selective.state_dict(), tmp_path / "a.pt")
    other = Selective(selective.defended)
    other.load_state_dict(torch.load(tmp_path / "a.pt", weights_only=True))
    assert other.threshold == 0.321
    with pytest.raises(VideoPureError, match="take 20 or more"):
        selective.calibrate(CLIPS[:1])
    assert selective.threshold == 0.321


def test_attacker_of_the_detector_lowers_the_score(selective):
    few, right = CLIPS[:6], LABELS[:6]
    settings = {"steps": 8, "seed": 0, "early_stop": False, "progress": False}
    exact = PGD(selective.defended, 8 / 255, **settings)(few, right)
    evade = PGD(selective.everything, 8 / 255, loss=evading, **settings)(few, right)
    assert selective.score(evade).mean() <= selective.score(exact).mean() + 1e-3
    assert (selective.defended.predict(evade) != right).sum() >= (selective.defended.predict(exact) != right).sum() - 1


def test_table_counts(selective):
    selective.threshold = math.log(10)
    table = selective_table(selective, {"clean": CLIPS, "again": CLIPS}, LABELS)
    right = (selective.defended.predict(CLIPS) == LABELS).sum().item()
    assert [row[1].right for row in table.rows] == [12, 12] and table.rows[0][2].right == right and table.rows[0][3].right == 12 - right
    assert table.rows[1][4].startswith("0.50")
    selective.threshold = 0.0
    assert selective_table(selective, {"clean": CLIPS}, LABELS).rows[0][2] is None


def test_what_has_no_records_is_refused():
    one_line(lambda: Selective(tiny_classifier()), "Defended")
    one_line(lambda: Selective(Defended(tiny_classifier(), JPEG()), threshold=-2.0), "threshold")
    one_line(lambda: disagreement(torch.zeros(2, 3)), "several answers")


def test_a_purifier_without_gradient_can_still_be_scored():
    found = Selective(Defended(tiny_classifier(), JPEG(30)))
    assert found.score(CLIPS[:2]).shape == (2,) and isinstance(found, nn.Module)
