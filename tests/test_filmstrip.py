"torchattacks on clips: every attack of the library keeps its constraint, and leaves nothing behind."

import numpy as np
import pytest
import torch
import torchattacks
from torch import nn

from videopure.baselines import GaussianBlur
from videopure.blackbox import RandomNoise
from videopure.defense import Defended
from videopure.filmstrip import _FILMSTRIP, _REFUSED, SUPPORT, _AsImages, from_filmstrip, to_filmstrip, TorchAttack
from videopure.tiny import tiny_classifier
from videopure.video import VideoPureError, moving_shapes

EPS = 8 / 255
CHEAP = {
    "AutoAttack": {"version": "rand"}, "Square": {"n_queries": 20}, "APGDT": {"steps": 4}, "FAB": {"steps": 5}, "DeepFool": {"steps": 5},
    "OnePixel": {"steps": 1}, "CW": {"steps": 10}, "EOTPGD": {"steps": 4}, "TPGD": {"steps": 4}, "VNIFGSM": {"steps": 3},
    "VMIFGSM": {"steps": 3}, "SINIFGSM": {"steps": 3}, "PGDRS": {"steps": 2, "noise_sd": 0.02}, "PGDRSL2": {"steps": 2, "noise_sd": 0.02},
}  # fmt: skip
SLOW = {("clips", "AutoAttack"), ("noise", "AutoAttack"), ("seed", "FAB")}  # more than 5 seconds


def each(names, test=""):
    return pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] * ((test, n) in SLOW)) for n in names])


USED = [name for name, (group, _) in SUPPORT.items() if group != _REFUSED and name != "SparseFool"]
LINF = [name for name in USED if name not in ("VANILA", "GN", "CW", "DeepFool", "PGDL2", "PGDRSL2", "OnePixel")]
STRONG = ["BIM", "RFGSM", "PGD", "EOTPGD", "MIFGSM", "NIFGSM", "UPGD", "APGD", "APGDT", "FAB", "AutoAttack", "Jitter", "CW"]


@pytest.fixture(scope="module")
def classifier():
    return tiny_classifier()


@pytest.fixture(scope="module")
def data():
    return moving_shapes(3, seed=91)


def run(name, model, data, **settings):
    return TorchAttack(name, model, seed=0, **CHEAP.get(name, {}) | settings)(*data)


def test_every_attack_of_the_library_is_judged():
    later = {"EADEN", "EADL1", "JSMA", "PIFGSM", "PIFGSMPP", "SPSA"}  # of 3.4 and 3.5, which pip does not install: not judged
    assert set(SUPPORT) == set(torchattacks.__all__) - later
    with pytest.raises(VideoPureError, match="no attack 'JSMA'"):
        TorchAttack("JSMA", torch.nn.Identity())


@pytest.mark.slow
@each(USED, "clips")
def test_clips_within_the_constraint(name, classifier, data):
    clips, labels = data
    before = clips.clone()
    adv = run(name, classifier, data)
    assert torch.equal(clips, before)
    assert adv.shape == clips.shape and adv.dtype == torch.float32 and not adv.requires_grad
    assert adv.min() >= 0 and adv.max() <= 1 and adv.isfinite().all()
    delta = (adv - clips).flatten(1)
    if name in LINF:
        assert delta.abs().max() <= EPS + 1e-6
    if name in ("PGDL2", "PGDRSL2"):
        assert delta.norm(dim=1).max() <= 1 + 1e-4
    if name == "OnePixel":
        assert (delta.unflatten(1, (3, -1)) != 0).any(1).sum(1).max() <= 1


@pytest.mark.slow
@each(STRONG, "noise")
def test_beats_random_noise(name, classifier, data):
    clips, labels = data
    noise = RandomNoise(classifier, EPS, 10, corners=True, seed=0)(clips, labels)
    assert (classifier(noise).argmax(1) == labels).all()
    assert (classifier(run(name, classifier, data)).argmax(1) != labels).float().mean() > 0.6


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in LINF if name not in ("AutoAttack", "FAB")])
def test_no_budget_no_change(name, classifier, data):
    assert torch.allclose(run(name, classifier, data, eps=0.0), data[0], atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["PGD", "Square", "OnePixel", "APGD", "FAB", "UPGD"])
def test_leaves_nothing_behind(name, data):
    model = tiny_classifier().requires_grad_(True).train()
    model.norm.eval()
    torch.manual_seed(5)
    np.random.seed(5)
    run(name, model, data)
    assert torch.rand(()) == torch.rand((), generator=torch.Generator().manual_seed(5))
    assert np.random.rand() == np.random.RandomState(5).rand()
    assert model.training and model.head.training and not model.norm.training
    assert all(w.requires_grad and w.grad is None for w in model.parameters())
    assert torch.is_grad_enabled()


