"One test set for what clips, rows of a table and waveforms share: attacks, gradients, evaluations, checks, certificates."

from functools import partial

import pytest
import torch
from diffusers import DDIMScheduler, DDPMScheduler, FlowMatchEulerDiscreteScheduler
from torch import nn

from videopure.attacks import PGD
from videopure.baselines import DDIMInversion, DiffPure, KnownSeed, NoiseAndDenoise, OneStep, RandomSampling, ddpm_levels, ddpm_sigma
from videopure.baselines import random_step
from videopure.blackbox import NES, RandomNoise, RayS, Square, TemporalTranslation
from videopure.certify import Smoothed, certify
from videopure.defense import Defended
from videopure.diffusion import SignalDiffusion, VectorDenoiser
from videopure.evaluate import benchmark
from videopure.purifier import seeded
from videopure.sanity import check_defense
from videopure.schedule import add_noise, predict_x0
from videopure.signal import Signal
from videopure.smallest import smallest_eps
from videopure.suite import MEMBERS, VideoAuto
from videopure.threats import L2, Features, Linf, as_threat, make_threat
from videopure.tiny import timestep_features
from videopure.video import VIDEO, ClipError, VideoPureError, signal_of

ROW, WAVE = Signal("row", (12,)), Signal("waveform", ("L",), -1.0, 1.0)
SIGNALS = {"clip": (VIDEO, (3, 2, 4, 4)), "row": (ROW, (12,)), "waveform": (WAVE, (40,))}
THREATS = {"Linf": lambda width: Linf(0.1 * width), "L2": lambda width: L2(0.3 * width), "Features": lambda width: Features(0.3, [0, -1])}
EVERY = pytest.mark.parametrize("kind", SIGNALS)


class Net(nn.Module):
    "A classifier of three classes, not linear, of any signal; clips need not be named."

    def __init__(self, signal: Signal, size: int):
        super().__init__()
        self.network = nn.Sequential(nn.Flatten(), nn.Linear(size, 16), nn.Tanh(), nn.Linear(16, 3))
        if signal is not VIDEO:
            self.signal = signal

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.network(x)


class Noisy:
    "A purifier of any signal that draws noise and says so."

    random = True

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return 0.9 * x + 0.05 * (1 + torch.randn_like(x).clamp(-1, 1))


def halved(x: torch.Tensor) -> torch.Tensor:
    "A purifier of any signal with a gradient that is not constant: two records."
    return torch.stack([0.9 * x, 0.5 * x + 0.4 * x.square()], 1)


def made(kind: str, n: int = 8, dtype: torch.dtype = torch.float32) -> tuple[Signal, nn.Module, torch.Tensor, torch.Tensor]:
    "A signal, a classifier, samples, and the labels that it gives them."
    signal, shape = SIGNALS[kind]
    torch.manual_seed(0)
    x = signal.low + signal.width * torch.rand(n, *shape, dtype=dtype)
    net = Net(signal, x[0].numel()).to(dtype)
    return signal, net, x, net(x).argmax(1).detach()


# what a model takes


@EVERY
def test_what_is_no_such_signal_is_told_in_one_line_that_names_it(kind):
    signal, net, x, y = made(kind)
    assert signal.check(x) is x and signal_of(Defended(net, halved)) == signal
    wrong = [x[0], x[:0], x[..., None], (x > 0.5).byte(), x * torch.nan, x - 2 * signal.width, x.tolist(), x.to_sparse()]
    for each in wrong:
        for ask in (signal.check, Defended(net, halved), partial(PGD(net, 0.1), labels=y), Smoothed(net)):
            if isinstance(ask, Smoothed) and isinstance(each, list):
                continue
            with pytest.raises(ClipError, match=kind) as error:
                ask(each)
            assert "\n" not in str(error.value)
    with pytest.raises(ClipError, match=f"{kind} has shape"):
        check_defense(net, x[..., None], y, progress=False)


