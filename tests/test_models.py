"Video diffusion models of five families, tiny and untrained, saved by diffusers' own pipelines and loaded by their folders."

import json
import shutil
import string

import diffusers
import pytest
import torch
import transformers
from diffusers import AutoencoderKLWan, CogVideoXTransformer3DModel, LatteTransformer3DModel

from videopure import Defended, Explorer, cli, tiny_classifier
from videopure.families import AUTOENCODERS, NETWORKS_OF, untrained
from videopure.latents import DENOISERS, decode, embed_empty_prompt, encode, predict_noise
from videopure.models import SCHEDULES, Scale, VideoModel, read_scale
from videopure.pipeline import VideoPurePipeline
from videopure.registry import identity
from videopure.schedule import PREDICTIONS, ddim_levels, ddim_step, find_prediction, paper_scheduler
from videopure.tiny import tiny_scheduler, tiny_unet, tiny_vae
from videopure.video import VideoPureError, moving_shapes, read_video, write_video

FAMILIES = tuple(NETWORKS_OF)
LEVELS = ddim_levels(paper_scheduler())
T5 = {"vocab_size": 64, "d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 1, "num_heads": 2}


def one_line(call, *words):
    "The message of the `VideoPureError` that a call raises, in which all words are."
    with pytest.raises(VideoPureError) as error:
        call()
    assert "\n" not in str(error.value)
    for word in words:
        assert word in str(error.value)
    return str(error.value)


def texts(family):
    "A tiny text encoder of the family's kind and its tokenizer, made without any file."
    torch.manual_seed(1)
    if family in ("ModelScope", "AnimateDiff"):
        tokenizer = transformers.CLIPTokenizer(vocab={"<|startoftext|>": 0, "<|endoftext|>": 1, "a</w>": 2}, merges=[], model_max_length=8)
        sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
        config = transformers.CLIPTextConfig(**sizes, vocab_size=10, bos_token_id=0, eos_token_id=1)
        return transformers.CLIPTextModel(config).eval(), tokenizer
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *((letter, -3.0) for letter in string.ascii_lowercase)]
    tokenizer = transformers.T5TokenizerFast(vocab=pieces, extra_ids=0)
    if family == "Wan":
        return transformers.UMT5EncoderModel(transformers.UMT5Config(**T5)).eval(), tokenizer
    return transformers.T5EncoderModel(transformers.T5Config(**T5)).eval(), tokenizer


def theirs(family):
    "The family's own text-to-video pipeline of diffusers."
    parts, (encoder, tokenizer) = untrained(family), texts(family)
    parts = {name: part for name, part in parts.items() if name != "prompt"} | {"text_encoder": encoder, "tokenizer": tokenizer}
    kinds = {"ModelScope": "TextToVideoSD", "Wan": "Wan", "LTX-Video": "LTX", "CogVideoX": "CogVideoX"}
    if family == "AnimateDiff":
        return diffusers.AnimateDiffPipeline(**parts, motion_adapter=None)
    return getattr(diffusers, f"{kinds[family]}Pipeline")(**parts)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    "Every family, as diffusers saves it."
    made = {}
    for family in FAMILIES:
        made[family] = tmp_path_factory.mktemp("models") / family
        theirs(family).save_pretrained(made[family])
    return made


def load(folder, **settings):
    pipe = VideoPurePipeline.from_pretrained(folder, **settings)
    pipe.set_progress_bar_config(disable=True)
    return pipe


@pytest.fixture(scope="module")
def pipes(folders):
    return {family: load(folder) for family, folder in folders.items()}


def clips(frames=16, height=32, width=32, n=1):
    return torch.rand(n, 3, frames, height, width, generator=torch.Generator().manual_seed(2))


# --- the object ---------------------------------------------------------------------------------------------------------------------


def test_embedded_model_is_unchanged():
    model = VideoModel(tiny_vae(), tiny_unet(), tiny_scheduler())
    z = model.encode(moving_shapes(2, seed=4)[0])
    for level in LEVELS:
        assert torch.equal(model.noise(z, level.abar), predict_noise(model.network, z, level.t))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("size", [(16, 32, 32), (17, 32, 32), (21, 33, 50)])
