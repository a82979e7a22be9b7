"Training that holds: what the training clips go through, what may not be touched, and what the shipped networks keep."

import os
import signal
import subprocess
import sys
import time

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from videopure import PGD, VideoPurePipeline, moving_shapes, robust, tiny_classifier
from videopure.baselines import OneStep
from videopure.blackbox import Transfer
from videopure.classifiers import load_classifier
from videopure.defense import Defended
from videopure.robust import Hardening, ascend, hidden_frames, hide, purifier_loss, train_robust, trainable
from videopure.sanity import check_defense
from videopure.threats import L2, Flicker, Frames, Linf, Patch
from videopure.tiny import CLASSIFIER_KINDS, MotionClassifier, assets, load_motion_classifier, save_classifier
from videopure.trainer import Trainer
from videopure.video import VideoFileError, VideoPureError

CLIPS, LABELS = moving_shapes(12, seed=91_001)


def one_line(call, *words):
    with pytest.raises(VideoPureError) as error:
        call()
    assert "\n" not in str(error.value)
    assert all(word in str(error.value) for word in words), error.value


def weights(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def same(a, b):
    return all(torch.equal(value, b[name]) for name, value in a.items())


# --- what the clips go through ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threat", [Linf(0.03), L2(1.0), Flicker(0.05), Frames(0.1, [2, 3]), Patch(8)], ids=str)
def test_training_attack_stays_within_its_threat_model_and_climbs(threat):
    model = tiny_classifier()
    attacked = ascend(model, CLIPS, LABELS, threat, 3, torch.Generator().manual_seed(0))
    assert not attacked.requires_grad and 0 <= attacked.min() and attacked.max() <= 1
    assert (threat.distance(attacked, CLIPS) <= 1 + 1e-4).all()
    loss = lambda clips: nn.functional.cross_entropy(model(clips), LABELS)
    assert loss(attacked) > loss(CLIPS)


def test_training_attack_leaves_mode_and_statistics_alone():
    model = MotionClassifier().train()
    before = weights(model)
    ascend(model, CLIPS[:4], LABELS[:4], Linf(0.03))
    assert model.training and same(before, model.state_dict())
    assert all(p.grad is None for p in model.parameters())


@pytest.mark.parametrize("frames, most", [(2, 2), (4, 4), (16, 5), (16, 40)])
def test_some_frame_is_always_left(frames, most):
    hidden = hidden_frames(300, frames, most, torch.Generator().manual_seed(1))
    assert hidden.shape == (300, frames) and not hidden.all(1).any() and hidden.any(1).float().mean() > 0.3
    runs = hidden[::2].int().diff(dim=1).eq(1).sum(1) + hidden[::2, 0].int()
    assert (runs <= 3).all()  # two runs, or three where a frame was given back in one of them


def test_hidden_frames_are_not_seen():
    hidden = hidden_frames(12, 16, 5, torch.Generator().manual_seed(2))
    other = torch.where(hidden[:, None, :, None, None], torch.rand(CLIPS.shape, generator=torch.Generator().manual_seed(3)), CLIPS)
    assert torch.equal(hide(other, hidden), hide(CLIPS, hidden))


def test_pooled_noise_and_attacks_are_what_the_full_clip_sees():
    model = MotionClassifier(sees="deviations", pool=2).eval()
    noise = 0.5 * torch.randn(40, 3, 16, 32, 32, generator=torch.Generator().manual_seed(4))
    assert model.pooled(noise).std().item() == pytest.approx(0.25, rel=0.01)
    run = Trainer(model, 2, 1e-3, "x", "no", "cpu")
    seen = {}
    hard = Hardening(noise=0.5, robust="8/255")
    forward = model.forward
    model.forward = lambda video, pooled=False: seen.update(shape=video.shape[-2:], pooled=pooled) or forward(video, pooled)
    run.step(lambda step: hard.loss(run, CLIPS[:2], LABELS[:2], torch.Generator().manual_seed(0)))
    assert tuple(seen["shape"]) == (16, 16) and seen["pooled"]
    full, pooled = torch.Generator().manual_seed(5), torch.Generator().manual_seed(5)
    ends = [h.disturbed(model, CLIPS[:2], LABELS[:2], g)[1] - CLIPS[:2] for h, g in ((Hardening(noise=0.5), full),)]
    assert ends[0].std().item() == pytest.approx(0.5, rel=0.02)
    half = Hardening(noise=0.5).disturbed(model, CLIPS[:2], LABELS[:2], pooled, pool=2)[1] - CLIPS[:2]
    assert half.std().item() == pytest.approx(0.25, rel=0.02)


class Spy(nn.Module):
    "A small classifier that remembers what it was shown."

    def __init__(self):
        super().__init__()
        self.pool = nn.AdaptiveAvgPool3d(1)  # the name is taken by many networks
        self.head, self.shown = nn.Linear(3, 10), []

    def forward(self, video):
        self.shown.append(video.detach().clone())
        return self.head(self.pool(video).flatten(1))


@pytest.mark.parametrize("trades, noise", [(0.0, 0.0), (1.0, 0.0), (0.0, 0.2)])
def test_network_learns_from_attacks_of_the_full_size(trades, noise):
    spy, gray = Spy(), 0.3 + 0.4 * CLIPS[:4]
    run = Trainer(spy, 1, 1e-3, "x", "no", "cpu")
    run.losses = [0.0]  # the end of a run: the full size
    Hardening(robust="8/255", trades=trades, noise=noise).loss(run, gray, LABELS[:4], torch.Generator().manual_seed(0))
    learned = spy.shown[-1][-4:]  # what the loss is about
    noise = noise * torch.randn(gray.shape, generator=torch.Generator().manual_seed(0)) if noise else 0
    assert (Linf(8 / 255).distance(learned - noise, gray) > 0.99).all() and (
        (learned - noise - gray).abs() > 0.9 * 8 / 255
    ).float().mean() > 0.4
    assert ((learned - noise - gray).abs() <= 8 / 255 + 1e-5).all()


def test_purifier_learns_from_attacks_on_both(monkeypatch):
    pipe, attacked, through = VideoPurePipeline.tiny(), [], []
    run = Trainer(pipe.unet.requires_grad_(True), 1, 1e-3, "x", "no", "cpu")
    run.losses = [0.0]
    own = robust.ascend
    monkeypatch.setattr(robust, "ascend", lambda model, *more: through.append(model) or own(model, *more))
    purifier = OneStep(pipe)
    spy = lambda clips: attacked.append(clips.detach().clone()) or purifier(clips)
    loss = lambda fidelity: purifier_loss(
        run, spy, tiny_classifier(), CLIPS[:2], LABELS[:2], run.generator(0, 0), 8 / 255, 2, fidelity
    ).item()
    losses = [loss(fidelity) for fidelity in (0.0, 5.0)]
    pipe.unet.eval()
    assert (Linf(8 / 255).distance(attacked[-1], CLIPS[:2]) > 0.99).all() and through[0].purifier is spy
    assert losses[1] - losses[0] == pytest.approx(5 * torch.nn.functional.mse_loss(purifier(attacked[-1]), CLIPS[:2]).item(), rel=1e-3)


WRONG = [{"robust": "9"}, {"robust": "x"}, {"noise": float("nan")}, {"masks": -1}, {"attack_steps": 0}, {"trades": 1.0}]


@pytest.mark.parametrize("wrong", WRONG)
def test_settings_that_cannot_work_are_refused(wrong):
    one_line(lambda: Hardening(**wrong), next(iter(wrong)))


def test_plain_hardening_is_plain_cross_entropy():
    model = tiny_classifier().requires_grad_(True)
    run = Trainer(model, 2, 1e-3, "x", "no", "cpu")
    run.model.eval()
    loss = Hardening().loss(run, CLIPS, LABELS, torch.Generator(), smoothing=0.1)
    assert torch.allclose(loss, nn.functional.cross_entropy(model(CLIPS), LABELS, label_smoothing=0.1))


def test_trades_pulls_both_answers_together():
    model = tiny_classifier().requires_grad_(True)
    run = Trainer(model, 2, 1e-3, "x", "no", "cpu")
    run.model.eval()
    loss = lambda weight: Hardening(robust="2/255", trades=weight).loss(run, CLIPS, LABELS, torch.Generator().manual_seed(0)).item()
    losses = [loss(weight) for weight in (1e-9, 1.0, 2.0)]
    assert losses[2] - losses[1] == pytest.approx(losses[1] - losses[0], rel=1e-3) and losses[1] > losses[0]


# --- what may not be touched ---------------------------------------------------------------------------------------------------------


def test_purifier_training_leaves_the_classifier_alone_and_learns():
    pipe, classifier = VideoPurePipeline.tiny(), tiny_classifier()
    before, unet = weights(classifier), weights(pipe.unet)
    run = Trainer(pipe.unet.requires_grad_(True), 2, 1e-3, "x", "no", "cpu")
    run.run(lambda step: purifier_loss(run, OneStep(pipe), classifier, CLIPS[:2], LABELS[:2], run.generator(0, step)), progress=False)
    assert same(before, classifier.state_dict()) and not same(unet, pipe.unet.state_dict())
    assert all(p.grad is None for p in classifier.parameters())


def test_frozen_trains_the_last_layer_only():
    model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 4 * 8 * 8, 5), nn.BatchNorm1d(5), nn.Linear(5, 3))
    trainable(model, last=True)
    run = Trainer(model, 3, 1e-2, "x", "no", "cpu")
    before, clips = weights(model), torch.rand(6, 3, 4, 8, 8)
    hard = Hardening(noise=0.1, frozen=True)
    run.run(lambda step: hard.loss(run, clips, torch.arange(6) % 3, run.generator(0, step)), progress=False)
    changed = {name for name, value in before.items() if not torch.equal(value, run.model.state_dict()[name])}
    assert changed == {"3.weight", "3.bias"}


