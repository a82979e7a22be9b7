"Certificates: bounds that are never too generous, rules that hold by brute force, and refusals where nothing is proved."

import itertools
import json
import math
from statistics import NormalDist

import pytest
import torch
from scipy.stats import beta, binom, norm
from torch import nn

from videopure import PGD, VideoPurePipeline, certify, moving_shapes, tiny_classifier
from videopure.certify import Certificate, Denoiser, DoubleMasked, Smoothed, Steady, binomial_bound, boxes, l2_of_one, nearest_visible
from videopure.certify import pairs, smoothing_radius, subsets, windows
from videopure.cli import main
from videopure.defense import Defended
from videopure.families import untrained
from videopure.threats import L2, Flicker, FrameL2, Frames, Linf, LowFrequency, Patch
from videopure.tiny import MotionClassifier, save_classifier
from videopure.video import VideoPureError, write_video

CLIPS, LABELS = moving_shapes(12, seed=90_001)
CLASSIFIER = tiny_classifier()


def one_line(call, *words):
    with pytest.raises(VideoPureError) as error:
        call()
    assert "\n" not in str(error.value)
    assert all(word in str(error.value) for word in words), error.value


NESTED_PATCH = Frames(Patch(4, eps=0.1), [1])

# --- the statistics ---------------------------------------------------------------------------------------------------------------


def risk(n, alpha, generous=1.0):
    "The largest probability, over true values, that the bound is above the true value: summed, not simulated."
    bounds = [generous * binomial_bound(k, n, alpha) for k in range(n + 1)]
    return max(sum(binom.pmf(j, n, p) for j in range(n + 1) if bounds[j] > p) for p in (min(b, 1.0) - 1e-12 for b in bounds[1:]))


@pytest.mark.parametrize("n, alpha", [(10, 0.05), (50, 0.01), (200, 0.001)])
def test_bound_keeps_its_promise_and_is_not_generous(n, alpha):
    assert risk(n, alpha) <= alpha * (1 + 1e-6)
    assert risk(n, alpha) > 0.9 * alpha  # it gives nothing away
    assert risk(n, alpha, generous=1.01) > alpha
    assert binomial_bound(0, n, alpha) == 0 and binomial_bound(n, n, alpha) == pytest.approx(alpha ** (1 / n))


@pytest.mark.parametrize("sigma", [0.1, 0.7])
@pytest.mark.parametrize("p", [0.51, 0.8, 0.999])
def test_radius_is_exactly_the_distance_of_a_linear_boundary(sigma, p):
    "A half space of probability p has its boundary at the radius: no bound could be 1 % larger."
    distance = sigma * NormalDist().inv_cdf(p)
    assert smoothing_radius(sigma, p) == pytest.approx(distance)
    left = lambda moved: NormalDist().cdf((distance - moved) / sigma)
    assert left(0.99 * smoothing_radius(sigma, p)) > 0.5 > left(1.01 * smoothing_radius(sigma, p))
    assert smoothing_radius(sigma, 1 - p) == 0


class Plane(nn.Module):
    "Class 1 where the first value of a clip is above 0."

    def forward(self, video):
        value = video[:, 0, 0, 0, 0]
        return torch.stack([-value, value], 1)


def test_whole_procedure_is_wrong_no_more_often_than_alpha():
    "Of a linear classifier the true radius is known: the distance. So is how often a certificate may exceed it."
    alpha, runs, distance = 0.1, 600, 0.3
    clip, over = torch.full((1, 3, 2, 1, 1), 0.0), {1.0: 0, 1.01: 0}
    clip[:, 0, 0] = distance
    for seed in range(runs):
        smoothed = Smoothed(Plane(), sigma=0.5, seed=seed, chunk=200)
        found = int(smoothed.count(clip[0], 100, "estimate")[1])
        for generous in over:
            bound = min(generous * binomial_bound(found, 100, alpha), 1 - 1e-9)
            over[generous] += smoothing_radius(0.5, bound) > distance
    assert over[1.0] <= binom.ppf(0.999, runs, alpha), over
    proof = Smoothed(Plane(), sigma=0.5, chunk=200).certify(clip, L2(0.1), draws=500, progress=False)
    assert proof.labels.tolist() == [1] and 0 < proof.radii[0] < 1.1 * distance


