"Threat models and PGD: constraints, seeds, targets, what is left behind, equality with torchattacks, and parts of one's own."

import json
import math
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
import torch
import torchattacks
from torch import nn

from videopure import threats
from videopure.attacks import (
    ATTACKS,
    PGD,
    SCHEDULES,
    Best,
    VideoAttack,
    check_labels,
    make_attack,
    margin,
    quantized,
    record_logits,
    record_loss,
)
from videopure.blackbox import RandomNoise, Square
from videopure.defense import Defended
from videopure.evaluate import benchmark
from videopure.threats import L2, Flicker, FrameL2, Frames, Linf, LowFrequency, Patch, Threat, as_eps, as_threat, format_eps, make_threat
from videopure.tiny import tiny_classifier
from videopure.video import ClipError, VideoPureError, moving_shapes

THREATS = {
    "linf": Linf(8 / 255),
    "l2": L2(2.0),
    "frame-l2": FrameL2(0.5),
    "frames": Frames(8 / 255, frames=[0, -1]),
    "frames-l2": Frames(FrameL2(0.5), frames=4),
    "frames-flicker": Frames(Flicker(0.1), frames=5),
    "flicker": Flicker(16 / 255),
    "patch": Patch((6, 10), corner=(5, 5)),
    "low-frequency": LowFrequency(16 / 255),
    "low-frequency-in-time": LowFrequency(16 / 255, time=0.25),
    "frames-low-frequency": Frames(LowFrequency(16 / 255), frames=5),
}
threat = pytest.mark.parametrize("threat", THREATS.values(), ids=THREATS.keys())
CLIPS, LABELS = moving_shapes(4, seed=71)


@pytest.fixture(scope="module")
def classifier():
    return tiny_classifier()


def noise(seed=0, scale=0.2):
    return scale * torch.randn(CLIPS.shape, generator=torch.Generator().manual_seed(seed))


def allowed(threat, adv, clips=CLIPS):
    assert (threat.distance(adv, clips) <= 1 + 1e-3).all(), threat.distance(adv, clips)
    assert adv.min() >= 0 and adv.max() <= 1 and adv.shape == clips.shape


class Probe(nn.Module):
    "A classifier from a function; remembers the size of every batch."

    def __init__(self, function):
        super().__init__()
        self.function, self.batches, self.unused = function, [], nn.Parameter(torch.zeros(1))

    def forward(self, video):
        self.batches.append(len(video))
        return self.function(video)


def by_brightness(video):
    "Class 0 is dark, class 1 bright."
    mean = video.flatten(1).mean(1) - 0.5
    return torch.stack([-mean, mean], 1)


# threat models


@pytest.mark.slow
@threat
@pytest.mark.parametrize("scale", [0.001, 0.2, 10])
def test_projection_is_allowed_and_idempotent(threat, scale):
    near = threat.project(CLIPS + noise(scale=scale), CLIPS)
    allowed(threat, near)
    assert (threat.project(near, CLIPS) - near).abs().max() < 1e-5
    assert torch.equal(threat.project(CLIPS, CLIPS), CLIPS)


@pytest.mark.slow
@threat
def test_random_start_is_allowed_and_seeded(threat):
    def start(seed):
        return threat.random_start(CLIPS, torch.Generator().manual_seed(seed))

    allowed(threat, start(0))
    assert torch.equal(start(0), start(0)) and not torch.equal(start(0), start(1))
    torch.manual_seed(5)
    one = threat.random_start(CLIPS)
    torch.manual_seed(5)
    assert torch.equal(one, threat.random_start(CLIPS)) and not torch.equal(one, CLIPS)


ZERO = [Linf(0), L2(0), FrameL2(0), Frames(0), Frames(Flicker(0)), Flicker(0), Patch(8, eps=0), LowFrequency(0)]


@pytest.mark.parametrize("zero", ZERO, ids=repr)
def test_eps_zero_gives_the_clip_bit_for_bit(zero, classifier):
    assert torch.equal(zero.project(CLIPS + noise(), CLIPS), CLIPS)
    assert torch.equal(zero.random_start(CLIPS), CLIPS)
    assert torch.equal(PGD(classifier, zero, steps=2)(CLIPS, LABELS), CLIPS)
    assert zero.distance(CLIPS, CLIPS).eq(0).all() and zero.distance(CLIPS + 0.01, CLIPS).isinf().all()


@threat
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_precision_is_kept(threat, dtype):
    clips = CLIPS.to(dtype)
    made = threat.project(clips + noise().to(dtype), clips), threat.random_start(clips), threat.ascend(clips, 0.1)
    assert all(adv.dtype == dtype for adv in made)


def test_untouched_is_bit_equal_and_watched():
    few, patch = Frames(0.1, frames=[2, 7]), Patch(4, corner=(1, 2))
    inside = torch.zeros(32, 32, dtype=torch.bool)
    inside[1:5, 2:6] = True
    others = [t for t in range(16) if t not in (2, 7)]
    for adv in (few.project(CLIPS + noise(), CLIPS), few.random_start(CLIPS)):
        assert torch.equal(adv[:, :, others], CLIPS[:, :, others]) and not torch.equal(adv, CLIPS)
    for adv in (patch.project(CLIPS + noise(), CLIPS), patch.random_start(CLIPS)):
        assert torch.equal(adv[..., ~inside], CLIPS[..., ~inside]) and not torch.equal(adv, CLIPS)
    moved = CLIPS.clone()
    moved[1, 0, 3, 20, 20] += 1e-6
    assert few.distance(moved, CLIPS).isinf().tolist() == patch.distance(moved, CLIPS).isinf().tolist() == [False, True, False, False]


