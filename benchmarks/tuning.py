"""The same budget for every rival: up to eight settings each, on the same validation clips, by the same rule.

    python benchmarks/tuning.py --out benchmarks/tuning

The rule: most right answers on clips attacked with PGD on the bare classifier, without and with momentum (the worse of both), at
8/255; of equals the one with more right answers on clean clips, of equals the first. Nothing here sees the test clips of a table.
Started again, it goes on.
"""

import argparse
import json
from pathlib import Path

import torch

from videopure import PGD, Defended, VideoPurePipeline, moving_shapes, tiny_classifier
from videopure.baselines import make_purifier
from videopure.purifier import seeded
from videopure.statistics import Accuracy
from videopure.table import Table

SEED = 5_000_001
GRID = {
    "bit-depth": [{"bits": n} for n in (2, 3, 4, 5)],
    "jpeg": [{"quality": q} for q in (10, 20, 30, 40, 50, 70)],
    "h264": [{"crf": q} for q in (25, 30, 35, 40, 45)],
    "blur": [{"sigma": s} for s in (0.5, 0.75, 1.0, 1.5, 2.0, 3.0)],
    "temporal-blur": [{"temporal_sigma": s} for s in (0.3, 0.5, 0.75, 1.0, 1.5)],
    "median": [{"size": n} for n in (3, 5, 7)],
    "temporal-median": [{"temporal_size": n} for n in (3, 5, 7)],
    "smoothing": [{"sigma": s} for s in (0.01, 0.02, 0.03, 0.05, 0.1)],
    "ddim": [{"purify_steps": n} for n in (2, 3, 4, 6, 8, 10)],
    "diffpure": [{"t": t, "steps": 6} for t in (51, 76, 101, 126, 151, 201, 251, 301)],
    "random-sampling": [{"t": t, "steps": 6} for t in (51, 76, 101, 126, 151, 201, 251, 301)],
    "diffap": [{"t": t, "guidance": g} for t in (101, 201) for g in (0.05, 0.1, 0.2, 0.4)],
    "nadd": [{"t": t, "ring": r} for t in (201, 301) for r in (0.15, 0.2, 0.25, 0.3)],
    "one-step": [{"t": t} for t in (41, 81, 121, 161, 201, 241, 281, 321)],
    "videopure": [
        {"purify_steps": n, "spatial_scale": s, "temporal_scale": t}
        for n in (4, 6)
        for s, t in ((0.0, 0.0), (0.1, 1.0), (0.5, 0.5), (1.0, 1.0))
    ],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/tuning"))
    parser.add_argument("--n-clips", type=int, default=48)
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.out.mkdir(parents=True, exist_ok=True)
    file = args.out / "tuning.json"
    found = json.loads(file.read_text()) if file.exists() else {}
    classifier, pipe = tiny_classifier(), VideoPurePipeline.tiny()
    pipe.set_progress_bar_config(disable=True)
    clips, labels = moving_shapes(args.n_clips, seed=SEED)
    kept = {"seed": 0, "early_stop": False, "best": False, "progress": False, "alpha": 2 / 255}
    sets = {"clean": clips, "PGD": PGD(classifier, 8 / 255, **kept)(clips, labels)}
    sets["momentum"] = PGD(classifier, 8 / 255, momentum=0.75, schedule="cosine", **kept)(clips, labels)
    for name, settings in GRID.items():
        for setting in settings:
            if (key := f"{name} {json.dumps(setting)}") in found:
                continue
            model, right = Defended(classifier, make_purifier(name, pipe, **setting)), {}
            for kind, videos in sets.items():
                with torch.no_grad(), seeded(SEED):
                    answers = torch.cat([model(part).argmax(1) for part in videos.split(12)])
                right[kind] = int((answers == labels).sum())
            found[key] = right
            file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    rows = []
    for name, settings in GRID.items():
        scores = [found[f"{name} {json.dumps(setting)}"] for setting in settings]
        best = max(range(len(scores)), key=lambda k: (min(scores[k]["PGD"], scores[k]["momentum"]), scores[k]["clean"], -k))
        words = ", ".join(f"{option}={value}" for option, value in settings[best].items())
        rows.append([name, len(settings), words, *(Accuracy(scores[best][kind], args.n_clips) for kind in sets)])
    table = Table(f"Tuned alike, {args.n_clips} validation clips", ["purifier", "settings tried", "best", *sets], rows)
    (args.out / "table.md").write_text(table._repr_markdown_() + "\n", encoding="utf-8")
    print(table)


if __name__ == "__main__":
    main()
