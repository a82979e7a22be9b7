"""How time and memory of a purification grow with clips, frames, size and levels: python benchmarks/growth.py

Every point is a process of its own with the embedded model, one axis at a time from 2 clips of 16 x 32 x 32 and 4 levels. CPU seconds of
one thread, the least of three; memory is the peak above that of the loaded models. The exponent is the slope of a line through the
logarithms: 1 is linear. Also without a gradient and with one (kept, or computed again). Writes benchmarks/growth.json and growth.md.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from math import log
from pathlib import Path

HERE = Path(__file__).resolve().parent
START = {"clips": 2, "frames": 16, "size": 32, "levels": 4}
AXES = {"clips": [1, 2, 4, 8, 16], "frames": [8, 16, 32, 64, 128], "size": [32, 64, 96, 128], "levels": [1, 2, 4, 6, 8, 12]}
KINDS = ("no gradient", "gradient, computed again", "gradient, kept")


def peak() -> float:
    "MB that this process has held at most."
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def measure(clips: int, frames: int, size: int, levels: int, kind: str) -> dict:
    "CPU seconds and MB of one purification."
    import torch

    from videopure.pipeline import VideoPurePipeline
    from videopure.video import moving_shapes

    torch.set_num_threads(1)
    pipe = VideoPurePipeline.tiny()
    pipe.set_progress_bar_config(disable=True)
    pipe.gradient_checkpointing = kind != "gradient, kept"
    small = moving_shapes(1, frames=8, size=32, seed=0)[0]
    video = moving_shapes(clips, frames=frames, size=size, seed=0)[0]

    def run(video, repeats=1):
        taken = []
        for _ in range(repeats):
            start, x = time.process_time(), video.clone().requires_grad_(kind != KINDS[0])
            records = pipe(x, purify_steps=levels).videos
            if x.requires_grad:
                torch.autograd.grad(records.square().mean(), x)
            taken.append(time.process_time() - start)
        return min(taken)

    run(small)
    before = peak()
    return {"seconds": round(run(video, 3), 4), "MB": round(peak() - before, 1), "input MB": round(video.nbytes / 2**20, 2)}


def slope(xs: list[float], ys: list[float]) -> float:
    "Of the line through the logarithms that fits best."
    x, y = [log(v) for v in xs], [log(max(v, 1e-9)) for v in ys]
    mx, my = sum(x) / len(x), sum(y) / len(y)
    return sum((a - mx) * (b - my) for a, b in zip(x, y)) / sum((a - mx) ** 2 for a in x)


def row(kind: str, axis: str, points: list[dict]) -> str:
    "A line of the table."
    xs, last = AXES[axis][: len(points)], points[-1]
    area = [x**2 for x in xs] if axis == "size" else xs
    exponents = [f"{slope(area[-3:], [p[of] for p in points[-3:]]):.2f}" for of in ("seconds", "MB")]
    found = [", ".join(f"{p[of]:.3g}" for p in points) for of in ("seconds", "MB")]
    columns = kind, axis, ", ".join(map(str, xs)), found[0], exponents[0], found[1], exponents[1], f"{last['MB'] / last['input MB']:.0f}"
    return f"| {' | '.join(columns)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        return print(json.dumps(measure(**json.loads(args.measure))))
    found = {}
    head = "| kind | axis | from, to | CPU s | exponent | MB | exponent | MB / input, last |"
    lines = ["Exponents of the last three points; for the size, against the area.", "", head, "|" + "---|" * 8]
    print("\n".join(lines), flush=True)
    for kind in args.kinds:
        for axis, values in AXES.items():
            points = []
            for value in values:
                words = json.dumps(START | {axis: value, "kind": kind})
                command, shell = [sys.executable, __file__, "--measure", words], os.environ | {"OMP_NUM_THREADS": "1"}
                done = subprocess.run(command, env=shell, stdout=subprocess.PIPE, text=True, check=True)
                points.append(json.loads(done.stdout.splitlines()[-1]))
            found[f"{kind}; {axis}"] = dict(zip(map(str, values), points))
            lines.append(row(kind, axis, points))
            print(lines[-1], flush=True)
    (HERE / "growth.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (HERE / "growth.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