# --- runs -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["robust", "smooth", "frames", "purifier"])
def test_runs_repeat_and_follow_the_seed(kind, tmp_path):
    made = [train_robust(tmp_path / name, kind, seed, 2, "cpu", False) for name, seed in (("a", 0), ("b", 0), ("c", 1))]
    read = lambda path: load_file(path if path.is_file() else next((path / "unet").glob("*.safetensors")))
    a, b, c = map(read, made)
    assert same(a, b) and not same(a, c)
    assert not (tmp_path / "a" / "checkpoints").exists()


def test_a_killed_run_ends_as_one_that_was_not(tmp_path):
    script = "import sys; from videopure.robust import train_robust; train_robust(sys.argv[1], 'frames', 0, 12, 'cpu', False)"
    whole = train_robust(tmp_path / "whole", "frames", 0, 12, "cpu", False)
    patched = "import videopure.trainer as t; run = t.Trainer.run; t.Trainer.run = lambda *a, **more: run(*a, **more | {'every': 2}); "
    process = subprocess.Popen([sys.executable, "-c", patched + script, str(tmp_path / "cut")])
    checkpoint, until = tmp_path / "cut" / "checkpoints" / "frames.pt", time.monotonic() + 120
    while not checkpoint.exists() and time.monotonic() < until and process.poll() is None:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    again = train_robust(tmp_path / "cut", "frames", 0, 12, "cpu", False)
    assert same(load_file(whole), load_file(again))