@pytest.mark.slow
@each(["PGD", "Square", "OnePixel", "FAB"], "seed")
def test_seed(name, classifier, data):
    assert torch.equal(run(name, classifier, data), run(name, classifier, data))
    attack = TorchAttack(name, classifier, **CHEAP.get(name, {}))
    torch.manual_seed(3)
    first = attack(*data)
    torch.manual_seed(3)
    assert torch.equal(attack(*data), first)


def test_batch_of_one_and_other_shapes(classifier):
    clips = torch.rand(1, 3, 5, 20, 28)
    for name in ("APGD", "PGDL2", "Square"):
        assert run(name, classifier, (clips, torch.tensor([3]))).shape == clips.shape


@pytest.mark.slow
@pytest.mark.parametrize("name", ["CW", "NIFGSM", "PGDRS", "APGD", "UPGD"])
def test_on_a_defense(name, classifier, data):
    defended = Defended(classifier, GaussianBlur(0.5))
    clips, labels = data
    settings = {"loss": "margin"} if name == "UPGD" else {"steps": 30, "c": 10.0} if name == "CW" else {}
    adv = run(name, defended, data, **settings)
    clean, now = (defended(x).log_softmax(1).gather(1, labels[:, None]) for x in (clips, adv))
    assert (now < clean - 0.1).float().mean() > 0.6  # in particular CW, whose loss would be flat on negative scores


def test_targets_see_clips(classifier, data):
    seen = []

    def target(clips, labels):
        seen.append(clips.shape)
        return (labels + 1) % 10

    attack = TorchAttack("MIFGSM", classifier, seed=0)
    attack.set_mode_targeted_by_function(target)
    adv, goal = attack(*data), (data[1] + 1) % 10
    probability = [classifier(x).softmax(1).gather(1, goal[:, None]) for x in (data[0], adv)]
    assert seen == [data[0].shape] and (probability[1] > probability[0]).all()
    for name in ("CW", "FAB"):
        with pytest.raises(ValueError, match="not supported"):
            TorchAttack(name, classifier).set_mode_targeted_by_function(target)


def test_few_classes(data):
    def cut(k):
        classifier = tiny_classifier()
        classifier.head.weight.data, classifier.head.bias.data = classifier.head.weight[:k].data, classifier.head.bias[:k].data
        return classifier

    labels = torch.tensor([0, 1, 2])
    assert run("APGDT", cut(5), (data[0], labels)).shape == data[0].shape
    for name in ("APGDT", "AutoAttack"):
        with pytest.raises(VideoPureError, match="4 classes, but the model has 3"):
            TorchAttack(name, cut(3))(data[0], labels)


def test_refused_with_a_reason(classifier):
    for name, (group, _) in SUPPORT.items():
        if group == _REFUSED:
            with pytest.raises(VideoPureError, match=f"{name} cannot attack clips") as error:
                TorchAttack(name, classifier)
            assert "\n" not in str(error.value)
    for name, settings in {"NOPE": {}, "PGD": {"epsilon": 1}, "APGD": {"eps": 8}, "AutoAttack": {"version": "x"}}.items():
        with pytest.raises(VideoPureError):
            TorchAttack(name, classifier, **settings)
    with pytest.raises(VideoPureError, match="normalization"):
        TorchAttack("PGD", classifier).set_normalization_used([0.5] * 3, [0.5] * 3)


def test_multiattack_takes_ours(classifier, data):
    both = torchattacks.MultiAttack([TorchAttack("FGSM", classifier), TorchAttack("APGD", classifier, seed=0)])
    assert (classifier(both(*data)).argmax(1) != data[1]).all()


def test_refusals_are_real(classifier, data):
    "Pixle fails on clips and strips. DIFGSM fails on clips, and on a strip shows the model frames two pixels high."
    clips, labels = data
    view, heights = _AsImages(classifier), set()
    view.frames = clips.shape[2]
    for name, model, x in (("DIFGSM", classifier, clips), ("Pixle", classifier, clips), ("Pixle", view, to_filmstrip(clips))):
        with pytest.raises((RuntimeError, ValueError, IndexError)):
            getattr(torchattacks, name)(model)(x, labels)
    watch = classifier.register_forward_pre_hook(lambda module, args: heights.add(args[0].shape[-2]))
    torchattacks.DIFGSM(view, diversity_prob=1.0, steps=1)(to_filmstrip(clips), labels)
    watch.remove()
    assert heights == {2}


def test_strip_is_lossless():
    clips = torch.rand(2, 3, 5, 6, 7)
    assert torch.equal(from_filmstrip(to_filmstrip(clips), 5), clips) and _FILMSTRIP in {group for group, _ in SUPPORT.values()}
    assert isinstance(_AsImages(nn.Identity()), nn.Module)
