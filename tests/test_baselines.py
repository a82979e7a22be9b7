"What every purifier in the registry promises, and what each one alone does."

import av
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from diffusers import DDPMScheduler
from scipy.ndimage import gaussian_filter1d, median_filter

from videopure.baselines import (
    JPEG,
    H264,
    PURIFIERS,
    BitDepth,
    DDIMInversion,
    DiffPure,
    GaussianBlur,
    LastRecord,
    MedianBlur,
    NoiseAndDenoise,
    OneStep,
    RandomizedSmoothing,
    RandomSampling,
    TemporalShuffle,
    _options,
    ddpm_levels,
    ddpm_sigma,
    descend,
    make_purifier,
    random_step,
)
from videopure.defense import Defended
from videopure.latents import encode
from videopure.pipeline import VideoPurePipeline
from videopure.purifier import Purifier, VideoPure
from videopure.tiny import tiny_classifier
from videopure.video import MissingPackageError, VideoPureError, moving_shapes

# Options that make a purifier cheap enough to test.
QUICK = {"diffpure": {"t": 40, "steps": 3}, "smoothing": {"votes": 3}, "shuffle": {"window": 16}}
CLIPS = moving_shapes(3, seed=1)[0]
ODD = CLIPS[:, :, :5, :30, :29]
RANDOM = ["shuffle", "smoothing", "ddim", "diffpure", "diffap", "random-sampling", "diffap-paper", "nadd"]
NO_GRADIENT = ["jpeg", "h264", "bit-depth"]
WITHOUT_PIPE = ["jpeg", "h264", "bit-depth", "blur", "temporal-blur", "median", "temporal-median", "shuffle", "smoothing"]
METHODS = [method for method in PURIFIERS if method != "none"]
method = pytest.mark.parametrize("method", METHODS)


@pytest.fixture(scope="module")
def pipe():
    return VideoPurePipeline.tiny()


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def make(method, pipe, seed=None):
    "A quick purifier of this kind; a random one with its own generator if there is a seed."
    generator = {"generator": seeded(seed)} if seed is not None and method in RANDOM else {}
    return make_purifier(method, pipe, **QUICK.get(method, {}), **generator)


def records(purifier, video):
    "What a purifier makes of clips, always (B, S, 3, T, H, W)."
    out = purifier(video)
    out = getattr(out, "videos", out)
    return out if out.ndim == 6 else out[:, None]


@method
def test_records_are_clips(method, pipe):
    out = records(make(method, pipe, 0), ODD)
    assert out.shape[0] == 3 and out.shape[2:] == ODD.shape[1:] and out.dtype == torch.float32
    assert out.isfinite().all() and out.min() >= -1e-6 and out.max() <= 1 + 1e-6


@method
def test_input_is_not_changed_and_must_be_a_clip(method, pipe):
    clip = ODD[:1].clone()
    records(make(method, pipe, 0), clip)
    assert torch.equal(clip, ODD[:1])
    for wrong in (clip[0], clip + 1, clip * float("nan"), (clip * 255).byte()):
        with pytest.raises(VideoPureError):
            make(method, pipe)(wrong)


@pytest.mark.slow
@pytest.mark.parametrize("method", [m for m in METHODS if m not in RANDOM])
def test_batch_equals_one_by_one_and_repeats(method, pipe):
    purifier = make(method, pipe)
    together = records(purifier, ODD)
    assert torch.equal(together, records(purifier, ODD))
    assert (together - torch.cat([records(purifier, clip[None]) for clip in ODD])).abs().max() < 1e-5


@pytest.mark.parametrize("method", RANDOM)
def test_random_ones_say_so_and_repeat_with_a_seed(method, pipe):
    first, again, other = (records(make(method, pipe, seed), ODD) for seed in (0, 0, 1))
    assert make(method, pipe).random
    assert torch.equal(first, again) and not torch.equal(first, other)
    twice = records(make(method, pipe, 0), CLIPS[:1].expand(2, -1, -1, -1, -1))
    assert not torch.equal(twice[0], twice[1])  # each clip has its own draw


@pytest.mark.parametrize("method", RANDOM)
def test_without_generator_torch_seeds(method, pipe):
    purifier, out = make(method, pipe), []
    for seed in (0, 0, None):
        if seed is not None:
            torch.manual_seed(seed)
        out.append(records(purifier, ODD))
    assert torch.equal(out[0], out[1]) and not torch.equal(out[1], out[2])


