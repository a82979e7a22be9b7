"The exact gradient through a whole purification: against finite differences, and against the graph without recomputation."

from functools import partial

import pytest
import torch
import torch.nn.functional as F

from videopure.baselines import JPEG, DDIMInversion, GaussianBlur, OneStep
from videopure.defense import Defended
from videopure.guidance import smooth_sign
from videopure.pipeline import VideoPurePipeline
from videopure.purifier import NoGradientError, as_purifier
from videopure.tiny import tiny_classifier
from videopure.video import VideoPureError, moving_shapes

CLIPS, LABELS = moving_shapes(2, seed=44, frames=6, size=16)


@pytest.fixture(scope="module")
def double() -> tuple:
    "The embedded models in double precision."
    pipe = VideoPurePipeline.tiny()
    pipe.unet.double(), pipe.vae.double()
    return tiny_classifier().double(), pipe


def gradient(model, clips, labels=LABELS):
    clips = clips.clone().requires_grad_()
    return torch.autograd.grad(F.nll_loss(model(clips), labels[: len(clips)], reduction="sum"), clips)[0]


SETTINGS = {
    "defaults": {},
    "paper": dict(VideoPurePipeline.PAPER),
    "one step": {"purify_steps": 1},
    "raw weights": {"normalize_guidance": False, "spatial_scale": 0.02, "temporal_scale": 0.02},
    "no shared noise": {"temporal_inversion": False},
    "guided path": {"guide_trajectory": True},
    "no temporal term": {"temporal_scale": 0.0},
}


@pytest.mark.slow
@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("seed", [0, 1])
def test_equals_finite_difference(double, settings, seed):
    classifier, pipe = double
    model, x = Defended(classifier, partial(pipe, **settings)), CLIPS[:1].double()
    direction = torch.randn(x.shape, dtype=x.dtype, generator=torch.Generator().manual_seed(seed))
    slope = (gradient(model, x) * direction).sum().item()
    step = 1e-9  # a longer one crosses sign changes of the temporal term, where the score jumps
    with torch.no_grad():
        ahead, behind = (F.nll_loss(model(x + h * direction), LABELS[:1]).item() for h in (step, -step))
    assert slope == pytest.approx((ahead - behind) / (2 * step), rel=1e-4, abs=1e-8)


PURIFIERS = {"VideoPure": lambda p: p, "DDIM inversion": lambda p: DDIMInversion(p, 2), "one-step": OneStep}


@pytest.mark.parametrize("purifier", PURIFIERS.values(), ids=PURIFIERS)
def test_recomputation_changes_no_gradient(purifier):
    pipe = VideoPurePipeline.tiny()
    model = Defended(tiny_classifier(), purifier(pipe))
    recomputed = gradient(model, CLIPS)
    pipe.disable_gradient_checkpointing()
    kept = gradient(model, CLIPS)
    assert (recomputed - kept).norm() <= 1e-5 * kept.norm() and kept.norm() > 0
    pipe.enable_gradient_checkpointing()
    assert torch.equal(gradient(model, CLIPS), recomputed)


def test_nothing_is_kept_that_can_be_recomputed():
    "With recomputation, what autograd keeps grows far less with the number of steps."
    pipe, kept = VideoPurePipeline.tiny(), {}
    for on in (True, False):
        pipe.gradient_checkpointing = on
        for steps in (2, 6):
            sizes = []
            with torch.autograd.graph.saved_tensors_hooks(lambda t: sizes.append(t.numel()) or t, lambda t: t):
                Defended(tiny_classifier(), partial(pipe, purify_steps=steps))(CLIPS.clone().requires_grad_())
            kept[on, steps] = sum(sizes)
    assert kept[True, 6] < 0.2 * kept[False, 6]


def test_the_input_latents_in_the_guidance_are_followed(double):
    "The gradient changes when the path through z_0 in the guidance is cut."
    classifier, pipe = double
    x = CLIPS[:1].double()
    whole, guidance = gradient(Defended(classifier, pipe), x), pipe.guidance
    pipe.guidance = lambda clip, z0, *rest: guidance(clip, z0.detach(), *rest)
    try:
        cut = gradient(Defended(classifier, pipe), x)
    finally:
        del pipe.guidance
    assert (whole - cut).norm() > 0.05 * whole.norm()


