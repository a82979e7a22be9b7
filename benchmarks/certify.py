"""What can be proved of the embedded models, and attacks on what is proved: python benchmarks/certify.py --out benchmarks/certify

Fresh clips (seed 1401). Every clip is a line in results.jsonl, written at once: started again, the script goes on where it was.
At the end the lines are packed into results.jsonl.gz; table.md is made of them.
An answer that is withheld counts as wrong; intervals are Wilson's, 95 %.
About two hours on one core for 200 clips, most of it for the smoothing with a denoiser.
"""

import argparse
import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from tqdm.auto import tqdm

from videopure import PGD, VideoPurePipeline, moving_shapes, tiny_classifier
from videopure.certify import Certificate, Denoiser, DoubleMasked, Smoothed, Steady, boxes, subsets, windows
from videopure.registry import fingerprint
from videopure.statistics import Accuracy
from videopure.table import Table
from videopure.threats import L2, Flicker, Frames, Patch

SEED, ALPHA, SELECT = 1401, 0.001, 32


@dataclass
class Row:
    "A line of the table, and what makes it."

    prove: Callable[[int, torch.Tensor], Certificate]  # number of a clip and the clip to what is proved
    weights: str  # of all networks in it
    radii: tuple[float, ...] = (0.0,)  # sizes to report
    n: int = 200  # clips, at most
    note: str = ""  # draws or masks
    size: str = ""  # what the radius is called; "": L2, or everything if there is only one


def rows() -> dict[str, Row]:
    "The lines by name."
    torch.set_num_threads(1)
    pipe, flow, plain = VideoPurePipeline.tiny(), VideoPurePipeline.tiny("flow"), tiny_classifier()

    def smoothed(classifier, sigma, draws, radii, denoiser=None):
        settings = {"draws": draws, "select": SELECT, "alpha": ALPHA, "progress": False}
        prove = lambda i, clip: Smoothed(classifier, sigma, denoiser, seed=i).certify(clip, L2(0.25), **settings)
        parts = [denoiser.model.network, denoiser.model.vae] if denoiser else []
        return Row(prove, fingerprint(classifier, *parts), radii, note=f"{draws} draws")

    def masked(classifier, masks, threat, n=200):
        model = DoubleMasked(classifier, masks, chunk=64)
        return Row(lambda i, clip: model.certify(clip, threat, progress=False), fingerprint(classifier), n=n, note=f"{len(masks)} masks")

    def in_a_row(classifier, k):
        return masked(classifier, windows(16, k), Frames(1.0, list(range(k))))

    own = fingerprint(plain)
    small, large = (0.0, 0.1, 0.25, 0.35), (0.0, 0.25, 0.5, 0.87, 1.0, 1.2)
    return {
        "steady, flicker": Row(
            lambda i, clip: Steady(plain).certify(clip, Flicker()), own, (64 / 255,), note="clips as they are", size="64/255"
        ),
        "steady, flicker, half the contrast": Row(
            lambda i, clip: Steady(plain).certify(0.26 + 0.48 * clip, Flicker()),
            own,
            (64 / 255,),
            note="values from 0.26 to 0.74",
            size="64/255",
        ),
        **{f"double masking, {k} frame{'s' * (k > 1)} in a row": in_a_row(plain, k) for k in (1, 2, 4)},
        **{f"frames classifier, {k} frame{'s' * (k > 1)} in a row": in_a_row(tiny_classifier("frames"), k) for k in (1, 2, 4)},
        "frames classifier, any 2 frames": masked(tiny_classifier("frames"), subsets(16, 2), Frames(1.0, [0, 1]), n=50),
        "double masking, a box of 4 x 4": masked(plain, boxes(32, 32, 4), Patch(4), n=50),
        "smoothing, noise 0.25": smoothed(plain, 0.25, 200, small),
        "denoised smoothing, noise 0.25": smoothed(plain, 0.25, 200, small, Denoiser(pipe, 0.25)),
        "smoothing, denoised by the flow transformer, noise 0.25": smoothed(plain, 0.25, 200, small, Denoiser(flow, 0.25)),
        "smooth classifier, noise 0.5": smoothed(tiny_classifier("smooth"), 0.5, 1000, large),
    }


class Seen(nn.Module):
    "What the first round of masks sees, as scores with a gradient: the attacker's way into a masked answer."

    def __init__(self, model: DoubleMasked):
        super().__init__()
        self.model = model

    def forward(self, video: torch.Tensor) -> torch.Tensor:
        "Mean log-probability over all masks, `(B, K)`."
        logits = [torch.stack([self.model.fill(clip, hidden) for hidden in self.model.masks]) for clip in video]
        return torch.stack([self.model.classifier(masked).log_softmax(1).mean(0) for masked in logits])


