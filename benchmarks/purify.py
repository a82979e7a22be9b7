"""How much faster is a purification than in the published order of work, with equal results?

    python benchmarks/purify.py [MODEL ...] [--n-clips 1 4] [--repeats 5] [--threads N]

The published order: clip by clip, the autoencoder one frame a call, two UNet answers a prediction (classifier-free guidance between
two empty prompts), guidance by autograd and pair of frames by pair of frames, at every level, with the weights in the order in which
diffusers loads them. Both sides get the same clips and the same optical flow. CPU seconds of the process, medians. A MODEL is "tiny"
(embedded), "untrained" (a small UNet3DConditionModel and AutoencoderKL of diffusers), or a saved folder.
"""

import argparse
import statistics
import time
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet3DConditionModel
from diffusers.models.attention_processor import AttnProcessor2_0

from videopure.flow import latent_flow, warp
from videopure.latents import PromptEmbedding
from videopure.pipeline import VideoPurePipeline
from videopure.schedule import ddim_levels, ddim_step, predict_x0
from videopure.video import moving_shapes

BETAS = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, set_alpha_to_one=False, steps_offset=1)
GOLDEN = Path(__file__).resolve().parents[2] / "shared" / "golden" / "tiny_model"


def untrained() -> VideoPurePipeline:
    "A text-to-video model of the paper's kind, small and with random weights."
    torch.manual_seed(0)
    blocks = dict(down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4)
    vae = AutoencoderKL(block_out_channels=(16,) * 4, norm_num_groups=8, **blocks)
    unet = UNet3DConditionModel(
        block_out_channels=(32, 64),
        down_block_types=("CrossAttnDownBlock3D", "DownBlock3D"),
        up_block_types=("UpBlock3D", "CrossAttnUpBlock3D"),
        layers_per_block=1,
        norm_num_groups=8,
        cross_attention_dim=32,
        attention_head_dim=8,
    )
    return VideoPurePipeline(vae, unet, DDIMScheduler(**BETAS), PromptEmbedding(77, 32))


def load(name: str) -> VideoPurePipeline:
    makers = {"tiny": VideoPurePipeline.tiny, "untrained": untrained}
    return makers[name]() if name in makers else VideoPurePipeline.from_pretrained(name)


def as_loaded(pipe: VideoPurePipeline) -> VideoPurePipeline:
    "Undo what a pipeline does to its models to make them faster."
    if hasattr(pipe.unet, "set_attn_processor"):
        pipe.unet.set_attn_processor(AttnProcessor2_0())
    for layer in [*pipe.unet.modules(), *pipe.vae.modules()]:
        if isinstance(layer, torch.nn.Conv2d):
            layer.to(memory_format=torch.contiguous_format)
    return pipe


def in_published_order(pipe: VideoPurePipeline, clip: torch.Tensor, flow: torch.Tensor, steps: int, scales: tuple) -> torch.Tensor:
    "The records (1, S, 3, T, H, W), computed step by step as the published code orders the work."
    levels, scaling = ddim_levels(pipe.scheduler, steps), pipe.vae.config.scaling_factor
    prompt = pipe.prompt.embedding.expand(2, -1, -1) if pipe.prompt is not None else None

    def predict(z, t):
        negative, positive = pipe.unet(torch.cat([z, z]), t, encoder_hidden_states=prompt).sample.chunk(2)
        return negative + 9.0 * (positive - negative)

    def guided(z, noise, level):
        z = z.detach().requires_grad_()
        with torch.enable_grad():
            x0 = predict_x0(z, noise, level.abar)
            temporal = 0.0
            for i in range(z.shape[2] - 1):
                temporal = temporal + (warp(x0[:, :, i + 1].detach(), flow[:, i]) - x0[:, :, i]).abs().mean()
            loss = scales[0] * 800 * (x0 - z0).square().mean() - scales[1] * 5 * temporal
        return (z + 4 * abs(level.log_variance) * torch.autograd.grad(loss, z)[0]).detach()

    z0 = torch.stack([pipe.vae.encode(2 * frame - 1).latent_dist.mode() * scaling for frame in clip.unbind(2)], 2)
    z = z0
    for level in levels:
        z = ddim_step(z, predict(z, level.t)[:, :, :1].expand_as(z), level.abar_prev, level.abar)
    records = []
    for level in reversed(levels):
        noise = predict(z, level.t)
        records.append(predict_x0(guided(z, noise, level), noise, level.abar))
        z = ddim_step(z, noise, level.abar, level.abar_prev)
    records.append(guided(z, noise, levels[0]))
    decoded = [torch.stack([pipe.vae.decode(frame / scaling).sample for frame in record.unbind(2)], 2) for record in records]
    return (torch.stack(decoded, 1) / 2 + 0.5).clamp(0, 1)


def cpu_seconds(runs: list, repeats: int) -> tuple[list[float], list[torch.Tensor]]:
    "Median CPU seconds of each of `runs`, taken in turn so that both see the same machine, and their results; after a warm-up."
    results, seconds = [run() for run in runs], [[] for _ in runs]
    for _ in range(repeats):
        for run, taken in zip(runs, seconds):
            start = time.process_time()
            run()
            taken.append(time.process_time() - start)
    return [statistics.median(taken) for taken in seconds], results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=["tiny", str(GOLDEN) if GOLDEN.is_dir() else "untrained"], metavar="MODEL")
    parser.add_argument("--n-clips", type=int, nargs="+", default=[1, 4], help="numbers of clips in a batch to try")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="torch's own choice by default")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    print(f"{args.steps} steps, {args.threads} threads, median of {args.repeats}, CPU seconds\n")
    print("| model | clips | published order | ours | ratio | difference, mean / 99.9 % |\n|---|---|---|---|---|---|")
    for name in args.models:
        pipe, slow = load(name), as_loaded(load(name))
        pipe.set_progress_bar_config(disable=True)
        raw = dict(purify_steps=args.steps, spatial_scale=0.05, temporal_scale=0.05, normalize_guidance=False)  # near the paper's strength
        for n in args.n_clips:
            clips, _ = moving_shapes(n, seed=0, **(dict(frames=16, size=32) if name == "tiny" else dict(frames=32, size=48)))
            flow = latent_flow(clips, *pipe.invert(clips, purify_steps=1)[0].shape[-2:])
            pairs = list(zip(clips.split(1), flow.split(1)))
            runs = [
                lambda: torch.cat([in_published_order(slow, clip, one, args.steps, (0.05, 0.05)) for clip, one in pairs]),
                lambda: pipe(clips, flow=flow, **raw).videos,
            ]
            with torch.no_grad():
                (theirs, ours), (want, got) = cpu_seconds(runs, args.repeats)
            error = (got - want).abs().flatten()
            error = f"{error.mean():.0e} / {error.sort().values[int(0.999 * len(error))]:.0e}"
            size = "x".join(map(str, clips.shape[2:]))
            print(f"| {Path(name).name} | {n} of {size} | {theirs:.3f} | {ours:.3f} | {theirs / ours:.2f} | {error} |", flush=True)


if __name__ == "__main__":
    main()
