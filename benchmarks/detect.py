"""What a detector is worth, to attackers who do not know of it and to those who do: python benchmarks/detect.py --out benchmarks/detect

Fresh clips (seed 1404), the threshold from others (seed 1405). Each clip under each attack is kept at once: started again, the script goes
on where it was. At the end the results are packed into results.jsonl.gz, and table.md is made of them. About 40 minutes on one core.
"""

import argparse
import gzip
import json
from pathlib import Path

import torch
from tqdm.auto import tqdm

from videopure import PGD, Defended, VideoPurePipeline, moving_shapes, tiny_classifier
from videopure.baselines import OneStep
from videopure.detect import Selective, auc, evading
from videopure.journal import Journal
from videopure.registry import identity
from videopure.statistics import Accuracy
from videopure.table import Table

SEED, EPS, STEPS, BATCH = 1404, 8 / 255, 20, 10


def defenses() -> dict[str, tuple[Selective, int]]:
    "Name -> the defense, and on how many clips it is tried."
    plain, hard = tiny_classifier(), tiny_classifier("robust")
    stock, trained = (VideoPurePipeline.tiny(kind) for kind in ("unet", "robust"))
    for pipe in (stock, trained):
        pipe.set_progress_bar_config(disable=True)
        pipe.disable_gradient_checkpointing()
    return {
        "plain classifier, one-step x0": (Selective(Defended(plain, OneStep(stock))), 50),
        "plain classifier, one-step x0, trained": (Selective(Defended(plain, OneStep(trained))), 50),
        "robust classifier, one-step x0": (Selective(Defended(hard, OneStep(stock))), 50),
        "plain classifier, VideoPure": (Selective(Defended(plain, stock)), 20),
    }


def attacks(selective: Selective) -> dict[str, object]:
    "Attackers who know the classifier, the defense, and the detector as well."
    settings = {"steps": STEPS, "seed": 0, "early_stop": False, "progress": False}
    return {
        "none": None,
        "gray-box": PGD(selective.defended.classifier, EPS, **settings),
        "exact": PGD(selective.defended, EPS, **settings),
        "exact, evading": PGD(selective.everything, EPS, loss=evading, **settings),
    }


def fooled(result: dict) -> bool:
    "Whether a wrong answer was given."
    return result["answered"] and not result["right"][0]


def shares(results: list[dict]) -> list[Accuracy | None]:
    "Right without a detector, answered, right of the answered, wrong answers of all."
    given = [result for result in results if result["answered"]]
    right = Accuracy.of([r["right"][0] for r in given]) if given else None
    always = Accuracy.of([r["right"][0] for r in results])
    return [always, Accuracy(len(given), len(results)), right, Accuracy.of([fooled(r) for r in results])]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/detect"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    every, rows = defenses(), []
    models = {name: identity(selective.defended) for name, (selective, _) in every.items()}
    journal = Journal(args.out, {"models": models, "seed": SEED, "eps": EPS, "steps": STEPS, "batch": BATCH})
    found = {(result["defense"], result["attack"], int(result["clip"])): result for result in journal.results}
    for name, (selective, most) in every.items():
        clips, labels = moving_shapes(most, seed=SEED)
        selective.calibrate(moving_shapes(100, seed=SEED + 1)[0], batch_size=BATCH)
        clean = None
        for attack, attacker in attacks(selective).items():
            for start in tqdm(range(0, most, BATCH), desc=f"{name}, {attack}"):
                part = slice(start, start + BATCH)
                if all((name, attack, i) in found for i in range(start, start + BATCH)):
                    continue
                shown = clips[part] if attacker is None else attacker(clips[part], labels[part])
                said, scores = selective.judge(shown)
                for i, one, score in zip(range(start, start + BATCH), said.tolist(), scores.tolist()):
                    result = {
                        "defense": name,
                        "attack": attack,
                        "clip": str(i),
                        "right": [one == labels[i].item()],
                        "score": round(score, 6),
                    }
                    found[name, attack, i] = result
                    journal.append(result)
            results = [found[name, attack, i] for i in range(most)]
            for result in results:
                result["answered"] = result["score"] <= selective.threshold
            scores = torch.tensor([r["score"] for r in results])
            clean = scores if attacker is None else clean
            area = "" if attacker is None else "{:.2f} [{:.2f}, {:.2f}]".format(*auc(clean, scores))
            rows.append([name, attack, *shares(results), area])
        strongest = ["exact", "exact, evading"]
        worst = [min((found[name, a, i] for a in strongest), key=lambda r: (not fooled(r), r["answered"], r["right"])) for i in range(most)]
        rows.append([name, "worse of the last two", *shares(worst), ""])
    head = ["defense", "attack, 8/255", "right without detector", "answered", "right of these", "wrong of all", "AUC"]
    table = Table("I don't know: 5 % of clean clips may stay without an answer", head, rows)
    lines = "".join(json.dumps(result) + "\n" for result in found.values())
    (args.out / "results.jsonl.gz").write_bytes(gzip.compress(lines.encode(), mtime=0))
    (args.out / "table.md").write_text(table._repr_markdown_() + "\n", encoding="utf-8")
    print(table)


if __name__ == "__main__":
    main()
