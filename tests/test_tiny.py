"The embedded models: what ships, what it reaches, and that training is deterministic and survives a kill."

import os
import stat

import pytest
import torch

from videopure import tiny
from videopure.pipeline import VideoPurePipeline
from videopure.tiny import TinyUNet, assets, load_classifier, tiny_classifier, tiny_pipeline, train_classifier, train_diffusion, train_tiny
from videopure.video import MOTIONS, VideoFileError, VideoPureError, moving_shapes

SMALL = {"classifier_steps": 3, "diffusion_steps": 3, "clips": 20, "progress": False, "device": "cpu"}


@pytest.fixture(scope="module")
def fresh():
    return moving_shapes(300, seed=8_000_000)


def accuracy(classifier, clips, labels):
    return sum((classifier(x).argmax(1) == y).sum().item() for x, y in zip(clips.split(50), labels.split(50))) / len(labels)


def weights(folder):
    return {f.relative_to(folder): f.read_bytes() for f in folder.rglob("*.safetensors")}


def test_assets_are_small_and_readable():
    files = list(assets().rglob("*.safetensors"))
    assert len(files) == 3 and sum(f.stat().st_size for f in files) <= 8e6
    assert all(f.stat().st_mode & stat.S_IROTH for f in files if os.access(f, os.W_OK) and "site-packages" not in str(f))
    assert len(MOTIONS) >= 9 and tiny_classifier().labels == MOTIONS


def test_classifier_reads_order(fresh):
    clips, labels = fresh
    classifier, generator = tiny_classifier(), torch.Generator().manual_seed(0)
    shuffled = torch.stack([c[:, torch.randperm(16, generator=generator)] for c in clips])
    assert accuracy(classifier, clips, labels) >= 0.97
    assert accuracy(classifier, shuffled, labels) <= 0.25
    for frame in (0, 8, 15):
        assert accuracy(classifier, clips[:, :, frame : frame + 1].expand_as(clips), labels) <= 0.15


def test_embedded_defense(fresh):
    from torchattacks import PGD

    from videopure.baselines import JPEG, NoiseAndDenoise
    from videopure.defense import Defended

    clips, labels = (v[:40] for v in fresh)
    classifier, pipe = tiny_classifier(), tiny_pipeline()
    torch.manual_seed(0)
    attacked = PGD(classifier, eps=8 / 255, alpha=2 / 255, steps=10)(clips, labels)
    purified = int((Defended(classifier, pipe).predict(attacked) == labels).sum())
    ddim = int((Defended(classifier, NoiseAndDenoise(pipe, 6, torch.Generator().manual_seed(0))).predict(attacked) == labels).sum())
    jpeg = int((classifier(JPEG(30)(attacked)).argmax(1) == labels).sum())
    assert (classifier(attacked).argmax(1) == labels).float().mean() <= 0.05
    assert purified >= 0.85 * 40 and purified > ddim and purified > jpeg
    assert (Defended(classifier, pipe).predict(clips) == labels).float().mean() >= 0.93


def test_pipeline_defaults_and_round_trip(tmp_path, fresh):
    pipe = tiny_pipeline()
    assert {name: pipe.config[name] for name in tiny.TUNED} == tiny.TUNED
    tiny.save_pipeline(pipe, tmp_path / "copy")
    tiny.save_pipeline(pipe, tmp_path / "copy")
    again = VideoPurePipeline.from_pretrained(str(tmp_path / "copy"))
    assert torch.equal(again(fresh[0][:2]).videos, pipe(fresh[0][:2]).videos)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["copy"]


def test_odd_sizes_lengths_dtypes_and_gradients():
    pipe, classifier = tiny_pipeline(), tiny_classifier()
    clip = torch.rand(1, 3, 17, 38, 51)
    assert pipe(clip).videos.shape == (1, 5, 3, 17, 38, 51)
    assert classifier(clip).shape == classifier(clip[:, :, :2, :9, :9]).shape == (1, 10)
    z = torch.randn(2, 12, 2, 5, 3, requires_grad=True)
    pipe.unet(z, torch.tensor([1, 101])).sample.square().sum().backward()
    assert z.grad.abs().sum() > 0
    for dtype in (torch.bfloat16, torch.float64):
        assert TinyUNet.from_pretrained(assets() / "tiny" / "unet").to(dtype)(z.detach().to(dtype), 1).sample.dtype == dtype


def test_frames_see_their_neighbours_only():
    unet, z = tiny_pipeline().unet, torch.randn(1, 12, 16, 8, 8)
    other = z.clone()
    other[:, :, 0] += 1
    with torch.no_grad():
        changed = (unet(z, 41).sample - unet(other, 41).sample).abs().amax((0, 1, 3, 4))
    assert (changed[:6] > 0).all() and (changed[6:] < 1e-5).all()  # five blocks, one frame each


def test_training_is_deterministic_and_resumes(tmp_path, monkeypatch):
    once, again = (weights(train_tiny(tmp_path / name, **SMALL)) for name in ("once", "again"))
    assert once == again and len(once) == 3

    step, calls = tiny.Training.step, []

    def killed(self, loss):
        calls.append(self.name)
        if len(calls) == 5:  # in the second step of the second model
            raise KeyboardInterrupt
        step(self, loss)
        self.save(tmp_path / "stopped" / "checkpoints" / f"{self.name.split(',')[0]}.pt")

    monkeypatch.setattr(tiny.Training, "step", killed)
    with pytest.raises(KeyboardInterrupt):
        train_tiny(tmp_path / "stopped", **SMALL)
    monkeypatch.setattr(tiny.Training, "step", step)
    with pytest.raises(VideoPureError, match="is a checkpoint of"):
        train_tiny(tmp_path / "stopped", **SMALL | {"seed": 1})
    assert weights(train_tiny(tmp_path / "stopped", **SMALL)) == once
    assert not (tmp_path / "stopped" / "checkpoints").exists()


def test_training_leaves_the_global_generator_alone():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    both, settings = (train_classifier, train_diffusion), {"steps": 2, "clips": 10, "progress": False, "device": "cpu"}
    losses = [train(seed=seed, **settings)[1] for train in both for seed in (0, 1)]
    assert torch.equal(before, torch.get_rng_state()) and torch.is_grad_enabled()
    assert losses[0] != losses[1] and losses[2] != losses[3]


def test_not_a_classifier(tmp_path):
    (tmp_path / "text.safetensors").write_text("no weights")
    for path in (tmp_path / "text.safetensors", tmp_path / "missing.safetensors"):
        with pytest.raises(VideoFileError, match="cannot load a classifier"):
            load_classifier(path)


DATA = os.path.join(os.path.dirname(__file__), "..", "..", "shared", "data")


@pytest.mark.skipif(not os.path.isdir(DATA), reason="needs ../shared/data")
def test_real_clips_survive():
    import glob

    from videopure.video import read_video

    pipe = tiny_pipeline()
    paths = sorted(glob.glob(f"{DATA}/ut_interaction/*/*.avi"))[:2] + sorted(glob.glob(f"{DATA}/ucf101_clips/*"))
    for path in paths:
        clip = read_video(path, frames=8, stride=1, size=112)
        error = (pipe(clip).videos[:, -1] - clip).square().mean()
        assert -10 * error.log10() >= 24, path