@pytest.mark.parametrize("name", ["linf", "l2", "frame-l2", "frames", "frames-l2", "frames-flicker", "flicker", "patch"])
def test_no_step_of_the_same_size_ascends_more(name):
    threat, grad, grey = THREATS[name], noise(3), torch.full_like(CLIPS, 0.5)
    small = min(threat.eps, 0.4)
    step = threat.ascend(grad, small)
    allowed(threat, grey + step, grey)
    gain = (grad * step).flatten(1).sum(1)
    for seed in range(20):
        other = threat.project(grey + grad * seed + noise(seed), grey) - grey
        other = other * small / threat.eps
        assert (gain >= (grad * other).flatten(1).sum(1) - 1e-3).all()


def test_low_frequency_steps_ascend_and_stay_smooth():
    threat, grad = LowFrequency(0.1, space=0.2, time=0.5), noise(3)
    step = threat.ascend(grad, 0.05)
    assert ((grad * step).flatten(1).sum(1) > 0).all() and math.isclose(step.abs().max(), 0.05, rel_tol=1e-5)
    assert (threat.smooth(step) - step).abs().max() < 1e-6
    spectrum = torch.fft.rfft(step.mean((1, 2, 3)), dim=-1).abs()
    assert spectrum[:, 8:].sum() < 0.1 * spectrum.sum()


@pytest.mark.parametrize("threat", [L2(1.5), FrameL2(0.4), Linf(0.05), Frames(L2(1), frames=3), Patch(6)], ids=lambda t: type(t).__name__)
def test_projection_is_the_nearest_allowed_clip(threat):
    wild = CLIPS + noise()
    near = threat.project(wild, CLIPS)
    for seed in range(5):
        other = threat.project(CLIPS + noise(seed + 1), CLIPS)
        assert ((wild - near) * (other - near)).flatten(1).sum(1).max() < 1e-2  # the obtuse-angle criterion of convex projection


def test_flicker_finds_its_offsets_where_colours_are_cut_off():
    clips = torch.rand(1, 3, 6, 12, 12, generator=torch.Generator().manual_seed(0)).round()
    clips[..., :3] = 0.5
    offsets = torch.linspace(-0.1, 0.1, 18).view(1, 3, 6, 1, 1)
    adv = (clips + offsets).clamp(0, 1)
    assert (Flicker(0.1).project(adv, clips) - adv).abs().max() < 1e-6
    assert (Flicker(0.05).project(adv, clips) - (clips + offsets.clamp(-0.05, 0.05)).clamp(0, 1)).abs().max() < 1e-6
    adv[..., 0, 0] += 0.03
    assert Flicker(0.2).distance(adv, clips).isinf().all()


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_subspaces_on_black_and_white_clips(value):
    clips = torch.full((2, 3, 4, 16, 16), value)
    for threat in (Flicker(0.1), LowFrequency(0.1)):
        for adv in (threat.random_start(clips), threat.project(clips + 0.1 * torch.randn_like(clips), clips)):
            allowed(threat, adv, clips)
            assert (threat.project(adv, clips) - adv).abs().max() < 1e-5


def test_bad_threats_are_refused_in_one_line():
    bad = [
        lambda: Linf(8),
        lambda: Linf(-0.1),
        lambda: Linf("8"),
        lambda: Linf(math.nan),
        lambda: L2(-1),
        lambda: FrameL2(None),
        lambda: Flicker(2),
        lambda: LowFrequency(time=-1),
        lambda: Frames(0.1, frames=0),
        lambda: Frames(0.1, frames=[]),
        lambda: Frames(LowFrequency(0.1, time=0.5)),
        lambda: Frames(0.1, frames=[16]).random_start(CLIPS),
        lambda: Patch(0),
        lambda: Patch(33).random_start(CLIPS),
        lambda: Patch(4, corner=(-1, 0)),
        lambda: Linf(0.1).project(CLIPS[:1], CLIPS),
        lambda: L2(1).distance(CLIPS[..., 1:], CLIPS),
    ]
    for make in bad:
        with pytest.raises(VideoPureError) as error:
            make()
        assert "\n" not in str(error.value)


# PGD


@pytest.mark.slow
@threat
def test_attack_keeps_its_constraint_and_beats_noise(threat, classifier):
    attack = PGD(classifier, threat, steps=6, loss="margin", early_stop=False, seed=0)
    adv = attack(CLIPS, LABELS)
    allowed(threat, adv)
    starts = [margin(classifier(threat.random_start(CLIPS)), LABELS) for _ in range(3)]
    assert (margin(classifier(adv), LABELS) > torch.stack(starts).amax(0)).all()


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["ce", "margin", "dlr", "records"])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_loss_and_schedule_breaks_the_bare_classifier(loss, schedule, classifier):
    attack = PGD(classifier, 8 / 255, loss=loss, schedule=schedule, momentum=0.5, seed=0)
    adv = attack(CLIPS, LABELS)
    assert attack.success.all() and (classifier(adv).argmax(1) != LABELS).all()