@pytest.mark.slow
@pytest.mark.parametrize("sees", ["full", "bpda", "surrogate-1", "surrogate-3", "classifier"])
@pytest.mark.parametrize("rule", ["majority", "majority-lowest-index", "mean-probability"])
def test_same_answer_in_every_mode(sees, rule):
    pipe, classifier = VideoPurePipeline.tiny(), tiny_classifier()
    model, exact = Defended(classifier, pipe, rule, sees), Defended(classifier, pipe, rule)
    x = CLIPS.clone().requires_grad_()
    assert torch.equal(model(x), exact(CLIPS)) and torch.equal(model.logits(x), exact.logits(CLIPS))
    assert torch.equal(model(x).argmax(1), exact.vote(CLIPS).labels)
    assert gradient(model, CLIPS).isfinite().all()
    assert x.grad is None and torch.is_grad_enabled() and not any(p.requires_grad for p in pipe.unet.parameters())


def test_modes_of_an_identity_purifier_agree():
    classifier = tiny_classifier()
    own = gradient(lambda x: classifier(x).log_softmax(1), CLIPS)
    for sees in ("full", "bpda", "classifier"):
        torch.testing.assert_close(gradient(Defended(classifier, lambda x: 1 * x, sees=sees), CLIPS), own)


def test_surrogate_with_all_steps_is_exact():
    pipe, classifier = VideoPurePipeline.tiny(), tiny_classifier()
    steps = pipe.config["purify_steps"]
    exact = gradient(Defended(classifier, pipe), CLIPS)
    torch.testing.assert_close(gradient(Defended(classifier, pipe, sees=f"surrogate-{steps}"), CLIPS), exact)
    assert not torch.allclose(gradient(Defended(classifier, pipe, sees="surrogate-1"), CLIPS), exact, rtol=0.1)
    assert as_purifier(partial(pipe, spatial_scale=0.0)).fewer(2).given == {"spatial_scale": 0.0, "purify_steps": 2}
    assert DDIMInversion(pipe, 5).fewer(2).purify_steps == 2


def test_flow_can_be_fixed_or_followed():
    pipe, classifier = VideoPurePipeline.tiny(), tiny_classifier()
    still = torch.zeros(2, 5, 2, 8, 8)
    assert gradient(Defended(classifier, partial(pipe, flow=still)), CLIPS).isfinite().all()
    seen = []

    def own(video):
        seen.append(video.requires_grad)
        return video[:, :2, 1:].transpose(1, 2) * 3

    smooth = [partial(pipe, sign=smooth_sign, flow=flow) for flow in (own, lambda v: own(v.detach()))]
    followed, stopped = (gradient(Defended(classifier, purifier), CLIPS) for purifier in smooth)
    assert seen == [True, False] and not torch.allclose(followed, stopped, rtol=1e-3)


def test_no_gradient_is_one_clear_line():
    classifier = tiny_classifier()
    for sees, purifier in (("full", JPEG(30)), ("surrogate-2", GaussianBlur(1.0))):
        with pytest.raises(NoGradientError) as error:
            gradient(Defended(classifier, purifier, sees=sees), CLIPS)
        assert "\n" not in str(error.value) and "bpda" in str(error.value)
    assert gradient(Defended(classifier, JPEG(30), sees="bpda"), CLIPS).abs().sum() > 0
    for sees in ("", "surrogate", "surrogate-0", "FULL", "exact"):
        with pytest.raises(VideoPureError, match=f"sees is {sees!r}, expected 'full'"):
            Defended(classifier, JPEG(30), sees=sees)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu():
    pipe, classifier = VideoPurePipeline.tiny().to("cuda"), tiny_classifier().to("cuda")
    on_cpu = gradient(Defended(tiny_classifier(), VideoPurePipeline.tiny()), CLIPS)
    on_gpu = gradient(Defended(classifier, pipe), CLIPS.cuda(), LABELS.cuda()).cpu()
    assert F.cosine_similarity(on_gpu.flatten(), on_cpu.flatten(), 0) > 0.99
