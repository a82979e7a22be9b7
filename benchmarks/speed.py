"""One table of what takes time: before, now, and the fastest of others, in one run.

    python benchmarks/speed.py [--before COMMIT] [--only WORD ...] [--repeats 5]

Every work is done in a process of its own, once with the code of COMMIT (checked out beside this one, and removed again) and once with
the code of now, in turn, so that both see the same machine. CPU seconds of one thread: median [least, most]. "Other" is the fastest of
others in the same run: the published order of work for a purification (purify.py tells more of it), PyAV and OpenCV for reading a
file. Writes benchmarks/speed.json and benchmarks/speed.md.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent


def purification(n: int):
    import purify

    _, ours, *_ = purify.both_sides("tiny", n, 6)["records"]
    return ours


def published(n: int):
    import purify

    return purify.both_sides("tiny", n, 6)["records"][0]


def gradient(n: int):
    "One step along the exact gradient of VideoPure."
    import torch

    from videopure.attacks import PGD
    from videopure.defense import Defended
    from videopure.pipeline import VideoPurePipeline
    from videopure.purifier import VideoPure
    from videopure.tiny import tiny_classifier
    from videopure.video import moving_shapes

    pipe = VideoPurePipeline.tiny()
    pipe.set_progress_bar_config(disable=True)
    pipe.disable_gradient_checkpointing()
    attack = PGD(Defended(tiny_classifier(), VideoPure(pipe)), "8/255", steps=1, early_stop=False, best=False, progress=False)
    clips, labels = moving_shapes(n, seed=0)
    return lambda: torch.manual_seed(0) and attack(clips, labels)


def suite(method: str, n: int = 4):
    "The whole of video-auto-1 at 8/255 on so many clips."
    from videopure.baselines import make_purifier
    from videopure.defense import Defended
    from videopure.pipeline import VideoPurePipeline
    from videopure.suite import VideoAuto
    from videopure.tiny import tiny_classifier
    from videopure.video import moving_shapes

    pipe = VideoPurePipeline.tiny()
    pipe.set_progress_bar_config(disable=True)
    pipe.disable_gradient_checkpointing()
    attack = VideoAuto(Defended(tiny_classifier(), make_purifier(method, pipe)), "8/255", seed=0, progress=False)
    clips, labels = moving_shapes(n, seed=11)
    return lambda: attack(clips, labels)


def film() -> Path:
    "A file of 100 frames of 320 x 240, made of moving shapes."
    import torch

    from videopure.video import moving_shapes, write_video

    path = Path(tempfile.gettempdir()) / "videopure-speed.mp4"
    if not path.exists():
        clip = moving_shapes(1, frames=100, size=64, seed=1)[0]
        write_video(torch.nn.functional.interpolate(clip, (100, 240, 320)), path)
    return path


def reading(**how):
    from videopure.video import read_video

    path = film()
    return lambda: read_video(path, **how)


def reading_with_av():
    import av

    path = film()

    def run():
        with av.open(str(path)) as container:
            return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]

    return run


def reading_with_opencv():
    import cv2

    path = film()

    def run():
        file, frames = cv2.VideoCapture(str(path)), []
        while (got := file.read())[0]:
            frames.append(cv2.cvtColor(got[1], cv2.COLOR_BGR2RGB))
        return frames

    return run


def command(*words: str):
    "A command of the command line; its own CPU time is counted."
    return lambda: subprocess.run([sys.executable, "-m", "videopure", *words], check=True, stdout=subprocess.DEVNULL)


WORKS: dict[str, Callable] = {
    "purification, 1 clip": lambda: purification(1),
    "purification, 4 clips": lambda: purification(4),
    "purification, 8 clips": lambda: purification(8),
    "exact gradient, one step, 4 clips": lambda: gradient(4),
    "video-auto-1 on VideoPure, 4 clips": lambda: suite("videopure"),
    "video-auto-1 on one-step, 4 clips": lambda: suite("one-step"),
    "video-auto-1 on random sampling, 1 clip": lambda: suite("random-sampling", 1),
    "read 100 frames of 320 x 240": lambda: reading(),
    "read 16 frames of these, 64 x 64": lambda: reading(frames=16, size=64),
    "videopure --help": lambda: command("--help"),
    "import videopure, benchmark": lambda: lambda: subprocess.run([sys.executable, "-c", "from videopure import benchmark"], check=True),
}
OTHERS: dict[str, list[Callable]] = {
    "purification, 1 clip": [lambda: published(1)],
    "purification, 4 clips": [lambda: published(4)],
    "purification, 8 clips": [lambda: published(8)],
    "read 100 frames of 320 x 240": [reading_with_av, reading_with_opencv],
}
LONG = "video-auto-1"  # works that take minutes are done once


def seconds() -> float:
    "CPU seconds of this process and of those that it started."
    return time.process_time() + sum(os.times()[2:4])


def measure(work: str, other: int | None, repeats: int) -> None:
    "Do a work again and again, and print the CPU seconds of each time, as JSON."
    import torch

    torch.set_num_threads(1)
    run, taken = (WORKS[work] if other is None else OTHERS[work][other])(), []
    with torch.set_grad_enabled(LONG in work or "gradient" in work):
        if LONG not in work:
            run()
        for _ in range(1 if LONG in work else repeats):
            start = seconds()
            run()
            taken.append(round(seconds() - start, 4))
    print(json.dumps(taken))


def ask(work: str, code: Path, repeats: int, other: int | None = None) -> list[float]:
    "The CPU seconds of a work with the code in a folder; none if that code cannot do it."
    words = ["--measure", work, "--repeats", str(repeats)] + ([] if other is None else ["--other", str(other)])
    shell = os.environ | {"PYTHONPATH": f"{code}{os.pathsep}{HERE}", "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, __file__, *words], env=shell, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else []


def shown(taken: list[float]) -> str:
    "A cell of the table."
    return f"{statistics.median(taken):.3f} [{min(taken):.3f}, {max(taken):.3f}]" if taken else "–"


def row(work: str, before: Path, repeats: int) -> dict:
    "What a work takes: two turns of each side."
    old, new, others = [], [], []
    for _ in range(1 if LONG in work else 2):
        old += ask(work, before, repeats)
        new += ask(work, HERE.parent, repeats)
        others = [(others[i] if others else []) + ask(work, HERE.parent, repeats, i) for i in range(len(OTHERS.get(work, [])))]
    best = min(filter(None, others), key=statistics.median, default=[])
    return {"work": work, "other": best, "before": old, "now": new}


def text(row: dict) -> str:
    "A line of the table."
    middle = {side: statistics.median(row[side]) if row[side] else None for side in ("other", "before", "now")}
    ratios = [f"{middle[side] / middle['now']:.2f}" if middle[side] and middle["now"] else "–" for side in ("other", "before")]
    return f"| {row['work']} | {' | '.join(shown(row[side]) for side in ('other', 'before', 'now'))} | {' | '.join(ratios)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", default="a2954f2", help="the commit to compare with")
    parser.add_argument("--only", nargs="+", default=[""], help="works with one of these words in their names")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--other", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        return measure(args.measure, args.other, args.repeats)
    began, rows, before = time.time(), [], Path(tempfile.mkdtemp(prefix="videopure-before-"))
    try:
        subprocess.run(["git", "-C", HERE.parent, "worktree", "add", "-q", "--detach", "--force", before, args.before], check=True)
        head = f"CPU seconds of one thread, median [least, most]; before: {args.before}"
        lines = [head, "", "| work | other | before | now | other / now | before / now |", "|---|---|---|---|---|---|"]
        print("\n".join(lines), flush=True)
        for work in (work for work in WORKS if any(word in work for word in args.only)):
            rows.append(row(work, before, args.repeats))
            lines.append(text(rows[-1]))
            print(lines[-1], flush=True)
            (HERE / "speed.json").write_text(json.dumps({"before": args.before, "rows": rows}, indent=1) + "\n", encoding="utf-8")
            (HERE / "speed.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    finally:
        subprocess.run(["git", "-C", HERE.parent, "worktree", "remove", "--force", before])
        shutil.rmtree(before, ignore_errors=True)
    print(f"{time.time() - began:.0f} s")


if __name__ == "__main__":
    main()