def test_class_and_count_come_from_other_draws(monkeypatch):
    smoothed, seen = Smoothed(Plane(), sigma=0.5), []
    count = Smoothed.count
    monkeypatch.setattr(Smoothed, "count", lambda self, clip, n, *names: seen.append((n, names)) or count(self, clip, n, *names))
    smoothed.certify(CLIPS[:1] - 0.5 + 0.5, draws=20, select=7, progress=False)
    assert [n for n, _ in seen] == [7, 20] and len({names for _, names in seen}) == 2


SQUARES = [(L2(1.0), 1), (Linf(0.1), 384), (FrameL2(0.2), 2), (Frames(L2(0.3), [1]), 1), (Frames(0.1, [0]), 192), (NESTED_PATCH, 48)]


@pytest.mark.parametrize("threat, square", SQUARES, ids=str)
def test_radius_is_that_of_the_counts(monkeypatch, threat, square):
    "Known counts, in which those that choose and those that count disagree, against the formula written once more."
    counts = {"select": torch.tensor([9, 20, 3]), "estimate": torch.tensor([30, 960, 10])}
    monkeypatch.setattr(Smoothed, "count", lambda self, clip, n, *names: counts[names[-1]])
    clip, alpha, sigma = torch.full((1, 3, 2, 8, 8), 0.5), 0.003, 0.7
    radius = sigma * norm.ppf(beta.ppf(alpha, 960, 41)) / math.sqrt(square)
    proof = Smoothed(Plane(), sigma).certify(clip, threat, draws=1000, alpha=alpha, progress=False)
    assert proof.labels.tolist() == [1] and proof.radii[0].item() == pytest.approx(radius, rel=1e-5) and proof.counts.tolist() == [960]
    counts["select"] = torch.tensor([30, 20, 3])
    assert Smoothed(Plane(), sigma).certify(clip, threat, draws=1000, alpha=alpha, progress=False).labels.tolist() == [-1]


def test_noise_has_the_width_of_the_theorem():
    class Seen(nn.Module):
        def forward(self, video):
            self.video = video
            return torch.zeros(len(video), 2)

    spy = Seen()
    Smoothed(spy, 0.3, chunk=64).count(torch.full((3, 4, 16, 16), 0.5), 64, "x")
    assert spy.video.std().item() == pytest.approx(0.3, rel=0.01) and spy.video.mean().item() == pytest.approx(0.5, abs=0.005)


def test_predict_withholds_what_is_close_and_is_seldom_wrong():
    "A vote of 60 to 40 of all noise: what is said against it is at most alpha, and at many draws something is said."
    clip = torch.zeros(1, 3, 2, 1, 1) + 0.5 * NormalDist().inv_cdf(0.6)
    smoothed = Smoothed(Plane(), sigma=0.5, chunk=2000)
    said = torch.cat([smoothed.predict(clip, draws=20, alpha=0.05) for _ in range(300)])
    assert (said == 0).sum() <= binom.ppf(0.999, 300, 0.05) and (said == -1).any()
    assert smoothed.predict(clip, draws=2000).tolist() == [1]
    assert not torch.equal(
        *(torch.stack([smoothed.count(clip[0], 50, "predict", torch.Generator().seed()) for _ in range(9)]) for _ in "ab")
    )


def test_proofs_that_cannot_be_are_refused_before_anything_is_drawn(monkeypatch):
    monkeypatch.setattr(Smoothed, "count", lambda *_: pytest.fail("something was drawn"))
    one_line(lambda: Smoothed(Plane()).certify(CLIPS[:1], draws=9), "prove nothing", "10 or more")

    class Double(Flicker):
        def smooth(self, delta):
            return 2 * super().smooth(delta)

    one_line(lambda: Smoothed(Plane(), inside=Double(0.1)).certify(CLIPS[:1], Double(0.1)), "orthogonal projection")


@pytest.mark.parametrize("wrong", [{"alpha": 2}, {"draws": 9}, {"select": 0}])
def test_wrong_options_leave_no_folder(wrong, tmp_path):
    with pytest.raises(VideoPureError):
        certify.certify(Smoothed(Plane()), CLIPS[:1], L2(0.1), tmp_path / "out", False, **wrong)
    assert not (tmp_path / "out").exists()


