"""How fast the explorer answers, and how large its page is: `python benchmarks/explorer.py [--size 32 112 224] [--frames 16]`.

Milliseconds in Python, without the way to the browser: the first look at a record (its pictures are drawn) and a later one (they are kept).
"""

import argparse
import tempfile
from pathlib import Path
from time import perf_counter

import torch

from videopure.defense import Defended
from videopure.explore import Explorer
from videopure.pipeline import VideoPurePipeline
from videopure.tiny import tiny_classifier
from videopure.video import moving_shapes


def moves(explorer: Explorer) -> list[float]:
    "Milliseconds of every move of the record slider, from the last record to the first."
    times = []
    for record in reversed(range(len(explorer.trace.records))):
        start = perf_counter()
        explorer.set(record=record)
        times.append(1000 * (perf_counter() - start))
    return times


def main() -> None:
    "Measure at each size."
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, nargs="+", default=[32, 112, 224], help="sides of the clip in pixels (default: 32 112 224)")
    parser.add_argument("--frames", type=int, default=16, help="frames of the clip (default: %(default)s)")
    args = parser.parse_args()
    print("| clip | purify, s | first look at a record, ms | again, ms | page, MB |\n|---|---|---|---|---|")
    for size in args.size:
        clip, label = moving_shapes(1, seed=8, frames=args.frames, size=size)
        explorer = Explorer(Defended(tiny_classifier(), VideoPurePipeline.tiny()), clip, int(label))
        start = perf_counter()
        explorer.purify()
        seconds = perf_counter() - start
        first, again = moves(explorer), moves(explorer)
        with tempfile.TemporaryDirectory() as folder:
            page = explorer.to_html(Path(folder) / "explorer.html").stat().st_size / 1e6
        print(f"| {args.frames} x {size} x {size} | {seconds:.1f} | {max(first):.0f} at most | {max(again):.1f} at most | {page:.2f} |")


if __name__ == "__main__":
    torch.set_grad_enabled(False)
    main()
