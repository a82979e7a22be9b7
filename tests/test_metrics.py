"Metrics of the purified clip against other implementations, and how they are found and checked."

import sys
from types import ModuleType

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from videopure.metrics import METRICS, _lpips_network, find_metrics, lpips, measure, psnr, ssim, temporal_consistency
from videopure.registry import Registry
from videopure.video import ClipError, MissingPackageError, VideoPureError, moving_shapes

CLEAN = moving_shapes(3, seed=12, frames=6)[0]


def noisy(scale, seed=0):
    return (CLEAN + scale * torch.randn(CLEAN.shape, generator=torch.Generator().manual_seed(seed))).clamp(0, 1)


def numpy_psnr(a, b):
    return 10 * np.log10(1 / np.mean((np.float64(a) - np.float64(b)) ** 2))


def scipy_ssim(a, b):
    "Of one picture (H, W): Gaussian windows of 11 pixels, sigma 1.5, where they fit in."
    a, b = np.float64(a), np.float64(b)
    mean = lambda x: gaussian_filter(x, 1.5, truncate=3.5, mode="constant")[5:-5, 5:-5]
    ma, mb = mean(a), mean(b)
    va, vb, cov = mean(a * a) - ma**2, mean(b * b) - mb**2, mean(a * b) - ma * mb
    return np.mean((2 * ma * mb + 1e-4) * (2 * cov + 9e-4) / ((ma**2 + mb**2 + 1e-4) * (va + vb + 9e-4)))


@pytest.mark.parametrize("scale", [0.003, 0.05, 0.4])
def test_psnr_and_ssim_are_the_usual_ones(scale):
    video = noisy(scale)
    assert psnr(video, CLEAN).numpy() == pytest.approx([numpy_psnr(a, b) for a, b in zip(video, CLEAN)], abs=1e-3)
    pictures = lambda clip: clip.flatten(0, 1).numpy()
    expected = [np.mean([scipy_ssim(a, b) for a, b in zip(pictures(x), pictures(y))]) for x, y in zip(video, CLEAN)]
    assert ssim(video, CLEAN).numpy() == pytest.approx(expected, abs=2e-4)
    assert ssim(video.double(), CLEAN.double()).numpy() == pytest.approx(expected, abs=1e-9)


def test_equal_clips_and_small_ones():
    assert psnr(CLEAN, CLEAN).tolist() == [100.0] * 3 and ssim(CLEAN, CLEAN).numpy() == pytest.approx(1, abs=1e-4)
    assert temporal_consistency(CLEAN, CLEAN).tolist() == [1.0] * 3
    small = torch.rand(2, 3, 4, 7, 9)
    assert ssim(small, small).numpy() == pytest.approx(1, abs=1e-3) and (ssim(1 - small, small) < 0.5).all()


@pytest.mark.parametrize("name", ["psnr", "ssim", "temporal-consistency"])
def test_more_noise_is_worse_and_clips_are_apart(name):
    metric = METRICS[name]
    values = [metric(noisy(scale), CLEAN) for scale in (0.0, 0.02, 0.1, 0.3)]
    assert all((a > b).all() for a, b in zip(values, values[1:]))
    alone = torch.cat([metric(a[None], b[None]) for a, b in zip(noisy(0.1), CLEAN)])
    assert torch.allclose(values[2], alone, atol=1e-5)


def test_shuffled_frames_are_less_consistent():
    clips = moving_shapes(4, seed=13)[0]
    order = torch.randperm(16, generator=torch.Generator().manual_seed(1))
    assert (temporal_consistency(clips[:, :, order], clips) < temporal_consistency(clips, clips) - 0.01).all()
    brighter = (clips + 0.02).clamp(0, 1)
    assert (temporal_consistency(clips[:, :, order], clips) < temporal_consistency(brighter, clips)).all()


class FakeNetwork(torch.nn.Module):
    "In the place of LPIPS: the mean of each picture's difference, in [-1, 1]."

    def __init__(self, net, verbose):
        super().__init__()

    def forward(self, a, b):
        assert a.ndim == 4 and a.min() < 0 and not torch.is_grad_enabled()
        return (a - b).abs().mean((1, 2, 3), keepdim=True)


@pytest.fixture
def forget():
    _lpips_network.cache_clear()
    yield
    _lpips_network.cache_clear()


def test_lpips_is_asked_frame_by_frame(monkeypatch, forget):
    package = ModuleType("lpips")
    package.LPIPS = FakeNetwork
    monkeypatch.setitem(sys.modules, "lpips", package)
    assert torch.allclose(lpips(noisy(0.1), CLEAN), 2 * (noisy(0.1) - CLEAN).abs().flatten(1).mean(1), atol=1e-6)


def test_lpips_without_its_package(monkeypatch, forget):
    monkeypatch.setitem(sys.modules, "lpips", None)
    with pytest.raises(MissingPackageError, match="pip install lpips") as error:
        lpips(CLEAN, CLEAN)
    assert "\n" not in str(error.value)


def brightness(purified, clean):
    return purified.flatten(1).mean(1)


def test_metrics_of_ones_own(monkeypatch):
    assert isinstance(METRICS, Registry) and find_metrics(()) == {}
    assert find_metrics(["psnr", brightness]) == {"psnr": psnr, "brightness": brightness}
    assert find_metrics({"mine": brightness, "PSNR in dB": "psnr"}) == {"mine": brightness, "PSNR in dB": psnr}
    assert find_metrics(["test_metrics:brightness"])["test_metrics:brightness"] is brightness
    monkeypatch.setitem(METRICS, "bright", brightness)
    found = measure(find_metrics(["bright", "ssim"]), noisy(0.1).requires_grad_(), CLEAN)
    assert list(found) == ["bright", "ssim"] and all(v.shape == (3,) and not v.requires_grad for v in found.values())


def test_bad_metrics_are_refused_in_one_line():
    bad = [
        (lambda: find_metrics(["psrn"]), VideoPureError, "unknown metric 'psrn'"),
        (lambda: find_metrics(["test_metrics:nothing"]), VideoPureError, "cannot import"),
        (lambda: measure({"m": lambda purified, clean: 3.0}, CLEAN, CLEAN), VideoPureError, r"metric 'm' returned shape \(\)"),
        (lambda: measure({"m": lambda purified, clean: purified}, CLEAN, CLEAN), VideoPureError, "one number a clip"),
        (lambda: measure({"psnr": psnr}, CLEAN[:, :, :5], CLEAN), ClipError, "must agree"),
    ]
    for make, kind, text in bad:
        with pytest.raises(kind, match=text) as error:
            make()
        assert "\n" not in str(error.value)