def test_only_the_random_ones_say_so(pipe):
    assert [m for m in METHODS if getattr(make(m, pipe), "random", False)] == RANDOM


@pytest.mark.slow
@method
def test_gradient(method, pipe):
    clip = ODD[:1].clone().requires_grad_()
    out = records(make(method, pipe, 0), clip)
    assert out.requires_grad == (method not in NO_GRADIENT)
    if out.requires_grad:
        (grad,) = torch.autograd.grad(out.square().sum(), clip)
        assert grad.isfinite().all() and grad.abs().sum() > 0
    with torch.no_grad():
        assert not records(make(method, pipe, 0), clip).requires_grad
    assert torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
    assert not records(make(method, pipe, 0), ODD[:1]).requires_grad


@pytest.mark.parametrize("method", ["ddim", "diffpure", "ddim-inversion", "random-sampling", "diffap", "one-step"])
def test_gradient_is_right_in_float64(method):
    pipe = VideoPurePipeline.tiny().to(torch.float64)
    clip = (0.2 + 0.6 * moving_shapes(1, seed=3)[0][..., :4, :16, :16]).double().requires_grad_()
    direction = torch.randn(clip.shape, generator=seeded(7), dtype=clip.dtype)

    def value(x):
        return records(make(method, pipe, 0), x).square().sum()

    assert records(make(method, pipe, 0), clip).dtype == torch.float64
    slope = (torch.autograd.grad(value(clip), clip)[0] * direction).sum()
    with torch.no_grad():
        measured = (value(clip + 1e-6 * direction) - value(clip - 1e-6 * direction)) / 2e-6
    assert abs(slope - measured) < 1e-4 * abs(measured)


@pytest.mark.parametrize("method", WITHOUT_PIPE)
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_types(method, dtype):
    out = records(make(method, None, 0), ODD.to(dtype))
    assert out.dtype == dtype
    if method not in RANDOM:
        assert (out.float() - records(make(method, None, 0), ODD)).abs().mean() < 0.02


@pytest.mark.parametrize(
    ("purifier", "most"),
    [
        (JPEG(95), 0.01),
        (H264(0), 0.01),
        (BitDepth(8), 0.5 / 255 + 1e-6),
        (GaussianBlur(0.1), 1e-6),
        (GaussianBlur(0, 0.1), 1e-6),
        (MedianBlur(1, 1), 0),
        (RandomizedSmoothing(0.0), 0),
        (RandomizedSmoothing(1e-6), 1e-5),
    ],
    ids=repr,
)
def test_no_strength_changes_next_to_nothing(purifier, most):
    grey = CLIPS.mean(1, keepdim=True).expand_as(CLIPS)  # JPEG and H.264 halve the resolution of colour at any setting
    assert (records(purifier, grey) - grey[:, None]).abs().mean() <= most


STRENGTHS = [(JPEG, (95, 50, 10)), (H264, (0, 25, 50)), (BitDepth, (8, 4, 1)), (GaussianBlur, (0.5, 1, 3)), (MedianBlur, (1, 3, 7))]


@pytest.mark.parametrize(("kind", "settings"), STRENGTHS)
def test_more_strength_changes_more(kind, settings):
    changes = [(kind(setting)(CLIPS) - CLIPS).abs().mean() for setting in settings]
    assert changes == sorted(changes) and changes[0] < changes[-1]


@pytest.mark.parametrize("pure", [DiffPure, NoiseAndDenoise, RandomSampling])
def test_lower_level_changes_less(pure, pipe):
    name, few, many = ("purify_steps", 1, 6) if pure is NoiseAndDenoise else ("t", 6, 120)
    steps = {} if pure is NoiseAndDenoise else {"steps": 3}
    changes = [(pure(pipe, **{name: n}, **steps, generator=seeded())(CLIPS) - CLIPS).abs().mean() for n in (few, many)]
    assert changes[0] < changes[1]