def test_equals_torchattacks(classifier):
    for start in (True, False):
        settings = dict(eps=8 / 255, alpha=2 / 255, steps=7, random_start=start)
        torch.manual_seed(11)
        theirs = torchattacks.PGD(classifier, **settings)(CLIPS, LABELS)
        ours = PGD(classifier, **settings, best=False, early_stop=False, seed=11)(CLIPS, LABELS)
        assert (ours - theirs).abs().max() < 1e-6


def test_seed(classifier):
    seeded, free = PGD(classifier, steps=2, seed=1), PGD(classifier, steps=2)
    before = torch.random.get_rng_state()
    one = seeded(CLIPS, LABELS)
    assert torch.equal(before, torch.random.get_rng_state())
    assert torch.equal(one, seeded(CLIPS, LABELS)) and not torch.equal(one, PGD(classifier, steps=2, seed=2)(CLIPS, LABELS))
    torch.manual_seed(1)
    assert torch.equal(one, free(CLIPS, LABELS)) and not torch.equal(one, free(CLIPS, LABELS))


def test_batch_is_as_good_as_clips_alone(classifier):
    model, clips = tiny_classifier().double(), CLIPS.double()
    attack = PGD(model, 2 / 255, steps=5, random_start=False, momentum=0.5)
    together = attack(clips, LABELS)
    alone = torch.cat([attack(clips[i : i + 1], LABELS[i : i + 1]) for i in range(len(clips))])
    assert (together - alone).abs().max() < 1e-9


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["label", "function", "least likely", "random"])
def test_targets(mode, classifier):
    attack, targets = PGD(classifier, steps=15, seed=0), (LABELS + 3) % 10
    if mode == "label":
        attack.set_mode_targeted_by_label()
    elif mode == "function":
        attack.set_mode_targeted_by_function(lambda clips, labels: (labels + 3) % 10)
    elif mode == "least likely":
        attack.set_mode_targeted_least_likely()
        targets = classifier(CLIPS).argmin(1)
    else:
        attack.set_mode_targeted_random()
    adv = attack(CLIPS, targets if mode == "label" else LABELS)
    allowed(Linf(8 / 255), adv)
    if mode != "random":
        before, after = (classifier(x).log_softmax(1).gather(1, targets[:, None]) for x in (CLIPS, adv))
        assert (after > before).all()
        assert torch.equal(attack.success, classifier(adv).argmax(1) == targets)
    assert attack.success.float().mean() >= 0.75
    attack.set_mode_default()
    attack(CLIPS, LABELS)
    assert attack.success.all()


def test_leaves_nothing_behind(classifier):
    model = tiny_classifier().requires_grad_(True).train()
    list(model.children())[0].eval()
    parameters = list(model.parameters())
    parameters[0].requires_grad_(False)
    buffers = {name: value.clone() for name, value in model.named_buffers()}
    modes = [module.training for module in model.modules()]
    clips = CLIPS.clone().requires_grad_()
    adv = PGD(model, steps=2)(clips, LABELS)
    assert not adv.requires_grad and clips.grad is None and torch.is_grad_enabled()
    assert [module.training for module in model.modules()] == modes
    assert all(p.grad is None for p in parameters) and [p.requires_grad for p in parameters] == [False] + [True] * (len(parameters) - 1)
    assert all(torch.equal(value, buffers[name]) for name, value in model.named_buffers())


def test_runs_without_gradient_around_it(classifier):
    attack = PGD(classifier, steps=3, seed=0)
    expected = attack(CLIPS, LABELS)
    with torch.no_grad():
        assert torch.equal(attack(CLIPS, LABELS), expected) and not torch.is_grad_enabled()
    with torch.inference_mode():
        assert torch.equal(attack(CLIPS.clone(), LABELS.clone()), expected) and torch.is_inference_mode_enabled()


def test_wrong_clips_are_not_attacked(classifier):
    wrong = LABELS.clone()
    wrong[1] = (wrong[1] + 1) % 10
    attack = PGD(classifier, steps=3, seed=0)
    adv = attack(CLIPS, wrong)
    assert torch.equal(adv[1], CLIPS[1]) and attack.success[1] and attack.steps_used[1] == 0
    assert not torch.equal(PGD(classifier, steps=3, early_stop=False)(CLIPS, wrong)[1], CLIPS[1])


def test_broken_clips_are_left_alone_and_only_survivors_restart():
    model = Probe(by_brightness)
    clips = torch.stack([torch.full((3, 4, 8, 8), level) for level in (0.495, 0.47, 0.1)])  # broken after 1 step, 4 steps, never
    attack = PGD(model, 0.04, alpha=0.01, steps=4, random_start=False, loss=["ce", "margin"], restarts=2)
    attack(clips, torch.zeros(3, dtype=torch.long))
    assert attack.success.tolist() == [True, True, False] and attack.steps_used.tolist() == [1, 4, 8]
    assert model.batches == [3] + [3, 3, 2, 2, 2] + [1] * 5


def test_best_iterate_is_kept():
    def bump(video):  # the loss rises to a peak and falls again along the ascent
        mean = video.flatten(1).mean(1)
        score = -(mean - 0.52).abs() * 10 - 1
        return torch.stack([-score, score, score - 1], 1)

    clips, labels = torch.full((1, 3, 4, 8, 8), 0.45), torch.tensor([0])
    settings = dict(eps=0.2, alpha=0.05, steps=4, random_start=False, early_stop=False)
    loss = {best: margin(bump(PGD(Probe(bump), **settings, best=best)(clips, labels)), labels).item() for best in (True, False)}
    assert loss[True] > loss[False] + 0.1


