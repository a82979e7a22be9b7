"""Everything public is called with what nobody should give it: it answers, or says in one line what is wrong.

A few seconds in a normal run; `make fuzz` tries FUZZ=10000 inputs and prints how they ended.
"""

import atexit
import os
import shutil
import signal
import tempfile
import warnings
from collections import Counter
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from inspect import Parameter, signature
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from torch import nn

from videopure import attacks, baselines, batch, blackbox, certify, checks, classifiers, config, data, defense, detect, diffusion
from videopure import evaluate, explore, families, film, filmstrip, filters, flow, guidance, inversion, journal, latents, masked, metrics
from videopure import models, networks, pipeline, plan, protocols, purifier, registry, report, results, robust
from videopure import sanity, schedule, show, signal as signals, smallest, statistics, stream, suite, table, threats, tiny, trace, trainer
from videopure import training, vcr
from videopure import verify, video, voting
from videopure.cli import main
from videopure.config import read_config
from videopure.video import VideoPureError, read_video, write_video

pytestmark = pytest.mark.slow
LONG = int(os.environ.get("FUZZ") or 0)
ENDED = Counter()
CLIPS = torch.rand(2, 3, 4, 16, 16, generator=torch.Generator().manual_seed(0))
ONE = CLIPS[:1]
LABELS, LOGITS = torch.tensor([0, 2]), torch.randn(2, 3, 5, generator=torch.Generator().manual_seed(1))
TINY_STEPS = "classifier_steps", "diffusion_steps", "flow_steps"


def fuzz(share: float, least: int):
    "So many examples: `least` in a normal run, its share of a long one."
    return settings(
        phases=[Phase.explicit, Phase.generate],  # an input that fails is shown as it is
        max_examples=max(least, round(LONG * share)),
        deadline=None,
        derandomize=not LONG,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


class Net(nn.Module):
    "A classifier of three classes that costs nothing."

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(3, 3)

    def forward(self, video):
        return self.head(video.mean((2, 3, 4)).to(self.head.weight))


NET = Net()
PIPE = pipeline.VideoPurePipeline.tiny()
PIPE.set_progress_bar_config(disable=True)
SELECTIVE = detect.Selective(defense.Defended(NET, lambda video: video))


def odd_tensors():
    "Clips and labels of every wrong kind."
    clip = CLIPS[:1]
    numbers = [torch.nan, torch.inf, 255.0, -1.0, 1e30]
    return [
        *(clip * number for number in numbers), clip[0], clip[:, :2], clip[:0], clip[:, :, :1], clip.half(), clip.double(), clip.bfloat16(),
        (clip * 255).byte(), clip > 0.5, clip.to(torch.complex64), clip.to_sparse(), clip.to("meta"), clip.numpy(), clip.transpose(1, 2),
        clip.expand(3, -1, -1, -1, -1), clip[..., :1, :1], torch.tensor(0.5), torch.tensor([]), LABELS.int(), LABELS.float(), LABELS - 1,
        LABELS + 100, LABELS.numpy(), LABELS.tolist(), LABELS[None], clip.clone().requires_grad_(), np.array([None]), np.float32(0.1),
    ]  # fmt: skip


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 40),
    st.floats(-10, 10),
    st.sampled_from([float("nan"), float("inf"), -float("inf"), 1e-300, 2**70, -(2**70), 1 + 2j]),
    st.sampled_from([np.int64(3), np.float32(0.1), np.bool_(True), b"bytes", Path("x")]),
    st.sampled_from(["", "8/255", "8", "1/0", "pgd", "none", "no such name", "os:getcwd", "x:y", "a\nb", "\0", "ä" * 400]),
    st.text(max_size=8),
    st.lists(st.integers(-2, 5), max_size=3),
    st.tuples(st.floats(0, 1), st.floats(0, 1)),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    st.sampled_from([object(), lambda *args: None, lambda video, *rest: video, {1, 2}, range(3), ...]),
    st.integers(0, len(odd_tensors()) - 1).map(lambda i: odd_tensors()[i]),
)


