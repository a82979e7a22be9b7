"Learned low-pass filters: weights that average, nothing added, within the threat model, and strong enough for a case that is known."

import pytest
import torch
from torch import nn

from videopure.attacks import make_attack, margin
from videopure.filters import LowPass, filtered
from videopure.tiny import tiny_classifier
from videopure.video import ClipError, VideoPureError, moving_shapes

EPS = 8 / 255


class Contrast(nn.Module):
    "Two classes, by a linear rule: class 1 if neighbours in time, or in a row, differ by more than `most` with alternating signs."

    def __init__(self, axis, most=0.2):
        super().__init__()
        self.axis, self.most, self.bias = axis, most, nn.Parameter(torch.zeros(()))

    def forward(self, clips):
        wave = 1 - 2.0 * (torch.arange(clips.shape[self.axis]) % 2)
        size = (clips.movedim(self.axis, -1) * wave).mean((1, 2, 3, 4)) + self.bias
        return torch.stack([self.most - size, size - self.most], 1)


def waves(axis, shape=(2, 3, 8, 8, 8)):
    "Grey clips with an alternating wave along an axis: a low-pass filter can take it away, and only such a filter."
    wave = 1 - 2.0 * (torch.arange(shape[axis]) % 2)
    return (0.5 + 0.4 * wave.view([-1 if i == axis else 1 for i in range(5)])).expand(shape).contiguous()


@pytest.fixture(scope="module")
def classifier():
    return tiny_classifier()


def test_identity_leaves_the_clip():
    clips = moving_shapes(2, seed=5)[0]
    for taps in ((1, 1, 1), (3, 5, 5), (5, 1, 3)):
        kernels = torch.zeros(2, taps[0] * taps[1] * taps[2], 1, 1, 1)
        kernels[:, kernels.shape[1] // 2] = 1
        assert torch.allclose(filtered(clips, kernels, taps), clips, atol=1e-6)


def test_shifts():
    clips = moving_shapes(1, seed=6)[0]
    last = torch.zeros(1, 3, 1, 1, 1)
    last[:, 0] = 1  # each frame becomes the one before; the first is repeated
    moved = filtered(clips, last, (3, 1, 1))
    assert torch.equal(moved[:, :, 1:], clips[:, :, :-1]) and torch.equal(moved[:, :, 0], clips[:, :, 0])


def test_kernels_sum_to_one_between_cells(classifier):
    attack = LowPass(classifier, cell=5)
    numbers = torch.randn(attack.start(torch.zeros(1, 3, 6, 12, 13)).shape, generator=torch.Generator().manual_seed(0))
    grey = torch.full((1, 3, 6, 12, 13), 0.3)
    assert torch.allclose(filtered(grey, numbers.softmax(1)), grey, atol=1e-5)
    clips = torch.rand(grey.shape, generator=torch.Generator().manual_seed(1))
    out = filtered(clips, numbers.softmax(1))
    assert clips.min() <= out.min() and out.max() <= clips.max() and (out - clips).abs().max() > 0.1


@pytest.mark.parametrize("axis", [2, 3, 4])
def test_breaks_what_a_blur_must_break(axis):
    clips, labels, model = waves(axis), torch.tensor([1, 1]), Contrast(axis)
    assert (model(clips).argmax(1) == labels).all()
    attack = LowPass(model, 1.0, seed=0)
    adv = attack(clips, labels)
    assert attack.success.all() and (model(adv).argmax(1) == 0).all() and (attack.metrics["steps_used"] <= 40).all()


def test_cannot_break_what_no_blur_breaks():
    "A blur takes contrast away and never adds any: clips without it stay what they are."
    clips, labels = torch.full((2, 3, 8, 8, 8), 0.5), torch.tensor([0, 0])
    attack = LowPass(Contrast(2), 1.0, steps=10)
    assert torch.allclose(attack(clips, labels), clips, atol=1e-5) and not attack.success.any()


def test_within_eps_and_seed(classifier):
    clips, labels = moving_shapes(2, seed=92)
    attack = LowPass(classifier, EPS, steps=6, seed=3)
    adv = attack(clips, labels)
    assert 0 < (adv - clips).abs().max() <= EPS + 1e-6 and adv.min() >= 0 and adv.max() <= 1
    assert torch.equal(attack(clips, labels), adv) and torch.equal(attack.success, classifier(adv).argmax(1) != labels)
    assert (margin(classifier(adv), labels) > margin(classifier(clips), labels)).all()
    alone = LowPass(classifier, EPS, steps=1)(clips[1:], labels[1:])  # clips do not depend on each other
    assert torch.allclose(alone, LowPass(classifier, EPS, steps=1)(clips, labels)[1:], atol=1e-4)


def test_settings(classifier):
    assert isinstance(make_attack("low-pass", classifier, eps="8/255", steps=2), LowPass)
    for wrong in ({"taps": (2, 5, 5)}, {"taps": (3, 5)}, {"steps": 0}, {"cell": 0}, {"lr": 0}, {"peak": -1}):
        with pytest.raises(VideoPureError):
            LowPass(classifier, **wrong)
    with pytest.raises(ClipError):
        LowPass(classifier)(torch.zeros(1, 3, 4, 8, 8), torch.tensor([99]))
