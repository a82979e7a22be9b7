"""What does the suite cost beside the column that it takes the place of? python benchmarks/suite_cost.py

The exact gradient of the first reference table (PGD, 40 steps of 2/255, two starts) and the whole of video-auto-1, on the same clips behind
VideoPure, in one run, in CPU seconds; also how many clips each leaves. Parts of ten clips take turns, so that a busy machine slows both.
"""

import argparse
import json
import time
from pathlib import Path

import torch

from videopure import PGD, Defended, VideoPurePipeline, moving_shapes, tiny_classifier
from videopure.suite import VideoAuto

SEED = 1503


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/suite_cost.json"))
    parser.add_argument("--n-clips", type=int, default=50)
    args = parser.parse_args()
    torch.set_num_threads(1)
    pipe = VideoPurePipeline.tiny()
    pipe.set_progress_bar_config(disable=True)
    pipe.disable_gradient_checkpointing()
    model, (clips, labels) = Defended(tiny_classifier(), pipe), moving_shapes(args.n_clips, seed=SEED)
    attacks = {
        "exact gradient": PGD(model, 8 / 255, alpha=2 / 255, steps=40, restarts=2, seed=0, progress=False),
        "video-auto-1": VideoAuto(model, 8 / 255, seed=0, progress=False),
    }
    found = {name: {"seconds": 0.0, "left": 0} for name in attacks}
    for x, y in zip(clips.split(10), labels.split(10)):
        for name, attack in attacks.items():
            start = time.process_time()
            attack(x, y)
            found[name]["seconds"] += time.process_time() - start
            found[name]["left"] += int((~attack.success).sum())
    ratio = found["video-auto-1"]["seconds"] / found["exact gradient"]["seconds"]
    result = {"n": args.n_clips, "attacks": found, "ratio": round(ratio, 2), "torch": torch.__version__}
    args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