@contextmanager
def within(seconds: int):
    "An error instead of a hang."

    def ring(*_):
        raise TimeoutError(f"not done in {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def tensors(found: object) -> list[torch.Tensor]:
    return [found] if isinstance(found, torch.Tensor) else [t for each in found for t in tensors(each)] if isinstance(found, tuple) else []


def ordinary(value: object) -> bool:
    "Whether a number, or all of a tensor, is finite and of a size that can be squared: from it, arithmetic gives finite numbers."
    if isinstance(value, torch.Tensor):
        return value.is_floating_point() and not value.is_meta and not value.is_sparse and bool((value.abs() < 1e9).all())
    return not isinstance(value, (int, float)) or abs(value) < 1e9


def try_it(name: str, call, kwargs: dict) -> None:
    "The oracle: an answer of finite numbers, or one short line."
    try:
        with within(60), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = call(**kwargs)
    except VideoPureError as error:
        ENDED["one line"] += 1
        text = str(error)
        assert text and "\n" not in text and len(text) <= 300, f"{name}: {len(text)} characters: {text[:400]}"
        return
    except Exception as error:
        ENDED[type(error).__name__] += 1
        shown = {key: f"{type(value).__name__} {str(value)[:80]}" for key, value in kwargs.items()}
        raise AssertionError(f"{name}: {type(error).__name__}: {str(error)[:200]} for {shown}") from error
    ENDED["answer"] += 1
    for each in tensors(found) if all(map(ordinary, kwargs.values())) else ():
        if each.is_floating_point() and each.device.type != "meta" and not each.isfinite().all():
            ENDED["not finite"] += 1
            raise AssertionError(f"{name}: an answer that is not finite")


# what is called, by name -> (function, what is right, whose parameters are tried besides)


def of(part, *args):
    "Something that is made with settings and then called."
    return lambda **given: part(**given)(*args)


def of_closed(part):
    "Something that is made and closed again."
    return lambda **given: part(**given).close()


def records_of(made):
    return lambda clip: [*purifier.as_purifier(made).records(clip)] if made is not None else None


FOLDER = Path(tempfile.mkdtemp(prefix="fuzz-"))  # what is written and read; taken away at the end
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)


@cache
def clips() -> Path:
    "A folder of clips, and lists of them beside it."
    for name in ("a/v_a_g01_c01.npz", "a/v_a_g01_c01_000000_000010.npz", "b/v_b_g02_c01.npz", "b/2.npz"):
        (FOLDER / "clips" / name).parent.mkdir(parents=True, exist_ok=True)
        write_video(ONE, FOLDER / "clips" / name)
    listings = {"list.txt": "a/v_a_g01_c01.npz 0\nb/v_b_g02_c01.npz 1\n", "classInd.txt": "1 a\n2 b\n", "testlist01.txt": ""}
    listings |= {"trainlist01.txt": "a/v_a_g01_c01.avi 1\n", "kinetics.csv": "label,youtube_id,time_start,time_end\na,v_a_g01_c01,0,10\n"}
    for name, text in listings.items():
        (FOLDER / name).write_text(text)
    return FOLDER / "clips"


