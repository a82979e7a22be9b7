"What the pipeline promises for any input, and refuses; run on the embedded model."

import pytest
import torch

from videopure.defense import Defended
from videopure.pipeline import VideoPurePipeline
from videopure.schedule import PREDICTIONS
from videopure.tiny import TinyUNet, tiny_classifier
from videopure.video import ClipError, VideoPureError, moving_shapes

CLIPS, LABELS = moving_shapes(3, seed=1)


@pytest.fixture(scope="module")
def pipe():
    return VideoPurePipeline.tiny()


@pytest.mark.parametrize("steps", [1, 3, 6])
@pytest.mark.parametrize("batch", [1, 3])
def test_two_noise_predictions_a_step(pipe, steps, batch):
    sizes = []
    hook = pipe.unet.register_forward_hook(lambda module, args, output: sizes.append(len(args[0])))
    try:
        out = pipe(CLIPS[:batch], purify_steps=steps)
    finally:
        hook.remove()
    assert sizes == [batch] * (2 * steps)
    assert out.videos.shape == (batch, steps + 1, *CLIPS.shape[1:]) and len(out.timesteps) == steps + 1


@pytest.mark.slow
def test_batch_equals_one_by_one(pipe):
    together = pipe(CLIPS)
    alone = [pipe(clip[None]) for clip in CLIPS]
    assert (together.videos - torch.cat([one.videos for one in alone])).abs().max() < 1e-5
    defended = Defended(tiny_classifier(), pipe)
    assert (defended(CLIPS) - torch.cat([defended(clip[None]) for clip in CLIPS])).abs().max() < 1e-5


@pytest.mark.parametrize("size", [(17, 50, 38), (2, 16, 16), (3, 33, 21), (5, 8, 70)])
def test_any_length_and_size(pipe, size):
    frames, height, width = size
    clip = moving_shapes(1, seed=2, frames=frames, size=max(height, width))[0][..., :height, :width]
    out = pipe(clip, purify_steps=2)
    assert out.videos.shape == (1, 3, 3, *size) and out.videos.isfinite().all()
    assert out.videos.dtype == torch.float32 and 0 <= out.videos.min() and out.videos.max() <= 1


def test_odd_size_is_the_padded_clip_cropped(pipe):
    odd = moving_shapes(1, seed=4)[0][..., :31, :27]
    padded = torch.nn.functional.pad(odd, (0, 1, 0, 1, 0, 0), mode="replicate")
    assert torch.equal(pipe(odd).videos, pipe(padded).videos[..., :31, :27])


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_model_types(dtype):
    pipe, reference = VideoPurePipeline.tiny().to(dtype), VideoPurePipeline.tiny()
    out = pipe(CLIPS[:1]).videos
    assert out.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    assert (out - reference(CLIPS[:1]).videos).abs().mean() < (1e-4 if dtype == torch.float64 else 0.02)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_clip_types(pipe, dtype):
    out = pipe(CLIPS[:1].to(dtype)).videos
    assert out.dtype == torch.float32 and (out - pipe(CLIPS[:1]).videos).abs().mean() < 0.02


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_cuda(pipe, dtype):
    fast = VideoPurePipeline.tiny().to("cuda", dtype)
    out = fast(CLIPS)
    assert out.videos.device.type == "cuda"
    assert (out.videos.cpu() - pipe(CLIPS).videos).abs().mean() < (1e-3 if dtype == torch.float32 else 0.02)


def test_gradients_only_when_asked(pipe):
    defended = Defended(tiny_classifier(), pipe)
    for run in (pipe, pipe.invert, defended, defended.vote, defended.predict):
        run(CLIPS[:1])
        assert torch.is_grad_enabled()
    assert not pipe(CLIPS[:1]).videos.requires_grad and not defended(CLIPS[:1]).requires_grad
    clip = CLIPS[:1, :, :4].clone().requires_grad_()
    assert defended(clip).requires_grad
    with torch.no_grad():
        assert not defended(clip).requires_grad and not torch.is_grad_enabled()


