"What the pipeline promises for any input, and refuses; run on the embedded model."

import json
import logging
import math
import sys
import traceback
from pathlib import Path

import diffusers
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.overrides import TorchFunctionMode
from transformers import CLIPTextConfig, CLIPTextModel

from videopure.defense import Defended
from videopure.families import untrained
from videopure.flow import optical_flow
from videopure.guidance import guidance_strength, smooth_sign
from videopure.latents import PromptEmbedding, decode, embed_empty_prompt, encode
from videopure.pipeline import VideoPurePipeline, find_device, load_pipeline, save_pipeline
from videopure.schedule import PREDICTIONS, add_noise, ddim_levels, predict_x0
from videopure.tiny import TinyUNet, TinyVAE, tiny_classifier, tiny_scheduler, tiny_unet, tiny_vae
from videopure.video import ClipError, VideoFileError, VideoPureError, moving_shapes
from videopure.voting import find_rule, vote

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
@pytest.mark.parametrize("kind", ["epsilon", "v_prediction", "sample"])
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
        with pytest.raises(VideoPureError, match=r"PREDICTIONS\['score'\] = lambda answer, x, a, s: ...") as error:
            run(CLIPS)
        assert "\n" not in str(error.value)
    monkeypatch.setitem(PREDICTIONS, "score", lambda answer, x, a, s: answer)
    assert torch.equal(pipe(CLIPS[:1]).latents, predicting("epsilon")(CLIPS[:1]).latents)


@pytest.mark.slow
def test_early_stop_gives_the_full_vote(pipe):
    clips, _ = moving_shapes(6, seed=6)
    noisy = (clips + 0.2 * torch.randn(clips.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)
    for rule in ("majority", "majority-lowest-index", "mean-probability"):
        defended = Defended(tiny_classifier(), pipe, rule)
        labels = defended.vote(noisy).labels
        assert torch.equal(defended.predict(noisy), labels) and torch.equal(defended(noisy).argmax(1), labels)


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
    {"purify_steps": "six"},
    {"purify_steps": True},
    {"purify_steps": float("nan")},
    {"purify_steps": 10**30},
    {"num_inference_steps": None},
    {"num_inference_steps": [50]},
    {"spatial_scale": float("nan")},
    {"spatial_scale": True},
    {"spatial_scale": 10**400},
    {"temporal_scale": float("-inf")},
    {"temporal_scale": "strong"},
    {"output_type": "pil"},
    {"output_type": ["pt"]},
    {"decode_chunk": 0},
    {"decode_chunk": True},
    {"decode_chunk": 1.5},
    {"temporal_inversion": "no"},
    {"normalize_guidance": None},
    {"guide_trajectory": 2},
    {"return_dict": "yes"},
    {"sign": None},
    {"callback_on_step_end": 3},
    {"flow": ["dis"]},
    {"flow": lambda video: None},
    {"flow": torch.zeros(3, 15, 2, 16, 16, dtype=torch.long)},
    {"flow": "farneback"},
    {"flow": torch.zeros(3, 15, 2, 8, 16)},
    {"flow": torch.zeros(3, 16, 2, 16, 16)},
    {"flow": torch.zeros(1, 15, 2, 16, 16)},
    {"flow": torch.full((3, 15, 2, 16, 16), float("nan"))},
]


@pytest.mark.parametrize("bad", BAD_SETTINGS)
def test_bad_settings(pipe, bad):
    with pytest.raises(VideoPureError) as error:
        pipe(CLIPS, **bad)
    assert "\n" not in str(error.value) and next(iter(bad)).split("_")[0] in str(error.value)


@pytest.mark.parametrize("model", ["no/such/model", "/no/such/folder", __file__])
def test_unknown_model(model):
    with pytest.raises(VideoPureError, match="cannot load the model") as error:
        VideoPurePipeline.from_pretrained(model)
    assert "\n" not in str(error.value)


def test_numpy_numbers_are_numbers(pipe):
    plain = {"purify_steps": 1, "spatial_scale": 0.5, "decode_chunk": 4, "temporal_inversion": False}
    kinds = np.int64, np.float32, np.int16, np.bool_
    given = {name: kind(value) for kind, (name, value) in zip(kinds, plain.items())}
    assert torch.equal(pipe(CLIPS[:1], **given).videos, pipe(CLIPS[:1], **plain).videos)