def of_tensors() -> dict:
    "The equations of the lessons, with tensors that go together."
    noise, level = torch.rand(1, 4, 3, 6, 6), schedule.Level(21, 0.9, 0.95)
    moves, scores = torch.zeros(1, 2, 2, 6, 6), LOGITS[:, 0]
    step = {"noise": noise, "abar": 0.5}
    guided = {"x0": noise[:, None], "z0": noise, "flow": moves, "k": [0.1], "c": [0.2]}
    found = {
        schedule.add_noise: {"x0": noise} | step, schedule.predict_x0: {"z": noise} | step,
        schedule.ddim_step: {"z": noise, "noise": noise, "abar_from": 0.5, "abar_to": 0.6}, schedule.Level: level._asdict(),
        schedule.ddim_levels: {"scheduler": tiny.tiny_scheduler(), "purify_steps": 2},
        inversion.share_first_frame: {"noise": noise}, inversion.invert: {"predict": lambda z, t: z, "latents": noise, "levels": [level]},
        flow.warp: {"x": noise[:, :, 0], "flow": moves[:, 0]}, flow.resize_flow: {"flow": moves[:, 0], "height": 3, "width": 3},
        flow.optical_flow: {"video": ONE}, flow.latent_flow: {"video": ONE, "height": 8, "width": 8},
        guidance.spatial_loss: {"x0": noise, "z0": noise}, guidance.temporal_loss: {"x0": noise, "flow": moves}, guidance.guide: guided,
        guidance.guidance_strength: {"level": level, "shape": noise.shape},
        voting.vote: {"logits": LOGITS}, voting.certain: {"counts": scores.long(), "remaining": 1},
        voting.vote_early: {"classify": lambda s, rows: LOGITS[rows % 2, 0], "batch": 2, "records": 2},
        voting.Rule: {"score": lambda counts, probability: counts},
        attacks.cross_entropy: {"scores": scores, "labels": LABELS}, attacks.margin: {"scores": scores, "labels": LABELS},
        attacks.dlr: {"scores": scores, "labels": LABELS}, attacks.record_loss: {"s": 1}, attacks.voted: {"model": NET, "logits": LOGITS},
        attacks.clip_gradient: {"loss": (clip := ONE.clone().requires_grad_()).sum(), "clips": clip},
        filters.filtered: {"clips": CLIPS, "kernels": torch.full((len(CLIPS), 75, 1, 1, 1), 1 / 75)},
        filmstrip.to_filmstrip: {"clips": CLIPS}, filmstrip.from_filmstrip: {"strips": CLIPS.flatten(2, 3), "frames": 4},
        checks.check_answer: {"values": LOGITS, "what": "logits"}, video.check_video: {"video": ONE},
    }  # fmt: skip
    return {f"{call.__module__.split('.')[-1]}.{call.__name__}": (call, right) for call, right in found.items()}