def test_a_denoiser_of_other_noise_is_refused_and_parts_move_along():
    pipe = VideoPurePipeline.tiny()
    one_line(lambda: Smoothed(CLASSIFIER, 0.5, Denoiser(pipe, 0.1)), "0.1", "0.5")
    assert {id(pipe.unet), id(pipe.vae)} <= {id(part) for part in Smoothed(CLASSIFIER, 0.5, pipe).modules()}


def test_what_a_denoiser_has_measured_makes_no_other_run(tmp_path):
    pipe = VideoPurePipeline.tiny()
    proofs = [certify.certify(Smoothed(CLASSIFIER, 0.1, pipe), CLIPS[:1], L2(0.1), tmp_path, False, draws=12, select=2) for _ in range(2)]
    assert torch.equal(proofs[0].counts, proofs[1].counts)


def test_a_defended_sees_clips_only():
    inner = Defended(CLASSIFIER, lambda clips: clips)
    for model, threat in ((Smoothed(inner, 0.3, draws=12), L2(0.1)), (Steady(inner), Flicker())):
        model.certify(CLIPS[:1], threat, progress=False)


def test_what_is_asked_of_a_proof_must_fit_it():
    proof = Certificate(torch.tensor([1, 1, -1]), torch.tensor([0.5, 1.0, 0.0]), torch.tensor([9, 9, 1]), 10, 0.1, L2(0.5))
    assert proof.certified("1/2").tolist() == [False, True, False] and proof.accuracy([1, 1, 1], 0.1).right == 2
    assert proof.contradicted(torch.tensor([-1, 2, 2]), 0.1) == 1  # what is withheld is no other answer
    for wrong in (torch.tensor([[1], [1], [1]]), torch.tensor([1]), [1.0, 1.0, 1.0]):
        one_line(lambda wrong=wrong: proof.accuracy(wrong), "labels")
    one_line(lambda: proof.certified(-1), "eps")
    one_line(lambda: Certificate(torch.tensor([1, 1]), torch.tensor([0.5]), torch.tensor([9, 9]), 10, 0.1, L2(0.5)), "radii")


def test_unsure_answers_are_withheld_and_count_as_wrong():
    clip = torch.zeros(1, 3, 2, 1, 1)  # on the boundary
    proof = Smoothed(Plane(), sigma=0.5).certify(clip, L2(0.01), draws=100, progress=False)
    assert proof.labels.tolist() == [-1] and proof.radii.tolist() == [0]
    assert proof.accuracy(torch.tensor([1]), 0.0).right == 0
    sure = Certificate(torch.tensor([1, 1]), torch.tensor([0.5, 0.5]), torch.tensor([9, 9]), 10, 0.1, L2(0.5))
    assert not sure.certified().any() and sure.certified(0.49).all()  # the theorem is about sizes below the radius


def test_answers_repeat_and_follow_the_seed():
    noisy = Smoothed(CLASSIFIER, 0.05, draws=20)
    assert torch.equal(noisy(CLIPS[:2]), noisy(CLIPS[:2]))
    assert torch.equal(noisy(CLIPS[:2]), Smoothed(CLASSIFIER, 0.05, draws=20, chunk=7)(CLIPS[:2]))
    assert not torch.equal(
        Smoothed(CLASSIFIER, 0.1, draws=50)(CLIPS[:4]), Smoothed(CLASSIFIER, 0.1, draws=50, seed=1)(CLIPS[:4])
    )  # fmt: skip


# --- sizes --------------------------------------------------------------------------------------------------------------------------


NESTED = [Frames(L2(0.4), [1]), Frames(FrameL2(0.2), [0, 2]), Frames(Frames(0.1, [1, 2]), [2, 3]), Frames(Patch(4, eps=0.1), [1])]
THREAT_MODELS = [Linf(0.1), L2(0.4), FrameL2(0.2), Flicker(0.1), LowFrequency(0.1), Frames(0.1, [1]), Patch(4, eps=0.1), *NESTED]


@pytest.mark.parametrize("threat", THREAT_MODELS, ids=str)
def test_no_allowed_change_is_longer_than_is_said(threat):
    clip = torch.full((1, 3, 4, 8, 8), 0.5)
    most = threat.eps * l2_of_one(threat, clip[0])
    for seed in range(20):
        generator = torch.Generator().manual_seed(seed)
        moved = threat.project(clip + torch.randn(clip.shape, generator=generator), clip)
        assert (moved - clip).norm() <= most * (1 + 1e-4)
    if type(threat) in (Linf, L2, FrameL2, Flicker, Frames, Patch):  # and one is as long
        signs = threat.project(clip + 0.45, clip)
        assert (signs - clip).norm() == pytest.approx(most, rel=1e-3)


