"Black-box attacks: within their constraint, reproducible, counted, and better than noise."

import pytest
import torch
import torchattacks
from torch import nn

from videopure.attacks import margin
from videopure.baselines import GaussianBlur
from videopure.blackbox import _BASES, _STRIPES, NES, _Basis, RandomNoise, RayS, Square, TemporalTranslation
from videopure.blackbox import _box_fraction, _random_boxes, _signs
from videopure.defense import Defended
from videopure.threats import Frames
from videopure.tiny import tiny_classifier
from videopure.video import VideoPureError, moving_shapes

EPS = 8 / 255


class Counting(nn.Module):
    "A classifier that counts the clips it is shown and may not be differentiated."

    def __init__(self, classifier):
        super().__init__()
        self.classifier, self.seen = classifier, 0

    def forward(self, video):
        assert not torch.is_grad_enabled()
        self.seen += len(video)
        return self.classifier(video)


@pytest.fixture(scope="module")
def classifier():
    return tiny_classifier()


@pytest.fixture(scope="module")
def data():
    return moving_shapes(4, seed=92)


def attacks(model, eps=EPS, seed=0):
    yield RandomNoise(model, eps, 3, seed=seed)
    yield RandomNoise(model, eps, 3, corners=True, seed=seed)
    yield Square(model, eps, 20, seed=seed)
    yield TemporalTranslation(model, eps, 2, kernel=3, seed=seed)


def test_schedule_is_the_papers(classifier):
    theirs = torchattacks.Square(classifier, n_queries=700)
    for q in (0, 3, 10, 30, 60, 100, 250, 400, 500, 699):  # they cut the rescaled query to a whole number, so not at the moments of change
        assert _box_fraction(q, 700) == theirs.p_selection(q)


def test_boxes_are_boxes():
    torch.manual_seed(0)
    clips = torch.zeros(3000, 3, 7, 9, 30)
    boxes = _random_boxes(clips, 0.2)
    for box in boxes[:50, 0]:
        inside = box.nonzero()
        sides = (inside.amax(0) - inside.amin(0) + 1).tolist()
        assert sides == [max(1, round(0.2 ** (1 / 3) * n)) for n in (7, 9, 30)] and len(inside) == sides[0] * sides[1] * sides[2]
    assert boxes.any(0).all() and _random_boxes(clips, 1.0).all()


@pytest.mark.slow
def test_constraint_and_seed(classifier, data):
    clips, labels = data
    for attack, again in zip(attacks(classifier), attacks(classifier)):
        adv = attack(clips, labels)
        assert adv.shape == clips.shape and adv.dtype == clips.dtype and not adv.requires_grad
        assert 0 < (adv - clips).abs().max() <= EPS + 1e-6 and adv.min() >= 0 and adv.max() <= 1
        assert torch.equal(again(clips, labels), adv) and torch.equal(attack(clips, labels), adv)
        assert torch.equal(attack.success, classifier(adv).argmax(1) != labels)
    for attack in attacks(classifier, 0.0):
        assert torch.equal(attack(clips, labels), clips)


def test_global_seed(classifier, data):
    attack, found = Square(classifier, EPS, 5), []
    for _ in range(2):
        torch.manual_seed(7)
        found.append(attack(*data))
    assert torch.equal(*found) and not torch.equal(attack(*data), found[0])


def test_queries_are_what_the_model_was_shown(classifier, data):
    clips, labels = data
    wrong = labels.clone()
    wrong[0] = (labels[0] + 1) % 10  # wrong from the start: not attacked, no queries
    model = Counting(classifier)
    attack = Square(model, 24 / 255, 40, seed=0)
    adv = attack(clips, wrong)
    assert model.seen == attack.queries.sum() + len(clips)
    assert attack.queries[0] == 0 and torch.equal(adv[0], clips[0])
    assert attack.success[1:].any() and (attack.queries[attack.success] < 40).any() and (attack.queries[~attack.success] == 40).all()


