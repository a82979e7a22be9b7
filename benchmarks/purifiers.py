"""What a purifier must learn from, to hold under its own exact gradient: python benchmarks/purifiers.py --out benchmarks/purifiers

The noise predictor of the embedded one-step purifier is trained further in eight ways, 400 steps of 6 clips each, in front of the
embedded classifier, which stays as it is. All of them, and the one as it was, are judged alike: on fresh clips (seed 1406), by PGD along
the exact gradient, averaged over two draws where the purifier is random, and by APGD. Then once more in front of a classifier that none of
them has seen: same network, trained from other weights on other clips. Trained weights are kept in OUT/weights; started again, the
script goes on where it was. About two hours on one core.

The ideas of FlowPure (from attacked to clean, without the classifier's answer), of FMVP (tubes of the clip are hidden) and of AToP (both
at once, and the answer counts) are here as ways to train one and the same step: what is compared is what a purifier learns from, not
what these papers report.
"""

import argparse
import re
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

from videopure import VideoPurePipeline, benchmark, moving_shapes, tiny_classifier
from videopure.baselines import OneStep
from videopure.latents import evaluating
from videopure.robust import _Through, ascend, ramp
from videopure.threats import Linf
from videopure.tiny import MotionClassifier, load_motion_classifier
from videopure.trainer import Trainer, train_tiny

SEED, EPS, BATCH, FIDELITY, LR = 1406, 8 / 255, 6, 5.0, 2.5e-3


@dataclass
class Rough(OneStep):
    "A one-step purifier that first adds fresh noise, or hides tubes: squares of 8 x 8 pixels, through all frames."

    noise: float = 0.0  # standard deviation
    hidden: float = 0.0  # part of the squares
    generator: torch.Generator | None = None  # of noise and squares; None is torch's own
    random = True

    def __call__(self, video: torch.Tensor) -> torch.Tensor:
        "One purified clip for each."
        h, w = (size // 8 for size in video.shape[-2:])
        seen = (torch.rand((len(video), 1, 1, h, w), generator=self.generator) >= self.hidden).to(video.device)
        video = torch.where(seen.repeat_interleave(8, -1).repeat_interleave(8, -2), video, 0.5)
        noise = torch.randn(video.shape, generator=self.generator).to(video)
        return super().__call__((video + self.noise * noise).clamp(0, 1))


@dataclass
class Recipe:
    "One way to train."

    attacked: str = "both"  # what the attack on the training clips sees: "both", "classifier" or "nothing"
    answer: float = 1.0  # weight of the cross-entropy; the squared error to the clean clip always counts
    noise: float = 0.0  # as in `Rough`
    hidden: float = 0.0  # as in `Rough`
    steps: int = 2  # of the attack
    seen: tuple[str, ...] = ("plain",)  # classifiers, in turn

    def purifier(self, pipe: VideoPurePipeline) -> OneStep:
        "The purifier around a pipeline."
        return Rough(pipe, noise=self.noise, hidden=self.hidden) if self.noise or self.hidden else OneStep(pipe)


RECIPES = {
    "attacks on the classifier (FlowPure's idea)": Recipe("classifier", answer=0),
    "hidden tubes (FMVP's idea)": Recipe("nothing", answer=0, hidden=0.25),
    "attacks on both, the picture counts": Recipe(answer=0),
    "attacks on both, the answer counts": Recipe(),
    "the same, attacks of one step": Recipe(steps=1),
    "the same, hidden tubes (AToP's idea)": Recipe(hidden=0.25),
    "the same, fresh noise": Recipe(noise=0.06),
    "the same, two classifiers": Recipe(seen=("plain", "frames")),
}


def embedded() -> VideoPurePipeline:
    "The embedded pipeline, as fast as it goes."
    pipe = VideoPurePipeline.tiny()
    pipe.set_progress_bar_config(disable=True)
    pipe.disable_gradient_checkpointing()
    pipe.unet.float().to(memory_format=torch.channels_last)
    return pipe


def train(name: str, recipe: Recipe, steps: int, folder: Path) -> OneStep:
    "The purifier of a recipe, trained or read."
    pipe, file = embedded(), folder / f"{re.sub(r'[^a-z]+', '-', name.lower()).strip('-')}.safetensors"
    purifier, networks = recipe.purifier(pipe), [tiny_classifier(kind) for kind in recipe.seen]
    if file.exists():
        pipe.unet.load_state_dict(load_file(file))
        return purifier
    pipe.unet.requires_grad_(True)
    run = Trainer(pipe.unet, steps, LR, f"{name}, {steps} steps")

    def loss(step: int) -> torch.Tensor:
        clips, labels = moving_shapes(BATCH, seed=20_000_000 + step)
        classifier, attacked = networks[step % len(networks)], clips
        if recipe.attacked != "nothing":
            pipe.unet.requires_grad_(False)
            victim = _Through(purifier, classifier) if recipe.attacked == "both" else classifier
            attacked = ascend(victim, clips, labels, Linf(EPS * ramp(step / steps)), recipe.steps, run.generator(0, step))
            pipe.unet.requires_grad_(True)
        with evaluating(pipe.unet):
            purified = purifier(attacked.requires_grad_())
        blurred = FIDELITY * F.mse_loss(purified.float(), clips)
        return blurred + recipe.answer * F.cross_entropy(classifier(purified).float(), labels) if recipe.answer else blurred

    torch.manual_seed(0)
    run.run(loss, folder / f"{file.stem}.pt")
    save_file({key: value.contiguous() for key, value in pipe.unet.state_dict().items()}, file)
    (folder / f"{file.stem}.pt").unlink()
    return purifier


def never_seen(folder: Path) -> MotionClassifier:
    "The embedded classifier once more, from other weights and other clips."
    file = folder / "unseen" / "motion_classifier.safetensors"
    if not file.exists():
        train_tiny(file.parent, seed=1, diffusion_steps=1, flow_steps=1)
    return load_motion_classifier(file)


def attacks() -> dict[str, dict]:
    "The columns: an attacker who does not know the purifier, and two who follow the exact gradient."
    gray = {"sees": "classifier", "eps": "8/255", "alpha": "2/255", "steps": 10}
    full = {"sees": "full", "eps": "4/255", "steps": 20, "eot": 2}
    return {"PGD 8/255": gray, "full 4/255": full, "APGD 4/255": {"method": "APGD", "sees": "full", "eps": "4/255", "steps": 50}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/purifiers"))
    parser.add_argument("--n-clips", type=int, default=30)
    parser.add_argument("--steps", type=int, default=400, help="of training")
    args = parser.parse_args()
    torch.set_num_threads(1)
    weights = args.out / "weights"
    weights.mkdir(parents=True, exist_ok=True)
    purifiers = {"as embedded": OneStep(embedded())}
    purifiers |= {name: train(name, recipe, args.steps, weights) for name, recipe in RECIPES.items()}
    for place, classifier in (("seen", tiny_classifier()), ("unseen", never_seen(weights))):
        columns, title = attacks(), f"Purifiers in front of a classifier that they have {place.replace('unseen', 'not seen')}"
        card = benchmark(classifier, purifiers, moving_shapes(args.n_clips, seed=SEED), columns, out=args.out / place, batch_size=10,
                         worst=["full 4/255", "APGD 4/255"], title=title)  # fmt: skip
        print(card.table(), flush=True)


if __name__ == "__main__":
    main()