def test_noise_inside_a_subspace():
    "Flicker noise: every pixel of a frame moves alike, by a bell curve of the width that the theorem speaks of."
    seen = []

    class Look(nn.Module):
        def forward(self, video):
            seen.append(video)
            return torch.zeros(len(video), 2)

    clip = torch.full((3, 4, 8, 8), 0.5)
    Smoothed(Look(), sigma=0.8, inside=Flicker(0.1), chunk=2000).count(clip, 2000)
    offsets = seen[0] - clip
    assert (offsets - offsets.mean((3, 4), keepdim=True)).abs().max() < 1e-5
    assert offsets[..., 0, 0].std().item() == pytest.approx(0.8 / 8, rel=0.05)
    inside = Smoothed(CLASSIFIER, 0.5, inside=Flicker(0.1))
    one_line(lambda: inside.certify(CLIPS[:1], Linf(0.01)), "proves nothing against")
    waves = Smoothed(CLASSIFIER, 0.5, inside=LowFrequency(0.1, space=0.25))
    one_line(lambda: waves.certify(CLIPS[:1], LowFrequency(0.1, space=0.5)), "proves nothing against")  # a larger subspace
    proof = inside.certify(CLIPS[:1], Flicker(0.01), draws=50, progress=False)
    assert proof.threat.eps == 0.01 and proof.radii[0] <= torch.minimum(CLIPS[0], 1 - CLIPS[0]).min()


# --- the denoiser -------------------------------------------------------------------------------------------------------------------


def test_level_is_that_of_the_noise():
    pipe = VideoPurePipeline.tiny()
    for sigma in (0.05, 0.25, 0.5):
        assert Denoiser(pipe, sigma).level(CLIPS) == pytest.approx(1 / (1 + 16 * sigma**2), rel=0.02)


def test_any_model_of_any_size_may_denoise():
    pipe = VideoPurePipeline(**untrained("Wan"))
    clip = torch.rand(1, 3, 6, 20, 18)
    out = Denoiser(pipe, 0.1)(clip)
    assert out.shape == clip.shape and 0 <= out.min() and out.max() <= 1
    one_line(lambda: Denoiser(CLASSIFIER, 0.1), "VideoPurePipeline")


@pytest.mark.slow
def test_denoised_smoothing_certifies_what_plain_smoothing_cannot():
    pipe = VideoPurePipeline.tiny()
    pipe.set_progress_bar_config(disable=True)
    proofs = [Smoothed(CLASSIFIER, 0.25, denoiser).certify(CLIPS[:4], draws=60, select=10, progress=False) for denoiser in (None, pipe)]
    plain, denoised = (proof.accuracy(LABELS[:4], 0.1).right for proof in proofs)
    assert plain <= 1 < 3 <= denoised  # under noise alone the classifier always says the same, which may be right by chance
    attacked = PGD(CLASSIFIER, L2(0.25), alpha=0.1, steps=5, seed=0)(CLIPS[:4], LABELS[:4])
    sure = proofs[1].certified(0.25)
    again = Smoothed(CLASSIFIER, 0.25, pipe, draws=60, seed=5)(attacked[sure]).argmax(1)
    assert torch.equal(again, proofs[1].labels[sure])


# --- masks --------------------------------------------------------------------------------------------------------------------------


class Arbitrary(nn.Module):
    "A classifier of clips of black or white pixels with a random answer for each, in favour of the majority."

    def __init__(self, frames, seed):
        super().__init__()
        lean = torch.tensor([bin(i).count("1") / frames - 0.5 for i in range(2**frames)])
        self.table = torch.stack([-lean, lean], 1) + 0.4 * torch.randn(2**frames, 2, generator=torch.Generator().manual_seed(seed))

    def forward(self, video):
        frames = video.shape[2]
        return self.table[(video[:, 0, :, 0, 0].long() * 2 ** torch.arange(frames - 1, -1, -1)).sum(1)]