def of_models() -> dict:
    "Models, and what is made of them."
    plain = [tiny.assets, tiny.tiny_classifier, tiny.tiny_unet, tiny.tiny_vae, tiny.tiny_scheduler, tiny.tiny_defaults]
    found = {f"tiny.{call.__name__}": (call, {}) for call in plain}
    unet, vae = tiny.tiny_unet(), tiny.tiny_vae()
    z = latents.encode(vae, ONE)
    run = {"folder": str(clips()), "out": FOLDER / "out", "quiet": True}
    short = training.Recipe(steps=1, frames=2, size=16, workers=0, every=1)
    tuned = {"pipe": PIPE, "val": training.Validation(ONE, LABELS[:1], NET), "grid": {"purify_steps": [1]}, "progress": False}
    return found | {
        "tiny.TinyVAE": (tiny.TinyVAE, {}),
        "tiny.TinyUNet": (tiny.TinyUNet, {}),
        "tiny.MotionClassifier": (of(tiny.MotionClassifier, torch.rand(1, 3, 16, 32, 32)), {}, tiny.MotionClassifier),
        "tiny.check_class_names": (tiny.check_class_names, {"names": ["a", "b"]}),
        "latents.encode": (latents.encode, {"vae": vae, "video": ONE}),
        "latents.decode": (latents.decode, {"vae": vae, "latents": z}),
        "latents.predict_noise": (latents.predict_noise, {"network": unet, "latents": z, "t": 3}),
        "families.untrained": (families.untrained, {"family": "Wan"}),
        "models.VideoModel": (models.VideoModel, {"vae": tiny.tiny_vae(), "network": unet, "scheduler": tiny.tiny_scheduler()}),
        "latents.PromptEmbedding": (latents.PromptEmbedding, {"length": 2, "dim": 3}),
        "latents.share_prompt": (latents.share_prompt, {"unet": unet}),
        "networks.I3D": (networks.I3D, {"num_classes": 2}),
        "networks.SlowFast": (networks.SlowFast, {"num_classes": 2}),
        "networks.TPN": (networks.TPN, {"num_classes": 2}),
        "networks.build_network": (networks.build_network, {"name": "i3d_nl5_resnet50_v1", "num_classes": 2}),
        "networks.full_name": (networks.full_name, {"name": "i3d_nl5_resnet50_v1"}),
        "classifiers.load_classifier": (classifiers.load_classifier, {"name": "tiny"}),
        "classifiers.VideoClassifier": (of(classifiers.VideoClassifier, ONE), {"model": NET}, classifiers.VideoClassifier),
        "signal.Signal": (lambda **given: signals.Signal(**given).axes(), {"name": "row", "shape": (3,)}, signals.Signal),
        "diffusion.VectorDenoiser": (diffusion.VectorDenoiser, {"features": 3, "hidden": 4, "layers": 1, "embedding": 8}),
        "diffusion.SignalDiffusion": (diffusion.SignalDiffusion, {"network": NET, "signal": signals.Signal("row", (3,))}),
        "pipeline.load_pipeline": (pipeline.load_pipeline, {"name": "tiny"}),
        "pipeline.save_pipeline": (pipeline.save_pipeline, {"pipe": PIPE, "folder": FOLDER / "model"}),
        "pipeline.VideoPurePipeline": (lambda **given: PIPE(**given)[0], {"video": ONE, "purify_steps": 1}, PIPE.__call__),
        "purifier.VideoPure": (of(lambda **given: records_of(purifier.VideoPure(**given)), ONE), {"pipe": PIPE}, PIPE.__call__),
        "purifier.as_purifier": (of(lambda **given: records_of(**given), ONE), {"made": PIPE}, records_of),
        "defense.Defended": (of(defense.Defended, ONE), {"classifier": NET, "purifier": PIPE}, defense.Defended),
        "trace.Trace": (trace.Trace, {"records": torch.rand(1, 2, 3, 4, 16, 16)}),
        "trace.trace_purification": (trace.trace_purification, {"purifier": baselines.OneStep(PIPE), "video": ONE}),
        "explore.Explorer": (of_closed(explore.Explorer), {"clip": torch.rand(1, 3, 16, 32, 32)}, explore.Explorer),
        "trainer.Trainer": (trainer.Trainer, {"model": NET, "steps": 1, "lr": 0.1, "name": "x", "precision": "no"}),
        "trainer.train_tiny": (trainer.train_tiny, {"out": FOLDER / "tiny", "n_clips": 8} | dict.fromkeys(TINY_STEPS, 1)),
        "training.train_folder": (training.train_folder, run | {"recipe": short}),
        "training.train": (training.train, {"data": data.ClipFolder(clips(), 2), "out": FOLDER / "trained", "recipe": short}),
        "training.tune": (training.tune, tuned),
        "cache.Recipe": (training.Recipe, {}),
        "robust.Hardening": (robust.Hardening, {}),
        "robust.train_robust": (robust.train_robust, {"out": FOLDER / "robust", "steps": 1, "progress": False}),
    }


