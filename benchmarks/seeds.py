"""Does it depend on luck? The models that hold, trained once more from another seed: python benchmarks/seeds.py --out benchmarks/seeds

Trains each of them (OUT/KIND; started again, it goes on where it was), measures the CPU time of that, and judges it as the one that is
shipped is judged, on fresh clips (seed 1407). About two hours on one core.
"""

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import nn

from videopure import PGD, Defended, VideoPurePipeline, moving_shapes, tiny_classifier
from videopure.attacks import make_attack
from videopure.baselines import OneStep
from videopure.certify import DoubleMasked, Smoothed, windows
from videopure.statistics import Accuracy
from videopure.table import Table
from videopure.robust import train_robust
from videopure.threats import L2, Frames
from videopure.tiny import load_motion_classifier

SEED, DRAWS = 1407, 1000


def right_under_attack(model: nn.Module, clips: torch.Tensor, labels: torch.Tensor, eps: float) -> list[bool]:
    "Which clips stay right under PGD from two starts and, of these, under APGD."
    pgd = PGD(model, eps, steps=40, restarts=2, loss=["ce", "margin"], progress=False)
    apgd = make_attack("APGD", model, norm="Linf", eps=eps, steps=100)
    stays = []
    for x, y in zip(clips.split(10), labels.split(10)):
        left = model(pgd(x, y)).argmax(1) == y
        if left.any():
            left[left.clone()] = model(apgd(x[left], y[left])).argmax(1) == y[left]
        stays += left.tolist()
    return stays


def judge(kind: str, model: nn.Module, clips: torch.Tensor, labels: torch.Tensor) -> Iterator[tuple[str, list[bool]]]:
    "What is said of each clip, by the name of the measure."

    def proofs(proven, threat, radius=None, **more):
        found = [proven.certify(clip, threat, progress=False, **more) for clip in clips.split(1)]
        return [int(p.labels) == y and float(p.radii) > (radius or 0) for p, y in zip(found, labels.tolist())]

    if kind == "smooth":
        yield "certified at L2 0.87", proofs(Smoothed(model, 0.5), L2(0.87), 0.87, draws=DRAWS, select=32, alpha=0.001)
    elif kind == "frames":
        for k in (1, 2, 4):
            yield (
                f"certified, {k} of 16 frames in a row",
                proofs(DoubleMasked(model, windows(16, k), chunk=64), Frames(1.0, list(range(k)))),
            )
    else:
        with torch.no_grad():
            yield "clean", (model(clips).argmax(1) == labels).tolist()
        for eps in (4, 8):
            yield f"exact gradient, {eps}/255", right_under_attack(model, clips, labels, eps / 255)


def load(kind: str, folder: Path) -> nn.Module:
    "What was trained, in front of the embedded classifier if it is a purifier."
    if kind == "purifier":
        pipe = VideoPurePipeline.from_pretrained(folder / "tiny-robust")
        pipe.disable_gradient_checkpointing()
        return Defended(tiny_classifier(), OneStep(pipe))
    return load_motion_classifier(folder / f"{kind}_classifier.safetensors")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/seeds"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--n-clips", type=int, default=100)
    parser.add_argument("--only", nargs="+", default=["robust", "smooth", "frames", "purifier"], help="work on these for now")
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.out.mkdir(parents=True, exist_ok=True)
    file = args.out / f"seed_{args.seed}.json"
    found = json.loads(file.read_text()) if file.exists() else {}

    def keep(kind, name, value):
        found.setdefault(kind, {})[name] = value
        file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")

    clips, labels = moving_shapes(args.n_clips, seed=SEED)
    for kind in args.only:
        folder, start = args.out / f"{kind}_{args.seed}", time.process_time()
        if "minutes" not in found.get(kind, {}):
            whole = "" if not folder.exists() else "more than "  # it was interrupted
            train_robust(folder, kind, args.seed)
            keep(kind, "minutes", f"{whole}{(time.process_time() - start) / 60:.1f}")
        if len(found[kind]) == 1:
            for name, right in judge(kind, load(kind, folder), clips, labels):
                keep(kind, name, [sum(right), len(right)])
    rows = [
        [kind, measures["minutes"], name, Accuracy(*value)]
        for kind, measures in found.items()
        for name, value in measures.items()
        if name != "minutes"
    ]
    table = Table(f"Trained again, seed {args.seed}", ["model", "CPU minutes of training", "measure", "in %"], rows)
    (args.out / "table.md").write_text(table._repr_markdown_() + "\n", encoding="utf-8")
    print(table)


if __name__ == "__main__":
    main()
