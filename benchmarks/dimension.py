"""Accuracy under the exact gradient against how many numbers an attacker may choose: python benchmarks/dimension.py

The models and the largest change of a value stay as they are, only the dimension of the attacker's space differs. On clips, 8/255 in each
value, one number is chosen for each block of pixels (fresh clips, seed 1807). On network traffic (NSL-KDD, its folder as --data; models
and rows of benchmarks/traffic.py), 0.1 in each number, some of the 38 numbers are chosen: three random subsets of each size. Each cell is
kept at once in benchmarks/dimension: started again, the script goes on where it was. About an hour on a core, half of it for VideoPure
and DiffPure on ten clips, which are attacked with 20 steps.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F

from records import of_one_data
from traffic import FREE, OUT, ROOT, data_of, defenses, prepare, right
from videopure import Defended, VideoPurePipeline, moving_shapes, tiny_classifier
from videopure.attacks import PGD
from videopure.baselines import DiffPure, OneStep
from videopure.guidance import smooth_sign
from videopure.purifier import VideoPure
from videopure.statistics import Accuracy
from videopure.table import Table
from videopure.threats import Features, Linf, Subspace

SEED, CLIPS, TRAFFIC = 1807, 8 / 255, 0.1
BLOCKS = [(1, 1, 1), (1, 2, 2), (2, 4, 4), (4, 8, 8), (8, 16, 16), (16, 32, 32)]  # frames, rows and columns that share a number
SUBSETS = [38, 16, 8, 4, 2, 1]
ONE = {"steps": 40, "restarts": 2, "loss": ["ce", "margin"]}  # where the same sample always gets the same answer
DRAWN = {"steps": 20, "eot": 8}  # where noise is drawn
DEAR = {"steps": 20, "loss": "margin"}  # where one gradient passes through tens of predictions


@dataclass
class Blocks(Subspace):
    "One number for each colour of a block of pixels."

    eps: float = CLIPS
    block: tuple = (1, 1, 1)

    def smooth(self, delta: torch.Tensor) -> torch.Tensor:
        "The mean of each block."
        return F.interpolate(F.avg_pool3d(delta, self.block), delta.shape[2:])


def on_clips() -> Iterator[tuple]:
    "(name, model, clips, labels, dimension, threat, options of PGD) of all cells on clips, the cheap ones first."
    bare, pipe = tiny_classifier(), VideoPurePipeline.tiny()
    pipe.set_progress_bar_config(disable=True)
    pipe.disable_gradient_checkpointing()
    models = {
        "no purifier": (bare, 100, ONE),
        "one step": (Defended(bare, OneStep(pipe)), 100, ONE),
        "VideoPure": (Defended(bare, VideoPure(pipe, sign=smooth_sign)), 10, DEAR),  # the same answers, and a sign with a derivative
        "DiffPure": (Defended(bare, DiffPure(pipe, t=201, steps=6)), 10, DEAR | {"eot": 4}),
    }
    for name, (model, n, budget) in models.items():
        clips, labels = moving_shapes(n, seed=SEED)
        for block in BLOCKS:
            count = clips[0].numel() // (block[0] * block[1] * block[2])
            threat = Linf(CLIPS) if count == clips[0].numel() else Blocks(CLIPS, block=block)
            yield name, model, clips, labels, count, threat, budget


def on_traffic(data: Path, out: Path) -> Iterator[tuple]:
    "The same on rows, of three seeds."
    for seed in range(3):
        study = prepare(seed, data, out, 1000, 150)
        table, draw = defenses(study.models, 200, 5), torch.Generator().manual_seed(seed)
        chosen = {count: torch.randperm(FREE, generator=draw)[:count].tolist() for count in SUBSETS}
        for name, shown in (("none", "no purifier"), ("DiffPure", "DiffPure")):
            for count in SUBSETS:
                threat, budget = Features(TRAFFIC, chosen[count]), DRAWN if name == "DiffPure" else ONE
                yield f"{shown}; {seed}", table[name], study.x[:150], study.y[:150], count, threat, budget


def report(found: dict[str, str], out: Path) -> Table:
    "The table of what is there, also written to table.md."
    pooled = {}
    for key, word in found.items():
        signal, name, *_, count = key.split("; ")
        pooled[signal, name, int(count)] = pooled.get((signal, name, int(count)), "") + word
    rows = [[signal, name, count, Accuracy(word.count("1"), len(word))] for (signal, name, count), word in pooled.items()]
    title = f"Under the exact gradient, {round(CLIPS * 255)}/255 on clips and {TRAFFIC:g} on traffic"
    table = Table(title, ["signal", "purifier", "numbers that an attacker chooses", "right, in %"], rows)
    (out / "table.md").write_text(table._repr_markdown_() + "\n", encoding="utf-8")
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "nsl_kdd", help="the folder of NSL-KDD")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "dimension")
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.out.mkdir(parents=True, exist_ok=True)
    path = args.out / "results.json"
    found = json.loads(path.read_text()) if path.exists() else {}
    if args.data.is_dir():
        of_one_data(args.out, list(data_of(args.data)))
    cells = {"clips": on_clips()} | ({"traffic": on_traffic(args.data, OUT)} if args.data.is_dir() else {})
    for signal in reversed(cells):  # rows are quick
        for name, model, x, y, count, threat, budget in cells[signal]:
            torch.manual_seed(0)
            key = f"{signal}; {name}; {count}"
            if key not in found:
                parts = zip(x.split(10), y.split(10)) if signal == "clips" else [(x, y)]
                attack = PGD(model, threat, seed=0, progress=False, **budget)
                found[key] = "".join(right(model, attack(*part), part[1], 8) for part in parts)
                path.write_text(json.dumps(found, indent=0) + "\n")
                report(found, args.out)
                print(key, found[key].count("1"), "of", len(found[key]), flush=True)
    print(report(found, args.out))


if __name__ == "__main__":
    main()