def test_another_run_in_the_same_folder_is_refused(tmp_path):
    train_robust(tmp_path / "a", "frames", 0, 1, "cpu", False)
    one_line(lambda: train_robust(tmp_path / "a", "frames", 1, 1, "cpu", False), "seed")
    one_line(lambda: train_robust(tmp_path / "b", "hard"), "kind")


# --- transfer --------------------------------------------------------------------------------------------------------------------------


def test_transfer_attacks_the_source_and_asks_the_target():
    target, source = tiny_classifier("robust"), tiny_classifier()
    attack = Transfer(target, "tiny", eps=8 / 255, steps=5, seed=0)
    adv = attack(CLIPS, LABELS)
    alone = PGD(source, 8 / 255, steps=5, seed=0, early_stop=False, progress=False)(CLIPS, LABELS)
    assert torch.equal(adv, alone)
    assert torch.equal(attack.success, target(adv).argmax(1) != LABELS)


# --- what ships ------------------------------------------------------------------------------------------------------------------------


def test_kinds_load_by_name_and_stay_small():
    for kind in CLASSIFIER_KINDS[1:]:
        model = load_classifier(f"tiny-{kind}")
        assert same(weights(model), tiny_classifier(kind).state_dict()) and not model.training
    assert sum((assets() / f"{kind}_classifier.safetensors").stat().st_size for kind in CLASSIFIER_KINDS[1:]) < 6e6
    one_line(lambda: tiny_classifier("hard"), "kind")