def test_purifies_every_size(pipes, family, size):
    pipe, video = pipes[family], clips(*size).requires_grad_()
    out = pipe(video, purify_steps=1)
    assert out.videos.shape == (1, 2, 3, *size)
    assert out.videos.isfinite().all() and 0 <= out.videos.min() and out.videos.max() <= 1
    (gradient,) = torch.autograd.grad(out.videos.square().sum(), video)
    assert gradient.isfinite().all() and (gradient.abs().amax((0, 1, 3, 4)) > 0).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_batch_is_one_by_one(pipes, family):
    two = clips(5, 16, 16, n=2)
    for scale, most in ((0.0, 1e-4), (1.0, 1.0)):  # with the temporal term, a sign may turn on a rounding error
        together = pipes[family](two, purify_steps=2, temporal_scale=scale).videos
        alone = torch.cat([pipes[family](one, purify_steps=2, temporal_scale=scale).videos for one in two.split(1)])
        assert (together - alone).abs().max() < most
        assert (together - alone).abs().mean() < 1e-3


@pytest.mark.parametrize("family", FAMILIES)
def test_exact_gradient(family):
    "The gradient is the slope that finite differences find, in double precision; Wan and LTX-Video compute some steps in single."
    pipe, (step, within) = VideoPurePipeline(**untrained(family)), (1e-3, 5e-3) if family in ("Wan", "LTX-Video") else (1e-5, 1e-4)
    pipe.set_progress_bar_config(disable=True)
    pipe.to(torch.float64)
    video, way = clips(5, 16, 16).double(), torch.randn(1, 3, 5, 16, 16, generator=torch.Generator().manual_seed(3)).double()
    video = 0.25 + 0.5 * video  # nothing is clamped
    flow = torch.zeros(1, pipe.model.encode(pipe.prepare(video)).shape[2] - 1, 2, *pipe.model.encode(pipe.prepare(video)).shape[3:])

    def loss(x):
        return pipe(x, purify_steps=2, temporal_scale=0.0, flow=flow.double()).latents.square().mean()

    x = video.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(x), x)
    with torch.no_grad():
        slope = (loss(video + step * way) - loss(video - step * way)) / (2 * step)
    assert torch.isclose((gradient * way).sum(), slope, rtol=within)


@pytest.mark.parametrize("family", FAMILIES)
def test_round_trip(pipes, family):
    "Up and down again without sharing and guidance comes back to the latents."
    pipe = pipes[family]
    path = pipe.invert(clips(), temporal_inversion=False)
    estimates, noise = pipe.denoise(path[-1], LEVELS, pipe.predict_noise)
    down = ddim_step(
        estimates[:, -1] * LEVELS[0].abar ** 0.5 + noise * (1 - LEVELS[0].abar) ** 0.5, noise, LEVELS[0].abar, LEVELS[0].abar_prev
    )
    error = (down - path[0]).norm() / path[0].norm()
    assert error < 0.4, error


# --- the step of each model's own sampler -----------------------------------------------------------------------------------------------


def ours(scheduler, x, answer, low, high):
    "A DDIM step of the method from level `high` to `low`, in the model's own scale."
    kind, own = read_scale(scheduler)
    (a, s, _), (a2, _, _) = own(high), own(low)
    return ddim_step(x * high**0.5 / a, find_prediction(kind)(answer, x, a, s), high, low) * a2 / low**0.5