def test_gradient_equals_finite_difference():
    "In double precision, through everything but the constants of the method (flow, sign)."
    pipe = VideoPurePipeline.tiny().to(torch.float64)
    clip = moving_shapes(1, seed=3, frames=4, size=16)[0].double() * 0.8 + 0.1
    flow = torch.zeros(1, 3, 2, 8, 8, dtype=torch.float64)

    def score(video):
        return pipe(video, purify_steps=3, flow=flow, output_type="latent").latents.square().sum() / 1000

    leaf = clip.clone().requires_grad_()
    (grad,) = torch.autograd.grad(score(leaf), leaf)
    direction = torch.randn(clip.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    step = 1e-7  # a longer one crosses sign changes of the temporal term, where the score jumps
    with torch.no_grad():
        slope = (score(clip + step * direction) - score(clip - step * direction)) / (2 * step)
    assert (grad * direction).sum().item() == pytest.approx(slope.item(), rel=1e-5)


class Other(TinyUNet):
    "The embedded UNet, whose noise is rewritten as another kind of answer."

    def forward(self, sample, timestep, *args, **kwargs):
        out = super().forward(sample, timestep)
        a, s = self.abar[timestep].sqrt(), (1 - self.abar[timestep]).sqrt()
        answers = {"epsilon": out.sample, "v_prediction": (out.sample - s * sample) / a, "sample": (sample - s * out.sample) / a}
        out.sample = answers[self.kind]
        return out


def predicting(kind):
    "The embedded pipeline with a UNet that answers in another way."
    pipe = VideoPurePipeline.tiny().to(torch.float64)
    unet = Other(**{name: pipe.unet.config[name] for name in ("channels", "widths", "embedding")}).double()
    unet.load_state_dict(pipe.unet.state_dict())
    unet.kind, unet.abar = kind, pipe.scheduler.alphas_cumprod.double()
    scheduler = type(pipe.scheduler).from_config(pipe.scheduler.config, prediction_type=kind)
    return VideoPurePipeline(pipe.vae, unet, scheduler, **{name: pipe.config[name] for name in pipe.PAPER})


@pytest.mark.slow
@pytest.mark.parametrize("kind", PREDICTIONS)
def test_every_kind_of_prediction_gives_the_same_records(kind):
    "In double precision, because dividing by a small sqrt(1 - abar) makes float32's rounding visible."
    want, other = VideoPurePipeline.tiny().to(torch.float64)(CLIPS), predicting(kind)
    assert (other(CLIPS).videos - want.videos).abs().max() < 1e-5
    clip = CLIPS[:1, :, :4].clone().requires_grad_()
    assert other(clip, purify_steps=1).videos.requires_grad


def test_unknown_kind_of_prediction_is_refused(monkeypatch):
    pipe = predicting("epsilon")
    pipe.scheduler.register_to_config(prediction_type="score")
    for run in (pipe, pipe.invert, lambda clips: pipe.predict_noise(clips, 1)):
        with pytest.raises(VideoPureError, match=r"PREDICTIONS\['score'\] = lambda answer, z, abar: ...") as error:
            run(CLIPS)
        assert "\n" not in str(error.value)
    monkeypatch.setitem(PREDICTIONS, "score", lambda answer, z, abar: answer)
    assert torch.equal(pipe(CLIPS[:1]).latents, predicting("epsilon")(CLIPS[:1]).latents)


@pytest.mark.slow
def test_early_stop_gives_the_full_vote(pipe):
    clips, _ = moving_shapes(20, seed=6)
    noisy = (clips + 0.2 * torch.randn(clips.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)
    for rule in ("majority", "majority-lowest-index", "mean-probability"):
        defended = Defended(tiny_classifier(), pipe, rule)
        assert torch.equal(defended.predict(noisy), defended.vote(noisy).labels)
        assert torch.equal(defended(noisy).argmax(1), defended.vote(noisy).labels)


def test_saved_pipeline_is_the_same(pipe, tmp_path):
    pipe.save_pretrained(tmp_path)
    again = VideoPurePipeline.from_pretrained(tmp_path)
    assert {name: again.config[name] for name in pipe.PAPER} == {name: pipe.config[name] for name in pipe.PAPER}
    assert torch.equal(again(CLIPS).videos, pipe(CLIPS).videos)


BAD_CLIPS = {
    "a lone clip": (CLIPS[0], "unsqueeze"),
    "channels": (CLIPS[:, :2], "3"),
    "channels last": (CLIPS.permute(0, 2, 3, 4, 1), "3"),
    "bytes": ((CLIPS * 255).byte(), "255"),
    "range 0..255": (CLIPS * 255, "[0, 1]"),
    "range -1..1": (CLIPS * 2 - 1, "[0, 1]"),
    "NaN": (CLIPS / 0 * 0, "NaN"),
    "infinite": (CLIPS / 0, ""),
    "one frame": (CLIPS[:, :, :1], "2"),
    "no clip": (CLIPS[:0], ""),
    "no pixel": (CLIPS[..., :0], ""),
    "a list": ([CLIPS], ""),
    "an array": (CLIPS.numpy(), ""),
}


@pytest.mark.parametrize("name", BAD_CLIPS)
def test_bad_clips(pipe, name):
    bad, hint = BAD_CLIPS[name]
    for run in (pipe, pipe.invert, Defended(tiny_classifier(), pipe)):
        with pytest.raises(ClipError) as error:
            run(bad)
        assert "\n" not in str(error.value) and hint in str(error.value)


BAD_SETTINGS = [
    {"purify_steps": 0},
    {"purify_steps": -1},
    {"purify_steps": 51},
    {"purify_steps": 2.5},
    {"num_inference_steps": 0},
    {"num_inference_steps": 2000},
    {"spatial_scale": float("nan")},
    {"temporal_scale": "strong"},
    {"output_type": "pil"},
    {"decode_chunk": 0},
    {"flow": "farneback"},
    {"flow": torch.zeros(3, 15, 2, 8, 16)},
    {"flow": torch.zeros(3, 16, 2, 16, 16)},
    {"flow": torch.zeros(1, 15, 2, 16, 16)},
    {"flow": torch.full((3, 15, 2, 16, 16), float("nan"))},
]


@pytest.mark.parametrize("bad", BAD_SETTINGS, ids=str)
def test_bad_settings(pipe, bad):
    with pytest.raises(VideoPureError) as error:
        pipe(CLIPS, **bad)
    assert "\n" not in str(error.value) and next(iter(bad)).split("_")[0] in str(error.value)


@pytest.mark.parametrize("model", ["no/such/model", "/no/such/folder", __file__])
def test_unknown_model(model):
    with pytest.raises(VideoPureError, match="cannot load the model") as error:
        VideoPurePipeline.from_pretrained(model)
    assert "\n" not in str(error.value)