def test_masked_gradients_are_told_and_no_answer_is_a_wrong_one():
    rounded = Probe(lambda video: by_brightness(video + (video.round() - video).detach() - video + video.detach()))
    attack = PGD(rounded, steps=3, random_start=False)
    with pytest.warns(UserWarning, match="no gradient for 2 of 2 clips"):
        attack(torch.full((2, 3, 4, 8, 8), 0.2), torch.tensor([0, 0]))
    assert attack.zero_gradients.tolist() == [3, 3] and not attack.success.any()
    assert attack.flags == [["no gradient in 3 of 3 steps"]] * 2
    with pytest.raises(VideoPureError, match="no gradient"):
        PGD(Probe(lambda v: by_brightness(v.detach())), steps=2, early_stop=False)(CLIPS, torch.zeros(4, dtype=torch.long))
    refuses = PGD(Probe(lambda v: by_brightness(v).where(v.mean((1, 2, 3, 4))[:, None] < 0.25, torch.nan)), 0.01, alpha=0.005, steps=4)
    refuses(torch.full((2, 3, 4, 8, 8), 0.2) * torch.tensor([1.0, 2.0]).view(2, 1, 1, 1, 1), torch.tensor([0, 0]))
    assert refuses.success.tolist() == [False, True]


def test_a_gradient_that_is_not_finite_or_underflows_is_replaced_by_that_of_the_margin():
    data, labels = moving_shapes(4, seed=5)
    plain = tiny_classifier()
    sure, root = Probe(lambda v: plain(v) * 100), Probe(lambda v: plain(v) + (v - v).abs().sqrt().sum((1, 2, 3, 4))[:, None])
    expected = PGD(plain, 8 / 255, steps=5, loss="margin", seed=0)
    expected(data, labels)
    attack = PGD(sure, 8 / 255, steps=5, seed=0)
    attack(data, labels)
    assert attack.success.sum() >= expected.success.sum() > 0 and not attack.flags[0]
    attack = PGD(root, 8 / 255, steps=2, seed=0)
    with pytest.warns(UserWarning, match="no gradient"):
        assert attack(data, labels).isfinite().all()
    assert (attack.zero_gradients == attack.steps_used).all()


class Weights(nn.Module):
    "Scores from the mean colour; the clip `hole` has no finite gradient."

    def __init__(self, size, hole=None):
        super().__init__()
        self.weight, self.hole = nn.Parameter(size * torch.randn(3, 10, generator=torch.Generator().manual_seed(0))), hole

    def forward(self, video):
        scores = video.to(self.weight).mean((2, 3, 4)) @ self.weight
        if self.hole is not None:  # infinity times zero in the backward pass
            scores[self.hole] = scores[self.hole] + (video - video)[self.hole].sum().abs().sqrt()
        return scores


@pytest.mark.parametrize("size", [1e-5, 2e-4, 1.0, 1e4])
def test_gradients_in_float16_are_those_of_float32_of_any_size(size):
    attacks = [PGD(Weights(size).to(dtype), steps=3, seed=0, early_stop=False) for dtype in (torch.float16, torch.float32)]
    scores = [attack.model(CLIPS).abs().max() for attack in attacks]
    assert torch.isclose(*[score.float() for score in scores], rtol=0.1)
    half, single = (attack(CLIPS, LABELS) - CLIPS for attack in attacks)
    assert (half.sign() == single.sign()).float().mean() > 0.99 and attacks[0].zero_gradients.sum() == 0
    assert attacks[0].metrics["zeros"].max() == 0 and "zeros" not in attacks[1].metrics and attacks[1].scale == 1


def test_a_gradient_that_overflows_lowers_the_factor_and_one_that_is_never_finite_does_not():
    def follow(model, scale):
        attack, x = PGD(model.half()), CLIPS.clone().requires_grad_()
        attack.scale = scale
        with torch.enable_grad():
            return attack._gradient(margin(model(x).float(), LABELS), x), attack.scale

    grad, scale = follow(Weights(3.0), 2.0**24)
    assert grad.isfinite().all() and 1 <= scale < 2.0**24
    grad, scale = follow(Weights(1e-3, hole=2), 2.0**12)
    assert scale == 2.0**12 and grad[[0, 1, 3]].isfinite().all() and not grad[2].isfinite().any()
    assert not follow(Weights(1e-5), 1.0)[0].any() and follow(Weights(1e-5), 2.0**16)[0].all()


def test_zeros_in_float16_are_told_and_float32_is_as_it_was():
    class Some(Weights):
        def forward(self, video):
            return super().forward(video[:, :, :4])

    clips, labels = CLIPS[:2], torch.tensor([3, 3])
    labels = Some(1e-2).half()(clips).argmax(1)
    attack = PGD(Some(1e-2).half(), 1e-4, steps=2, seed=0)
    attack(clips, labels)
    assert attack.metrics["zeros"].tolist() == [0.75, 0.75] and not attack.success.any()
    assert attack.flags == [["75% of the gradient is zero in float16"]] * 2
    plain = PGD(Some(1e-2), 1e-4, steps=2, seed=0)
    plain(clips, labels)
    assert plain.flags == [[], []] and {*plain.metrics} == {"steps_used", "zero_gradients"}