def one_line(call, *parts, error=VideoPureError):
    "The call raises the error in one line of less than 300 characters that holds all the parts."
    with pytest.raises(error) as raised:
        call()
    message = str(raised.value)
    assert "\n" not in message and len(message) < 300, message
    for part in parts:
        assert part in message, message


WRONG_CALLS = {
    "abar": lambda: predict_x0(CLIPS, CLIPS, 0.0),
    "abar of a string": lambda: add_noise(CLIPS, CLIPS, "0.5"),
    "abar beyond 1": lambda: add_noise(CLIPS, CLIPS, 1.5),
    "flow method": lambda: optical_flow(CLIPS, {}),
    "vote rule": lambda: find_rule([]),
    "votes": lambda: vote([[1.0]]),
    "smooth_sign": lambda: smooth_sign(CLIPS, 0.0),
    "encode": lambda: encode(tiny_vae(), CLIPS, decode_chunk="4"),
    "decode": lambda: decode(tiny_vae(), torch.zeros(1, 12, 2, 4, 4), decode_chunk=-1),
    "device": lambda: find_device(3.5),
    "no device": lambda: find_device(None),
    "device without numbers": lambda: find_device("meta"),
    "long list of devices": lambda: find_device("mps:x"),
    "model": lambda: load_pipeline(5),
    "variant": lambda: load_pipeline("tiny", variant=16),
    "dtype": lambda: VideoPurePipeline.from_pretrained(Path(diffusers.__file__).parent, torch_dtype="float16"),
    "widths": lambda: TinyUNet(widths=(8, 12, 16)),
    "channels": lambda: TinyUNet(channels="12"),
    "downscale": lambda: TinyVAE(downscale=float("nan")),
    "timestep": lambda: VideoPurePipeline.tiny().predict_noise(torch.zeros(1, 12, 2, 4, 4), -1),
}


@pytest.mark.parametrize("name", WRONG_CALLS)
def test_settings_of_a_wrong_type(name):
    one_line(WRONG_CALLS[name])


# --- the schedule -------------------------------------------------------------------------------------------------------------

GRIDS = [
    {"beta_schedule": betas, "timestep_spacing": spacing, "steps_offset": offset, "rescale_betas_zero_snr": zero, "num_train_timesteps": n}
    for betas in ("linear", "scaled_linear", "squaredcos_cap_v2")
    for spacing in ("leading", "trailing", "linspace")
    for offset in (0, 1, 3)
    for zero in (False, True)
    for n in (1, 2, 5, 50, 1000)
]


@pytest.mark.slow
def test_levels_are_finite_on_every_grid():
    "Where there are levels, all numbers of them are finite and there is a step between two; elsewhere it is one line."
    found = 0
    for config in GRIDS:
        scheduler = diffusers.DDIMScheduler(**config)
        for points in {1, 2, min(50, config["num_train_timesteps"]), config["num_train_timesteps"]}:
            for steps in {1, min(6, points), points}:
                try:
                    levels = ddim_levels(scheduler, steps, points)
                except VideoPureError as error:
                    assert "\n" not in str(error) and len(str(error)) < 300
                    continue
                found += 1
                assert len(levels) == steps and [level.t for level in levels] == sorted({level.t for level in levels})
                for level in levels:
                    assert 0 < level.abar < level.abar_prev < 1 and math.isfinite(level.log_variance)
                    assert all(map(math.isfinite, guidance_strength(level, (1, 4, 8, 4, 4))))
    assert found > 600


@pytest.mark.parametrize("change", [{"steps_offset": 0}, {"timestep_spacing": "linspace"}, {"rescale_betas_zero_snr": True}], ids=str)
@pytest.mark.parametrize("kind", ["DDIMScheduler", "DDPMScheduler", "EulerDiscreteScheduler", "PNDMScheduler", "LCMScheduler"])
def test_records_are_finite_for_every_scheduler(kind, change):
    pipe = VideoPurePipeline.tiny()
    pipe.scheduler = getattr(diffusers, kind).from_config(pipe.scheduler.config, **change)
    out = pipe(CLIPS[:1, :, :3], purify_steps=1)
    assert out.videos.isfinite().all() and out.timesteps[0] > 0