def outcomes(frames, k, seeds, certified):
    "How many answers are certified, and how many of them some attack on k consecutive frames changes."
    every = torch.tensor(list(itertools.product([0.0, 1.0], repeat=frames))).view(-1, 1, frames, 1, 1).expand(-1, 3, -1, -1, -1)
    sure, broken = 0, 0
    for seed in range(seeds):
        model = DoubleMasked(Arbitrary(frames, seed), windows(frames, k), chunk=64)
        said = model(every).argmax(1)
        for i in certified(model, every, said).nonzero()[:, 0].tolist():
            differ = (every != every[i]).any(1).flatten(1)
            near = torch.stack([(differ & ~window).sum(1) == 0 for window in windows(frames, k)]).any(0)
            sure, broken = sure + 1, broken + bool((said[near] != said[i]).any())
    return sure, broken


@pytest.mark.parametrize("frames, k", [(4, 1), (5, 1), (6, 2)])
def test_no_attack_of_all_changes_a_certified_answer(frames, k):
    sure, broken = outcomes(frames, k, 8, lambda model, every, said: model.certify(every, Frames(1.0, [0]), progress=False).certified())
    assert sure >= 20 and broken == 0


def test_single_masks_would_be_too_generous():
    "Agreement under all single masks, rather than all pairs, proves nothing: an attack of all changes some of these answers."

    def singles(model, every, said):
        return torch.stack([(model.seen(clip, model.masks).argmax(1) == label).all() for clip, label in zip(every, said)])

    assert outcomes(5, 1, 8, singles)[1] > 0


def test_certified_answers_survive_attacks_that_optimize_the_frames():
    masked = DoubleMasked(CLASSIFIER, windows(16, 1))
    proof = masked.certify(CLIPS[:6], Frames(1.0, [0]), progress=False)
    sure = proof.certified() & (proof.labels == LABELS[:6])
    assert sure.sum() >= 4
    for frame in (0, 7, 15):
        attacked = PGD(CLASSIFIER, Frames(1.0, [frame]), alpha=0.2, steps=8, seed=0)(CLIPS[:6], LABELS[:6])
        assert torch.equal(masked(attacked[sure]).argmax(1), LABELS[:6][sure])


def test_hidden_frames_leave_no_trace():
    generator = torch.Generator().manual_seed(0)
    for hidden in pairs(windows(8, 3)):
        clip, other = torch.rand(2, 3, 8, 4, 4, generator=generator)
        other = torch.where(hidden[:, None, None], other, clip)
        assert torch.equal(nearest_visible(clip, hidden), nearest_visible(other, hidden))
    assert len(pairs(windows(16, 2))) == 120 and len(pairs(windows(16, 1))) == 136


@pytest.mark.parametrize("sides", [(32, 32), (17, 40), (9, 8)])
@pytest.mark.parametrize("size, steps", [(1, 2), (4, 6), (7, 3)])
def test_every_box_lies_in_a_mask(sides, size, steps):
    masks = boxes(*sides, size, steps)
    for i in range(sides[0] - size + 1):
        for j in range(sides[1] - size + 1):
            assert masks[:, i : i + size, j : j + size].flatten(1).all(1).any()


def test_patches():
    masked = DoubleMasked(CLASSIFIER, boxes(32, 32, 2, steps=2))
    proof = certify.certify(masked, CLIPS[:2], Patch(2, (30, 30)), progress=False)
    assert proof.alpha == 0 and proof.draws == len(pairs(masked.masks))
    one_line(lambda: masked.certify(CLIPS[:1], Patch(30)), "no mask hides")


# --- flicker ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_flicker_changes_nothing(seed):
    pale = 0.25 + CLIPS / 2
    moved = pale + 0.5 * torch.rand(12, 3, 16, 1, 1, generator=torch.Generator().manual_seed(seed)) - 0.25
    steady = Steady(CLASSIFIER)
    assert torch.equal(steady(moved).argmax(1), steady(pale).argmax(1))
    assert steady.certify(pale).certified(0.2).all() and not steady.certify(pale).certified(0.51).any()
    assert not steady.certify((CLIPS > 0.5).float()).certified(0.0).any()  # any flicker cuts something off
    attacked = PGD(steady, Flicker(0.2), alpha=0.05, steps=4, seed=0)(pale, LABELS)
    assert torch.equal(steady(attacked).argmax(1), steady(pale).argmax(1))


