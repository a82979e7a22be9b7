"""The size of perturbation that breaks half of the clips, for each defense: python benchmarks/smallest.py --out benchmarks/smallest

Fresh clips (seed 1506), the exact gradient, the smallest size by bisection up to 32/255, to 0.25/255. Each clip is kept at once: started
again, the script goes on where it was. At the end the results are packed into results.jsonl.gz, and table.md is made of them.
The search keeps what an attack has found, so each size is that of a clip which the defense gets wrong: an upper bound.
About 15 minutes on a core that has nothing else to do, most of it for VideoPure.
"""

import argparse
import gzip
import json
import math
from pathlib import Path

import torch
from torch import nn
from tqdm.auto import tqdm

from videopure import Defended, VideoPurePipeline, moving_shapes, tiny_classifier
from videopure.baselines import GaussianBlur, OneStep
from videopure.guidance import smooth_sign
from videopure.journal import Journal, config_hash
from videopure.purifier import VideoPure
from videopure.registry import identity
from videopure.table import Table
from videopure.smallest import format_median, smallest_eps
from videopure.statistics import Median

SEED, HIGH, TOLERANCE, BATCH = 1506, 32 / 255, 0.25 / 255, 5
ATTACK = {"steps": 20, "loss": "margin"}  # of PGD


def rows() -> dict[str, tuple[nn.Module, int]]:
    "Name -> the defense, and on how many clips it is tried."
    plain, hard = tiny_classifier(), tiny_classifier("robust")
    stock, trained = (VideoPurePipeline.tiny(kind) for kind in ("unet", "robust"))
    for pipe in (stock, trained):
        pipe.set_progress_bar_config(disable=True)
        pipe.disable_gradient_checkpointing()
    return {
        "none": (plain, 20),
        "blur": (Defended(plain, GaussianBlur(1.0)), 20),
        "one-step x0": (Defended(plain, OneStep(stock)), 10),
        "VideoPure": (Defended(plain, VideoPure(stock, sign=smooth_sign)), 10),  # the same answers, and a sign with a derivative
        "one-step x0, trained": (Defended(plain, OneStep(trained)), 10),
        "robust classifier": (hard, 20),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/smallest"))
    parser.add_argument("--only", nargs="+", help="work on these rows for now")
    args = parser.parse_args()
    torch.set_num_threads(1)
    every, table = rows(), []
    settings = {"seed": SEED, "high": HIGH, "tolerance": TOLERANCE, "batch": BATCH, "attack": ATTACK}
    models, packed = {name: identity(model) for name, (model, _) in every.items()}, args.out / "results.jsonl.gz"
    made_by = {name: config_hash({"model": model} | settings) for name, model in models.items()}
    journal = Journal(args.out, {"models": models} | settings)
    kept = [json.loads(line) for line in gzip.decompress(packed.read_bytes()).splitlines()] if packed.exists() else []
    kept = [result for result in kept if result["made_by"] == made_by.get(result["defense"])]  # nothing of other models
    found = {(result["defense"], int(result["clip"])): result for result in kept + journal.results}
    for name, (model, n) in every.items():
        clips, labels = moving_shapes(n, seed=SEED)
        for start in tqdm(range(0, n if not args.only or name in args.only else 0, BATCH), desc=name):
            places = range(start, min(start + BATCH, n))
            if all((name, i) in found for i in places):
                continue
            part = slice(start, places.stop)
            one = smallest_eps(model, clips[part], labels[part], high=HIGH, tolerance=TOLERANCE, progress=False, **ATTACK)
            for i, eps in zip(places, one.eps.tolist()):
                shown = round(eps, 6) if math.isfinite(eps) else None  # None: not broken up to the largest size
                found[name, i] = {"clip": str(i), "defense": name, "attack": "smallest", "right": [eps > 0], "eps": shown}
                journal.append(found[name, i])
        sizes = [math.inf if r["eps"] is None else r["eps"] for (defense, _), r in sorted(found.items()) if defense == name]
        if sizes:
            table.append([name, len(sizes), format_median(Median.of(sizes), HIGH), sum(map(math.isinf, sizes))])
    title = "The smallest Linf perturbation that breaks a clip, found by PGD-20 along the exact gradient"
    shown = Table(title, ["defense", "clips", "median [95 % interval]", "never broken"], table)
    lines = "".join(json.dumps(found[key] | {"made_by": made_by[key[0]]}) + "\n" for key in sorted(found))
    packed.write_bytes(gzip.compress(lines.encode(), mtime=0))
    (args.out / "table.md").write_text(shown._repr_markdown_() + "\n", encoding="utf-8")
    print(shown)


if __name__ == "__main__":
    main()
