"The attack suite: what each member does, that the suite is never weaker than a member, and how it is judged."

import pytest
import torch

from videopure import PGD, Defended, VideoPurePipeline, benchmark, moving_shapes, suite, tiny_classifier
from videopure.attacks import make_attack
from videopure.baselines import H264, JPEG, GaussianBlur, OneStep, make_purifier
from videopure.purifier import Purifier
from videopure.suite import MEMBERS, StandIn, VideoAuto
from videopure.threats import Flicker, Linf

CLIPS, LABELS = moving_shapes(6, seed=92_001)
CLASSIFIER = tiny_classifier()


@pytest.fixture(scope="module")
def pipe():
    pipe = VideoPurePipeline.tiny()
    pipe.set_progress_bar_config(disable=True)
    pipe.disable_gradient_checkpointing()
    return pipe


class Grain(Purifier):
    "Noise on every value."

    random = True

    def __call__(self, video):
        return (video + 0.03 * torch.randn_like(video)).clamp(0, 1)


def test_stand_in_answers_as_the_defense_and_points_elsewhere(pipe):
    defended = Defended(CLASSIFIER, pipe)
    model, x = StandIn(defended, OneStep(pipe)), CLIPS[:1].clone().requires_grad_()
    scores = model(x)
    assert torch.allclose(scores, defended(CLIPS[:1]), atol=1e-5)
    grad = torch.autograd.grad(scores.log_softmax(1)[0, LABELS[0]], x)[0]
    y = CLIPS[:1].clone().requires_grad_()
    one = Defended(CLASSIFIER, OneStep(pipe))
    other = torch.autograd.grad(one(y).log_softmax(1)[0, LABELS[0]], y)[0]
    assert torch.cosine_similarity(grad.flatten(), other.flatten(), dim=0) > 0.5


def members(model):
    return [name for name, make in MEMBERS.items() if make(VideoAuto(model, 8 / 255))]


def test_members_that_apply(pipe):
    assert members(CLASSIFIER) == ["exact", "exact, APGD", "NES", "RayS", "Square"]
    video_pure, one_step = members(Defended(CLASSIFIER, pipe)), members(Defended(CLASSIFIER, OneStep(pipe)))
    assert "one-step gradient" in video_pure and "VideoPure, transferred" not in video_pure
    assert "one-step gradient" not in one_step and "VideoPure, transferred" in one_step
    assert "exact, selective" in members(Defended(CLASSIFIER, Grain())) and "exact, selective" not in video_pure
    codec = VideoAuto(Defended(CLASSIFIER, H264(35)), 8 / 255)
    codec.differentiable = codec.has_gradient(CLIPS)
    assert not codec.differentiable and not MEMBERS["exact"](codec) and MEMBERS["blur gradient"](codec)
    other = VideoAuto(CLASSIFIER, Flicker(0.1))
    assert [name for name, make in MEMBERS.items() if make(other)] == ["exact", "NES"]


def test_sees_the_whole_defense_whatever_the_model_was_made_for():
    model = Defended(CLASSIFIER, GaussianBlur(1.0), sees="classifier")
    attack = VideoAuto(model, 8 / 255)
    assert attack.model.sees == "full" and model.sees == "classifier"


@pytest.mark.parametrize("name", ["none", "jpeg", "blur", "one-step"])
def test_never_weaker_than_the_old_columns(name, pipe):
    model = CLASSIFIER if name == "none" else Defended(CLASSIFIER, make_purifier(name, pipe))
    attack = VideoAuto(model, 8 / 255, seed=0, progress=False)
    adv = attack(CLIPS, LABELS)
    assert (Linf(8 / 255).distance(adv, CLIPS) <= 1 + 1e-4).all()
    assert torch.equal(attack.success, model(adv).argmax(1) != LABELS)
    assert [bool(by) for by in attack.broken_by] == (attack.success & (model(CLIPS).argmax(1) == LABELS)).tolist()
    old = PGD(CLASSIFIER, 8 / 255, alpha=2 / 255, seed=0, early_stop=False, best=False)(CLIPS, LABELS)
    assert attack.success.sum() >= (model(old).argmax(1) != LABELS).sum()
    if name == "one-step":
        assert attack.success.all()


def test_clips_that_were_wrong_are_left_alone_and_returned():
    attack = VideoAuto(CLASSIFIER, 8 / 255, seed=0, progress=False)
    wrong = (CLASSIFIER(CLIPS).argmax(1) + 1) % 10
    assert torch.equal(attack(CLIPS, wrong), CLIPS) and attack.broken_by == [""] * 6 and attack.success.all()


def test_survivors_of_the_last_doubling_are_flagged(monkeypatch):
    "More steps that break one clip each time: never converged."
    monkeypatch.setattr(suite, "MEMBERS", {"exact, APGD": lambda suite: None})
    clips, labels = moving_shapes(8, seed=92_002)
    broken = PGD(CLASSIFIER, 8 / 255, seed=0)(clips, labels)
    calls = []

    def longer(attack, steps):
        calls.append(steps)
        return lambda some, y: torch.cat([broken[len(calls) - 1 : len(calls)], some[1:]])

    monkeypatch.setattr(suite, "exact_longer", longer)
    attack = VideoAuto(CLASSIFIER, 8 / 255, progress=False)
    attack(clips, labels)
    assert calls == [80, 160, 320, 640] and not attack.converged
    assert [bool(flags) for flags in attack.flags] == [False] * 4 + [True] * 4
    assert attack.broken_by[:5] == ["exact, 80 steps", "exact, 160 steps", "exact, 320 steps", "exact, 640 steps", ""]


