"""What the exact gradient through a purification costs: peak memory and seconds, with and without recomputation.

    python benchmarks/gradient.py [--size 64] [--frames 16]

Every row is a process of its own, so that peaks do not mix. Peak memory is what the gradient adds to the models and the clip.
"""

import argparse
import json
import resource
import subprocess
import sys
import time


def measure(steps: int, recompute: bool, size: int, frames: int) -> dict:
    "Peak memory in MB and seconds of one gradient."
    import torch

    from videopure.defense import Defended
    from videopure.pipeline import VideoPurePipeline
    from videopure.purifier import VideoPure
    from videopure.tiny import tiny_classifier

    torch.set_num_threads(1)
    pipe = VideoPurePipeline.tiny()
    pipe.set_progress_bar_config(disable=True)
    if not recompute:
        pipe.disable_gradient_checkpointing()
    model = Defended(tiny_classifier(), VideoPure(pipe, purify_steps=steps))
    clip = torch.rand(1, 3, frames, size, size, generator=torch.Generator().manual_seed(0)).requires_grad_()
    with torch.no_grad():
        model(clip[..., :16, :16])  # whatever is loaded at first use
    before, start = peak(), time.perf_counter()
    model(clip).max().backward()
    return {"MB": peak() - before, "seconds": time.perf_counter() - start}


def peak() -> float:
    "Most memory this process has held, in MB."
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--size", type=int, default=64, help="pixels a side")
    options.add_argument("--frames", type=int, default=16)
    options.add_argument("--one", help=argparse.SUPPRESS)
    args = options.parse_args()
    if args.one:
        print(json.dumps(measure(*json.loads(args.one), args.size, args.frames)))
        return
    print("| activations | 2 steps, MB | 6 steps, MB | ratio | 6 steps, s |\n|---|---|---|---|---|")
    for recompute in (True, False):
        two, six = (one(args, steps, recompute) for steps in (2, 6))
        name = "recomputed" if recompute else "kept"
        print(f"| {name} | {two['MB']:.0f} | {six['MB']:.0f} | {six['MB'] / two['MB']:.2f} | {six['seconds']:.1f} |")


def one(args: argparse.Namespace, steps: int, recompute: bool) -> dict:
    "One measurement in a process of its own."
    command = [sys.executable, __file__, "--one", json.dumps([steps, recompute]), "--size", str(args.size), "--frames", str(args.frames)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