def of_runs() -> dict:
    "Data, runs, and what they show."
    run = {"classifier": NET, "defenses": {"none": None}, "data": (CLIPS, LABELS), "attacks": {}, "progress": False}
    evaluate.benchmark(**run, out=FOLDER / "run")
    pair = {"purified": ONE, "clean": ONE * 0.9}
    five = results.Card({"defenses": {"none": {"method": "none"}}, "attacks": dict.fromkeys(("gray", "bpda"))}, [])
    root = {"root": clips()}
    first = lambda part: lambda **given: part(**{"frames": 2} | given)[0][0]
    right, report_of = results.Accuracy(1, 2), {"name": "a", "verdict": "pass", "numbers": "1", "meaning": "x"}
    curves = {"curves": {"a": [(0.0, right), (1.0, right)]}, "xlabel": "x"}
    middle = {"value": 2.0, "low": 1.0, "high": 3.0, "n": 9}
    paired, read_all = {"both": 1, "first": 2, "second": 3, "neither": 4}, lambda **given: [*journal.read_results(**given)]
    tried = {"defended": NET, "clips": CLIPS, "labels": NET(CLIPS).argmax(1), "attacks": {}, "progress": False}
    whole = {"title": "x", "checks": [report.Check(**report_of)], "curves": {"none": {0.0: right}}, "budget": {}}
    settings = {"data": {"dataset": "moving-shapes", "n_clips": 2}, "defenses": {"none": {"method": "none"}}, "attacks": {}}
    return {
        "video.moving_shapes": (video.moving_shapes, {"n": 1, "frames": 2, "size": 8}),
        "video.read_video": (video.read_video, {"path": clips() / "a/v_a_g01_c01.npz"}),
        "video.write_video": (video.write_video, {"video": ONE, "path": FOLDER / "clip.mp4"}),
        "data.Clips": (first(data.Clips), root | {"ids": ["a/v_a_g01_c01.npz"], "labels": [0], "classes": ["a"]}, data.Clips),
        "data.ClipFolder": (first(data.ClipFolder), root, data.ClipFolder),
        "data.ClipList": (first(data.ClipList), root | {"listing": FOLDER / "list.txt"}, data.ClipList),
        "data.UCF101": (data.UCF101, root | {"annotations": FOLDER, "incomplete": True}),
        "data.Kinetics400": (data.Kinetics400, root | {"annotations": FOLDER / "kinetics.csv"}),
        "data.MovingShapes": (lambda **given: data.MovingShapes(**given)[0][0], {"n": 1}, data.MovingShapes),
        "show.strip": (show.strip, {"clips": ONE}),
        "show.magnify": (show.magnify, {"original": ONE, "changed": ONE}),
        "show.differences": (show.differences, {"clips": {"a": ONE, "b": ONE}}),
        "show.Player": (show.Player, {"clips": {"clip": ONE}}),
        "show.page": (show.page, {"title": "x"}),
        "show.save_page": (show.save_page, {"path": FOLDER / "page.html", "title": "x"}),
        "metrics.psnr": (metrics.psnr, pair),
        "metrics.ssim": (metrics.ssim, pair),
        "metrics.temporal_consistency": (metrics.temporal_consistency, pair),
        "metrics.measure": (metrics.measure, pair | {"metrics": {"psnr": metrics.psnr}}),
        "protocols.AttackSpec": (protocols.AttackSpec, {}),
        "evaluate.benchmark": (evaluate.benchmark, run),
        "results.five_metrics": (results.five_metrics, {"card": five}),
        "journal.read_results": (read_all, {"path": next((FOLDER / "run").glob("*.jsonl"))}, journal.read_results),
        "config.load_data": (config.load_data, {"dataset": "moving-shapes"}),
        "config.run_config": (config.run_config, {"config": settings}),
        "vcr.create": (vcr.create, {"model": "tiny", "device": "cpu"}),
        "vcr.VCRDefence": (vcr.VCRDefence, {"purifier": lambda video: video}),
        "plan.plan_config": (plan.plan_config, {"config": settings, "limit": 0.1, "progress": False}),
        "statistics.clustered": (statistics.clustered, {"outcomes": [True, False], "groups": ["a", "b"]}),
        "statistics.Accuracy": (lambda **given: str(statistics.Accuracy(**given)), {"right": 1, "n": 2}, statistics.Accuracy),
        "statistics.Median": (lambda **given: str(statistics.Median(**given)), middle, statistics.Median),
        "statistics.Paired": (lambda **given: str(statistics.Paired(**given)), paired, statistics.Paired),
        "statistics.flip_test": (statistics.flip_test, {"differences": [1, 2, 0]}),
        "statistics.holm": (statistics.holm, {"ps": [0.1, 0.2]}),
        "results.Card": (results.Card, {"config": {}, "results": []}),
        "table.Table": (lambda **given: str(table.Table(**given)), {"title": "x", "head": ["a"], "rows": [["b"]]}, table.Table),
        "verify.verify_run": (verify.verify_run, {"folder": FOLDER / "run", "progress": False}),
        "results.plot_accuracy": (results.plot_accuracy, curves),
        "report.Check": (report.Check, report_of),
        "report.Report": (lambda **given: str(report.Report(**given)), whole, report.Report),
        "registry.Registry": (registry.Registry, {"kind": "x"}),
        "sanity.check_defense": (sanity.check_defense, tried),
    }