def test_random_defense_is_judged_by_its_mean():
    attack = VideoAuto(Defended(CLASSIFIER, Grain()), 8 / 255, seed=0, progress=False)
    assert attack.eot == 16 and all(make(attack).eot == 4 for make in (suite.exact, suite.bpda, suite.exact_records))
    assert attack.is_random(CLIPS)
    seen, right = [], attack.judge(CLIPS, LABELS)

    def forward(video):
        seen.append(1)
        return 10 * torch.eye(10)[LABELS if len(seen) % 8 == 1 else (LABELS + 1) % 10]  # right in one draw of eight

    attack.model.forward = forward
    assert attack.judge(CLIPS, LABELS)[0].all() and not right[0].all() and len(seen) == 8


def test_same_seed_same_clips():
    found = [VideoAuto(Defended(CLASSIFIER, JPEG(30)), 8 / 255, seed=3, progress=False)(CLIPS[:2], LABELS[:2]) for _ in range(2)]
    assert torch.equal(*found)


def test_protocol_is_a_table_for_all_kinds(pipe):
    rows = {"none": None, "JPEG": JPEG(30), "grain": Grain()}
    card = benchmark(CLASSIFIER, rows, (CLIPS[:2], LABELS[:2]), protocol="video-auto-1", trials=1, batch_size=2, progress=False)
    assert card.attacks == ["none", "PGD 8/255", "video-auto-1 8/255"]
    for row in rows:
        assert len(card.cell(row, "video-auto-1 8/255")) == 2 and card.worst(row).right == 0
    assert all("broken_by" in result["metrics"] for result in card.results if result["attack"].startswith("video-auto"))


def test_by_name():
    assert isinstance(make_attack("video-auto-1", CLASSIFIER, eps="8/255"), VideoAuto)


class Hidden(Purifier):
    "Noise from a generator of its own, of which nothing is said."

    def __init__(self):
        self.source = torch.Generator().manual_seed(0)

    def __call__(self, video):
        return (video + 0.05 * torch.randn(video.shape, generator=self.source)).clamp(0, 1)


def test_hidden_randomness_is_seen():
    attack = VideoAuto(Defended(CLASSIFIER, Hidden()), 8 / 255, seed=0, progress=False)
    assert attack.eot == 1
    attack(CLIPS[:2], LABELS[:2])
    assert attack.random and attack.eot == 16 and len(attack.answers(CLIPS[:2])) == 8
    assert attack.metrics["wrong_draws"].tolist() == [8, 8]


def test_selective_draws():
    "A draw far from broken has no say beside one that is nearly broken; equal draws give the mean."
    torch.manual_seed(0)
    grads, near = torch.randn(4, 2, 1, 2, 3, 3), torch.tensor([[-50.0, 0], [-50, 0], [-50, 0], [0.5, 0]])
    found = suite.selective(near, grads, 1e-3)
    assert torch.cosine_similarity(found[0].flatten(), grads[3, 0].flatten(), dim=0) > 0.999
    same = suite.selective(near, grads[:1].expand_as(grads), 8 / 255)
    assert torch.cosine_similarity(same[1].flatten(), grads[0, 1].flatten(), dim=0) > 0.999


def test_selective_is_an_attack():
    model = Defended(CLASSIFIER, Grain())
    attack = suite.Selective(model, 8 / 255, steps=5, eot=3, loss="margin", seed=0, progress=False, early_stop=False)
    adv = attack(CLIPS[:2], LABELS[:2])
    assert attack.eot == 3 and (Linf(8 / 255).distance(adv, CLIPS[:2]) <= 1 + 1e-4).all()
    assert (suite.margin(model(adv), LABELS[:2]) > suite.margin(model(CLIPS[:2]), LABELS[:2])).all()


def test_starts_from_the_nearest(pipe):
    attack = PGD(CLASSIFIER, 8 / 255, steps=1, alpha=1e-6, seed=0, progress=False)
    start = (CLIPS + 0.3).clamp(0, 1)
    attack.starts = start
    assert torch.allclose(attack(CLIPS, LABELS), Linf(8 / 255).project(start, CLIPS), atol=1e-5)


def test_searches_ask_for_the_mean_of_some_draws():
    "A search must not stop at one lucky draw."
    attack = VideoAuto(Defended(CLASSIFIER, Grain()), 8 / 255, seed=0, progress=False)
    assert all(make(attack).model.draws == 8 for make in (suite.nes, suite.rays, suite.square))
    assert VideoAuto(CLASSIFIER).steady is CLASSIFIER


def test_a_gradient_that_is_zero_is_none():
    masked = VideoAuto(Defended(CLASSIFIER, lambda video: (video * 16).round() / 16 + 0 * video), 8 / 255)
    assert not masked.has_gradient(CLIPS) and MEMBERS["blur gradient"](masked)
