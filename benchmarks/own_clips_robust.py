"""Networks that hold, on real clips: python benchmarks/own_clips_robust.py FOLDER --out benchmarks/own_clips_robust

FOLDER is UT-Interaction, six actions of two people, with the sequence of each clip in its manifest.csv. Twice, four sequences are held
out and classifiers are trained on the others with `videopure train`: a plain one, one on attacked clips, one under noise, one behind masks.
They are judged on all clips that were held out, 47 of 8 sequences. Clips of a sequence show the same people and
wall: the intervals count them as `videopure.statistics.clustered` does. What is found of each clip is kept in OUT/results.json at once:
started again, the script goes on where it was. About an hour on one core.
"""

import argparse
import json
import os
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import nn
from tqdm.auto import tqdm

from videopure import PGD, load_classifier
from videopure.attacks import make_attack
from videopure.cache import Recipe
from videopure.certify import DoubleMasked, Smoothed, windows
from videopure.data import ClipFolder
from videopure.table import Table
from videopure.robust import Hardening
from videopure.statistics import clustered
from videopure.threats import L2, Frames
from videopure.training import train_folder

HELD_OUT = {"a": ["3", "6", "13", "16"], "b": ["1", "7", "12", "17"]}
KINDS = {
    "plain": Hardening(),
    "robust": Hardening(robust="8/255"),
    "smooth": Hardening(noise=0.25),
    "frames": Hardening(masks=5),
}
RECIPE = Recipe(steps=0, classifier_steps=600)
SIGMA, DRAWS = 0.25, 100


def measures(kind: str, model: nn.Module) -> Iterator[tuple[str, object]]:
    "By name, functions of a clip and its label that say whether the answer is right, under attack, or certain and right."

    def clean(x, y):
        return bool(model(x).argmax(1) == y)

    def attacked(eps):
        def stays(x, y):
            attacks = [PGD(model, eps, steps=40, loss=loss, progress=False) for loss in ("ce", "margin")]
            attacks.append(make_attack("APGD", model, norm="Linf", eps=eps, steps=100))
            return clean(x, y) and all(model(attack(x, y)).argmax(1) == y for attack in attacks)

        return stays

    def certain(proven, threat, **options):
        return lambda x, y: bool(proven.certify(x, threat, progress=False, **options).accuracy(y).right)

    yield "clean", clean
    if kind in ("plain", "robust"):
        for eps in (1, 2, 4, 8):
            yield f"exact gradient, {eps}/255", attacked(eps / 255)
    if kind in ("plain", "smooth"):
        yield "certified, L2 0.25", certain(Smoothed(model, SIGMA), L2(0.25), draws=DRAWS)
    if kind in ("plain", "frames"):
        for k in (1, 2, 4):
            yield f"certified, any {k} of 16 frames in a row", certain(DoubleMasked(model, windows(16, k)), Frames(1.0, list(range(k))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="UT-Interaction, with its manifest.csv")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/own_clips_robust"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    os.environ["TQDM_MININTERVAL"] = "10"
    args.out.mkdir(parents=True, exist_ok=True)
    file, weights = args.out / "results.json", args.out / "weights"
    found = json.loads(file.read_text()) if file.exists() else {}
    for fold, held_out in HELD_OUT.items():
        data = ClipFolder(args.folder, 16, 64, group="sequence", where={"sequence": held_out})
        for kind, hardening in KINDS.items():
            place = weights / f"{kind}_{fold}"
            split = {"group": "sequence", "hold_out": held_out}
            print(train_folder(args.folder, out=place, classifier=True, **split, recipe=RECIPE, hardening=hardening, cpu=True), flush=True)
            model = load_classifier(place / "classifier.safetensors")
            for name, stays in measures(kind, model):
                one = found.setdefault(f"{kind}: {name}", {})
                for i in tqdm(range(len(data)), desc=f"{kind} {fold}, {name}"):
                    if data.ids[i] not in one:
                        clip, label = data[i]
                        one[data.ids[i]] = [stays(clip[None], torch.tensor([label])), data.groups[i]]
                        file.write_text(json.dumps(found, indent=0) + "\n", encoding="utf-8")
    rows = [[*name.split(": "), clustered(*zip(*one.values()))] for name, one in found.items()]
    table = Table("UT-Interaction, held-out sequences", ["classifier", "measure", "right, in %"], rows)
    (args.out / "table.md").write_text(table._repr_markdown_() + "\n", encoding="utf-8")
    print(table)


if __name__ == "__main__":
    main()
