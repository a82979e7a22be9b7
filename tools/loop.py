"""Make the moving pictures of the landing page, nbs/images/rescue.webp and scene.webp, and a still one of each for those who want none.

One clip is attacked by PGD and purified, with the embedded models; at every step one sees the clip, what was changed, and what the
classifier makes of it. The second picture does the same with a rendered scene (scene.py), which it shows beside what the classifier sees.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import matplotlib
import torch
from PIL import Image, ImageDraw, ImageFont

from videopure.attacks import PGD
from videopure.latents import decode
from videopure.pipeline import VideoPurePipeline
from videopure.tiny import tiny_classifier
from videopure.video import moving_shapes, to_uint8
from videopure.voting import vote

sys.path.insert(0, str(Path(__file__).resolve().parent))
from scene import rolling_ball  # noqa: E402

IMAGES = Path(__file__).resolve().parent.parent / "nbs/images"
EPS, STEPS, FPS, GAIN = 8 / 255, 10, 10, 8
SIDE, GAP, TOP = 196, 16, 74  # of the picture, in pixels
DARK, LIGHT, GREY, GREEN, RED = "#16191d", "#f2f3f5", "#9aa0a8", "#3fb27f", "#e4604e"
FONTS = Path(matplotlib.get_data_path()) / "fonts/ttf"
TITLE, TEXT = (ImageFont.truetype(FONTS / name, size) for name, size in (("DejaVuSans-Bold.ttf", 18), ("DejaVuSans.ttf", 14)))


def pgd(classifier: torch.nn.Module, clip: torch.Tensor, label: torch.Tensor) -> Iterator[torch.Tensor]:
    "The clip after each step of PGD within `EPS`."
    for steps in range(1, STEPS + 1):
        attack = PGD(classifier, EPS, alpha=EPS / 4, steps=steps, random_start=False, early_stop=False, best=False)
        yield attack(clip, label)


def scenes(clip: torch.Tensor, label: torch.Tensor) -> Iterator[tuple[str, torch.Tensor, torch.Tensor, int]]:
    "What is seen: a heading, the clip, the classifier's probabilities, and for how many pictures."
    classifier, purifier = tiny_classifier(), VideoPurePipeline.tiny()
    purifier.set_progress_bar_config(disable=True)

    def says(x: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return classifier(x).softmax(-1)[0]

    yield f"A clip, moving {classifier.class_names[label]}", clip, says(clip), 20
    for i, attacked in enumerate(pgd(classifier, clip, label)):
        yield f"Attacked: PGD, step {i + 1} of {STEPS}", attacked, says(attacked), 2
    yield "Attacked, within 8/255", attacked, says(attacked), 16
    for i, latents in enumerate(purifier.invert(attacked)[1:]):
        noisy = decode(purifier.vae, latents).clamp(0, 1)
        yield f"Purified: up to noise, level {i + 1}", noisy, says(noisy), 3
    records = purifier(attacked).videos
    for i, record in enumerate(records[0, :-1, None]):
        yield f"Purified: down again, record {i + 1}", record, says(record), 4
    votes = torch.stack([classifier(record[None])[0] for record in records[0]])[None].detach()
    votes = vote(votes)
    assert votes.labels == label != says(attacked).argmax(), "the attack fails, or the rescue: choose another clip"
    heading = f"Purified: {votes.counts[0, label].item()} of {len(records[0])} records vote {classifier.class_names[label]}"
    yield heading, record, says(record), 28


def panel(clip: torch.Tensor, t: int) -> Image.Image:
    "One frame of a clip, large."
    return Image.fromarray(to_uint8(clip[:, :, t : t + 1])[0]).resize((SIDE, SIDE), Image.NEAREST)


def picture(heading: str, panels: dict[str, Image.Image], p: torch.Tensor, labels: list[str], label: int) -> Image.Image:
    "One picture of the loop: two panels, probabilities."
    page = Image.new("RGB", (3 * SIDE + 4 * GAP, TOP + SIDE + GAP), DARK)
    draw = ImageDraw.Draw(page)
    draw.text((GAP, 14), heading, LIGHT, TITLE)
    for i, name in enumerate((*panels, "what it says")):
        draw.text((GAP + i * (SIDE + GAP), TOP - 24), name, GREY, TEXT)
        if name in panels:
            page.paste(panels[name], (GAP + i * (SIDE + GAP), TOP))
    left, height = 3 * GAP + 2 * SIDE, SIDE / len(labels)
    for i, (name, share) in enumerate(zip(labels, p.tolist())):
        y = TOP + i * height
        draw.rounded_rectangle((left, y + 1, left + SIDE, y + height - 2), 3, "#24282e")
        if share > 0.02:
            draw.rounded_rectangle((left, y + 1, left + share * SIDE, y + height - 2), 3, GREEN if i == label else RED)
        draw.text((left + 6, y + height / 2), name.replace("_", " "), LIGHT, TEXT, anchor="lm")
    return page


def loop(clip: torch.Tensor, label: torch.Tensor, large: torch.Tensor | None, name: str) -> None:
    "Write a moving picture and its still one; `large` is the clip as a person sees it, shown in the place of the change."
    labels, pages, seen = tiny_classifier().class_names, [], "what the classifier sees"
    for heading, shown, p, count in scenes(clip, label):
        change = (0.5 + GAIN * (shown - clip)).clamp(0, 1)
        for _ in range(count):
            t = len(pages) % clip.shape[2]
            changed = {seen: panel(shown, t), f"what was changed, × {GAIN}": panel(change, t)}
            panels = changed if large is None else {"the scene": panel(large, t), seen: panel(shown, t)}
            pages.append(picture(heading, panels, p, labels, label.item()))
    IMAGES.mkdir(exist_ok=True)
    options = {"duration": 1000 // FPS, "loop": 0, "quality": 70, "method": 6}
    pages[0].save(IMAGES / f"{name}.webp", save_all=True, append_images=pages[1:], **options)
    pages[-1].save(IMAGES / f"{name}_still.png", optimize=True)
    print(f"{name}: {len(pages)} pictures, {(IMAGES / f'{name}.webp').stat().st_size / 1e6:.2f} MB")


def main() -> None:
    "Write the four files."
    argparse.ArgumentParser(description=__doc__).parse_args()
    left = tiny_classifier().class_names.index("left")
    loop(*moving_shapes(1, seed=8), None, "rescue")
    loop(rolling_ball(32), torch.tensor([left]), rolling_ball(SIDE), "scene")


if __name__ == "__main__":
    main()
