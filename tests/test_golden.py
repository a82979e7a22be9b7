"""Parity with numbers of the published method, through the public calls only; skipped where ../shared/golden is absent."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from videopure.flow import resize_flow, warp
from videopure.guidance import guidance_strength, guide, spatial_loss, temporal_loss
from videopure.pipeline import VideoPurePipeline
from videopure.schedule import Level, add_noise, ddim_levels, predict_x0

GOLDEN = Path(__file__).parents[2] / "shared" / "golden"
pytestmark = pytest.mark.skipif(not GOLDEN.is_dir(), reason="needs ../shared/golden")


def golden(name):
    return load_file(GOLDEN / f"{name}.safetensors")


@pytest.fixture(scope="module")
def pipe():
    return VideoPurePipeline.from_pretrained(GOLDEN / "tiny_model")


@pytest.fixture(scope="module")
def inputs():
    return golden("inputs")


def relative(a, b):
    return ((a - b).norm() / b.norm()).item()


def assert_close_but_for_sign_flips(a, b):
    "The sign in the temporal term may flip isolated elements: compare the mean and the 99.9th percentile."
    error = (a - b).abs() / b.square().mean().sqrt()
    assert error.mean() < 1e-4 and error.flatten().quantile(0.999) < 1e-4


def test_schedule(pipe):
    want, levels = golden("schedule"), ddim_levels(pipe.scheduler, 50)
    order = want["timesteps"].argsort()
    assert [level.t for level in levels] == want["timesteps"][order].tolist()
    ours = {"alpha_prev": [level.abar_prev for level in levels], "log_variance": [level.log_variance for level in levels]}
    for name, values in ours.items():
        torch.testing.assert_close(torch.tensor(values), want[name][order], rtol=1e-6, atol=1e-6)
    abar = torch.tensor([level.abar for level in levels])
    torch.testing.assert_close(abar, want["alphas_cumprod"][want["timesteps"][order]], rtol=1e-6, atol=1e-6)


def test_warp():
    want = golden("isolated")
    torch.testing.assert_close(warp(want["warp_x"], want["warp_flow"].permute(0, 3, 1, 2)), want["warp_out"], rtol=1e-5, atol=1e-5)


def test_resize_flow():
    want = golden("isolated")
    torch.testing.assert_close(resize_flow(want["resize_in"], 5, 7), want["resize_out"], rtol=1e-5, atol=1e-5)


def as_clip(frames):
    return frames.transpose(0, 1)[None]


def test_temporal_loss():
    want = golden("isolated")
    latents = want["tc_latents"].clone().requires_grad_()
    loss = temporal_loss(as_clip(latents), want["tc_flows"]).sum()
    torch.testing.assert_close(loss.detach(), want["tc_loss"], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(torch.autograd.grad(loss, latents)[0], want["tc_grad"], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", ["opt101", "opt1"])
def test_guided_update(pipe, name):
    want = golden("isolated")
    get = {k: want[f"{name}_{k}"] for k in ("latents", "noise", "ori", "alpha", "log_var", "mse", "flowl1", "out")}
    level = {"opt101": ddim_levels(pipe.scheduler)[-1], "opt1": ddim_levels(pipe.scheduler)[0]}[name]
    assert level.abar == pytest.approx(get["alpha"].item(), abs=1e-6)
    assert level.log_variance == pytest.approx(get["log_var"].item(), abs=1e-6)
    z, noise, z0, flow = as_clip(get["latents"]), as_clip(get["noise"]), get["ori"], want["tc_flows"]
    x0 = predict_x0(z, noise, level.abar)
    torch.testing.assert_close(spatial_loss(x0, z0)[0], get["mse"], rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(temporal_loss(x0, flow)[0], get["flowl1"], rtol=1e-5, atol=1e-5)
    k, c = guidance_strength(level, z.shape, normalize=False)
    guided = add_noise(guide(x0[:, None], z0, flow, [k], [c])[:, 0], noise, level.abar)
    assert relative(guided, as_clip(get["out"])) < 1e-5


def purify(pipe, inputs, want, **kwargs):
    "A purification with the golden flows at the raw strength, and what the callback saw."
    seen = []
    steps = sum(k.startswith("inv_latents") for k in want) - 1
    raw = {"normalize_guidance": False, "flow": inputs["flows_latent_res"]}
    note = lambda pipe, step, t, inside: seen.append(inside)
    return pipe(inputs["clip"], purify_steps=steps, callback_on_step_end=note, **raw, **kwargs), seen


def test_videopure(pipe, inputs):
    want = golden("videopure_t3")
    out, seen = purify(pipe, inputs, want)
    for k, z in enumerate(pipe.invert(inputs["clip"], purify_steps=4, temporal_inversion=True)):
        assert relative(z, want[f"inv_latents.{k}"]) < 1e-4
    for k, inside in enumerate(seen):
        assert relative(inside["latents"], want[f"traj_latents.{k}"]) < 1e-4
        assert relative(inside["noise_pred"], want[f"noise_pred.{k}"]) < 1e-4
        assert relative(inside["pred_x0"], want[f"x0_before.{k}"]) < 1e-4
    for k in range(5):
        assert_close_but_for_sign_flips(out.latents[:, k], want[f"record.{k}"])
    error = (out.videos[0, :, :, ::4] - want["video_u16"].float() / 65535).abs()
    assert error.mean() < 1e-4 and error.flatten().quantile(0.999) < 1e-3


def test_plain_inversion(pipe, inputs):
    want = golden("ddim_inversion_t3")
    out, _ = purify(pipe, inputs, want, temporal_inversion=False, spatial_scale=0.0, temporal_scale=0.0)
    for k, z in enumerate(pipe.invert(inputs["clip"], purify_steps=4, temporal_inversion=False)):
        assert relative(z, want[f"inv_latents.{k}"]) < 1e-4
    assert relative(out.latents[:, -1], want["final_latents"]) < 1e-4
    assert (out.videos[0, -1, :, ::4] - want["video_u16"][0].float() / 65535).abs().max() < 1e-3


def test_noise_then_ddim(pipe, inputs):
    "The DDIM baseline of the published code: add given noise at the fourth level, come down unguided."
    want = golden("ddim_t3")
    levels: list[Level] = ddim_levels(pipe.scheduler, 4)
    z0 = pipe.invert(inputs["clip"], purify_steps=1)[0]
    z = add_noise(z0, want["init_noise"], levels[-1].abar)
    estimates, noise = pipe.denoise(z, levels, pipe.predict_noise)
    assert relative(add_noise(estimates[:, -1], noise, levels[0].abar), want["final_latents"]) < 1e-4


def test_empty_prompt(pipe, inputs, tmp_path):
    torch.testing.assert_close(pipe.prompt.embedding, inputs["prompt_embeds"], rtol=1e-5, atol=1e-6)
    assert pipe.text_encoder is None and pipe.tokenizer is None
    pipe.save_pretrained(tmp_path)
    again = VideoPurePipeline.from_pretrained(tmp_path)
    assert torch.equal(again(inputs["clip"], purify_steps=2).latents, pipe(inputs["clip"], purify_steps=2).latents)