@pytest.mark.parametrize("kind", [list, tuple, partial(np.array, dtype=np.uint16), partial(torch.tensor, dtype=torch.int16)])
def test_labels_of_any_whole_type(classifier, kind):
    labels = kind([1, 0, 2, 3])
    expected = PGD(classifier, 8 / 255, steps=1, seed=0)(CLIPS, torch.tensor([1, 0, 2, 3]))
    assert torch.equal(PGD(classifier, 8 / 255, steps=1, seed=0)(CLIPS, labels), expected)


@pytest.mark.parametrize("labels", [None, "1023", [1.0, 0.0, 2.0, 3.0], np.array(["a"] * 4), [True] * 4, [1, 0, 2], {1: 2}, 3])
def test_what_are_no_labels(classifier, labels):
    with pytest.raises(ClipError, match="whole numbers"):
        PGD(classifier, 8 / 255, steps=1)(CLIPS, labels)


@pytest.mark.parametrize(
    "settings",
    [{"steps": "3"}, {"steps": 2.5}, {"steps": True}, {"restarts": None}, {"eot": float("nan")}, {"loss": None}, {"loss": 3}]
    + [{"schedule": []}, {"momentum": "x"}, {"deviation": float("inf")}, {"alpha": 2}, {"alpha": "2"}, {"alpha": [1]}]
    + [{"eps": None}, {"eps": [0.1]}, {"seed": "a"}],
)
def test_settings_of_a_wrong_type_are_one_line(classifier, settings):
    with pytest.raises(VideoPureError) as error:
        PGD(classifier, **settings)
    assert "\n" not in str(error.value) and len(str(error.value)) < 300


def test_a_step_far_beyond_eps_is_told(classifier):
    with pytest.warns(UserWarning, match="times eps"):
        PGD(classifier, eps=1 / 255, alpha=0.5)


def test_seeded_attacks_in_threads_are_the_serial_ones(classifier):
    noisy = Defended(classifier, lambda video: (video + 0.05 * torch.randn_like(video)).clamp(0, 1))
    call = lambda seed: PGD(noisy, 8 / 255, steps=2, seed=seed)(CLIPS, LABELS)
    classifier.train()
    serial, state = [call(seed) for seed in range(4)], torch.get_rng_state()
    with ThreadPoolExecutor(4) as pool:
        parallel = list(pool.map(call, range(4)))
    assert all(map(torch.equal, serial, parallel)) and torch.equal(torch.get_rng_state(), state)
    assert classifier.training and all(module.training for module in classifier.modules())
    classifier.eval()


def test_random_purifier_needs_every_draw_to_be_wrong(classifier):
    noisy = Defended(classifier, lambda video: (video + 0.05 * torch.randn_like(video)).clamp(0, 1))
    attack = PGD(noisy, 8 / 255, steps=4, eot=3, seed=0)
    adv = attack(CLIPS, LABELS)
    allowed(Linf(8 / 255), adv)
    assert torch.equal(adv, attack(CLIPS, LABELS))
    coin = Probe(lambda video: by_brightness(video) + 10 * torch.randn(len(video), 2))
    attack = PGD(coin, 0.0, steps=2, eot=30, early_stop=False, seed=0)
    attack(CLIPS, torch.zeros(4, dtype=torch.long))
    assert not attack.success.any()


@pytest.fixture(scope="module")
def blurred(classifier):
    "A cheap defense with three records of different strength."

    def purifier(video):
        pool = nn.AvgPool3d((1, 3, 3), stride=1, padding=(0, 1, 1), count_include_pad=False)
        return torch.stack([video, pool(video), pool(pool(video))], 1)

    return Defended(classifier, purifier)


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["ce", "margin", "dlr", "records", record_loss(1)])
def test_attacks_the_vote(blurred, loss):
    attack = PGD(blurred, 8 / 255, steps=10, loss=loss, seed=0)
    adv = attack(CLIPS, LABELS)
    assert torch.equal(attack.success, blurred.vote(adv).labels != LABELS) and attack.success.float().mean() >= 0.5


@pytest.mark.slow
def test_deviation_moves_the_records(blurred):
    def moved(weight):
        adv = PGD(blurred, 8 / 255, steps=5, deviation=weight, early_stop=False, best=False, seed=0)(CLIPS, LABELS)
        with torch.no_grad():
            return (blurred.records(adv) - blurred.records(CLIPS)).square().mean()

    assert moved(1e6) > 1.05 * moved(0.0)


def test_records_of_a_bare_classifier(classifier):
    with torch.no_grad():
        assert torch.equal(record_logits(classifier, CLIPS)[:, 0], classifier(CLIPS))


@pytest.mark.slow
@threat
def test_quantized_clips_are_8_bit_and_allowed(threat, classifier):
    adv = quantized(PGD(classifier, threat, steps=3, seed=0))(CLIPS, LABELS)
    levels = (255 * CLIPS).round() / 255
    assert (255 * adv - (255 * adv).round()).abs().max() < 1e-4
    allowed(threat, adv, levels)


def test_quantized_keeps_whole_steps(classifier):
    attack, levels = PGD(classifier, 8 / 255, alpha=2 / 255, steps=8, random_start=False, best=False), (255 * CLIPS).round() / 255
    assert (quantized(attack)(CLIPS, LABELS) - attack(levels, LABELS)).abs().max() < 1e-5