def of_proofs() -> dict:
    "Certificates, and what makes them."
    masks, made = certify.windows(4, 1), {"labels": LABELS, "radii": LABELS, "counts": LABELS}
    return {
        "certify.Certificate": (certify.Certificate, made | {"draws": 3, "alpha": 0.1, "threat": threats.L2()}),
        "certify.Denoiser": (of(certify.Denoiser, ONE), {"model": PIPE, "sigma": 0.1}, certify.Denoiser),
        "certify.Smoothed": (of(certify.Smoothed, ONE), {"classifier": NET, "draws": 2}, certify.Smoothed),
        "certify.DoubleMasked": (of(certify.DoubleMasked, ONE), {"classifier": NET, "masks": masks}, certify.DoubleMasked),
        "certify.Steady": (of(certify.Steady, ONE), {"classifier": NET}, certify.Steady),
        "certify.windows": (certify.windows, {"frames": 4, "k": 1}),
        "certify.boxes": (certify.boxes, {"height": 8, "width": 8, "size": 2, "steps": 2}),
        "certify.subsets": (certify.subsets, {"frames": 4, "k": 2}),
        "certify.certified_accuracy": (certify.certified_accuracy, {"proof": certify.Steady(NET).certify(CLIPS), "labels": LABELS}),
        "detect.disagreement": (detect.disagreement, {"logits": LOGITS}),
        "detect.auc": (detect.auc, {"clean": LABELS.float(), "attacked": LABELS.float()}),
        "detect.evading": (detect.evading, {"logits": LOGITS, "labels": LABELS}),
        "detect.Selective": (of(detect.Selective, ONE), {"defended": defense.Defended(NET, lambda video: video)}, detect.Selective),
        "detect.selective_table": (detect.selective_table, {"selective": SELECTIVE, "clips": {"a": ONE}, "labels": LABELS[:1]}),
        "certify.certify": (certify.certify, {"model": certify.DoubleMasked(NET, masks), "clips": ONE, "threat": threats.Frames(1.0, 1)}),
    }


def of_films() -> dict:
    "Films of any length."
    write_video(ONE, FOLDER / "film.npz")
    source, cheap = FOLDER / "film.npz", {"progress": False, "overwrite": True}
    frames = [np.zeros((8, 8, 3), np.uint8)] * 3
    jobs, pure, same = {"sources": [source], "target": FOLDER / "pure.npz"}, stream.purify_frames, lambda clip: clip
    return {
        "film.video_info": (film.video_info, {"path": source}),
        "stream.windows": (lambda **given: [*stream.windows(**given)], {"items": [1, 2, 3]}, stream.windows),
        "stream.purify_frames": (lambda **given: [*pure(**given)], {"frames": frames, "purifier": same}, pure),
        "stream.purify_video": (stream.purify_video, {"source": source, "target": FOLDER / "pure.npz", "purifier": same} | cheap),
        "stream.predict_video": (stream.predict_video, {"classifier": NET, "source": source}),
        "batch.find_jobs": (batch.find_jobs, jobs),
        "batch.purify_files": (batch.purify_files, jobs | {"load": lambda: same, "overwrite": True}),
        "batch.share": (batch.share, {"jobs": [1, 2, 3], "rank": 0, "world": 2}),
        "batch.info_file": (batch.info_file, {"source": str(source), "model": "none"}),
    }