# --- refusals -----------------------------------------------------------------------------------------------------------------------


def test_what_cannot_be_proved_is_refused():
    one_line(lambda: certify.certify(CLASSIFIER, CLIPS, 1 / 255), "plain MotionClassifier", "Smoothed")
    one_line(lambda: certify.certify(CLASSIFIER, CLIPS, "Flicker"), "Steady")
    one_line(lambda: certify.certify(CLASSIFIER, CLIPS, Frames(1.0, 1)), "DoubleMasked")
    one_line(lambda: Steady(CLASSIFIER).certify(CLIPS, Linf(0.1)), "Flicker only")
    one_line(lambda: DoubleMasked(CLASSIFIER, windows(16, 1)).certify(CLIPS, 0.1), "every pixel")
    one_line(lambda: DoubleMasked(CLASSIFIER, windows(8, 1))(CLIPS[:1]), "do not fit")
    one_line(lambda: DoubleMasked(CLASSIFIER, torch.ones(3)), "tensor of bool")
    for wrong in ({"sigma": 0}, {"sigma": math.nan}, {"draws": 0}, {"chunk": 0}):
        one_line(lambda wrong=wrong: Smoothed(CLASSIFIER, **wrong), next(iter(wrong)))
    for wrong in ({"alpha": 0}, {"alpha": 0.9}, {"draws": 0}, {"select": 0}):
        one_line(lambda wrong=wrong: Smoothed(Plane()).certify(CLIPS[:1], **wrong), next(iter(wrong)))
    for wrong in (0, 16, 2.5):
        one_line(lambda wrong=wrong: windows(16, wrong), "k")


def test_a_random_classifier_has_no_exact_proof():
    class Drawn(nn.Module):
        def forward(self, video):
            return torch.tensor([0.0, 1.0, 3.0]) + 0.01 * torch.randn(len(video), 3)

    one_line(lambda: DoubleMasked(Drawn(), windows(16, 1)).certify(CLIPS[:1], Frames(1.0, 1), progress=False), "asked again")
    one_line(lambda: Steady(Drawn()).certify(CLIPS[:1]), "asked again")


def test_a_classifier_whose_clips_influence_each_other_has_no_exact_proof():
    class Together(nn.Module):
        def forward(self, video):
            return CLASSIFIER(0.5 + video - video.mean(0, keepdim=True))

    for model, threat in ((DoubleMasked(Together(), windows(16, 1)), Frames(1.0, 1)), (Steady(Together()), Flicker())):
        one_line(lambda model=model, threat=threat: model.certify(CLIPS[:2], threat, progress=False), "together with other clips")


def test_doors_refuse_what_they_do_not_know():
    one_line(lambda: certify.certify(Steady(CLASSIFIER), CLIPS, Flicker(), draws=10), "draws")
    one_line(lambda: certify.certify(Smoothed(Plane()), CLIPS, L2(0.1), first=3), "first", "draws, select, alpha")
    one_line(lambda: DoubleMasked(CLASSIFIER, windows(8, 1)).certify(CLIPS), "do not fit")
    one_line(lambda: DoubleMasked(CLASSIFIER, boxes(16, 16, 4)).certify(CLIPS, Patch(4)), "do not fit")


def test_room_ends_at_black_and_at_white():
    clips = torch.stack([torch.full((3, 2, 4, 4), v) for v in (0.3, 0.9)])
    assert certify.room(clips).tolist() == pytest.approx([0.3, 0.1])


def test_a_fill_of_ones_own_never_sees_what_is_hidden():
    "Even one that gives the clip back as it got it."
    masked = DoubleMasked(CLASSIFIER, windows(16, 2), fill=lambda clip, hidden: clip)
    other = CLIPS[0].clone()
    other[:, :2] = 1 - other[:, :2]
    assert torch.equal(masked.seen(CLIPS[0], masked.masks[:1]), masked.seen(other, masked.masks[:1]))


# --- any frames, kept results, the command ---------------------------------------------------------------------------------------------


