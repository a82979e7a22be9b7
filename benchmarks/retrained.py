"""Does the story depend on luck? Three classifiers and two diffusion models, each trained from its own seed, in all six pairs.

    python benchmarks/retrained.py --out benchmarks/retrained

Trains what is missing (OUT/weights; about a quarter of an hour on one core), then measures each pair on the same fresh clips.
Started again, it goes on.
"""

import argparse
from pathlib import Path

import torch

from videopure import VideoPurePipeline, benchmark, moving_shapes, tiny_classifier
from videopure.baselines import OneStep
from videopure.table import Table
from videopure.tiny import load_motion_classifier
from videopure.trainer import train_tiny

SEED = 1501  # of the clips; nothing was tuned on them
ATTACKS = {
    "none": {},
    "PGD 8/255": {"sees": "classifier", "eps": "8/255", "alpha": "2/255", "steps": 10},
    "PGD, momentum 8/255": {"sees": "classifier", "eps": "8/255", "alpha": "2/255", "steps": 10, "momentum": 0.75, "schedule": "cosine"},
    "video-auto-1 8/255": {"method": "video-auto-1", "sees": "scores", "eps": "8/255"},
}


def models(out: Path, seed: int, diffusion: bool) -> tuple[torch.nn.Module, VideoPurePipeline | None]:
    "The shipped models (seed 0), or those of another seed, trained if they are missing."
    if seed == 0:
        return tiny_classifier(), VideoPurePipeline.tiny() if diffusion else None
    folder = out / "weights" / str(seed)
    if not (folder / "motion_classifier.safetensors").exists():
        train_tiny(folder, seed=seed, flow_steps=1, **{} if diffusion else {"diffusion_steps": 1})
    pipe = VideoPurePipeline.from_pretrained(folder / "tiny") if diffusion else None
    return load_motion_classifier(folder / "motion_classifier.safetensors"), pipe


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/retrained"))
    parser.add_argument("--n-clips", type=int, default=50)
    args = parser.parse_args()
    torch.set_num_threads(1)
    classifiers = {seed: models(args.out, seed, diffusion=seed < 2)[0] for seed in (0, 1, 2)}
    pipes = {seed: models(args.out, seed, diffusion=True)[1] for seed in (0, 1)}
    data, rows = moving_shapes(args.n_clips, seed=SEED), []
    for pipe in pipes.values():
        pipe.set_progress_bar_config(disable=True)
        pipe.disable_gradient_checkpointing()
    for c, classifier in classifiers.items():
        for d, pipe in pipes.items():
            defenses = {"none": None} if d == 0 else {}
            defenses |= {"one-step x0": OneStep(pipe), "VideoPure": pipe}
            folder = args.out / f"classifier_{c}_diffusion_{d}"
            card = benchmark(classifier, defenses, data, ATTACKS, out=folder, seed=SEED, batch_size=10, title=folder.name)
            for name in defenses:
                rows.append([name, c, "" if name == "none" else d, *(card.accuracy(name, attack) for attack in ATTACKS)])
    rows.sort(key=lambda row: ("none", "one-step x0", "VideoPure").index(row[0]))
    title = f"Trained from other seeds, n={args.n_clips} each"
    table = Table(title, ["defense", "classifier", "diffusion model", *ATTACKS], rows)
    (args.out / "table.md").write_text(table._repr_markdown_() + "\n", encoding="utf-8")
    print(table)


if __name__ == "__main__":
    main()
