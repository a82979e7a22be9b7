"""Measure the embedded models: clean, attacked and purified accuracy on fresh clips, with 95 % Wilson intervals.

    python benchmarks/tiny_models.py --clips 300 --seed 4000000              the defenses, gray-box
    python benchmarks/tiny_models.py --clips 300 --ablations                 and what each part of VideoPure adds
    python benchmarks/tiny_models.py --clips 40 --adaptive 40                and attacks that know the defense, on 40 of the clips

Gray-box: torchattacks' PGD, L-inf, 10 steps of 2/255 with a random start, sees the classifier only. The embedded models were
trained on seed 1000000, the pipeline's defaults were chosen on seeds 2000005 and 2000006.
"""

import argparse
import json
import os
import platform
import time
from pathlib import Path

import torch
from torch import nn
from torchattacks import PGD

from videopure import __version__
from videopure.baselines import JPEG, GaussianBlur, NoiseAndDenoise, OneStep
from videopure.defense import Defended
from videopure.evaluate import Accuracy, Comparison, compare
from videopure.pipeline import VideoPurePipeline
from videopure.tiny import tiny_classifier, tiny_defaults
from videopure.video import moving_shapes


def configured(pipe: VideoPurePipeline, **settings):
    "A purifier: `pipe`, called with these settings."
    return lambda video: pipe(video, **settings).videos


def defenses(pipe: VideoPurePipeline, seed: int) -> dict:
    "The table's rows."
    return {
        "none": None,
        "JPEG 30": JPEG(30),
        "blur 1": GaussianBlur(1.0),
        "blur 2": GaussianBlur(2.0),
        "DDIM, 6 steps": NoiseAndDenoise(pipe, 6, torch.Generator().manual_seed(seed)),
        "one-step x0, t = 161": OneStep(pipe),
        "VideoPure, its defaults": pipe,
        "VideoPure, the paper's setting": configured(pipe, **VideoPurePipeline.PAPER),
    }


def ablations(pipe: VideoPurePipeline) -> dict:
    "VideoPure with its defaults, less one part each."
    return {
        "no shared noise": configured(pipe, temporal_inversion=False),
        "no guidance": configured(pipe, spatial_scale=0.0, temporal_scale=0.0),
        "no spatial term": configured(pipe, spatial_scale=0.0),
        "no temporal term": configured(pipe, temporal_scale=0.0),
        "spatial sign reversed": configured(pipe, spatial_scale=-pipe.config["spatial_scale"]),
        "temporal inversion alone, last record": lambda video: last(pipe, video, temporal_inversion=True),
        "DDIM inversion alone, last record": lambda video: last(pipe, video, temporal_inversion=False),
        "last record only": lambda video: pipe(video).videos[:, -1],
    }


def last(pipe: VideoPurePipeline, video: torch.Tensor, temporal_inversion: bool) -> torch.Tensor:
    "The end of the unguided path."
    return pipe(video, spatial_scale=0.0, temporal_scale=0.0, temporal_inversion=temporal_inversion).videos[:, -1]


class PassGradient(nn.Module):
    "`defended`, whose purification counts as the identity in the backward pass (BPDA, Athalye et al. 2018), summed over the votes."

    def __init__(self, defended: Defended):
        super().__init__()
        self.defended = defended

    def forward(self, video: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            records = self.defended.purifier(video.detach()).videos
        logits = [self.defended.classifier(records[:, s] + video - video.detach()) for s in range(records.shape[1])]
        return torch.stack(logits, 1).log_softmax(-1).logsumexp(1)


def pgd(model: nn.Module, clips: torch.Tensor, labels: torch.Tensor, eps: float, seed: int) -> torch.Tensor:
    "Clips under PGD-10 within eps/255."
    torch.manual_seed(seed)
    attack = PGD(model, eps=eps / 255, alpha=2 / 255, steps=10)
    return torch.cat([attack(x, y) for x, y in zip(clips.split(20), labels.split(20))]).detach()


def gray_box(args, pipe, classifier) -> tuple[Comparison, dict]:
    clips, labels = moving_shapes(args.clips, seed=args.seed)
    shown = {"clean": clips} | {f"{eps:g}/255": pgd(classifier, clips, labels, eps, args.seed) for eps in args.eps}
    rows = defenses(pipe, args.seed) | (ablations(pipe) if args.ablations else {})
    return compare(classifier, rows, shown, labels), shown


def adaptive(args, pipe, classifier) -> list[str]:
    clips, labels = (v[: args.adaptive] for v in moving_shapes(args.clips, seed=args.seed))
    defended, lines = Defended(classifier, pipe), []
    for name, model in (("identity-BPDA", PassGradient(defended)), ("full gradient", defended)):
        for eps in args.eps:
            attacked = pgd(model, clips, labels, eps, args.seed)
            right = int((defended.predict(attacked) == labels).sum())
            lines.append(f"VideoPure under {name} PGD-10, {eps:g}/255: {Accuracy(right, len(labels))}")
            print(lines[-1], flush=True)
    return lines


def order(args, classifier) -> list[str]:
    "What the classifier knows with frames shuffled, or one frame repeated."
    clips, labels = moving_shapes(args.clips, seed=args.seed)
    generator = torch.Generator().manual_seed(args.seed)
    shuffled = torch.stack([c[:, torch.randperm(c.shape[1], generator=generator)] for c in clips])
    sets = {"frames shuffled": shuffled, "one frame repeated": clips[:, :, 8:9].expand_as(clips)}
    table = compare(classifier, {"none": None}, sets, labels, progress=False)
    return [name + f": {table.accuracy('none', name)}" for name in sets]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=300)
    parser.add_argument("--seed", type=int, default=4_000_000, help="of the clips, the attack's start and the noise of DDIM")
    parser.add_argument("--eps", type=float, nargs="+", default=[4, 8], help="attack strengths, in 255ths")
    parser.add_argument("--ablations", action="store_true")
    parser.add_argument("--adaptive", type=int, default=0, metavar="N", help="attack the defense itself, on N clips (slow)")
    parser.add_argument("--out", type=Path, help="write the numbers to this JSON file too")
    args = parser.parse_args()
    pipe, classifier, start = VideoPurePipeline.tiny(), tiny_classifier(), time.perf_counter()
    pipe.set_progress_bar_config(disable=True)
    table, _ = gray_box(args, pipe, classifier)
    lines = order(args, classifier)
    print(f"{table}\n\n" + "\n".join(lines), flush=True)
    if args.adaptive:
        lines += adaptive(args, pipe, classifier)
    about = {"videopure": __version__, "torch": torch.__version__}
    about |= {"machine": f"{os.cpu_count()} x {platform.machine()}", "defaults": tiny_defaults()}
    about |= {"clips": args.clips, "seed": args.seed, "seconds": round(time.perf_counter() - start)}
    print(about)
    if args.out:
        args.out.write_text(json.dumps(table.to_dict() | {"about": about, "more": lines}, indent=1))


if __name__ == "__main__":
    main()
