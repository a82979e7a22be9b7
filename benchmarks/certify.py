"""What can be proved of the embedded models with nothing trained: python benchmarks/certify.py --out benchmarks/certify

Fresh clips (seed 1401). Every clip is a line in results.jsonl, written at once: started again, the script goes on where it was.
table.md is made of these lines. An answer that is withheld counts as wrong; intervals are Wilson's, 95 %.
About 20 minutes on one core for 200 clips, nearly all of it for the smoothing with a denoiser.
"""

import argparse
import json
from pathlib import Path

import torch
from tqdm.auto import tqdm

from videopure import VideoPurePipeline, moving_shapes, tiny_classifier
from videopure.certify import Denoiser, DoubleMasked, Smoothed, Steady, windows
from videopure.results import Accuracy, Table
from videopure.threats import L2, Flicker, Frames

SEED, DRAWS, SELECT, ALPHA = 1401, 200, 32, 0.001
RADII = {"L2 0": 0.0, "L2 0.1": 0.1, "L2 0.25": 0.25, "L2 0.4": 0.4}


def defenses() -> dict:
    "Name -> function of a clip's number and the clip, to what is proved."
    torch.set_num_threads(1)
    pipe, classifier = VideoPurePipeline.tiny(), tiny_classifier()
    clean = Denoiser(pipe, 0.25)

    def smoothed(denoiser):
        settings = {"draws": DRAWS, "select": SELECT, "alpha": ALPHA, "progress": False}
        return lambda i, clip: Smoothed(classifier, 0.25, denoiser, seed=i).certify(clip, L2(0.25), **settings)

    def masked(k):
        model = DoubleMasked(classifier, windows(16, k), chunk=64)
        return lambda i, clip: model.certify(clip, Frames(1.0, list(range(k))), progress=False)

    return {
        "steady, flicker that cuts nothing off": lambda i, clip: Steady(classifier).certify(clip, Flicker()),
        **{f"double masking, {k} frame{'s' * (k > 1)} in a row": masked(k) for k in (1, 2, 4)},
        "smoothing, noise 0.25": smoothed(None),
        "denoised smoothing, noise 0.25": smoothed(clean),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/certify"))
    parser.add_argument("--n-clips", type=int, default=200)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    file = args.out / "results.jsonl"
    found = {}
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else []:
        result = json.loads(line)
        found[result["defense"], result["clip"]] = result
    clips, labels = moving_shapes(args.n_clips, seed=SEED)
    for name, prove in defenses().items():
        for i in tqdm(range(args.n_clips), desc=name):
            if (name, i) in found:
                continue
            proof = prove(i, clips[i : i + 1])
            result = {"defense": name, "clip": i, "label": int(labels[i]), "said": int(proof.labels)}
            result["radius"] = float(proof.radii) if proof.radii.isfinite() else None  # None: any size
            found[name, i] = result | {"count": int(proof.counts), "draws": proof.draws}
            with file.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(found[name, i]) + "\n")
    rows = []
    for name in dict.fromkeys(name for name, _ in found):
        results = [result for (other, i), result in found.items() if other == name and i < args.n_clips]
        sizes = RADII if "smoothing" in name else {"": 0.0}
        for size, radius in sizes.items():
            right = Accuracy.of([r["said"] == r["label"] and (r["radius"] is None or r["radius"] > radius) for r in results])
            rows.append([name, size or "all", right])
    table = Table(f"Certified and right, in %, nothing trained (alpha {ALPHA}, {DRAWS} draws)", ["defense", "size", "certified"], rows)
    (args.out / "table.md").write_text(table._repr_markdown_() + "\n", encoding="utf-8")
    print(table)


if __name__ == "__main__":
    main()