def test_any_two_frames_by_brute_force():
    "Five frames of one black or white pixel: no attack on any two of them, together or apart, changes a certified answer."
    frames, k, sure, broken = 5, 2, 0, 0
    every = torch.tensor(list(itertools.product([0.0, 1.0], repeat=frames))).view(-1, 1, frames, 1, 1).expand(-1, 3, -1, -1, -1)
    for seed in range(10):
        model = DoubleMasked(Arbitrary(frames, seed), subsets(frames, k), chunk=64)
        proof, said = model.certify(every, Frames(1.0, [0, 3]), progress=False), model(every).argmax(1)
        for i in proof.certified().nonzero()[:, 0].tolist():
            near = (every != every[i]).any(1).flatten(1).sum(1) <= k
            sure, broken = sure + 1, broken + int((said[near] != said[i]).sum())
    assert sure > 15 and broken == 0
    one_line(lambda: subsets(64, 5), "too many")
    one_line(lambda: subsets(4, 4), "k")


def test_results_are_kept_and_belong_to_one_run(tmp_path, monkeypatch):
    smoothed = Smoothed(CLASSIFIER, 0.05)
    whole = smoothed.certify(CLIPS[:4], L2(0.02), 30, 5, progress=False)
    options = {"draws": 30, "select": 5, "progress": False}
    calls, count = [], Smoothed.count

    def interrupted(self, *names):
        calls.append(1)
        if len(calls) == 6:
            raise KeyboardInterrupt
        return count(self, *names)

    monkeypatch.setattr(Smoothed, "count", interrupted)
    with pytest.raises(KeyboardInterrupt):  # in the third clip
        certify.certify(smoothed, CLIPS[:4], L2(0.02), tmp_path, **options)
    monkeypatch.setattr(Smoothed, "count", lambda self, *names: calls.append(1) or count(self, *names))
    calls.clear()
    again = certify.certify(smoothed, CLIPS[:4], L2(0.02), tmp_path, **options)
    assert len(calls) == 4 and torch.equal(again.counts, whole.counts) and torch.allclose(again.radii, whole.radii)
    for other in (
        lambda: certify.certify(smoothed, CLIPS[:4], L2(0.03), tmp_path, **options),
        lambda: certify.certify(smoothed, CLIPS[4:8], L2(0.02), tmp_path, **options),
        lambda: certify.certify(Smoothed(CLASSIFIER, 0.06), CLIPS[:4], L2(0.02), tmp_path, **options),
        lambda: certify.certify(Smoothed(tiny_classifier("robust"), 0.05), CLIPS[:4], L2(0.02), tmp_path, **options),
        lambda: certify.certify(smoothed, CLIPS[:4], L2(0.02), tmp_path, **options | {"draws": 31}),
    ):
        one_line(other)


def test_folder_of_proofs_grows_and_keeps_what_is_right(tmp_path):
    masked, names = DoubleMasked(CLASSIFIER, windows(16, 1)), [f"kick/{i}" for i in range(4)]
    wrong = (LABELS[:4] + 1) % 10
    keep = lambda n, labels: certify.certify(masked, CLIPS[:n], Frames(1.0, [3]), tmp_path, False, labels[:n], names[:n])
    keep(2, LABELS), keep(4, LABELS)
    lines = [json.loads(line) for path in tmp_path.glob("results-*.jsonl") for line in path.read_text().splitlines()]
    assert [line["clip"] for line in lines] == names and [line["label"] for line in lines] == LABELS[:4].tolist()
    assert all(line["right"] == [line["certain"] and line["said"] == line["label"]] for line in lines)
    one_line(lambda: certify.certify(masked, CLIPS[1:3], Frames(1.0, [3]), tmp_path, False, names=names[:2]), "another clip")
    one_line(lambda: certify.certify(masked, CLIPS[:2], Frames(1.0, [3]), tmp_path, False, names=["a", "a"]), "names")
    one_line(lambda: certify.certify(masked, CLIPS[:2], Frames(1.0, [3]), tmp_path, False, labels=LABELS[:3]), "labels")
    other = certify.certify(masked, CLIPS[:2], Frames(1.0, [3]), tmp_path / "b", False, wrong[:2])
    lines = [json.loads(line) for path in (tmp_path / "b").glob("results-*.jsonl") for line in path.read_text().splitlines()]
    assert other.certified().any() and not any(line["right"][0] for line in lines)