BETAS = {"beta_start": 0.00085, "beta_end": 0.012}
NO_LEVELS = {
    "EDM": lambda: diffusers.EDMEulerScheduler(),
    "betas that are NaN": lambda: diffusers.DDIMScheduler(trained_betas=[0.1, float("nan"), 0.1]),
    "betas below zero": lambda: diffusers.DDIMScheduler(beta_start=-0.5, beta_end=0.1),
    "betas above one": lambda: diffusers.DDIMScheduler(trained_betas=[0.5, 1.5]),
    "offset of a word": lambda: diffusers.DDIMScheduler(steps_offset="one"),
    "offset that is None": lambda: diffusers.DDIMScheduler(steps_offset=None),
    "offset that skips what is clean": lambda: diffusers.DDIMScheduler(steps_offset=400),
    "offset far out": lambda: diffusers.DDIMScheduler(steps_offset=10**30),
    "spacing": lambda: diffusers.DDIMScheduler(timestep_spacing="log"),
    "prediction that is a list": lambda: diffusers.DDIMScheduler(prediction_type=["epsilon"]),
    "one timestep": lambda: diffusers.DDIMScheduler(num_train_timesteps=1),
    "no scheduler": lambda: None,
    "a word": lambda: "DDIM",
}


@pytest.mark.parametrize("name", NO_LEVELS)
def test_schedulers_without_levels_are_refused(name):
    if not name.startswith("prediction"):
        one_line(lambda: ddim_levels(NO_LEVELS[name](), 1, 1 if name == "one timestep" else 50))
    one_line(lambda: VideoPurePipeline(tiny_vae(), tiny_unet(), NO_LEVELS[name]()))


# --- models that are not whole ------------------------------------------------------------------------------------------------


@pytest.fixture
def saved(pipe, tmp_path):
    pipe.save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def rewrite(folder, change, name="diffusion_pytorch_model.safetensors"):
    "Change the tensors of a saved component."
    save_file(change(load_file(folder / name)), folder / name)