def test_filters_are_scipys():
    frames = CLIPS.numpy()
    for axis in (3, 4):
        frames = gaussian_filter1d(frames, 1.3, axis, mode="nearest", radius=4)
    assert np.allclose(GaussianBlur(1.3)(CLIPS), frames, atol=1e-5)
    in_time = gaussian_filter1d(CLIPS.numpy(), 0.8, 2, mode="nearest", radius=2)
    assert np.allclose(GaussianBlur(0, 0.8)(CLIPS), in_time, atol=1e-5)
    assert np.array_equal(MedianBlur(3, 5)(CLIPS), median_filter(CLIPS.numpy(), (1, 1, 5, 3, 3), mode="nearest"))


def test_h264_uses_what_frames_share():
    still = CLIPS[:1, :, :1].expand(-1, -1, 16, -1, -1)
    error = [(H264(40)(clip) - clip).abs().mean() for clip in (still, CLIPS[:1])]
    assert error[0] < error[1]


def test_h264_keeps_the_order_of_frames():
    ramp = torch.linspace(0.1, 0.9, 9).view(1, 1, 9, 1, 1).expand(1, 3, 9, 31, 33)
    assert (H264(10)(ramp) - ramp).abs().max() < 0.02


def test_h264_without_its_encoder(monkeypatch):
    monkeypatch.setattr(av, "codecs_available", frozenset())
    with pytest.raises(MissingPackageError, match="pip install --force-reinstall av") as error:
        H264()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("window", [2, 5, 16, 99])
def test_shuffle_stays_in_its_windows(window):
    order = torch.arange(16.0).div(16).view(1, 1, 16, 1, 1).expand(40, 3, 16, 2, 2)
    out = TemporalShuffle(window, seeded())(order)
    for start in range(0, 16, window):
        assert torch.equal(out[:, :, start : start + window].sort(2).values, order[:, :, start : start + window])
    assert len(out[:, 0, :, 0, 0].unique(dim=0)) > 1


def test_smoothing_votes_and_noise():
    grey = torch.full((1, 3, 4, 8, 8), 0.5)
    out = RandomizedSmoothing(0.1, 50, seeded())(grey)
    assert out.shape == (1, 50, 3, 4, 8, 8)
    assert abs(out.mean() - 0.5) < 2e-3 and abs(out.std() - 0.1) < 2e-3
    defended = Defended(tiny_classifier(), RandomizedSmoothing(0.02, 5, seeded()))
    assert defended.vote(CLIPS).counts.sum(1).tolist() == [5, 5, 5]


@pytest.mark.slow
@pytest.mark.parametrize(("t", "steps"), [(101, 101), (101, 6), (40, 7), (1, 1), (1000, 3)])
def test_ddpm_is_diffusers(pipe, t, steps):
    levels = ddpm_levels(pipe.scheduler, t, steps)
    assert len({level.t for level in levels}) == steps and levels[-1].t == t - 1 and levels[0].abar_prev == 1
    scheduler = DDPMScheduler.from_config(pipe.scheduler.config, clip_sample=False, variance_type="fixed_small")
    scheduler.alphas_cumprod = scheduler.alphas_cumprod.double()
    scheduler.set_timesteps(timesteps=[level.t for level in reversed(levels)])
    z, generator = (z0 := encode(pipe.vae, CLIPS[:1, :, :4])), seeded(3)
    with torch.no_grad():
        for step in scheduler.timesteps:
            z = scheduler.step(pipe.predict_noise(z, int(step)), int(step), z, generator=generator).prev_sample
        ours = descend(pipe, z0, levels, ddpm_sigma, seeded(3))
    assert (ours - z).abs().max() < 1e-4 * z.abs().max()


def test_diffpure_counts_its_noise_predictions(pipe):
    seen = []
    hook = pipe.unet.register_forward_pre_hook(lambda module, args: seen.append(int(args[1])))
    try:
        DiffPure(pipe)(CLIPS[:1, :, :2, :8, :8])
        DiffPure(pipe, steps=4)(CLIPS[:1, :, :2, :8, :8])
    finally:
        hook.remove()
    assert seen == [*range(100, -1, -1), 100, 75, 50, 25]


def test_random_sampling_forgets_its_noise(pipe):
    "Each step starts from the estimate alone, so the variance around it is that of the forward process."
    levels, zero = ddpm_levels(pipe.scheduler, 101, 2), torch.zeros(1, 12, 8, 16, 16)
    abar = levels[1].abar_prev
    z = random_step(zero, zero + 100.0, abar, (1 - abar) ** 0.5, seeded())
    assert abs(z.mean()) < 0.02 and abs(z.var() / (1 - abar) - 1) < 0.02