@pytest.mark.parametrize("settings", [{}, {"shift": 3.0}, {"invert_sigmas": True}])
@pytest.mark.parametrize("step", [1, 20, 45])
def test_step_of_a_flow(settings, step):
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler(**settings)
    scheduler.set_timesteps(50)
    x, answer = torch.randn(2, 1, 4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    here, there = scheduler.sigmas[step : step + 2].double().tolist()
    if settings.get("invert_sigmas"):
        here, there = 1 - here, 1 - there
    high, low = ((1 - s) ** 2 / ((1 - s) ** 2 + s**2) for s in (here, there))
    wanted = scheduler.step(answer, scheduler.timesteps[step], x).prev_sample
    assert (ours(scheduler, x, answer, low, high) - wanted).abs().max() < 1e-5
    assert read_scale(scheduler).own(high)[2] == pytest.approx(scheduler.timesteps[step].item(), abs=0.01)


@pytest.mark.parametrize("kind", ["v_prediction", "epsilon", "sample"])
@pytest.mark.parametrize("t", [979, 499, 19])
def test_step_of_cogvideox(kind, t):
    scheduler = diffusers.CogVideoXDDIMScheduler.from_config(untrained("CogVideoX")["scheduler"].config, prediction_type=kind)
    scheduler.set_timesteps(50)
    x, answer = torch.randn(2, 1, 4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    table, before = scheduler.alphas_cumprod.double(), t - 20
    low = table[before].item() if before >= 0 else scheduler.final_alpha_cumprod.double().item()
    if low == 1:
        pytest.skip("the sampler ends at a clean clip, where no time is")
    wanted = scheduler.step(answer, t, x).prev_sample
    assert (ours(scheduler, x, answer, low, table[t].item()) - wanted).abs().max() < 1e-5


MOVED = {"latents_mean": [0.1, 0.2, 0.3, 0.4], "latents_std": [2.0, 1.0, 0.5, 0.1]}


@pytest.mark.parametrize("settings", [{"shift_factor": 0.3}, MOVED, {}])
def test_latents_are_moved_and_scaled(settings):
    vae = diffusers.AutoencoderKL(**AUTOENCODERS["ModelScope"][1], scaling_factor=0.5, **settings).eval()
    video = clips()
    raw = torch.stack([vae.encode(2 * video[:, :, i] - 1).latent_dist.mode() for i in range(16)], 2)
    mean, std = (torch.tensor(settings.get(name, [d])).view(-1, 1, 1, 1) for name, d in (("latents_mean", 0.0), ("latents_std", 1.0)))
    wanted = (raw - settings.get("shift_factor", mean)) * 0.5 / std
    with torch.no_grad():
        z = encode(vae, video)
        assert torch.allclose(z, wanted, atol=1e-5)
        again = torch.stack([vae.decode(raw[:, :, i]).sample for i in range(16)], 2)
        assert torch.allclose(decode(vae, z), (again / 2 + 0.5).clamp(0, 1), atol=1e-5)


# --- folders ------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
def test_prompt_is_what_the_pipeline_embeds(folders, pipes, family):
    "The embedded empty prompt does to the network what diffusers' own does."
    pipe, full = theirs(family), {"Wan": {"max_sequence_length": 512}, "LTX-Video": {"max_sequence_length": 128}}
    if family == "CogVideoX":
        full = {"CogVideoX": {"max_sequence_length": 8}}
    options = {"num_videos_per_prompt": 1, "do_classifier_free_guidance": False, "device": "cpu"} | full.get(family, {})
    if family in ("ModelScope", "AnimateDiff"):
        options["num_images_per_prompt"] = options.pop("num_videos_per_prompt")
    with torch.no_grad():
        embedded = pipe.encode_prompt("", **options)[:2]
    found = pipes[family].prompt.embedding
    if family == "LTX-Video":
        with torch.no_grad():
            mask = pipe.encode_prompt("", **options)[1].bool()
        assert torch.allclose(found, embedded[0][:, mask[0]], atol=1e-6)
    else:
        assert torch.allclose(found, embedded[0], atol=1e-6)
    assert pipes[family].text_encoder is None and pipes[family].tokenizer is None


@pytest.mark.parametrize("family", FAMILIES)
def test_saved_again(pipes, family, tmp_path):
    pipe = pipes[family]
    pipe.save_pretrained(tmp_path / "again")
    assert not (tmp_path / "again" / "text_encoder").exists()
    again = load(tmp_path / "again")
    assert torch.equal(again(clips(5), purify_steps=1).videos, pipe(clips(5), purify_steps=1).videos)


@pytest.mark.parametrize("family", ["ModelScope", "Wan"])
def test_shards_and_variants(folders, pipes, family, tmp_path):
    theirs(family).to(torch.float16).save_pretrained(tmp_path, variant="fp16", max_shard_size="30KB")
    name = "unet" if family == "ModelScope" else "transformer"
    assert len([*(tmp_path / name).glob("*fp16*-of-*.safetensors")]) > 1
    half = load(tmp_path, variant="fp16")
    assert half.network.dtype == torch.float32
    assert (half(clips(), purify_steps=1).videos - pipes[family](clips(), purify_steps=1).videos).abs().mean() < 0.01


def test_refused_by_name(tmp_path):
    parts = untrained("Wan")
    pictures = diffusers.WanTransformer3DModel(**{**NETWORKS_OF["Wan"][1], "in_channels": 9})
    one_line(lambda: VideoPurePipeline(**parts | {"transformer": pictures}), "9 channels", "picture")
    one_line(lambda: VideoPurePipeline(**{name: part for name, part in parts.items() if name != "prompt"}), "prompt")
    one_line(lambda: VideoPurePipeline(**parts, unet=tiny_unet()), "one network")
    one_line(lambda: VideoPurePipeline(**parts | {"scheduler": diffusers.EDMEulerScheduler()}), "SCHEDULES['EDMEulerScheduler'] =")
    one_line(lambda: VideoPurePipeline(**parts | {"scheduler": None}), "give the model's own")
    temporal = diffusers.AutoencoderKLTemporalDecoder(block_out_channels=(32,))
    one_line(lambda: VideoPurePipeline(**untrained("ModelScope") | {"vae": temporal}), "AutoencoderKLTemporalDecoder")

    class Own(diffusers.WanTransformer3DModel):
        pass

    assert VideoPurePipeline(**parts | {"transformer": Own(**NETWORKS_OF["Wan"][1])})
    latte = LatteTransformer3DModel(**LATTE)
    message = one_line(lambda: VideoPurePipeline(**untrained("ModelScope") | {"unet": latte}), "DENOISERS['LatteTransformer3DModel'] =")
    assert "not known" in message


LATTE = {"num_attention_heads": 2, "attention_head_dim": 8, "in_channels": 4, "out_channels": 8, "num_layers": 1, "patch_size": 2}
LATTE |= {"sample_size": 16, "caption_channels": 16, "cross_attention_dim": 16, "attention_bias": True, "norm_type": "ada_norm_single"}
LATTE |= {"activation_fn": "gelu-approximate", "norm_elementwise_affine": False, "norm_eps": 1e-6, "video_length": 16}


def call_latte(network, x, t, words, strides):
    return network(x, x.new_full((len(x),), t), words).sample[:, :4]


def test_register_another_network(monkeypatch, tmp_path):
    "Latte, which answers with noise and its variance, needs one line."
    monkeypatch.setitem(DENOISERS, "LatteTransformer3DModel", call_latte)
    parts = untrained("ModelScope")
    torch.manual_seed(0)
    parts["transformer"] = LatteTransformer3DModel(**LATTE).eval()
    del parts["unet"]
    pipe = VideoPurePipeline(**parts)
    out = pipe(clips(), purify_steps=2).videos
    assert out.shape == (1, 3, 3, 16, 32, 32) and out.isfinite().all()
    pipe.save_pretrained(tmp_path)
    assert (load(tmp_path)(clips(), purify_steps=2).videos - out).abs().mean() < 1e-4


def test_register_another_schedule(monkeypatch):
    "A model in EDM's scale, x = x0 + s noise, that answers with the clean latent."
    monkeypatch.setitem(
        SCHEDULES, "EDMEulerScheduler", lambda scheduler: Scale("sample", lambda abar: (1.0, ((1 - abar) / abar) ** 0.5, 0.25))
    )
    pipe = VideoPurePipeline(**untrained("Wan") | {"scheduler": diffusers.EDMEulerScheduler()})
    assert pipe(clips(), purify_steps=2).videos.isfinite().all()


@pytest.mark.parametrize(
    "settings",
    [
        {"use_rotary_positional_embeddings": True, "sample_width": 8, "sample_height": 8},
        {"use_rotary_positional_embeddings": True, "patch_size_t": 2, "patch_bias": False, "sample_width": 8, "sample_height": 8},
    ],
)
def test_other_configurations_of_cogvideox(settings):
    "The 5b and the 1.5 version, which know the place of a token, and in 1.5 hold two latent frames in a token."
    parts = untrained("CogVideoX")
    torch.manual_seed(0)
    config = NETWORKS_OF["CogVideoX"][1] | {"attention_head_dim": 16} | settings
    pipe = VideoPurePipeline(**parts | {"transformer": CogVideoXTransformer3DModel(**config).eval()})
    for frames in (9, 16):
        video = clips(frames).requires_grad_()
        out = pipe(video, purify_steps=1).videos
        assert out.shape == (1, 2, 3, frames, 32, 32)
        (gradient,) = torch.autograd.grad(out.square().sum(), video)
        assert (gradient.abs().amax((0, 1, 3, 4)) > 0).all()


@pytest.mark.parametrize(
    "settings",
    [
        {"dim_mult": [1, 1, 2, 2], "num_res_blocks": 2},
        {"is_residual": True, "patch_size": 2, "in_channels": 12, "out_channels": 12, "decoder_base_dim": 8},
    ],
)
def test_other_autoencoders_of_wan(settings):
    config = AUTOENCODERS["Wan"][1] | settings
    pipe = VideoPurePipeline(**untrained("Wan") | {"vae": AutoencoderKLWan(**config).eval()})
    assert pipe.model.frames(16) == 17 and pipe.model.space == 16 * config.get("patch_size", 1)
    assert pipe(clips(), purify_steps=1).videos.shape == (1, 2, 3, 16, 32, 32)


@pytest.mark.parametrize("family", ["Wan", "LTX-Video", "CogVideoX"])
def test_tiling_and_slicing(family):
    pipe, two = VideoPurePipeline(**untrained(family)), clips(n=2)
    whole = pipe.model.decode(pipe.model.encode(pipe.model.fit(two)))
    pipe.vae.enable_slicing()
    assert torch.allclose(pipe.model.decode(pipe.model.encode(pipe.model.fit(two))), whole, atol=1e-5)
    pipe.vae.enable_tiling()
    assert pipe.model.decode(pipe.model.encode(pipe.model.fit(two))).shape == whole.shape


def test_decoder_that_is_told_the_time():
    "LTX-Video from 0.9.5: the decoder is told that nothing is left of the noise; one that draws noise is refused on loading."
    config = AUTOENCODERS["LTX-Video"][1] | {"timestep_conditioning": True}
    pipe = VideoPurePipeline(**untrained("LTX-Video") | {"vae": diffusers.AutoencoderKLLTXVideo(**config).eval()})
    assert torch.equal(pipe(clips(), purify_steps=1).videos, pipe(clips(), purify_steps=1).videos)


def test_two_networks_are_refused(folders, tmp_path):
    shutil.copytree(folders["Wan"], tmp_path / "two")
    index = json.loads((tmp_path / "two" / "model_index.json").read_text())
    (tmp_path / "two" / "model_index.json").write_text(json.dumps(index | {"transformer_2": ["diffusers", "WanTransformer3DModel"]}))
    one_line(lambda: load(tmp_path / "two"), "transformer_2", "Wan 2.2")


def test_too_many_frames_for_a_motion_table(pipes):
    one_line(lambda: pipes["AnimateDiff"](clips(40)), "UNetMotionModel cannot take latents of 4 x 40")


def test_share(pipes):
    video = clips()
    first, mean = (pipes["Wan"](video, purify_steps=2, share=share).videos for share in ("first", "mean"))
    assert not torch.equal(first, mean)
    one_line(lambda: pipes["Wan"](video, share="last"), "expected one of first, mean")


def test_schedulers_of_another_model_are_refused():
    "A flow network that is read as if it answered with noise would give wrong clips and no error."
    wan, cog = untrained("Wan"), untrained("CogVideoX")
    half = diffusers.DPMSolverMultistepScheduler(use_flow_sigmas=True)  # still says that it answers with noise
    for scheduler in (diffusers.DDIMScheduler(), half, diffusers.EulerDiscreteScheduler()):
        one_line(lambda: VideoPurePipeline(**wan | {"scheduler": scheduler}), "flow")
    one_line(lambda: VideoPurePipeline(**cog | {"scheduler": wan["scheduler"]}), "was not trained by flow matching")
    lost = diffusers.DDIMScheduler.from_config(cog["scheduler"].config)
    one_line(lambda: VideoPurePipeline(**cog | {"scheduler": lost}), "snr_shift_scale")
    one_line(lambda: VideoPurePipeline(**cog | {"scheduler": diffusers.DDIMScheduler}), "give the model's own")


def test_noise_of_a_level_that_a_table_does_not_have():
    "A perfect network that is told too much noise still finds all of it."
    parts = untrained("CogVideoX")
    model, abar = VideoModel(parts["vae"], parts["transformer"], parts["scheduler"], parts["prompt"]), LEVELS[0].abar
    x0, noise = torch.randn(2, 1, 4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    z = abar**0.5 * x0 + (1 - abar) ** 0.5 * noise
    a, s, _ = model.scale.own(abar)
    assert s / a > 1.2 * ((1 - abar) / abar) ** 0.5

    def perfect(network, x, t, words, strides):
        return (a * x - x0) / s

    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(DENOISERS, "CogVideoXTransformer3DModel", perfect)
        assert torch.allclose(model.noise(z, abar), noise, atol=1e-4)


def test_subclass_gets_the_prompt_of_its_family():
    class Mine(diffusers.WanTransformer3DModel):
        pass

    encoder, tokenizer = texts("Wan")
    wanted = embed_empty_prompt(encoder, tokenizer, untrained("Wan")["transformer"]).embedding
    assert torch.equal(embed_empty_prompt(encoder, tokenizer, Mine(**NETWORKS_OF["Wan"][1])).embedding, wanted)
    one_line(lambda: embed_empty_prompt(encoder, tokenizer, LatteTransformer3DModel(**LATTE)), "PROMPTS['LatteTransformer3DModel'] =")


def test_identity_of_a_model(tmp_path, monkeypatch):
    "It is the same wherever the folder is, and another when what is registered changes."
    pipe = VideoPurePipeline(**untrained("Wan"))
    first = identity(pipe)
    pipe.save_pretrained(tmp_path / "a")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    assert identity(load(tmp_path / "a")) == identity(load(tmp_path / "b")) == identity(load(tmp_path / "a"))
    monkeypatch.setitem(PREDICTIONS, "flow_prediction", lambda answer, x, a, s: x - a * answer)
    assert identity(pipe) != first


def test_random_decoder_is_refused():
    noisy = diffusers.AutoencoderKLLTXVideo(**AUTOENCODERS["LTX-Video"][1] | {"decoder_inject_noise": (True,) * 5}).eval()
    one_line(lambda: VideoPurePipeline(**untrained("LTX-Video") | {"vae": noisy}), "random noise", "0.9.1")


@pytest.mark.parametrize("lost", ["vae", "transformer", "text_encoder", "tokenizer"])
def test_folder_without_a_part(folders, tmp_path, lost):
    shutil.copytree(folders["Wan"], tmp_path / "m")
    shutil.rmtree(tmp_path / "m" / lost)
    one_line(lambda: load(tmp_path / "m"), f"no {lost}/")


# --- from the command line ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
def test_purify_from_the_command_line(folders, family, tmp_path, capsys):
    write_video(clips(9, 40, 30), tmp_path / "clip.mp4")
    cli.main(["purify", str(tmp_path / "clip.mp4"), str(tmp_path / "out.mp4"), "--model", str(folders[family]), "--device", "cpu"])
    assert read_video(tmp_path / "out.mp4").shape == (1, 3, 9, 40, 30)


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_evaluate_from_the_command_line(folders, family, tmp_path):
    (tmp_path / "run.toml").write_text(
        f'''
model = "{folders[family]}"
data = {{ n_clips = 2 }}

[defenses.VideoPure]
method = "videopure"
purify_steps = 1

[attacks.PGD]
method = "pgd"
eps = "8/255"
sees = "full"
steps = 1
'''
    )
    cli.main(["evaluate", str(tmp_path / "run.toml"), "--out", str(tmp_path / "out"), "--device", "cpu"])
    results = [json.loads(line) for line in next((tmp_path / "out").glob("results-*.jsonl")).read_text().splitlines()]
    assert {result["attack"] for result in results if result["defense"] == "VideoPure"} == {"none", "PGD"}


# --- what goes with clips whose latents are fewer ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("family, frames", [("Wan", [0, 4, 8, 12, 16]), ("LTX-Video", [0, 8, 16]), ("ModelScope", range(16))])
def test_motion_is_measured_between_the_frames_that_latents_stand_for(pipes, family, frames):
    seen = []

    def still(video):
        seen.append(video)
        return torch.zeros(len(video), video.shape[2] - 1, 2, *video.shape[3:])

    if family == "LTX-Video":
        assert pipes[family].model.strides.time == 4  # the tiny one halves time twice
        frames = [0, 4, 8, 12, 16]
    video = clips()
    pipes[family](video, purify_steps=1, flow=still)
    padded = torch.cat([video, video[:, :, -1:]], 2)
    assert torch.equal(seen[0], pipes[family].model.fit(padded[:, :, : 17 if family != "ModelScope" else 16])[:, :, list(frames)])


def test_explorer_shows_a_model_of_clips(pipes):
    explorer = Explorer(Defended(tiny_classifier(), pipes["Wan"]), clips())
    explorer.purify()
    assert explorer.trace is not None


@pytest.mark.parametrize("family", FAMILIES)
def test_components_of_a_pipeline_in_memory(family, pipes):
    "The weights are shared, not copied; the answer is that of the saved folder."
    pipe = theirs(family)
    ours = VideoPurePipeline.from_pipe(pipe, purify_steps=1)
    ours.set_progress_bar_config(disable=True)
    assert ours.vae is pipe.vae and ours.text_encoder is None and pipe.text_encoder is not None
    video = clips(5, 16, 16)
    assert (ours(video).videos - pipes[family](video, purify_steps=1).videos).abs().max() < 1e-5


def test_pictures_with_a_motion_adapter():
    "How most people have AnimateDiff: Stable Diffusion and an adapter. Alone, the first is refused with the line that joins them."
    encoder, tokenizer = texts("AnimateDiff")
    blocks = {"down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"), "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D")}
    unet = diffusers.UNet2DConditionModel(
        block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=2, cross_attention_dim=16, attention_head_dim=2, **blocks
    )
    adapter = diffusers.MotionAdapter(
        block_out_channels=(8, 16), motion_layers_per_block=1, motion_norm_num_groups=2, motion_num_attention_heads=2
    )
    vae, scheduler = untrained("AnimateDiff")["vae"], diffusers.DDIMScheduler(clip_sample=False, steps_offset=1)
    one_line(lambda: VideoPurePipeline(vae, unet, scheduler, text_encoder=encoder, tokenizer=tokenizer), "motion adapter", "from_pipe")
    joined = diffusers.AnimateDiffPipeline(
        vae=vae, text_encoder=encoder, tokenizer=tokenizer, unet=unet, motion_adapter=adapter, scheduler=scheduler
    )
    pipe = VideoPurePipeline.from_pipe(joined)
    pipe.set_progress_bar_config(disable=True)
    assert pipe(clips(5, 16, 16), purify_steps=1).videos.shape == (1, 2, 3, 5, 16, 16)


def test_keywords_that_nobody_reads_are_refused(folders, pipes):
    one_line(lambda: load(folders["Wan"], varient="fp16"), "no keyword varient")
    one_line(lambda: load(folders["Wan"], motion_adapter=None), "motion_adapter", "from_pipe")
    one_line(lambda: load(folders["Wan"], dtype="int8"), "unknown dtype")
    one_line(lambda: load(folders["Wan"], torch_dtype={"vae": "half-ish"}), "unknown dtype")
    one_line(lambda: VideoPurePipeline.from_pipe(pipes["Wan"], stesp=2), "no keyword stesp")
    one_line(lambda: VideoPurePipeline.from_pipe("Wan"), "a pipeline of diffusers")
    prompt = pipes["Wan"].prompt  # without a text encoder, loading is quick
    assert load(folders["Wan"], dtype="bfloat16", prompt=prompt).vae.dtype == torch.bfloat16
    mixed = load(folders["Wan"], torch_dtype={"transformer": "bfloat16", "default": torch.float32}, prompt=prompt)
    assert (mixed.transformer.dtype, mixed.vae.dtype) == (torch.bfloat16, torch.float32)


def test_flow_schedule_for_the_embedded_unet():
    flow = diffusers.FlowMatchEulerDiscreteScheduler()
    one_line(lambda: VideoPurePipeline(tiny_vae(), tiny_unet(), flow), "was not trained by flow matching")


def test_only_our_own_call_shares_its_prompt(monkeypatch):
    "A network that is called in a user's way may be given a prompt for each clip."
    parts = untrained("ModelScope")
    monkeypatch.setitem(DENOISERS, "UNet3DConditionModel", lambda network, x, t, words, strides: network(x, t, words).sample)
    before = parts["unet"].attn_processors
    VideoPurePipeline(**parts)
    assert {name: type(p) for name, p in parts["unet"].attn_processors.items()} == {name: type(p) for name, p in before.items()}


def test_share_needs_sharing(pipes):
    one_line(lambda: pipes["ModelScope"](clips(5, 16, 16), temporal_inversion=False, share="mean"), "share='mean'")