def of_parts() -> dict:
    "Everything in the registries: attacks, threat models, purifiers."
    fgsm = {"name": "FGSM", "model": NET, "eps": 0.1}
    found = {
        "threats.as_threat": (threats.as_threat, {"eps": 0.1}),
        "threats.make_threat": (threats.make_threat, {"kind": "L2"}),
        "attacks.make_attack": (attacks.make_attack, {"method": "pgd", "model": NET}),
        "attacks.call": (lambda clips, labels: attacks.PGD(NET, steps=1)(clips, labels), {"clips": CLIPS, "labels": LABELS}),
        "filmstrip.TorchAttack": (of(filmstrip.TorchAttack, CLIPS, LABELS), fgsm, filmstrip.TorchAttack),
        "masked.Specimen": (masked.Specimen, {"make": lambda classifier: classifier, "check": "", "about": "x"}),
        "smallest.smallest_eps": (smallest.smallest_eps, {"model": NET, "clips": CLIPS, "labels": LABELS, "steps": 1, "tolerance": 0.05}),
        "smallest.Smallest": (smallest.Smallest, {"eps": torch.rand(2), "clips": CLIPS, "high": 0.1}),
        "suite.VideoAuto": (lambda **given: suite.VideoAuto(**given).judge(CLIPS, LABELS), {"model": NET}, suite.VideoAuto),
    }
    for part in [*threats.THREATS.values()]:
        found[f"threats.{part.__name__}"] = of(lambda part=part, **given: part(**given).random_start, CLIPS), {}, part
    climbing = attacks.PGD, blackbox.TemporalTranslation, blackbox.Transfer, filters.LowPass
    for part in (*climbing, blackbox.Square, blackbox.RandomNoise, blackbox.NES, blackbox.RayS):
        least = {"steps": 1} if part in climbing else {}
        found[f"{part.__module__[10:]}.{part.__name__}"] = of(part, CLIPS, LABELS), {"model": NET} | least, part
    found["blackbox.Square"][1]["queries"] = 2
    found["blackbox.NES"][1].update(queries=3, draws=1)
    found["blackbox.RayS"][1]["queries"] = 10
    found["blackbox.Transfer"][1]["source"] = NET
    for part in {part for part in baselines.PURIFIERS.values() if isinstance(part, type)} - {purifier.VideoPure}:
        right = {"pipe": PIPE} if "pipe" in signature(part).parameters else {}
        found[f"baselines.{part.__name__}"] = of(lambda part=part, **given: records_of(part(**given)), ONE), right, part
    return found


@cache
def entries() -> dict:
    return of_tensors() | of_models() | of_runs() | of_proofs() | of_films() | of_parts()


PLAIN = {  # public, but not called by a user with arguments
    "purifier.Purifier", "attacks.VideoAttack", "threats.Threat", "threats.Subspace", "threats.Masked",  # to be written on
    "pipeline.VideoPureOutput", "pipeline.RoundTrip", "voting.VoteOutput", "models.Scale",  # what calls give back
    "film.VideoInfo", "stream.Cost", "stream.Purified", "stream.WindowVote", "stream.FilmVote",  # what calls give back
    "stream.blend",  # takes what `windows` gives
    "cli.main", "cli.start", "config.read_config",  # tried below
    "latents.embed_empty_prompt", "metrics.lpips",  # need transformers, or weights from the web
}  # fmt: skip


def public() -> list[str]:
    "Everything callable in `__all__`, but errors."
    modules = [import_module(f"videopure.{path.stem}") for path in sorted(Path(video.__file__).parent.glob("[a-z]*.py"))]
    parts = {f"{module.__name__[10:]}.{name}": getattr(module, name) for module in modules for name in module.__all__}
    errors = {name for name, part in parts.items() if isinstance(part, type) and issubclass(part, Exception)}
    return [name for name, part in parts.items() if callable(part) and name not in PLAIN | errors]


COSTS = {"n", "frames", "size", "restarts", "eot", "queries", "draws", "trials", "kernel", "votes", "steps"}  # what is asked for


def parameters(name: str) -> list[str]:
    "Names that a call can be given."
    call, right, *part = entries()[name]
    kinds = (Parameter.VAR_KEYWORD, Parameter.VAR_POSITIONAL)
    return sorted({p.name for p in signature((part or [call])[0]).parameters.values() if p.kind not in kinds} | {*right})


def calls(name: str):
    "A right call of which one or two arguments are odd."
    right = entries()[name][1]
    return st.dictionaries(st.sampled_from(parameters(name)), ODD, min_size=1, max_size=2).map(lambda odd: right | odd)


