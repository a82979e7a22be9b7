"""What a user writes, with types of one's own: no type checker may complain, see test_stubs.py. It is read, never run."""
# mypy: disallow-untyped-defs, disallow-untyped-calls, disallow-any-generics, disallow-untyped-decorators, disallow-subclassing-any
# mypy: warn-return-any, warn-unused-ignores, strict-equality, no-implicit-reexport, check-untyped-defs

from pathlib import Path

import torch

import videopure
from videopure import PGD, Card, Defended, Explorer, Player, VideoFileError, VideoModel, VideoPureError, VideoPurePipeline
from videopure import benchmark, check_defense, load_classifier, moving_shapes, read_video, tiny_classifier, train, write_video
from videopure.attacks import make_attack
from videopure.pipeline import VideoPureOutput, load_pipeline, save_pipeline
from videopure.purifier import VideoPure, as_purifier
from videopure.stream import Purified, purify_video


def six_lines() -> list[int]:
    clips, labels = moving_shapes(30, seed=1)
    bare = tiny_classifier()
    defended = Defended(bare, VideoPurePipeline.tiny())
    attacked = PGD(bare, "8/255", alpha="2/255", early_stop=False, best=False, seed=0)(clips, labels)
    return [int((model(attacked).argmax(1) == labels).sum().item()) for model in (bare, defended)]


def cards(folder: Path) -> str:
    card = Card.load(folder)
    again: Path = card.save(folder / "again")
    print(card.table(), card.success_table(), card.about_table(), card.metrics_table("psnr"), card.skipped_table(), again)
    print(card.compare(Card.load(str(folder))), card.rivals("VideoPure"), card.leaderboard(), card.clips, card.metric_names)
    worst = card.worst("VideoPure")
    low, high = worst.interval
    print(card.accuracy("VideoPure", "PGD").right, low < high, card.average("VideoPure"), card.outcomes("VideoPure")["clip"])
    return f"{worst} {worst.right} of {worst.n}"


def player(clips: torch.Tensor) -> Path:
    return Player({"before": clips[0], "after": clips[1]}, captions={"before": "right"}, fps=8).save("player.html", title="two clips")


def pipeline(folder: Path) -> torch.Tensor:
    pipe = VideoPurePipeline.tiny("flow").to("cpu")
    pipe.save_pretrained(folder)
    pipe = VideoPurePipeline.from_pretrained(folder)
    pipe = load_pipeline(save_pipeline(pipe, folder))
    clips = pipe.prepare(moving_shapes(2)[0])
    out = pipe(clips, purify_steps=4, spatial_scale=0.5, flow="zero", share="mean")
    assert isinstance(out, VideoPureOutput)
    latents = pipe.invert(clips, purify_steps=3)[-1]
    print(pipe.setting("purify_steps"), pipe.predict_noise(latents, 1).shape, [trip for trip in pipe.round_trip(clips)], pipe.grid)
    model: VideoModel = pipe.model
    with torch.no_grad():
        z0 = model.encode(clips)
    return out.videos.mean(1) + model.decode(z0)


def defenses(clips: torch.Tensor, labels: torch.Tensor) -> float:
    classifier, purifier = tiny_classifier(), VideoPure(VideoPurePipeline.tiny(), purify_steps=3)
    defended = Defended(classifier, purifier, rule="majority", sees="full").eval()
    vote = defended.vote(clips)
    attack = PGD(defended, 8 / 255, steps=3, loss="margin")
    wrong = defended.predict(attack(clips, labels)) != labels
    print(vote.labels, vote.counts, purifier.settings, purifier.with_settings(purify_steps=2).fewer(1), as_purifier(None))
    for record in purifier.records(clips):
        print(record.shape)
    return float(wrong.float().mean())


def evaluate() -> Card:
    pipe = VideoPurePipeline.tiny()
    attacks: dict[str, object] = {"PGD": {"class": PGD, "eps": "8/255"}}
    return benchmark(tiny_classifier(), {"none": None, "VideoPure": pipe}, moving_shapes(2), attacks, out="run", n_clips=2, progress=False)


def literal() -> Card:
    "Dictionaries as one has them, not annotated."
    defenses = {"VideoPure": VideoPurePipeline.tiny(), "again": VideoPurePipeline.tiny("flow")}
    attacks = {"PGD": "PGD"}
    return videopure.evaluate.benchmark(tiny_classifier(), defenses, moving_shapes(2), attacks)


def films() -> Purified | None:
    clip = read_video("clip.mp4", frames=16, size=64)
    write_video(clip, "small.mp4")
    try:
        return purify_video("clip.mp4", "purified.mp4", VideoPurePipeline.tiny(), window=16, overlap=4, t=2.5, overwrite=True)
    except (VideoFileError, VideoPureError) as error:
        print(error)
        return None


print(videopure.__version__, check_defense, load_classifier, train, Explorer, make_attack)