@EVERY
def test_a_purifier_that_gives_something_else_is_told(kind):
    signal, net, x, _ = made(kind)
    with pytest.raises(ClipError, match="the purifier returned shape"):
        Defended(net, lambda x: x.flatten(1).sum(1))(x)
    with pytest.raises(ClipError, match=f"{kind} 0 of the batch and others: values from"):
        Defended(net, lambda x: x + 3)(x)


def test_parts_of_different_signals_are_refused():
    rows, waves = Net(ROW, 12), Net(WAVE, 40)
    clean = lambda x: x
    clean.signal = WAVE
    assert Defended(waves, clean).signal == WAVE
    for classifier in (rows, Net(VIDEO, 96)):
        with pytest.raises(VideoPureError, match="set the attribute signal of the classifier"):
            Defended(classifier, clean)
    for attack in (TemporalTranslation, partial(PGD, eps="Flicker"), partial(PGD, eps=make_threat("Patch"))):
        with pytest.raises(VideoPureError, match="takes a row"):
            attack(rows)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": ""}, "name"), ({"shape": ()}, "shape"), ({"shape": (0,)}, "length"), ({"low": 1.0}, "low < high"),
        ({"high": float("nan")}, "low < high"), ({"shape": 3}, "shape"), ({"low": "0"}, "low"),
    ],
)  # fmt: skip
def test_signals_that_make_no_sense_are_refused(wrong, said):
    with pytest.raises(VideoPureError, match=said):
        Signal(**{"name": "row", "shape": (3,)} | wrong)


# threats and attacks


@EVERY
@pytest.mark.parametrize("threat", THREATS)
def test_projections_are_allowed_and_change_nothing_allowed(kind, threat):
    signal, _, x, _ = made(kind)
    threat = as_threat(THREATS[threat](signal.width), signal)
    for adv in (threat.project(x + signal.width * torch.randn_like(x), x), threat.random_start(x)):
        assert signal.low <= adv.min() and adv.max() <= signal.high
        assert (threat.distance(adv, x) <= 1 + 1e-5).all() and (threat.distance(adv, x) > 0).all()
        torch.testing.assert_close(threat.project(adv, x), adv, atol=1e-6, rtol=0)
    assert as_threat(threat.describe(), signal) == threat and threat.of_size(0.01).signal == signal


@EVERY
@pytest.mark.parametrize("threat", THREATS)
@pytest.mark.parametrize("attack", [PGD, RandomNoise, Square, NES])
def test_attacks_stay_within_the_threat_model_and_the_range(kind, threat, attack):
    signal, net, x, y = made(kind)
    budget = {PGD: {"steps": 6, "restarts": 2}, RandomNoise: {"draws": 3}, Square: {"queries": 10}, NES: {"queries": 42}}[attack]
    attack = attack(Defended(net, halved), THREATS[threat](signal.width), seed=0, **budget)
    adv = attack(x, y)
    assert signal.low <= adv.min() and adv.max() <= signal.high
    assert (attack.threat.distance(adv, x) <= 1 + 1e-5).all()
    assert attack.success.equal(Defended(net, halved)(adv).argmax(1) != y)


@EVERY
def test_attacks_break_more_with_a_larger_eps_and_everything_with_all(kind):
    signal, net, x, y = made(kind)
    broken = [PGD(net, eps * signal.width, steps=40, loss="margin", seed=0)(x, y) for eps in (0.01, 1.0)]
    wrong = [int((net(adv).argmax(1) != y).sum()) for adv in broken]
    assert wrong[0] < wrong[1] == len(x)
    rays = RayS(net, signal.width, 40, seed=0)
    rays(x, y)
    found = smallest_eps(net, x, y, threat=Linf(), high=0.9, tolerance=0.05, steps=5, loss="margin")
    assert rays.success.any() and found.eps.isfinite().any()