@pytest.mark.parametrize("name", [*public(), "attacks.call"])
def test_odd_arguments(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a path may be any word
    call, right = entries()[name][:2]
    call(**right)
    if not parameters(name):
        return

    @fuzz(0.6 / len(entries()), 6)
    @given(calls(name))
    def run(kwargs):
        if not any(isinstance(value, int) and abs(value) > 1000 for key, value in kwargs.items() if key in COSTS):
            try_it(name, call, kwargs)

    run()


# files


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    "Small real files, made here."
    folder, found = tmp_path_factory.mktemp("files"), {}
    for suffix in (".mp4", ".gif", ".npz"):
        found[suffix] = write_video(CLIPS[:1], folder / f"clip{suffix}").read_bytes()
    return found


@pytest.mark.parametrize("suffix", [".mp4", ".gif", ".npz"])
def test_mutated_files(suffix, originals, tmp_path):
    "Bytes changed, cut out, doubled: the file is read or refused; that all damage is seen is not promised."
    text, path = originals[suffix], tmp_path / f"mutant{suffix}"
    place = st.integers(0, len(text) - 1)
    change = st.tuples(place, st.sampled_from(["flip", "cut", "double", "zero", "end"]), st.integers(1, 255), st.integers(1, 64))

    @fuzz(0.2 / 3, 15)
    @given(st.lists(change, min_size=1, max_size=4), st.sampled_from([None, 2, 4, 10**9]))
    def run(changes, frames):
        data = bytearray(text)
        for at, how, value, length in changes:
            at %= max(1, len(data))
            if how == "flip":
                data[at : at + 1] = bytes(byte ^ value for byte in data[at : at + 1])
            elif how == "zero":
                data[at : at + length] = bytes(min(length, max(0, len(data) - at)))
            else:
                data[at:] = {"cut": data[at + length :], "double": data[at : at + length] * 2 + data[at + length :], "end": b""}[how]
        path.write_bytes(bytes(data))
        try_it(f"read_video({suffix})", read_video, {"path": path, "frames": frames})

    run()


# run files and command lines

KEYS = "data defenses attacks classifier model method eps sees n_clips seed trials metrics title worst folder frames x"
WORD = st.sampled_from(KEYS.split())
VALUE = st.recursive(
    st.one_of(st.booleans(), st.integers(-5, 5), st.floats(), st.sampled_from(['"jpeg"', '"8/255"', '"pgd"', '""', '"os:getcwd"'])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2).map(lambda parts: "[" + ", ".join(map(toml, parts)) + "]"),
        st.dictionaries(WORD, inner, max_size=2).map(lambda parts: "{" + ", ".join(f"{k} = {toml(v)}" for k, v in parts.items()) + "}"),
    ),
    max_leaves=4,
)


def toml(value) -> str:
    return value if isinstance(value, str) else str(value).lower()


@fuzz(0.1, 25)
@given(st.dictionaries(WORD, VALUE, max_size=4), st.sampled_from(["", "\ufeff", "[", "# ä\n"]))
def test_run_files(tmp_path_factory, table, before):
    path = tmp_path_factory.mktemp("run") / "run.toml"
    path.write_text(before + "\n".join(f"{key} = {toml(value)}" for key, value in table.items()), encoding="utf-8")
    try_it("read_config", read_config, {"path": path})


OPTION = st.one_of(WORD.map(lambda word: f"--{word.replace('_', '-')}"), st.text(max_size=5), st.sampled_from(["-1", "0", "nan"]))


@fuzz(0.1, 10)
@given(st.sampled_from(["demo", "purify", "evaluate", "train", "train-tiny", ""]), st.lists(OPTION, max_size=4))
def test_command_lines(tmp_path_factory, command, words):
    "No option here names a real file, so no command gets far; a usage error of argparse is status 2 as well."
    folder = tmp_path_factory.mktemp("here")
    before = os.getcwd()
    os.chdir(folder)
    try:
        with within(60):
            status = main([command, *words, "--no-such-option", "1"])
    except SystemExit as error:
        status = error.code
    finally:
        os.chdir(before)
    ENDED["command"] += 1
    assert status == 2 and not list(folder.iterdir())


def test_counts(capsys):
    "The last of the file: how the inputs of this run ended."
    with capsys.disabled():
        if LONG:
            print(f"\n{sum(ENDED.values())} inputs: {dict(ENDED.most_common())}")
    assert not set(ENDED) - {"answer", "one line", "command"}