def attack(found: dict, clips: torch.Tensor, labels: torch.Tensor, keep: Callable) -> list[list]:
    "Optimize the content of k frames against the masked answer, at three places of each clip; certified answers must stay."
    table = []
    for k in (1, 2, 4):
        model = DoubleMasked(tiny_classifier("frames"), windows(16, k), chunk=64)
        name = f"frames classifier, {k} frame{'s' * (k > 1)} in a row"
        for i in tqdm(range(min(60, len(clips))), desc=f"attacks on {k} frames"):
            for start in (0, 8 - k // 2, 16 - k):
                key = f"PGD on frames {start} to {start + k - 1}", i
                if key in found:
                    continue
                threat = Frames(1.0, list(range(start, start + k)))
                pgd = PGD(Seen(model), threat, alpha=0.1, steps=10, seed=i, early_stop=False, progress=False)
                said = int(model(pgd(clips[i : i + 1], labels[i : i + 1])).argmax())
                sure = found[name, i]["radius"] is None
                keep(key, {"of": name, "label": int(labels[i]), "said": said, "certain": sure, "before": found[name, i]["said"]})
        tried = [one for one in found.values() if one.get("of") == name]
        for one in tried:
            one["certain"] = found[name, one["clip"]]["radius"] is None
        right, certain = Accuracy.of(one["said"] == one["label"] for one in tried), [one for one in tried if one["certain"]]
        table.append([name, len(tried), right, len(certain), sum(one["said"] != one["before"] for one in certain)])
    return table


def flicker(clips: torch.Tensor, labels: torch.Tensor) -> list[list]:
    "The package's own attack on flicker, within 64/255, without and with the mean colours."
    table = []
    for name, model in (("plain classifier", tiny_classifier()), ("steady", Steady(tiny_classifier()))):
        pgd = PGD(model, Flicker(64 / 255), steps=20, seed=0, progress=False)
        right = [model(pgd(x, y)).argmax(1) == y for x, y in zip(clips.split(20), labels.split(20))]
        table.append([name, Accuracy.of(torch.cat(right).tolist())])
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/certify"))
    parser.add_argument("--n-clips", type=int, default=200)
    parser.add_argument("--only", nargs="+", help="work on these rows for now")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    file = args.out / "results.jsonl"
    packed, found, every = args.out / "results.jsonl.gz", {}, rows()
    weights = {name: row.weights for name, row in every.items()}
    kept = gzip.decompress(packed.read_bytes()).decode() if packed.exists() else ""
    lines = (kept + (file.read_text(encoding="utf-8") if file.exists() else "")).split("\n")
    for line in lines[:-1]:  # what stands after the last end of a line is empty, or was cut off
        result = json.loads(line)
        if result["weights"] == weights.get(result.get("of", result["defense"])):  # nothing of other networks
            found[result["defense"], result["clip"]] = result
    if lines[-1]:
        file.write_text(file.read_text(encoding="utf-8").removesuffix(lines[-1]), encoding="utf-8")

    def keep(key, result):
        found[key] = {"defense": key[0], "clip": key[1], "weights": weights[result.get("of", key[0])]} | result
        with file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(found[key]) + "\n")

    clips, labels = moving_shapes(args.n_clips, seed=SEED)
    table = []
    for name, row in every.items():
        n = min(args.n_clips, row.n)
        for i in tqdm(range(n if not args.only or name in args.only else 0), desc=name):
            if (name, i) not in found:
                proof = row.prove(i, clips[i : i + 1])
                radius = float(proof.radii) if proof.radii.isfinite() else None  # None: any size
                result = {"label": int(labels[i]), "said": int(proof.labels), "radius": radius}
                keep((name, i), result | {"count": int(proof.counts), "draws": proof.draws})
        results = [found[name, i] for i in range(n) if (name, i) in found]
        for radius in row.radii if results else ():
            right = [r["said"] == r["label"] and (r["radius"] is None or r["radius"] > radius) for r in results]
            table.append([name, row.note, row.size or (f"L2 {radius:g}" if len(row.radii) > 1 else "all"), Accuracy.of(right)])
    tables = [Table(f"Certified and right, in % (alpha {ALPHA})", ["defense", "", "size", "certified"], table)]
    if not args.only:
        head = ["attacked", "answers", "right, %", "certain", "certain, but changed"]
        tables.append(Table("Frames with optimized content, PGD of 10 steps through all masks", head, attack(found, clips, labels, keep)))
        tables.append(Table("Flicker of 64/255, PGD of 20 steps", ["answered by", "right, %"], flicker(clips, labels)))
    packed.write_bytes(gzip.compress("".join(json.dumps(one) + "\n" for one in found.values()).encode(), mtime=0))
    file.unlink(missing_ok=True)
    (args.out / "table.md").write_text("\n\n".join(table._repr_markdown_() for table in tables) + "\n", encoding="utf-8")
    print(*tables, sep="\n\n")


if __name__ == "__main__":
    main()
