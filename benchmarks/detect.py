"""What a detector is worth, to attackers who do not know of it and to those who do: python benchmarks/detect.py --out benchmarks/detect

Fresh clips (seed 1404), the threshold from others (seed 1405). A line of results.jsonl for each clip under each attack, written at once.
table.md is made of these lines. About 15 minutes on one core.
"""

import argparse
import json
from pathlib import Path

import torch
from tqdm.auto import tqdm

from videopure import PGD, Defended, VideoPurePipeline, moving_shapes, tiny_classifier
from videopure.baselines import OneStep
from videopure.detect import Selective, auc, evading
from videopure.results import Accuracy, Table

SEED, EPS, STEPS, BATCH = 1404, 8 / 255, 20, 10


def defenses() -> dict[str, tuple[Selective, int]]:
    "Name -> the defense, and on how many clips it is tried."
    plain, hard = tiny_classifier(), tiny_classifier("robust")
    stock, trained = (VideoPurePipeline.tiny(kind) for kind in ("unet", "robust"))
    for pipe in (stock, trained):
        pipe.set_progress_bar_config(disable=True)
        pipe.disable_gradient_checkpointing()
    return {
        "plain classifier, one-step x0": (Selective(Defended(plain, OneStep(stock))), 100),
        "plain classifier, one-step x0, trained": (Selective(Defended(plain, OneStep(trained))), 100),
        "robust classifier, one-step x0": (Selective(Defended(hard, OneStep(stock))), 100),
        "plain classifier, VideoPure": (Selective(Defended(plain, stock)), 30),
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/detect"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.out.mkdir(parents=True, exist_ok=True)
    file, found = args.out / "results.jsonl", {}
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else []:
        result = json.loads(line)
        found[result["defense"], result["attack"], result["clip"]] = result
    rows = []
    for name, (selective, most) in defenses().items():
        clips, labels = moving_shapes(most, seed=SEED)
        selective.calibrate(moving_shapes(100, seed=SEED + 1)[0], batch_size=BATCH)
        clean = None
        for attack, attacker in attacks(selective).items():
            for start in tqdm(range(0, most, BATCH), desc=f"{name}, {attack}"):
                part = slice(start, start + BATCH)
                if all((name, attack, i) in found for i in range(start, start + BATCH)):
                    continue
                shown = clips[part] if attacker is None else attacker(clips[part], labels[part])
                said, scores = selective.defended.predict(shown), selective.score(shown)
                for i, one, score in zip(range(start, start + BATCH), said.tolist(), scores.tolist()):
                    result = {"defense": name, "attack": attack, "clip": i, "label": int(labels[i]), "said": one, "score": round(score, 6)}
                    found[name, attack, i] = result
                    with file.open("a", encoding="utf-8") as lines:
                        lines.write(json.dumps(result) + "\n")
            results = [found[name, attack, i] for i in range(most)]
            scores = torch.tensor([r["score"] for r in results])
            clean = scores if attacker is None else clean
            given = [r for r in results if r["score"] <= selective.threshold]
            right = Accuracy.of([r["said"] == r["label"] for r in given]) if given else None
            wrong = Accuracy.of([r["score"] <= selective.threshold and r["said"] != r["label"] for r in results])
            area = "" if attacker is None else "{:.2f} [{:.2f}, {:.2f}]".format(*auc(clean, scores))
            always = Accuracy.of([r["said"] == r["label"] for r in results])
            rows.append([name, attack, always, Accuracy(len(given), most), right, wrong, area])
    head = ["defense", "attack, 8/255", "right without detector", "answered", "right of these", "wrong of all", "AUC"]
    table = Table("I don't know: 5 % of clean clips may stay without an answer", head, rows)
    (args.out / "table.md").write_text(table._repr_markdown_() + "\n", encoding="utf-8")
    print(table)


if __name__ == "__main__":
    main()
