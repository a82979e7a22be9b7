"The adapter to VCR-Bench: its layout and range, batches, the gradient, noise, and a base class that makes `transform` abstract."

import sys
from abc import ABC, abstractmethod
from importlib import reload
from types import ModuleType

import pytest
import torch

import videopure.vcr
from videopure.pipeline import VideoPurePipeline
from videopure.video import ClipError, VideoPureError, moving_shapes

CLIPS, _ = moving_shapes(2, seed=8)
THEIRS = 255 * CLIPS.permute(0, 2, 3, 4, 1)


def ours(x):
    return x.permute(0, 4, 1, 2, 3) / 255


@pytest.mark.parametrize("dtype", [torch.float32, torch.uint8, torch.float16])
def test_layout_and_range(dtype):
    x = THEIRS.to(dtype)
    seen = []
    found = videopure.vcr.VCRDefence(lambda video: seen.append(video) or 1 - video).transform(x)
    assert found.shape == x.shape and found.dtype == torch.float32 and seen[0].shape == CLIPS.shape
    assert torch.allclose(seen[0], ours(x.float()), atol=1e-6) and torch.allclose(found, 255 - x.float(), atol=1e-3)


def test_equals_the_pipeline_in_batches_and_with_a_gradient():
    pipe = VideoPurePipeline.tiny()
    x, video = THEIRS.clone().requires_grad_(), videopure.vcr.from_vcr(THEIRS).requires_grad_()  # 255 and back rounds the last digit
    found, expected = videopure.vcr.VCRDefence(pipe).transform(x), pipe(video).videos
    assert torch.allclose(ours(found), expected[:, -1], atol=1e-5)
    grad, direct = torch.autograd.grad((found / 255).square().sum(), x)[0], torch.autograd.grad(expected[:, -1].square().sum(), video)[0]
    close = torch.cosine_similarity(255 * grad.permute(0, 4, 1, 2, 3).flatten(1), direct.flatten(1)), grad.norm() * 255 / direct.norm()
    assert close[0].min() > 0.999 and abs(close[1] - 1) < 0.01, close
    with torch.no_grad():
        whole = videopure.vcr.VCRDefence(pipe, "all").transform(THEIRS)
    assert torch.allclose(ours(whole).unflatten(0, (2, -1)), expected.detach(), atol=1e-5)


def test_noise_repeats_under_a_seed():
    noisy = lambda video: (video + 0.1 * torch.randn_like(video)).clamp(0, 1)
    first, again = (videopure.vcr.VCRDefence(noisy, seed=3) for _ in range(2))
    calls = [first.transform(THEIRS) for _ in range(2)]
    assert torch.equal(again.transform(THEIRS), calls[0]) and not torch.equal(*calls)


def test_wrong_parts_are_one_line():
    for wrong in (CLIPS, THEIRS[0], THEIRS.numpy(), None):
        with pytest.raises(ClipError, match="expected clips"):
            videopure.vcr.VCRDefence(lambda video: video).transform(wrong)
    for purifier, records in ((None, "last"), (lambda video: video, "first")):
        with pytest.raises(VideoPureError, match="expected a purifier"):
            videopure.vcr.VCRDefence(purifier, records)


def test_derives_from_the_base_class_where_that_is_installed(monkeypatch):
    class BaseVideoDefence(ABC):
        differentiable = False

        @abstractmethod
        def transform(self, x): ...

    base = ModuleType("vcr_bench.defences.base")
    base.BaseVideoDefence = BaseVideoDefence
    for name in ("vcr_bench", "vcr_bench.defences"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, base.__name__, base)
    try:
        defence = reload(videopure.vcr).VCRDefence(lambda video: 1 - video)
        assert isinstance(defence, BaseVideoDefence) and defence.differentiable and defence.voting_count == 1
        assert torch.allclose(defence.transform(THEIRS), 255 - THEIRS, atol=1e-3)
    finally:
        monkeypatch.undo()
        reload(videopure.vcr)