def test_bad_settings_and_inputs_are_refused_in_one_line(classifier):
    bad = [
        lambda: PGD(classifier, 8),
        lambda: PGD(classifier, steps=0),
        lambda: PGD(classifier, restarts=0),
        lambda: PGD(classifier, eot=1.5),
        lambda: PGD(classifier, loss="hinge"),
        lambda: PGD(classifier, loss=[]),
        lambda: PGD(classifier, schedule="linear"),
        lambda: PGD(classifier, alpha=-1),
        lambda: PGD(classifier, momentum=-1),
        lambda: PGD(classifier, deviation=1),
        lambda: PGD(classifier, restarts=2, random_start=False),
        lambda: PGD(lambda clips: clips),
        lambda: VideoAttack("none", None),
        lambda: PGD(classifier).set_normalization_used([0.5] * 3, [0.5] * 3),
        lambda: PGD(classifier).set_return_type("int"),
        lambda: PGD(classifier)(CLIPS, LABELS[:2]),
        lambda: PGD(classifier)(CLIPS, LABELS.float()),
        lambda: PGD(classifier)(CLIPS, LABELS + 10),
        lambda: PGD(classifier)(CLIPS[0], LABELS),
        lambda: PGD(classifier)(255 * CLIPS, LABELS),
        lambda: PGD(classifier)(CLIPS * math.nan, LABELS),
        lambda: PGD(Defended(classifier, lambda video: video, sees="classifier"), deviation=1),
        lambda: PGD(Probe(by_brightness), loss="dlr")(CLIPS, LABELS * 0),
    ]
    for i, make in enumerate(bad):
        with pytest.raises(VideoPureError) as error:
            make()
        assert "\n" not in str(error.value), i
    with pytest.raises(ClipError, match="classes 0 to 9"):
        PGD(classifier)(CLIPS, LABELS + 10)


# sizes and threat models by name, and of one's own


SIZES = [
    ("8/255", 8 / 255),
    (8 / 255, 8 / 255),
    ("0.5", 0.5),
    (" 4 / 255 ", 4 / 255),
    (0, 0),
    ("1e-2", 0.01),
    (Fraction(1, 4), 0.25),
    (1, 1),
]
BAD_SIZES = [
    8,
    "8",
    "8/",
    "255/8",
    "-1/255",
    -0.1,
    "1/0",
    "a/b",
    "",
    "8/255/2",
    "nan",
    math.nan,
    "inf",
    None,
    [0.1],
    torch.tensor([0.1, 0.2]),
]


@pytest.mark.parametrize(("eps", "value"), SIZES)
def test_sizes(eps, value):
    assert as_eps(eps, most=1) == value and type(as_eps(eps)) is float


@pytest.mark.parametrize("eps", BAD_SIZES, ids=repr)
def test_bad_sizes(eps):
    with pytest.raises(VideoPureError, match="alpha is .*, expected 0 to 1") as error:
        as_eps(eps, most=1, name="alpha")
    assert "\n" not in str(error.value)


def test_sizes_are_written_as_usual():
    assert [format_eps(eps) for eps in (8 / 255, 0, 1, 0.5 / 255, 0.1)] == ["8/255", "0", "1", "0.5/255", "25.5/255"]
    assert all(as_eps(format_eps(n / 255)) == n / 255 for n in range(256))
    assert as_eps(300.0) == 300 and L2("5/2").eps == 2.5 and PGD(tiny_classifier(), "8/255", alpha="2/255").alpha == 2 / 255


@dataclass
class Dimmer(Threat):
    "A user's threat model: a clip may become darker by at most `eps`, all values alike."

    eps: float = 0.2
    least: float = 0.0

    def shrink(self, delta, clips):
        mean = delta.mean((1, 2, 3, 4), keepdim=True).clamp(-self.eps, -self.least * self.eps)
        return mean.expand_as(delta)

    def norm(self, delta):
        return delta.abs().flatten(1).amax(1)

    def random(self, clips, generator):
        return -self.eps * torch.rand(len(clips), 1, 1, 1, 1, generator=generator).expand_as(clips)

    def ascend(self, grad, alpha):
        return alpha * grad.mean((1, 2, 3, 4), keepdim=True).sign().expand_as(grad)


class Plain(Linf):
    "A user's threat model that is no dataclass."

    def __init__(self, eps=0.25):
        self.eps = as_eps(eps, most=1)


def test_threats_by_number_name_class_table_and_as_they_are(monkeypatch):
    ready = L2(3.0)
    for given, expected in (
        (8 / 255, Linf(8 / 255)),
        ("8/255", Linf(8 / 255)),
        (0, Linf(0)),
        ("L2", L2()),
        (L2, L2()),
        (Dimmer, Dimmer()),
        ("test_attacks:Dimmer", Dimmer()),
        ({"kind": "L2", "eps": "1/2"}, L2(0.5)),
        ({"eps": "4/255"}, Linf(4 / 255)),
        ({"kind": "LowFrequency", "time": 0.5, "eps": 0.1}, LowFrequency(0.1, time=0.5)),
        ({"kind": "test_attacks:Dimmer", "eps": 0.3, "least": 0.5}, Dimmer(0.3, 0.5)),
        ({"kind": Dimmer, "eps": 0.3}, Dimmer(0.3)),
        ({"kind": "Frames", "threat": {"kind": "FrameL2", "eps": 0.5}, "frames": 2}, Frames(FrameL2(0.5), frames=2)),
    ):
        found = as_threat(given)
        assert type(found).__name__ == type(expected).__name__ and found.eps == expected.eps
        assert found.describe() == expected.describe()
    assert as_threat(ready) is ready and as_threat(Plain).eps == 0.25 and make_threat(Plain, "1/255").eps == 1 / 255
    assert make_threat("Frames", "8/255", frames=3) == Frames(8 / 255, frames=3) and make_threat("Patch", 0.5, size=4) == Patch(4, eps=0.5)
    assert make_threat(lambda eps=0.1: L2(eps), 0.7) == L2(0.7)
    monkeypatch.setitem(threats.THREATS, "dimmer", Dimmer)
    assert as_threat("dimmer") == Dimmer() and make_threat("dimmer", 0.1, least=1.0) == Dimmer(0.1, 1.0)