# gradients


@EVERY
def test_the_exact_gradient_is_that_of_finite_differences(kind):
    signal, net, x, y = made(kind, dtype=torch.float64)
    x = 0.9 * x + 0.1 * (signal.low + signal.high) / 2  # away from the edges
    defended = Defended(net, halved)
    x.requires_grad_()
    value = lambda x: nn.functional.nll_loss(defended(x), y, reduction="sum")
    (grad,) = torch.autograd.grad(value(x), x)
    for seed in range(3):
        d = torch.randn(x.shape, dtype=x.dtype, generator=torch.Generator().manual_seed(seed))
        with torch.no_grad():
            slope = (value(x + 1e-5 * d) - value(x - 1e-5 * d)) / 2e-5
        torch.testing.assert_close((grad * d).sum(), slope, rtol=1e-7, atol=1e-9)


@EVERY
def test_averaging_over_draws_is_the_mean_gradient(kind):
    signal, net, x, y = made(kind)
    defended = Defended(net, Noisy())
    attack = PGD(defended, 0.1, eot=5, seed=0)
    torch.manual_seed(1)
    _, _, found = attack.loss_and_grad(x, y, attack.losses[0], None)
    torch.manual_seed(1)
    mean = torch.zeros_like(x)
    for _ in range(5):
        z = x.clone().requires_grad_()
        mean += torch.autograd.grad(nn.functional.cross_entropy(defended(z), y, reduction="sum"), z)[0] / 5
    torch.testing.assert_close(found, mean)
    assert attack.draws == 5


# evaluations


@EVERY
def test_benchmark_makes_a_card(kind, tmp_path):
    signal, net, x, y = made(kind)
    attacks = {"gray": {"eps": 0.1}, "exact": {"sees": "full", "eps": 0.1, "eot": 2, "steps": 3}}
    attacks["Square"] = {"method": "square", "sees": "scores", "eps": 0.1, "queries": 5}
    run = partial(benchmark, net, {"none": None, "two": halved, "noisy": Noisy()}, (x, y), attacks, batch_size=4, progress=False)
    card = run(out=tmp_path)
    assert card.accuracy("none").right == 8 and card.worst("two").n == 8 and card.draws("noisy", "exact") == 3
    assert all(result["metrics"]["budget_used"] <= 1.001 for result in card.results)
    assert run(out=tmp_path).to_dict() == card.to_dict()


@EVERY
def test_check_defense_comes_to_a_verdict(kind):
    signal, net, x, y = made(kind)
    good = check_defense(Defended(net, halved), x, y, 0.05 * signal.width, steps=4, queries=5, draws=2, progress=False)
    assert good["the gradient keeps its promise"].verdict == good["the same scores in all gradient modes"].verdict == "passed"
    cut = lambda x: (4 * x).round() / 4 + 0 * x
    bad = check_defense(Defended(net, cut), x, y, 0.05 * signal.width, steps=4, queries=5, draws=2, progress=False)
    assert not bad.passed and bad["gradients are finite and not zero"].verdict == "failed"
    sizes = bad["random noise does little"].numbers
    assert ("/255" in sizes) == (signal is VIDEO)


@EVERY
def test_certify_gives_labels_that_no_smaller_change_turns(kind):
    signal, net, x, y = made(kind)
    smoothed = Smoothed(Defended(net, lambda x: x), 0.05)
    proof = certify(smoothed, x, L2(0.01), draws=200, progress=False)
    sure = proof.certified()
    assert sure.any() and (proof.labels[sure] >= 0).all() and proof.threat.signal == signal
    adv = PGD(net, L2(0.01), seed=0)(x, y)
    assert proof.contradicted(smoothed.predict(adv)) == 0


# a diffusion model of any signal


