"""How much faster is a purification than in the published order of work, with equal results?

    python benchmarks/purify.py [MODEL ...] [--n-clips 1 4 8] [--repeats 5] [--threads N]

The published order: clip by clip, the autoencoder one frame a call, two UNet answers a prediction (classifier-free guidance between
two empty prompts), guidance by autograd and pair of frames by pair of frames, at every level, with the weights in the order in which
diffusers loads them. Two kinds of work: all records, with the optical flow given to both sides; and the label, flow and classifier
included. The floor is what the counted operations would take at the highest rate that this machine shows in the same run, for a matrix
product or a convolution. "Fast" is ours with the network in bfloat16, as dtype="fast" does, which is not exact. "Off" is the mean
difference of the clips to those of the published order, or the share of other labels. A MODEL is "tiny" (embedded), "untrained" (a
small UNet3DConditionModel and AutoencoderKL of diffusers), or a saved folder.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet3DConditionModel
from diffusers.models.attention_processor import AttnProcessor2_0
from torch.nn.functional import conv2d
from torch.utils.flop_counter import FlopCounterMode

from videopure.defense import Defended
from videopure.flow import latent_flow, warp
from videopure.latents import PromptEmbedding
from videopure.loading import undisturbed
from videopure.pipeline import VideoPurePipeline, _ready
from videopure.purifier import VideoPure
from videopure.schedule import ddim_levels, ddim_step, predict_x0
from videopure.tiny import tiny_classifier
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
        elif isinstance(layer, torch.nn.Conv3d):
            layer.__class__ = torch.nn.Conv3d
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


def cpu_seconds(runs: list, repeats: int) -> tuple[list[list[float]], list[torch.Tensor]]:
    "Sorted CPU seconds of each of `runs`, taken in turn so that all see the same machine, and their results; after a warm-up."
    results, seconds = [run() for run in runs], [[] for _ in runs]
    for _ in range(repeats):
        for run, taken in zip(runs, seconds):
            start = time.process_time()
            run()
            taken.append(time.process_time() - start)
    return [sorted(taken) for taken in seconds], results


def peak(repeats: int = 5) -> float:
    "The most operations a CPU second of this machine, now: of a matrix product or a convolution of a handy size, whichever is faster."
    a, x, w = torch.randn(1024, 1024), torch.randn(16, 64, 64, 64), torch.randn(64, 64, 3, 3)
    x, w = (part.to(memory_format=torch.channels_last) for part in (x, w))
    work = {lambda: a @ a: 2 * 1024**3, lambda: conv2d(x, w, padding=1): 2 * 16 * 64**2 * 9 * 64**2}
    return max(flop / min(cpu_seconds([run], repeats)[0][0]) for run, flop in work.items())


def operations(run: Callable) -> int:
    "Floating point operations of a call: matrix products, convolutions, attention."
    with FlopCounterMode(display=False) as counter:
        run()
    return counter.get_total_flops()


def both_sides(name: str, n: int, steps: int) -> dict[str, tuple[Callable, ...]]:
    "For each kind of work on `n` clips: the published order, ours, and ours in bfloat16."
    pipe, slow, short, classifier = load(name), as_loaded(load(name)), load(name), tiny_classifier()
    with undisturbed():
        _ready(short.unet.to(torch.bfloat16))  # what dtype="fast" does
    for each in (pipe, short):
        each.set_progress_bar_config(disable=True)
    raw = dict(purify_steps=steps, spatial_scale=0.05, temporal_scale=0.05, normalize_guidance=False)  # near the paper's strength
    clips, _ = moving_shapes(n, seed=0, **(dict(frames=16, size=32) if name == "tiny" else dict(frames=32, size=48)))
    sides = pipe.invert(clips, purify_steps=1)[0].shape[-2:]
    flow, (defended, fast) = latent_flow(clips, *sides), (Defended(classifier, VideoPure(each, **raw)) for each in (pipe, short))

    def published(flow):
        parts = zip(clips.split(1), flow.split(1))
        return torch.cat([in_published_order(slow, clip, one, steps, (0.05, 0.05)) for clip, one in parts])

    def labels():
        records = published(latent_flow(clips, *sides))
        return torch.stack([classifier(record).argmax(1) for record in records.unbind(1)], 1).mode(1).values

    return {
        "records": (lambda: published(flow), *(lambda each=each: each(clips, flow=flow, **raw).videos for each in (pipe, short))),
        "label": (labels, lambda: defended.predict(clips), lambda: fast.predict(clips)),
    }


def row(name: str, n: int, kind: str, sides: tuple[Callable, ...], repeats: int) -> dict:
    "A line of the table, as numbers."
    seconds, (want, got, short) = cpu_seconds(sides, repeats)
    off = lambda found: (found - want).abs().flatten() if kind == "records" else (found != want).float()
    theirs, ours, fast = ([round(taken[i], 4) for i in (len(taken) // 2, 0, -1)] for taken in seconds)
    found = {"model": Path(name).name, "work": kind, "clips": n, "published": theirs, "ours": ours, "fast": fast}
    found |= {"ratio": round(theirs[0] / ours[0], 2), "ratio, fast": round(theirs[0] / fast[0], 2)}
    found["floor"] = round(operations(sides[1]) / peak(), 4)
    return found | {"off": off(got).mean().item(), "off, fast": off(short).mean().item()}


def line(row: dict) -> str:
    "A line of the table, as text."
    spread = [f"{middle:.3f} [{least:.3f}, {most:.3f}]" for middle, least, most in (row[side] for side in ("published", "ours", "fast"))]
    off = [f"{row[part]:.0e}" if row["work"] == "records" else f"{row[part]:.0%}" for part in ("off", "off, fast")]
    share = f"{row['floor']:.3f} ({row['floor'] / row['ours'][0]:.0%})"
    columns = row["model"], row["work"], row["clips"], *spread, row["ratio"], row["ratio, fast"], share, *off
    return "| " + " | ".join(map(str, columns)) + " |"


HEAD = "| model | work | clips | published order | ours | fast | ratio | ratio, fast | floor (share) | off | off, fast |\n|" + 11 * "---|"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=["tiny", str(GOLDEN) if GOLDEN.is_dir() else "untrained"], metavar="MODEL")
    parser.add_argument("--n-clips", type=int, nargs="+", default=[1, 4, 8], help="numbers of clips in a batch to try")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, help="a file for the table, such as purify.json")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    print(f"{args.steps} steps, {args.threads} thread{'s' * (args.threads > 1)}, CPU seconds: median of {args.repeats} [least, most]\n")
    print(HEAD)
    rows = []
    for name in args.models:
        for n in args.n_clips:
            for kind, sides in both_sides(name, n, args.steps).items():
                with torch.no_grad():
                    rows.append(row(name, n, kind, sides, args.repeats))
                print(line(rows[-1]), flush=True)
    if args.out:
        about = {"steps": args.steps, "threads": args.threads, "torch": torch.__version__}
        args.out.write_text(json.dumps(about | {"rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