def test_sizes_as_strings_reach_a_threat_of_ones_own_as_numbers(classifier):
    "A configuration gives every size as a string."
    assert make_threat(Dimmer, "1/10") == as_threat({"kind": "test_attacks:Dimmer", "eps": "1/10"}) == Dimmer(0.1)
    assert make_attack("pgd", classifier, threat="test_attacks:Dimmer", eps="1/10").threat == Dimmer(0.1)


@threat
def test_descriptions_are_read_back(threat):
    about = json.loads(json.dumps(threat.describe()))
    again = as_threat(about)
    assert type(again) is type(threat) and again.describe() == threat.describe()
    assert torch.equal(again.project(CLIPS + noise(), CLIPS), threat.project(CLIPS + noise(), CLIPS))


@pytest.mark.parametrize("make", [
    lambda: as_threat("Lnif"), lambda: as_threat("no_such_module:X"), lambda: as_threat({"kind": "L3"}),
    lambda: as_threat({"kind": "L2", "radius": 1}),
    lambda: as_threat(8), lambda: as_threat(None), lambda: as_threat([1]), lambda: make_threat("Linf", 8),
    lambda: make_threat("L2", colour=3),
    lambda: make_threat(Dimmer, most=1),
])  # fmt: skip
def test_bad_threats_by_name(make):
    with pytest.raises(VideoPureError) as error:
        make()
    assert "\n" not in str(error.value)


def test_a_threat_that_is_made_already_takes_no_options(classifier):
    for make in (
        lambda: make_threat(Linf(0.1), 0.2),
        lambda: make_threat(L2(1), eps=3),
        lambda: make_attack("pgd", classifier, threat=L2(1), eps=0.2),
    ):
        with pytest.raises(VideoPureError) as error:
            make()
        assert "\n" not in str(error.value)


def test_unknown_names_of_threats_are_answered_with_the_known_ones():
    with pytest.raises(VideoPureError, match="Linf, L2"):
        as_threat("Lnif")


@pytest.mark.parametrize("model", [Dimmer(0.2), "test_attacks:Dimmer", Plain(8 / 255)], ids=["object", "name", "plain"])
def test_attacks_within_a_threat_of_ones_own(model, classifier):
    for make in (PGD, RandomNoise, Square):
        attack = make(classifier, model, 5, seed=0) if make is not PGD else PGD(classifier, model, steps=3, early_stop=False, seed=0)
        adv = attack(CLIPS, LABELS)
        allowed(as_threat(model), adv)
        assert not torch.equal(adv, CLIPS)


# attacks by name, and of one's own


class Flip(VideoAttack):
    "A user's attack: mirror the clip."

    def __init__(self, model, axis=4, seed=None):
        super().__init__("Flip", model, seed)
        self.axis = axis

    def forward(self, clips, labels):
        self.on_step()
        self.metrics = {"flips": torch.ones_like(labels), "changed": (clips - clips.flip(self.axis)).abs().flatten(1).mean(1)}
        return clips.flip(self.axis)


def make_flip(model, axis=3):
    return Flip(model, axis)


def mirror(clips, labels):
    return clips.flip(4)


def test_attacks_by_name_class_factory_and_as_they_are(classifier, monkeypatch):
    ready = Flip(classifier)
    assert make_attack(ready, classifier) is ready and make_attack(mirror, classifier) is mirror
    assert isinstance(make_attack("pgd", classifier), PGD) and isinstance(make_attack("square", classifier), Square)
    assert make_attack(PGD, classifier, steps=3).steps == make_attack(partial(PGD, steps=3), classifier).steps == 3
    assert (
        make_attack(Flip, classifier, axis=3).axis
        == make_attack(make_flip, classifier).axis
        == make_attack("test_attacks:Flip", classifier, axis=3).axis
        == 3
    )
    assert make_attack("test_attacks:make_flip", classifier, axis=2).axis == 2 and make_attack("test_attacks:mirror", classifier) is mirror
    assert make_attack("APGD", classifier, eps="8/255").inner.eps == 8 / 255
    monkeypatch.setitem(ATTACKS, "flip", Flip)
    assert make_attack("flip", classifier, axis=2).axis == 2
    for made in (ready, make_flip(classifier, 4)):
        assert torch.equal(made(CLIPS, LABELS), mirror(CLIPS, LABELS))