@pytest.mark.slow
def test_square_beats_noise(classifier):
    clips, labels = moving_shapes(6, seed=93)
    for model, eps in ((classifier, 12 / 255), (Defended(classifier, GaussianBlur(0.7)), 16 / 255)):
        noise = RandomNoise(model, eps, 60, corners=True, seed=0)(clips, labels)
        square = Square(model, eps, 120, seed=0)(clips, labels)
        with torch.no_grad():
            assert margin(model(square), labels).mean() > margin(model(noise), labels).mean() + 0.3


def test_more_queries_do_not_hurt_a_draw(classifier, data):
    "RandomNoise keeps the worst of its draws, so more of them are at least as bad."
    few, many = (RandomNoise(classifier, EPS, n, seed=0)(*data) for n in (1, 10))
    assert (margin(classifier(many), data[1]) >= margin(classifier(few), data[1]) - 1e-6).all()


def test_targeted(classifier, data):
    clips, goal = data[0], (data[1] + 1) % 10
    for attack in (Square(classifier, 16 / 255, 60, seed=0), TemporalTranslation(classifier, steps=5, kernel=3)):
        attack.set_mode_targeted_by_function(lambda clips, labels: (labels + 1) % 10)
        adv = attack(*data)
        assert margin(classifier(adv), goal).mean() < margin(classifier(clips), goal).mean() - 1
        assert torch.equal(attack.success, classifier(adv).argmax(1) == goal)


def test_other_threat_models(classifier, data):
    for attack in (Square, RandomNoise, TemporalTranslation):
        adv = attack(classifier, Frames(EPS, frames=[2]), 2)(*data)
        moved = (adv != data[0]).flatten(3).any(3).any(1)
        assert moved[:, 2].all() and moved.sum() == len(adv)


def test_starts(classifier, data):
    for stripes, varies in _STRIPES.items():
        grey = torch.full((2, 3, 6, 8, 10), 0.5)
        adv = Square(classifier, EPS, 1, stripes=stripes, seed=0)(grey, torch.tensor([0, 0]))
        for axis in (2, 3, 4):
            same = (adv == adv.narrow(axis, 0, 1)).all()
            assert same != (axis in varies) or torch.equal(adv, grey)


def test_model_left_alone(data):
    model = tiny_classifier().requires_grad_(True).train()
    model.norm.eval()
    for attack in attacks(model):
        state = torch.get_rng_state()
        attack(*data)
        assert torch.equal(torch.get_rng_state(), state) and torch.is_grad_enabled()
        assert model.training and not model.norm.training
        assert all(w.requires_grad and w.grad is None for w in model.parameters())


def test_translation_is_what_it_says(classifier, data):
    "The mean gradient over all rotations of a clip is that of a model that does not care when things happen."

    class Timeless(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.randn(10, 3, generator=torch.Generator().manual_seed(0)))

        def forward(self, video):
            return video.square().mean((2, 3, 4)) @ self.weight.T

    one, many = (TemporalTranslation(Timeless(), EPS, 3, kernel=k)(*data) for k in (1, 7))
    assert torch.allclose(one, many, atol=1e-6)
    attack = TemporalTranslation(classifier, EPS, 1, kernel=3, weights="uniform")
    grad = attack.translated_gradient(*data)
    x, by_hand = data[0], torch.zeros_like(data[0])
    for shift in (-1, 0, 1):
        free = x.clone().requires_grad_()
        loss = nn.functional.cross_entropy(classifier(free.roll(shift, 2)), data[1], reduction="sum")
        by_hand += torch.autograd.grad(loss, free)[0] / 3
    assert torch.allclose(grad, by_hand, atol=1e-6)


@pytest.mark.parametrize("make", [
    lambda m: Square(m, 8), lambda m: Square(m, queries=0), lambda m: Square(m, p_init=0), lambda m: Square(m, stripes="dots"),
    lambda m: RandomNoise(m, draws=0), lambda m: TemporalTranslation(m, kernel=4), lambda m: TemporalTranslation(m, weights="box"),
    lambda m: TemporalTranslation(m, steps=0), lambda m: Square(m, queries=2)(torch.rand(1, 3, 4, 8, 8), torch.tensor([10])),
])  # fmt: skip
def test_bad_settings(make, classifier):
    with pytest.raises(VideoPureError) as error:
        make(classifier)
    assert "\n" not in str(error.value)