@pytest.mark.parametrize("largest, sizes", [(0.456, 10), (1.0, 6), (0.0, 1), (3.2e-4, 7), (40.0, 9)])
def test_sizes_of_a_curve_are_round(largest, sizes):
    proof = Certificate(torch.tensor([1]), torch.tensor([largest]), torch.tensor([9]), 10, 0.1, L2(0.5))
    found = certify._sizes(proof)
    assert len(found) == sizes and found[0] == 0 and found[-1] <= largest + 1e-9
    table = certify.certified_accuracy(proof, torch.tensor([1]))
    assert all(len(row[0]) <= 7 for row in table.rows) and f"average certified radius: {largest:.3g}" in table.notes[0]


def test_endless_radii_are_kept(tmp_path):
    masked = DoubleMasked(CLASSIFIER, windows(16, 1))
    proofs = [certify.certify(masked, CLIPS[:2], Frames(1.0, [3]), tmp_path, False) for _ in range(2)]
    assert proofs[0].radii.tolist() == proofs[1].radii.tolist() and math.inf in proofs[0].radii.tolist()


def test_curve_falls_and_names_the_change_of_a_value():
    proof = Certificate(torch.tensor([1, 1, -1]), torch.tensor([0.5, 1.0, 0.0]), torch.tensor([9, 9, 1]), 10, 0.1, L2(0.5))
    table = certify.certified_accuracy(proof, torch.tensor([1, 1, 1]), [0.0, 0.7, 2.0], values=49_152)
    assert [row[2].right for row in table.rows] == [2, 1, 0]
    assert table.rows[1][1] == f"{255 * 0.7 / math.sqrt(49_152):.2f}"
    assert proof.contradicted(torch.tensor([2, 2, 2]), 0.7) == 1


def test_answers_that_rounding_decides_are_not_certain():
    class Close(nn.Module):
        def forward(self, video):
            return torch.tensor([[1.0, 1.0 + 1e-6, 0.0]]).expand(len(video), -1)

    pale = 0.25 + CLIPS[:2] / 2
    assert Steady(Close()).certify(pale).labels.tolist() == [-1, -1]
    assert not DoubleMasked(Close(), windows(16, 1)).certify(pale, Frames(1.0, [0]), progress=False).certified().any()
    assert Steady(CLASSIFIER).certify(pale).certified(0.2).all()


@pytest.mark.parametrize("against", ["l2", "frames", "any-frames", "patch", "flicker"])
def test_command(against, tmp_path, capsys):
    more = {"l2": ["--draws", "20", "--model", "none"], "any-frames": ["--k", "1"], "patch": ["--box", "2"]}.get(against, [])
    assert main(["certify", against, "--n-clips", "1", "--out", str(tmp_path / "a"), "--quiet", *more]) == 0
    said = capsys.readouterr().out
    assert "Certified accuracy of tiny" in said and "n = 1" in said and list((tmp_path / "a").glob("results-*.jsonl"))
    assert "the classifier alone, not attacked: " in said and (tmp_path / "a" / "table.md").read_text().startswith("**Certified")
    assert ("anything" in said) == (against in ("frames", "any-frames", "patch"))
    assert ("nothing is proved about them" in said) == (against == "flicker")


def test_command_knows_clips_that_were_trained_on(tmp_path, capsys):
    for motion, clip in zip(("left", "right"), CLIPS):
        (tmp_path / "clips" / motion).mkdir(parents=True)
        write_video(clip[None], tmp_path / "clips" / motion / "0.npz")
    save_classifier(MotionClassifier(class_names=("left", "right")), tmp_path / "classifier.safetensors")
    (tmp_path / "training.json").write_text(json.dumps({"train": ["left/0.npz"]}))
    words = ["--data", str(tmp_path / "clips"), "--classifier", str(tmp_path / "classifier.safetensors"), "--quiet", "--out"]
    for command in (["certify", "frames"], ["evaluate", "--attacks", "none", "--defenses", "none"]):
        assert main([*command, *words, str(tmp_path / command[0])]) == 0
        assert "1 clips have names of clips that" in capsys.readouterr().out


def test_command_refuses_in_one_line(tmp_path, capsys):
    for words in (
        ["everything"],
        ["frames", "--k", "16"],
        ["--sigma", "-1"],
        ["l2", "--box", "3"],
        ["frames", "--draws", "9"],
        ["--classifier", "none"],
        ["--where", "3"],
    ):
        assert main(["certify", *words, "--n-clips", "1", "--out", str(tmp_path / "a"), "--quiet"]) == 2
        assert capsys.readouterr().err.count("\n") == 1