def test_options_of_attacks(classifier):
    options = {"eps": "4/255", "alpha": "1/255", "steps": 2}
    attack = make_attack("pgd", classifier, **options)
    assert (attack.eps, attack.alpha, attack.steps) == (4 / 255, 1 / 255, 2) and options == {"eps": "4/255", "alpha": "1/255", "steps": 2}
    assert (
        make_attack("pgd", classifier, threat="L2", eps=3).threat == L2(3)
        and make_attack("noise", classifier, threat={"kind": "L2"}).threat == L2()
    )
    assert make_attack("pgd", classifier, threat={"frames": 2, "kind": "Frames"}, eps="8/255").threat == Frames(8 / 255, frames=2)
    assert make_attack("pgd", classifier, threat="test_attacks:Dimmer", eps=0.3).threat.eps == 0.3
    assert make_attack("square", classifier, threat=Dimmer(0.1)).threat == Dimmer(0.1)


@pytest.mark.parametrize(("method", "options", "text"), [
    ("pdg", {}, "unknown attack 'pdg': expected one of pgd"), ("pgd", {"epsilon": 1}, "epsilon"), (Flip, {"eps": 1}, "test_attacks:Flip"),
    ("test_attacks:Missing", {}, "cannot import"), (mirror, {"axis": 1}, "made already"), ("DIFGSM", {}, "DIFGSM cannot attack clips"),
    ("pgd", {"eps": "8"}, "write 8/255"), ("pgd", {"eps": 8}, "write 8/255"), ("pgd", {"threat": "L3"}, "unknown threat model 'L3'"),
    ("APGD", {"epsilon": 1}, "APGD has no setting 'epsilon'"), ("pgd", {"steps": 0}, "steps"), (make_flip, {"colour": 2}, "colour"),
])  # fmt: skip
def test_bad_attacks_by_name(method, options, text, classifier):
    with pytest.raises(VideoPureError, match=text) as error:
        make_attack(method, classifier, **options)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("part", [7, None, [1]], ids=repr)
def test_what_is_no_attack(part, classifier):
    with pytest.raises(VideoPureError) as error:
        make_attack(part, classifier)
    assert "\n" not in str(error.value)


@pytest.mark.slow
def test_attacks_of_other_modules_need_no_import_of_theirs(tmp_path):
    code = "from videopure.attacks import make_attack; from videopure.tiny import tiny_classifier as c; "
    code += "print([make_attack(a, c()).attack for a in ('square', 'APGD')])"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.strip() == "['Square', 'APGD']", done.stderr


def test_metrics_and_steps_of_attacks(classifier):
    steps = []
    for attack, names in (
        (PGD(classifier, steps=3, early_stop=False), {"steps_used", "zero_gradients"}),
        (Square(classifier, 0.0, 4), {"queries"}),
    ):
        steps.clear()
        attack.on_step = lambda: steps.append(1)
        attack(CLIPS, LABELS)
        assert attack.metrics.keys() == names and all(v.shape == (4,) for v in attack.metrics.values())
        assert len(steps) == max(attack.metrics[name].max() for name in names)


def test_an_attack_of_ones_own_in_a_benchmark(classifier):
    attacks = {"flip": Flip(classifier), "rows": {"method": Flip, "axis": 3}, "mirror": {"method": mirror, "n_clips": 2}}
    card = benchmark(classifier, {"none": None}, (CLIPS, LABELS), attacks, progress=False)
    assert card.metric("none", "flip", "flips") == 1 and card.metric("none", "rows", "changed") > 0
    assert len(card.cell("none", "mirror")) == 2 and card.outcomes("none", "mirror").items() <= card.outcomes("none", "flip").items()


def test_labels_are_checked():
    assert check_labels(LABELS, 4) is LABELS and check_labels(torch.tensor([0, 9]), 2, 10).tolist() == [0, 9]
    for labels, n, num_classes in (
        (LABELS, 3, None),
        (LABELS.float(), 4, None),
        (LABELS[None], 4, None),
        (LABELS * 0 + 10, 4, 10),
        (LABELS * 0 - 1, 4, 10),
    ):
        with pytest.raises(ClipError):
            check_labels(labels, n, num_classes)


def test_best_takes_what_is_better():
    clips, rows = torch.zeros(3, 1, 1, 1, 1), torch.arange(3)
    best = Best(clips, torch.tensor([False, False, True]))
    flags = lambda *values: torch.tensor(values)
    best.update(rows, clips + 1, flags(False, True, False), torch.tensor([1.0, -5.0, 9.0]))
    assert best.clips.flatten().tolist() == [1, 1, 0] and best.success.tolist() == [False, True, True] and not clips.any()
    best.update(rows, clips + 2, flags(False, False, True), torch.tensor([0.5, 9.0, 0.0]))
    assert best.clips.flatten().tolist() == [1, 1, 2], "no loss counts more than success"
    best.update(rows[1:], clips[1:] + 3, flags(False, False), torch.tensor([-9.0, -9.0]), always=True)
    assert best.clips.flatten().tolist() == [1, 3, 3] and best.success.tolist() == [False, False, False]


@pytest.mark.parametrize("loss", [lambda logits, labels: logits.sum(), lambda logits, labels: logits[:, 0, :1], lambda logits, labels: 1.0])
def test_a_loss_that_is_not_one_number_a_clip(loss):
    clips, labels = moving_shapes(2, seed=3)
    with pytest.raises(VideoPureError, match="one number for each clip"):
        PGD(tiny_classifier(), loss=loss, steps=1)(clips, labels)