def test_views_of_a_clip_survive_saving(tmp_path):
    model = MotionClassifier((4, 8), sees="deviations", pool=2, steady=True).eval()
    again = load_motion_classifier(save_classifier(model, tmp_path / "c.safetensors"))
    assert torch.equal(again(CLIPS), model(CLIPS)) and (again.sees, again.pool, again.steady) == ("deviations", 2, True)
    moved = 0.25 + CLIPS / 2 + 0.2 * torch.rand(12, 3, 16, 1, 1, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(model(moved), model(0.25 + CLIPS / 2), atol=1e-4)
    for wrong in ({"sees": "all"}, {"pool": 0}, {"steady": 1}):
        with pytest.raises(VideoPureError):
            MotionClassifier(**wrong)
    with pytest.raises(VideoFileError):
        load_motion_classifier(tmp_path / "none.safetensors")


def robust_accuracy(model, eps, clips, labels, **options):
    attack = PGD(model, eps, seed=3, progress=False, **options)
    attack(clips, labels)
    return 1 - attack.success.float().mean().item()


@pytest.mark.slow
def test_robust_classifier_stands_where_the_plain_one_falls():
    clips, labels = moving_shapes(60, seed=91_777)
    hard, plain = tiny_classifier("robust"), tiny_classifier()
    assert (hard(clips).argmax(1) == labels).float().mean() >= 0.9
    assert robust_accuracy(plain, 4 / 255, clips, labels, steps=20) <= 0.1
    assert robust_accuracy(hard, 4 / 255, clips, labels, steps=20) >= 0.8
    assert robust_accuracy(hard, 32 / 255, clips, labels, steps=20) <= 0.05  # no wall where the gradient ends


@pytest.mark.slow
def test_trained_purifier_passes_the_checks_and_a_copy_without_a_gradient_does_not():
    class Cut(OneStep):
        "The same clips, cut to 8 bits: nothing is left of the gradient."

        def __call__(self, video):
            return (super().__call__(video) * 255).round() / 255

    pipe, data = VideoPurePipeline.tiny("robust"), moving_shapes(3, seed=91_888)
    pipe.disable_gradient_checkpointing()
    honest, cut = (
        check_defense(Defended(tiny_classifier(), kind(pipe)), *data, steps=12, grid=[], draws=1, queries=5, progress=False)
        for kind in (OneStep, Cut)
    )
    doubts = {check.name for check in honest.checks if check.verdict in ("warning", "failed")}
    assert honest.passed and doubts <= {"BPDA alone would do"}  # which it would not: it follows another gradient
    assert not cut.passed and cut["gradients are finite and not zero"].verdict != "passed"