class Waves(nn.Module):
    "A noise predictor for waveforms of any length."

    def __init__(self):
        super().__init__()
        self.first, self.last, self.time = nn.Conv1d(1, 8, 5, padding=2), nn.Conv1d(8, 1, 5, padding=2), nn.Linear(16, 8)

    def forward(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        told = self.time(timestep_features(t, 16).to(x))[..., None]
        return self.last(torch.tanh(self.first(x[:, None]) + told))[:, 0]


PURIFIERS = {
    "one-step": partial(OneStep, t=40),
    "ddim": partial(NoiseAndDenoise, purify_steps=3),
    "diffpure": partial(DiffPure, t=60, steps=3),
    "random-sampling": partial(RandomSampling, t=60, steps=3, guidance=0.1),
    "ddim-inversion": partial(DDIMInversion, purify_steps=3),
    "known-seed": lambda pipe: KnownSeed(DiffPure(pipe, t=60, steps=3)),
}
OTHERS = pytest.mark.parametrize("kind", ["row", "waveform"])


def diffused(kind: str, dtype: torch.dtype = torch.float32, **settings: object) -> SignalDiffusion:
    "A small untrained diffusion model of a signal."
    torch.manual_seed(3)
    network = (VectorDenoiser(12, 16, 2) if kind == "row" else Waves()).to(dtype).requires_grad_(False).eval()
    return SignalDiffusion(network, SIGNALS[kind][0], DDIMScheduler(beta_start=1e-4, beta_schedule="linear", **settings))


@OTHERS
def test_values_are_scaled_there_and_back(kind):
    signal, _, x, _ = made(kind)
    model = diffused(kind)
    z = model.encode(x)
    assert -1 <= z.min() and z.max() <= 1
    torch.testing.assert_close(model.decode(z), x)
    assert signal.low <= model.decode(5 * z).min() and model.decode(5 * z).max() <= signal.high


@OTHERS
@pytest.mark.parametrize("kinds", ["epsilon", "v_prediction", "sample"])
def test_whatever_the_network_predicts_the_noise_is_found(kind, kinds):
    "With the true answer of its kind, the noise is the one that was added, and the loss is zero."
    _, _, x, _ = made(kind, dtype=torch.float64)
    model = diffused(kind, prediction_type=kinds)
    z, noise, abar = model.encode(x), torch.randn(x.shape, dtype=x.dtype), model.abar[300].item()
    right = {"epsilon": noise, "v_prediction": abar**0.5 * noise - (1 - abar) ** 0.5 * z, "sample": z}
    model.network = lambda x, t: right[kinds]
    torch.testing.assert_close(model.predict_noise(add_noise(z, noise, abar), 300), noise)


@OTHERS
def test_the_steps_down_are_those_of_diffusers(kind):
    _, _, x, _ = made(kind, dtype=torch.float64)
    model, theirs = diffused(kind, torch.float64, clip_sample=False), DDPMScheduler(clip_sample=False, variance_type="fixed_small")
    theirs.alphas_cumprod, theirs.betas, theirs.alphas = (t.double() for t in (model.grid.alphas_cumprod, theirs.betas, theirs.alphas))
    levels, z = ddpm_levels(model.grid, 5), torch.randn(x.shape, dtype=x.dtype)
    found, wanted = z, z
    for level in levels[::-1]:
        noise = torch.Generator().manual_seed(level.t), torch.Generator().manual_seed(level.t)
        e = model.predict_noise(found, level.t)
        found = random_step(predict_x0(found, e, level.abar), e, level.abar_prev, ddpm_sigma(level), noise[0])
        wanted = theirs.step(model.predict_noise(wanted, level.t), level.t, wanted, generator=noise[1]).prev_sample
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5)