def test_guidance_is_a_gradient_step(pipe):
    z0, x0 = torch.randn(2, 12, 4, 8, 8, generator=seeded()), torch.randn(2, 12, 4, 8, 8, generator=seeded(1)).requires_grad_()
    level = ddpm_levels(pipe.scheduler, 101, 6)[3]
    (grad,) = torch.autograd.grad(0.5 * F.mse_loss(x0, z0, reduction="sum"), x0)
    pulled = RandomSampling(pipe, guidance=0.3).pull(x0, level, z0)
    assert torch.allclose(pulled, x0 - 0.3 * level.abar**0.5 * grad, atol=1e-6)


def test_full_guidance_gives_back_the_input(pipe):
    guided = [RandomSampling(pipe, guidance=g, generator=seeded())(CLIPS) for g in (0.0, 0.5, 1.0)]
    changes = [(out - CLIPS).abs().mean() for out in guided]
    assert changes[0] > changes[1] > changes[2] and changes[2] < 1e-3


def test_inversion_is_nearly_the_identity(pipe):
    change = {temporal: (DDIMInversion(pipe, 3, temporal)(CLIPS) - CLIPS).abs().mean() for temporal in (False, True)}
    assert change[False] < 0.01 and change[False] < change[True]


def test_inversion_is_videopure_without_guidance(pipe):
    last = pipe(CLIPS, purify_steps=3, spatial_scale=0.0, temporal_scale=0.0).videos[:, -1]
    assert (DDIMInversion(pipe, 3, temporal=True)(CLIPS) - last).abs().max() < 1e-5


@pytest.mark.parametrize(
    ("method", "options", "match"),
    [
        ("jpg", {}, "expected one of none, jpeg"),
        ("jpeg", {"crf": 3}, "expected one of quality"),
        ("none", {"crf": 3}, "none at all"),
        ("jpeg", {"quality": 0}, "quality is 0"),
        ("jpeg", {"quality": "30"}, "quality is '30'"),
        ("jpeg", {"quality": True}, "quality is True"),
        ("h264", {"crf": 52}, "crf is 52"),
        ("bit-depth", {"bits": 0}, "bits is 0"),
        ("blur", {"sigma": -1}, "sigma is -1"),
        ("blur", {"sigma": 0}, "both 0"),
        ("blur", {"sigma": float("nan")}, "sigma is nan"),
        ("median", {"size": 2}, "odd"),
        ("median", {"temporal_size": 0}, "temporal_size is 0"),
        ("shuffle", {"window": 1}, "window is 1"),
        ("smoothing", {"votes": 0}, "votes is 0"),
        ("smoothing", {"sigma": None}, "sigma is None"),
        ("ddim", {"purify_steps": 0}, "purify_steps is 0"),
        ("ddim-inversion", {"purify_steps": 99}, "purify_steps is 99"),
        ("diffpure", {"t": 1001}, "t is 1001"),
        ("diffpure", {"steps": 102}, "steps is 102"),
        ("random-sampling", {"guidance": -0.1}, "guidance is -0.1"),
        ("one-step", {"t": 1000}, "timestep t is 1000"),
        ("videopure", {"steps": 3}, "expected one of purify_steps"),
        ("videopure", {"purify_steps": 0}, "purify_steps is 0"),
        ("videopure", {"spatial_scale": "big"}, "spatial_scale is 'big'"),
        ("videopure-paper", {"output_type": "latent"}, "unknown option 'output_type'"),
    ],
)
def test_bad_settings_in_one_line(method, options, match, pipe):
    with pytest.raises(VideoPureError, match=match) as error:
        make_purifier(method, pipe, **options)
    assert "\n" not in str(error.value)


def test_registry(pipe):
    assert make_purifier("none") is None and make_purifier("none", pipe) is None
    assert make_purifier("videopure", pipe).pipe is pipe and make_purifier("videopure", pipe).given == {}
    assert make_purifier("videopure", pipe, purify_steps=3).given == {"purify_steps": 3}
    assert make_purifier("videopure-paper", pipe).given == VideoPurePipeline.PAPER
    assert make_purifier("diffap", pipe).guidance > 0 and make_purifier("random-sampling", pipe).guidance == 0
    for name in PURIFIERS:
        assert not {"pipe", "self", "settings", "video", "output_type"} & set(_options(PURIFIERS[name]))
        assert name == "none" or isinstance(make(name, pipe), Purifier)
    for name in set(METHODS) - set(WITHOUT_PIPE):
        with pytest.raises(VideoPureError, match="needs a pipeline"):
            make_purifier(name)