class Tilted(nn.Module):
    "Two classes, by a linear rule: class 0 if the mean of the clip, each value times the sign of a pattern, is below `most`."

    def __init__(self, pattern, most):
        super().__init__()
        self.pattern, self.most, self.bias = pattern, most, nn.Parameter(torch.zeros(()))

    def forward(self, clips):
        size = (clips * self.pattern).mean((1, 2, 3, 4)) + self.bias
        return torch.stack([self.most - size, size - self.most], 1)


def tilted(most=0.4 * EPS):
    "A model that the best tiles of `EPS` fool with room to spare, while random signs do nothing, and a grey clip for it."
    grey = torch.full((2, 3, 8, 8, 8), 0.5)
    basis = _Basis("tiles", grey)
    pattern = basis.spread(_signs(basis.shape, torch.Generator().manual_seed(5)))[:1]
    pattern = pattern - pattern.mean()
    return Tilted(pattern, most), grey, torch.zeros(2, dtype=torch.long)


@pytest.mark.parametrize("make", [NES, RayS])
def test_a_linear_model_is_broken(make):
    model, grey, labels = tilted()
    attack = make(model, EPS, 1000, seed=0)
    adv = attack(grey, labels)
    assert attack.success.all() and (model(adv).argmax(1) == 1).all() and (adv - grey).abs().max() <= EPS + 1e-6
    noise = RandomNoise(model, EPS, 100, corners=True, seed=0)
    noise(grey, labels)
    assert not noise.success.any()
    beyond = make(tilted(1.2 * EPS)[0], EPS, 100, seed=0)
    beyond(grey, labels)
    assert not beyond.success.any()


def test_radius_is_the_distance_to_the_boundary():
    model, grey, labels = tilted(0.02)
    attack = RayS(model, 0.01, 600, seed=0)
    adv = attack(grey, labels)
    radius = attack.metrics["radius"]
    assert not attack.success.any() and (radius >= 0.02).all() and (radius < 0.08).all()
    assert (adv - grey).abs().max() <= 0.01 + 1e-6
    again = RayS(model, (radius.max() + 1e-4).item(), 600, seed=0)
    assert (model(again(grey, labels)).argmax(1) == 1).all() and again.success.all()


@pytest.mark.parametrize("make", [NES, RayS])
def test_searches_count_and_repeat(classifier, data, make):
    clips, labels = data
    wrong = labels.clone()
    wrong[0] = (labels[0] + 1) % 10
    model = Counting(classifier)
    attack = make(model, EPS, 64, seed=0)
    adv = attack(clips, wrong)
    assert model.seen == attack.queries.sum() + len(clips) and attack.queries.max() <= 64 and attack.queries[0] == 0
    assert torch.equal(adv[0], clips[0]) or make is RayS
    assert torch.equal(attack(clips, wrong), adv) and 0 < (adv - clips).abs().max() <= EPS + 1e-6
    assert torch.equal(attack.success, classifier(adv).argmax(1) != wrong)


def test_rays_needs_no_scores(classifier, data):
    class Decides(Counting):
        def forward(self, video):
            return nn.functional.one_hot(super().forward(video).argmax(1), 10).float()

    scores, decisions = (RayS(kind(classifier), EPS, 40, seed=0)(*data) for kind in (Counting, Decides))
    assert torch.equal(scores, decisions)


def test_bases():
    clips = torch.zeros(2, 3, 6, 10, 12)
    for name in _BASES:
        basis = _Basis(name, clips)
        few = torch.randn(basis.shape)
        assert basis.spread(few).shape == clips.shape and set(basis.spread(few).unique().tolist()) == set(few.unique().tolist())
    with pytest.raises(VideoPureError, match="tiles"):
        NES(tiny_classifier(), basis="none")