DAMAGE = {
    "missing": (lambda w: {k: v for k, v in w.items() if "mix" not in k}, "10 missing tensors", "down.0.mix"),
    "one missing": (lambda w: {k: v for k, v in w.items() if k != "last.bias"}, "1 missing tensor (last.bias)"),
    "unexpected": (lambda w: w | {"down.2.mix.bias": torch.zeros(96)}, "1 unexpected tensor (down.2.mix.bias)"),
    "another shape": (lambda w: w | {"last.bias": torch.zeros(13)}, "last.bias"),
    "NaN": (lambda w: w | {"last.bias": w["last.bias"] / 0}, "the weights of the unet hold NaN", "last.bias"),
    "infinite in half precision": (lambda w: {k: (v * 1e30).half() for k, v in w.items()}, "the weights of the unet hold NaN"),
    "of the classifier": (lambda w: tiny_classifier().state_dict(), "norm.bias"),
    "none": (lambda w: {"other": torch.zeros(1)}, "missing"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_weights_are_refused_when_loaded(saved, name, caplog):
    change, *parts = DAMAGE[name]
    rewrite(saved / "unet", change)
    for load in (VideoPurePipeline.from_pretrained, lambda folder: load_pipeline(folder, "cpu", "bfloat16")):
        one_line(lambda: load(saved), "cannot load the model", *parts)
    assert torch.get_default_dtype() == torch.float32 and not caplog.records and logging.root.manager.disable == 0


WORDS = ["1", None, True, 1.5, -1, 10**30, [], {}, "\n"]


@pytest.mark.slow
@pytest.mark.parametrize("file", ["model_index.json", "unet/config.json", "vae/config.json", "scheduler/scheduler_config.json"])
def test_damaged_configurations_are_one_line(saved, file):
    "Every value of every file, of every other type: it loads (some values are not read) and works, or is refused in one line."
    path = saved / file
    whole, refused = json.loads(path.read_text()), 0
    broken = [whole | {name: word} for name in whole for word in WORDS if not name.startswith("_diffusers")]
    for held in [*broken, [], 3, None, "x", {}]:
        path.write_text(json.dumps(held))
        try:
            again = VideoPurePipeline.from_pretrained(saved, torch_dtype=torch.float16)
        except VideoPureError as error:
            assert "\n" not in str(error) and len(str(error)) < 300
            refused += 1
        else:
            try:
                assert again.to(torch.float32)(CLIPS[:1, :, :2], purify_steps=1).videos.isfinite().all()
            except VideoPureError as error:
                assert "\n" not in str(error)
        assert torch.get_default_dtype() == torch.float32
    for text in ("{", "", "\ufeff{}", "[" * 3000):
        path.write_text(text)
        one_line(lambda: VideoPurePipeline.from_pretrained(saved))
    assert refused >= 10


def test_a_component_of_a_library_that_is_not_loaded_is_not_imported(saved, own_module, monkeypatch):
    evil = own_module("evil_component", "import torch\nclass Net(torch.nn.Module): pass\n")
    index = json.loads((saved / "model_index.json").read_text())
    monkeypatch.delitem(sys.modules, "evil_component")
    for where in (["evil_component", "Net"], ["os", "system"], ["builtins", "eval"], ["torch.nn", "Linear"], [["torch"], "x"]):
        (saved / "model_index.json").write_text(json.dumps(index | {"unet": where}))
        one_line(lambda: VideoPurePipeline.from_pretrained(saved), "cannot load the model")
    assert "evil_component" not in sys.modules
    sys.modules["evil_component"] = evil


def test_pickled_weights_are_not_read(saved):
    weights = saved / "unet/diffusion_pytorch_model.safetensors"
    torch.save(load_file(weights), weights.with_suffix(".bin"))
    weights.unlink()
    one_line(lambda: VideoPurePipeline.from_pretrained(saved), "cannot load the model")


def test_variants(pipe, tmp_path):
    for name in ("fp16", "ema"):
        pipe.save_pretrained(tmp_path / name, variant=name)
        assert torch.equal(VideoPurePipeline.from_pretrained(tmp_path / name)(CLIPS[:1]).videos, pipe(CLIPS[:1]).videos)
    assert load_pipeline(tmp_path / "fp16", "cpu", variant="fp16").unet.dtype == torch.float32
    one_line(lambda: load_pipeline(tmp_path / "fp16", "cpu", variant="ema"), "variant 'ema'", "fp16")
    one_line(lambda: load_pipeline("tiny", "cpu", variant="fp16"), "variant 'fp16'", "plain")
    pipe.save_pretrained(tmp_path / "fp16", variant="ema")
    rewrite(tmp_path / "fp16/unet", lambda w: w | {"last.bias": w["last.bias"] + 1}, "diffusion_pytorch_model.ema.safetensors")
    one_line(lambda: load_pipeline(tmp_path / "fp16", "cpu"), "ema, fp16", "variant=")
    change = load_pipeline(tmp_path / "fp16", "cpu", variant="ema").unet.last.bias - pipe.unet.last.bias
    assert torch.allclose(change, torch.ones(12))


SMALL = {"block_out_channels": (8, 16), "layers_per_block": 1, "norm_num_groups": 4}
BLOCKS_3D = {"down_block_types": ("DownBlock3D",) * 2, "up_block_types": ("UpBlock3D",) * 2, "attention_head_dim": 4}
BLOCKS_2D = {"down_block_types": ("DownBlock2D",) * 2, "up_block_types": ("UpBlock2D",) * 2, "attention_head_dim": 4}
DOWN = {"down_block_types": ("DownEncoderBlock2D",) * 2}
VAE = {"block_out_channels": (8, 8), "norm_num_groups": 4, "up_block_types": ("UpDecoderBlock2D",) * 2} | DOWN
UNET = lambda n=4, out=4: diffusers.UNet3DConditionModel(**SMALL, **BLOCKS_3D, cross_attention_dim=8, in_channels=n, out_channels=out)
IMAGE_UNET = lambda: diffusers.UNet2DConditionModel(**SMALL, **BLOCKS_2D, in_channels=4, out_channels=4, cross_attention_dim=8)
AE = lambda **more: diffusers.AutoencoderKL(**VAE, **more)
PROMPT = lambda dim=8: PromptEmbedding(4, dim)
MISFITS = {
    "image UNet": lambda: (AE(), IMAGE_UNET(), PROMPT()),
    "plain image UNet": lambda: (AE(), diffusers.UNet2DModel(**SMALL, **BLOCKS_2D, in_channels=4, out_channels=4), None),
    "no prompt": lambda: (AE(), UNET(), None),
    "prompt of another width": lambda: (AE(), UNET(), PROMPT(16)),
    "other channels": lambda: (AE(), UNET(9), PROMPT()),
    "channels of the embedded UNet": lambda: (AE(), tiny_unet(), None),
    "learned variance": lambda: (AE(), UNET(4, 8), PROMPT()),
    "autoencoder of videos": lambda: (diffusers.AutoencoderKLTemporalDecoder(block_out_channels=(32, 32), **DOWN), UNET(), PROMPT()),
    "not an autoencoder": lambda: (nn.Linear(1, 1), UNET(), PROMPT()),
    "exchanged": lambda: (UNET(), AE(), PROMPT()),
    "words": lambda: ("vae", UNET(), PROMPT()),
    "a prompt of words": lambda: (AE(), UNET(), nn.Linear(1, 1)),
}


@pytest.mark.parametrize("name", MISFITS)
def test_components_that_do_not_fit_are_refused(name):
    "And what does fit is taken, and leaves no trace in the random numbers."
    vae, unet, prompt = MISFITS[name]()
    one_line(lambda: VideoPurePipeline(vae, unet, tiny_scheduler(), prompt))
    if isinstance(unet, nn.Module):
        assert unet.training == (name != "channels of the embedded UNet")  # a model that is refused is left as it was


def test_components_that_fit():
    torch.manual_seed(0)
    parts, before = (AE(), UNET(), tiny_scheduler(), PROMPT()), torch.get_rng_state()
    pipe = VideoPurePipeline(*parts)
    assert torch.equal(torch.get_rng_state(), before) and not any(p.is_meta for p in (*pipe.unet.parameters(), *pipe.vae.parameters()))
    assert pipe(CLIPS[:1, :, :2], purify_steps=1).videos.isfinite().all()


class Sorts(TinyUNet):
    "A UNet that cannot do without numbers."

    def forward(self, sample, timestep, *args, **kwargs):
        return super().forward(sample if sample.max().item() < 1e6 else sample / 2, timestep)


def test_a_model_that_needs_numbers_is_tried_with_them():
    unet = Sorts()
    unet.load_state_dict(tiny_unet().state_dict())
    out = VideoPurePipeline(tiny_vae(), unet, tiny_scheduler())(CLIPS[:1], purify_steps=1)
    want = VideoPurePipeline(tiny_vae(), tiny_unet(), tiny_scheduler())(CLIPS[:1], purify_steps=1)
    assert torch.allclose(out.videos, want.videos, atol=1e-5)


@pytest.mark.parametrize("part", ["unet", "vae"])
def test_what_is_not_a_number_is_never_returned(part):
    "Weights that go wrong later, and latents that overflow."
    pipe = VideoPurePipeline.tiny()
    if part == "unet":
        pipe.unet.last.bias.fill_(float("inf"))
    else:
        pipe.vae.register_to_config(scaling_factor=float("inf"))
    for run in (pipe, pipe.invert, Defended(tiny_classifier(), pipe).predict):
        one_line(lambda: run(CLIPS[:1]), "NaN or infinite")


def test_a_vote_is_made_of_numbers():
    logits = torch.randn(2, 3, 5)
    for bad in (float("nan"), float("inf")):
        wrong = logits.clone()
        wrong[1, 2, 0] = bad
        one_line(lambda: vote(wrong), "record 2 of clip 1")
    logits[:, :, 0] = float("-inf")  # a class that is ruled out
    assert (vote(logits).labels > 0).all()


def test_training_mode_is_refused(pipe):
    mine = VideoPurePipeline(tiny_vae(), tiny_unet(), tiny_scheduler())
    mine.unet.middle.train()
    one_line(lambda: mine(CLIPS[:1]), "pipe.unet.eval()")
    assert mine.unet.middle.training


def test_the_text_encoder_is_left_as_it_was():
    tokens = {"vocab_size": 10, "bos_token_id": 1, "eos_token_id": 2}
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = CLIPTextConfig(**tokens, **sizes, attention_dropout=0.9)
    text = CLIPTextModel(config).train()

    def spell(*_, **kw):
        return type("Words", (), {"input_ids": torch.tensor([[1, 2, 0]])})

    spell.model_max_length, before = 3, torch.get_rng_state()
    prompts = [embed_empty_prompt(text, spell).embedding for _ in range(2)]
    assert torch.equal(*prompts) and torch.equal(torch.get_rng_state(), before)
    text.register_forward_hook(lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        embed_empty_prompt(text, spell)
    assert all(module.training for module in text.modules())
    one_line(lambda: VideoPurePipeline(AE(), UNET(), tiny_scheduler(), text_encoder=CLIPTextModel(config)), "tokenizer")


def test_loading_draws_no_random_numbers(saved):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    VideoPurePipeline.tiny(), tiny_classifier(), load_pipeline("tiny", "cpu"), VideoPurePipeline.from_pretrained(saved)
    assert torch.equal(torch.get_rng_state(), before)


def test_saving_takes_the_place_of_nothing_else(pipe, tmp_path, monkeypatch):
    (tmp_path / "mine.part").mkdir()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("years of work")
    (tmp_path / "file").write_text("a file")
    for name in ("mine", "file"):
        one_line(lambda: save_pipeline(pipe, tmp_path / name), "choose another folder", error=VideoFileError)
    assert (tmp_path / "mine/thesis.txt").read_text() == "years of work" and (tmp_path / "file").read_text() == "a file"
    (tmp_path / "mine/thesis.txt").unlink()
    (tmp_path / "link").symlink_to("mine")
    save_pipeline(pipe, tmp_path / "link")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "mine/model_index.json").exists()
    monkeypatch.setattr(VideoPurePipeline, "save_pretrained", lambda *_: (_ for _ in ()).throw(RuntimeError("no space\nleft")))
    one_line(lambda: save_pipeline(pipe, tmp_path / "mine"), "no space left", error=VideoFileError)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "link", "mine", "mine.part"]
    assert (tmp_path / "mine/unet/config.json").exists()


class Waits(TorchFunctionMode):
    "Counts where a program would wait for a GPU, because it asks for a number; not in files that look into tables of the schedule."

    READS = {"item", "tolist", "__bool__", "__float__", "__int__", "__index__", "cpu", "numpy", "nonzero", "equal", "allclose"}

    def __init__(self, schedule):
        super().__init__()
        self.found, self.schedule = 0, schedule

    def __torch_function__(self, function, types, args=(), kwargs=None):
        own = args and isinstance(args[0], torch.Tensor) and getattr(function, "__name__", "") in self.READS
        outside = own and not any(Path(each.filename).name in self.schedule for each in traceback.extract_stack(limit=8))
        self.found += bool(outside)
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("family", ["tiny", "ModelScope", "Wan"])
def test_a_gpu_is_waited_for_once_a_prediction(family):
    "And a fixed number of times around the loop, whatever the levels; the schedule's own tables stay on the processor."
    pipe = VideoPurePipeline.tiny() if family == "tiny" else VideoPurePipeline(**untrained(family))
    z = pipe.model.encode(pipe.prepare(CLIPS[:1]))
    flow, found = torch.zeros(1, z.shape[2] - 1, 2, *z.shape[3:]), []
    for levels in (1, 2, 4):
        with torch.no_grad(), Waits({"schedule.py", "models.py"}) as waits:
            pipe(CLIPS[:1], flow=flow, purify_steps=levels)
        found.append(waits.found - 2 * levels)
    assert found[0] == found[1] == found[2] <= 8, found


def test_a_broken_model_is_no_typing_error(tmp_path):
    "Its reason is told; a name that is nearly one of the embedded ones gets that one as a hint."
    pipe = VideoPurePipeline.tiny()
    save_pipeline(pipe, tmp_path / "tinyy")
    weights = max((tmp_path / "tinyy").rglob("*.safetensors"), key=lambda path: path.stat().st_size)
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(VideoPureError) as error:
        load_pipeline(tmp_path / "tinyy")
    assert "did you mean" not in str(error.value) and len(str(error.value)) > 60
    with pytest.raises(VideoPureError, match="did you mean 'tiny'"):
        load_pipeline("tyni")