@OTHERS
@pytest.mark.parametrize("name", PURIFIERS)
def test_the_purifiers_of_videos_clean_other_signals_with_the_exact_gradient(kind, name):
    signal, net, x, y = made(kind, n=3, dtype=torch.float64)
    purifier = PURIFIERS[name](diffused(kind, torch.float64))
    defended = Defended(net, purifier)
    assert defended.signal == signal_of(purifier) == signal and purifier.networks == (purifier.pipe.network,)
    x = (0.9 * x).requires_grad_()

    def value(x):
        with seeded(5, "cpu", purifier):
            return nn.functional.nll_loss(defended(x), y, reduction="sum")

    (grad,) = torch.autograd.grad(value(x), x)
    d = torch.randn(x.shape, dtype=x.dtype, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        slope = (value(x + 1e-6 * d) - value(x - 1e-6 * d)) / 2e-6
        records = defended.records(x)
    torch.testing.assert_close((grad * d).sum(), slope, rtol=1e-5, atol=1e-7)
    assert grad.abs().sum() > 0 and records.shape == (3, 1, *x.shape[1:])
    with pytest.raises(ClipError, match=f"a {kind} has shape"):
        purifier(x[..., None])


@OTHERS
def test_training_lowers_the_loss_and_repeats_with_its_seed(kind):
    signal, _, _, _ = made(kind)
    data = signal.low + signal.width * (0.5 + 0.05 * torch.randn(64, *SIGNALS[kind][1], generator=torch.Generator().manual_seed(0)))
    losses = [diffused(kind).train_on(data, steps=150, batch_size=64, lr=1e-2, seed=1, progress=False) for _ in range(2)]
    assert losses[0] == losses[1] and sum(losses[0][-30:]) < 0.8 * sum(losses[0][:30])


@OTHERS
def test_a_diffusion_model_is_measured_and_told_apart(kind, tmp_path):
    _, net, x, y = made(kind)
    model = diffused(kind)
    attacks = {"exact": {"sees": "full", "eps": 0.05, "eot": 2, "steps": 2}}
    run = partial(benchmark, net, {"DiffPure": DiffPure(model, 60, 3)}, (x, y), attacks, batch_size=8, progress=False)
    card = run(out=tmp_path)
    assert card.metric("DiffPure", "none", "calls") > 0 and card.draws("DiffPure", "exact") == 3
    with torch.no_grad():
        next(model.network.parameters())[0] += 1
    with pytest.raises(VideoPureError):
        run(out=tmp_path)


@OTHERS
def test_smoothing_with_a_diffusion_model_knows_its_level(kind):
    signal, net, x, _ = made(kind)
    smoothed, z = Smoothed(net, 0.1 * signal.width, diffused(kind), draws=20), torch.zeros(200, 200)
    added = diffused(kind).encode(x[:1].new_zeros(200, 200) + 0.1 * signal.width * torch.randn(z.shape)) - diffused(kind).encode(z)
    level = smoothed.denoiser.level(x)
    assert abs(added.std().item() - ((1 - level) / level) ** 0.5) < 0.01
    assert certify(smoothed, x[:2], L2(0.01), draws=50, progress=False).labels.shape == (2,)


def test_what_cannot_be_a_diffusion_model_is_refused():
    network = VectorDenoiser(12, 16, 1)
    with pytest.raises(VideoPureError, match="noise schedule"):
        SignalDiffusion(network, ROW, FlowMatchEulerDiscreteScheduler())
    with pytest.raises(VideoPureError, match="training mode"):
        OneStep(SignalDiffusion(network, ROW), 40)(torch.rand(2, 12))
    broken = SignalDiffusion(nn.Linear(12, 3), ROW)
    broken.network.forward = lambda x, t: x[:, :3]
    broken.network.eval()
    with pytest.raises(VideoPureError, match="must answer with a tensor like its input"):
        OneStep(broken, 40)(torch.rand(2, 12))
    with pytest.raises(VideoPureError, match="no frames"):
        DDIMInversion(SignalDiffusion(network.eval(), ROW), 3, temporal=True)(torch.rand(2, 12))
    with pytest.raises(VideoPureError, match="a row has shape"):
        SignalDiffusion(network, ROW).train_on(torch.rand(4, 11), steps=1)


@EVERY
def test_survivors_of_a_size_that_does_not_allow_everything_are_no_failure(kind):
    _, net, x, y = made(kind)
    report = check_defense(Defended(net, halved), x, y, 1e-4, threat="L2", steps=3, queries=5, draws=2, progress=False)
    assert report["a larger eps breaks more, at last all"].verdict == "passed" and report.curves["full gradient"][2e-4].right > 0


@OTHERS
@pytest.mark.parametrize("purifier", ["none", "one-step", "diffusion", "own"])
def test_every_member_of_the_suite_attacks_every_signal(kind, purifier):
    signal, net, x, y = made(kind)
    model, own, eps = diffused(kind), partial(halved), 0.02 * signal.width
    own.pipe = "not a model"  # a purifier of somebody's own may keep anything under this name
    made_of = {"none": None, "one-step": OneStep(model, 20), "diffusion": DiffPure(model, 60, 2), "own": own}[purifier]
    suite, used = VideoAuto(net if made_of is None else Defended(net, made_of), eps, progress=False), []
    for name, make in MEMBERS.items():
        if attack := make(suite):
            for budget in {"steps", "budget"} & set(vars(attack)):  # only that they run, here
                setattr(attack, budget, 4)
            found = attack(x, y)
            assert (found - x).abs().max() <= eps + 1e-6 and signal.low <= found.min() <= found.max() <= signal.high, name
            used.append(name)
    assert {"exact", "exact, APGD", "NES", "RayS", "Square"} <= set(used) and ("BPDA" in used) == (purifier != "none")
    assert all((name in used) == (purifier == "diffusion") for name in ("one-step gradient", "exact, selective"))


@OTHERS
def test_the_suite_runs_on_every_signal(kind):
    signal, net, x, y = made(kind)
    attack = VideoAuto(Defended(net, OneStep(diffused(kind), 20)), 0.02 * signal.width, seed=0, progress=False)
    attack(x[:4], y[:4])
    assert attack.success.any() and not [flag for flags in attack.flags for flag in flags if "failed" in flag]


@OTHERS
def test_apgd_breaks_of_a_linear_model_what_can_be_broken(kind):
    "A step of full size against the margin's gradient is the strongest change, and all others are weaker."
    signal, _, x, _ = made(kind, 40)
    line = Net(signal, x[0].numel())
    line.network = nn.Sequential(nn.Flatten(), nn.Linear(x[0].numel(), 2))
    x = x * 0.5 + 0.25 * (signal.low + signal.high)  # away from the ends of the range
    with torch.no_grad():
        line.network[1].bias -= line(x).median(0).values  # near the border, so that small changes cross it
    scores = line(x).detach()
    weight, lead = (line.network[1].weight[1] - line.network[1].weight[0]).detach(), (scores[:, 0] - scores[:, 1]).abs()
    eps = lead.quantile(0.5).item() / weight.abs().sum().item()
    found = MEMBERS["exact, APGD"](VideoAuto(line, eps, progress=False))(x, scores.argmax(1))
    broken, most = line(found).argmax(1) != scores.argmax(1), eps * weight.abs().sum()
    assert broken[lead < 0.98 * most].all() and not broken[lead > 1.001 * most].any() and 0 < broken.sum() < len(x)


@OTHERS
def test_samples_without_gradient_do_not_hide_that_of_others(kind):
    signal, net, x, _ = made(kind)
    third = signal.width / 3
    inner = partial(torch.clamp, min=signal.low + third, max=signal.high - third)
    x[:3] = signal.low  # where the purifier cuts everything off
    suite = VideoAuto(Defended(net, inner), 0.02 * signal.width, progress=False)
    assert suite.has_gradient(x) and suite.has_gradient(x.flip(0)) and not suite.has_gradient(x[:3])