def test_one_step_is_one_prediction(pipe):
    calls = []
    hook = pipe.unet.register_forward_pre_hook(lambda module, args: calls.append(int(args[1])))
    try:
        OneStep(pipe, 61)(CLIPS)
    finally:
        hook.remove()
    assert calls == [61]


def test_last_record_is_videopures_and_the_only_one_decoded(pipe, monkeypatch):
    every = pipe(ODD, purify_steps=2).videos
    purifier, decoded, decode = LastRecord(pipe, purify_steps=2), [], pipe.decode_records
    monkeypatch.setattr(pipe, "decode_records", lambda latents, *rest: decoded.append(latents.shape[:2]) or decode(latents, *rest))
    found = purifier.records(ODD)
    assert len(found) == 1 and torch.equal(found(0), every[:, -1]) and decoded == [(3, 1)]
    assert torch.equal(purifier(ODD), every[:, -1]) and purifier.fewer(1).given == {"purify_steps": 1}
    assert isinstance(purifier.fewer(1), LastRecord) and purifier.describe()["method"] == "LastRecord"


class Grey(Purifier):
    "A purifier of one's own, without a pipeline."

    def __init__(self, share=0.5):
        self.share = share

    def __call__(self, video):
        return (1 - self.share) * video + self.share * video.mean(1, keepdim=True)


class Faded(Purifier):
    "One that needs a pipeline."

    def __init__(self, pipe, share=0.5):
        self.pipe, self.share = pipe, share

    def __call__(self, video):
        return self.share * video


def test_purifiers_of_ones_own(pipe, monkeypatch):
    grey = CLIPS.mean(1, keepdim=True).expand_as(CLIPS)
    assert torch.allclose(make_purifier(Grey, share=1.0)(CLIPS), grey) and make_purifier(Grey).share == 0.5
    monkeypatch.setitem(PURIFIERS, "grey", Grey)
    assert make_purifier("grey", share=0.2).share == 0.2 and make_purifier("grey", pipe, share=0.2).share == 0.2
    assert make_purifier("test_baselines:Grey", share=0.1).settings() == {"share": 0.1}
    faded = make_purifier(Faded, pipe, share=0.3)
    assert faded.pipe is pipe and faded.settings() == {"share": 0.3} and "weights" in faded.describe()
    assert make_purifier(lambda pipe: Faded(pipe, 0.1), pipe).share == 0.1 and make_purifier(lambda: Grey(0.1)).share == 0.1
    ready = Grey(0.4)
    assert make_purifier(ready) is ready and make_purifier(pipe).given == {} and isinstance(make_purifier(pipe), VideoPure)
    assert make_purifier(pipe, purify_steps=2).given == {"purify_steps": 2}
    assert torch.equal(make_purifier(lambda video: 1 - video)(CLIPS), 1 - CLIPS)
    for bad in (lambda: make_purifier(Grey, size=3), lambda: make_purifier(Faded), lambda: make_purifier("test_baselines:Missing"),
                lambda: make_purifier("grey", share=0.1, size=3)):  # fmt: skip
        with pytest.raises(VideoPureError) as error:
            bad()
        assert "\n" not in str(error.value)


def test_whatever_as_purifier_takes():
    assert make_purifier(None) is None
    assert torch.equal(make_purifier(torch.nn.ReLU())(CLIPS), CLIPS) and torch.equal(make_purifier(torch.relu)(CLIPS), CLIPS)


@pytest.mark.parametrize("part", [7, [], torch.rand(2)], ids=["number", "list", "tensor"])
def test_what_is_no_purifier(part):
    with pytest.raises(VideoPureError) as error:
        make_purifier(part)
    assert "\n" not in str(error.value)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("method", RANDOM)
def test_generator_of_the_cpu_on_a_gpu(method):
    pipe = VideoPurePipeline.tiny().to("cuda")
    out = records(make(method, pipe, 0), ODD.cuda())
    assert out.device.type == "cuda"
    assert (out.cpu() - records(make(method, VideoPurePipeline.tiny(), 0), ODD)).abs().mean() < 1e-3
