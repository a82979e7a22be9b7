"""Speaker verification under attack, and purification of its waveforms: python benchmarks/voices.py --data FOLDER

FOLDER holds wav files spkS_digitD_NN.wav (8 kHz, mono, 16 bit) of six speakers (four are enough), such as the Free Spoken Digit Dataset
with its speakers numbered (https://github.com/Jakobovski/free-spoken-digit-dataset, CC BY-SA 4.0). --encoder is pretrained.pt of the
package resemblyzer (Apache 2.0): pip download --no-deps resemblyzer, and unzip the wheel. Without it only the small encoder is attacked,
which is trained here.

Each half of the speakers is tested once, with models trained on the other half. Writes voices.json and table.md into OUT; each cell is kept
at once, so the same command goes on where it was. Training takes three minutes, everything about an hour and a half on one idle core.
"""

import argparse
import json
import math
import sys
import wave
from collections.abc import Iterable
from itertools import product
from pathlib import Path

import torch
import torch.nn.functional as F
from diffusers import DDIMScheduler
from torch import nn

from records import of_one_data
from videopure.attacks import PGD
from videopure.baselines import DiffPure, OneStep, RandomizedSmoothing, RandomSampling
from videopure.certify import Smoothed
from videopure.defense import Defended
from videopure.diffusion import SignalDiffusion
from videopure.evaluate import benchmark
from videopure.purifier import seed_of, seeded
from videopure.sanity import check_defense
from videopure.signal import Signal
from videopure.statistics import clustered
from videopure.table import Table
from videopure.threats import L2
from videopure.tiny import timestep_features

RATE, LENGTH, DECIBELS = 8000, 4000, -30.0
WAVE = Signal("waveform", ("L",), -0.25, 0.25)  # as far as speech of -30 dBFS reaches; the diffusion sees it scaled to [-1, 1]
SEED, EPS = 1410, (0.0005, 0.001, 0.002)
STEPS = {"gray-box": 40, "BPDA": 20, "exact": 20, "exact, EOT 6": 40}
ENROL, EACH = 5, 10  # recordings of a speaker that enrol; that set the threshold; that are tested


# sounds


def level(x: torch.Tensor) -> torch.Tensor:
    "Sounds `(..., L)` brought to -30 dBFS."
    return (x * 10 ** (DECIBELS / 20) / x.square().mean(-1, keepdim=True).sqrt().clamp_min(1e-8)).clamp(WAVE.low, WAVE.high)


def half_second(x: torch.Tensor) -> torch.Tensor:
    "The middle half second of a sound `(L,)`, repeated if it is shorter."
    x = x.repeat(math.ceil(LENGTH / len(x)))
    start = (len(x) - LENGTH) // 2
    return level(x[start : start + LENGTH])


def samples_of(path: Path) -> torch.Tensor:
    "The sound `(L,)` in a wav file, from -1 to 1."
    try:
        with wave.open(str(path)) as file:
            kind, n = (file.getframerate(), file.getnchannels(), 8 * file.getsampwidth()), file.getnframes()
            data = bytearray(file.readframes(n))
    except (wave.Error, EOFError, OSError) as error:
        raise ValueError(f"{path} is no whole wav file ({error or 'it ends too early'})") from error
    if kind != (RATE, 1, 16) or not n or len(data) != 2 * n:
        found = f"{len(data)} bytes at {kind[0]} Hz, {kind[1]} channel(s), {kind[2]} bit"
        raise ValueError(f"{path}: expected a whole sound of {RATE} Hz, one channel, 16 bit, found {found}")
    return torch.frombuffer(data, dtype=torch.int16) / 32768


def recordings(folder: Path) -> dict[int, torch.Tensor]:
    "Speaker -> half seconds `(n, 4000)`, in an order drawn once. A `ValueError` for too few of them, or another kind of file."
    found: dict[int, list] = {}
    for path in sorted(folder.glob("spk*_digit*_*.wav")):
        speaker = path.name[3:].partition("_")[0]
        if not speaker.isdigit():
            raise ValueError(f"{path}: expected a name spkS_digitD_NN.wav, S the number of a speaker")
        found.setdefault(int(speaker), []).append(half_second(samples_of(path)))
    least = ENROL + 2 * EACH
    if len(found) < 4 or min(map(len, found.values())) < least:
        have = ", ".join(f"spk{speaker}: {len(sounds)}" for speaker, sounds in sorted(found.items())) or "none"
        raise ValueError(f"{folder}: {least} recordings spkS_digitD_NN.wav of each of four speakers or more are needed, found {have}")
    draw = torch.Generator().manual_seed(SEED)
    return {speaker: torch.stack(sounds)[torch.randperm(len(sounds), generator=draw)] for speaker, sounds in sorted(found.items())}


VOWELS = torch.tensor([[730, 1090, 2440], [270, 2290, 3010], [300, 870, 2240], [530, 1840, 2480], [570, 840, 2410]])  # formants in Hz


def voice(pitch: float, tract: float, tilt: float, draw: torch.Generator) -> torch.Tensor:
    "Half a second of a made-up voice `(4000,)`: harmonics of a moving pitch, shaped by the formants of two vowels."
    t = torch.linspace(0, 1, LENGTH)
    bend, which = torch.randn(2, generator=draw), torch.randint(len(VOWELS), (2,), generator=draw)
    phase = 2 * math.pi * (pitch * (1 + 0.06 * bend[0] * (t - 0.5) + 0.03 * bend[1]) / RATE).cumsum(0)
    k = torch.arange(1, int(3600 / pitch))[:, None]
    mouth = torch.sigmoid(12 * (t - 0.5))[:, None]
    formants = tract * ((1 - mouth) * VOWELS[which[0]] + mouth * VOWELS[which[1]])
    width = torch.tensor([60.0, 90.0, 150.0])
    shape = (1 / (1 + ((k[:, :, None] * pitch - formants) / width).square())).mul(torch.tensor([1.0, 0.5, 0.25])).sum(-1).sqrt()
    sound = (shape * k**-tilt * torch.sin(k * phase)).sum(0)
    return level(sound * (math.pi * t).sin().clamp_min(0).sqrt() + 0.01 * sound.std() * torch.randn(LENGTH, generator=draw))


def made_up(takes: int = 40, speakers: int = 6, seed: int = 0) -> dict[int, torch.Tensor]:
    "Made-up speakers -> half seconds `(takes, 4000)`, where there are no recordings."
    draw = torch.Generator().manual_seed(seed)
    pitches = torch.linspace(95, 220, speakers).tolist()
    about = [(pitches[i], 0.85 + 0.3 * ((2 * i) % speakers) / speakers, 0.2 + 0.15 * (i % 3)) for i in range(speakers)]
    return {i + 1: torch.stack([voice(*each, draw) for _ in range(takes)]) for i, each in enumerate(about)}


# two encoders of speakers


def mel_filters(rate: int, window: int, bands: int = 40) -> torch.Tensor:
    "Triangles over the frequencies of a spectrum `(window // 2 + 1, bands)`, equal in area, even on Slaney's mel scale."
    mel = lambda hz: hz / 200 * 3 if hz < 1000 else 15 + 27 * math.log(hz / 1000) / math.log(6.4)
    hertz = lambda m: m / 3 * 200 if m < 15 else 1000 * 6.4 ** ((m - 15) / 27)
    edges = torch.tensor([hertz(mel(rate / 2) * i / (bands + 1)) for i in range(bands + 2)])
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    f = torch.linspace(0, rate / 2, window // 2 + 1)[:, None]
    return torch.minimum((f - low) / (middle - low), (high - f) / (high - middle)).clamp_min(0) * 2 / (high - low)


def mel_power(x: torch.Tensor, window: int, hop: int, filters: torch.Tensor) -> torch.Tensor:
    "The power in each band over time, `(B, frames, bands)`, of sounds `(B, L)`."
    hann = torch.hann_window(window, dtype=x.dtype)
    return torch.stft(x, window, hop, window=hann, pad_mode="constant", return_complex=True).abs().square().transpose(1, 2) @ filters


class SmallEncoder(nn.Module):
    "Sounds `(B, L)` to unit vectors `(B, 64)`: convolutions over the logarithm of the power in each band, then its mean and spread."

    def __init__(self, width: int = 64):
        super().__init__()
        sizes = [(40, 5, 1), (width, 3, 2), (width, 3, 3)]
        self.layers = nn.ModuleList(nn.Conv1d(n, width, k, dilation=d) for n, k, d in sizes)
        self.last = nn.Linear(2 * width, 64)
        self.register_buffer("filters", mel_filters(RATE, 256))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = (mel_power(x, 256, 80, self.filters) + 1e-4).log().transpose(1, 2)
        h = h - h.mean((1, 2), keepdim=True)
        for layer in self.layers:
            h = F.relu(layer(h))
        return F.normalize(self.last(torch.cat([h.mean(2), (h.var(2) + 1e-4).sqrt()], 1)), dim=1)


class PretrainedEncoder(nn.Module):
    "Sounds `(B, L)` of 8 kHz to unit vectors `(B, 256)`: the LSTM of resemblyzer, its front end in torch. `file` is its pretrained.pt."

    def __init__(self, file: Path):
        super().__init__()
        self.lstm, self.linear = nn.LSTM(40, 256, 3, batch_first=True), nn.Linear(256, 256)
        self.load_state_dict(torch.load(file, map_location="cpu", weights_only=True)["model_state"], strict=False)
        self.register_buffer("filters", mel_filters(2 * RATE, 400))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = 2 * torch.fft.irfft(torch.fft.rfft(x), 2 * x.shape[1])  # twice the rate, nothing new above 4 kHz
        hidden = self.lstm(mel_power(x, 400, 160, self.filters))[1][0]
        return F.normalize(F.relu(self.linear(hidden[-1])), dim=1)


def faster(x: torch.Tensor, speed: float) -> torch.Tensor:
    "Sounds at another speed, so also at another pitch: other speakers, as it were."
    return level(F.interpolate(x[:, None], scale_factor=1 / speed, mode="linear")[:, 0].repeat(1, 2)[:, :LENGTH])


def train_encoder(sounds: dict[int, torch.Tensor], steps: int = 400, seed: int = 0) -> nn.Module:
    "A small encoder that tells the speakers of the training apart, each at several speeds; frozen."
    draw, speeds = torch.Generator().manual_seed(seed), (0.8, 0.9, 1.0, 1.1, 1.25)
    with seeded(seed):
        encoder, centres = SmallEncoder(), nn.Parameter(torch.randn(len(sounds) * len(speeds), 64))
    classes = [faster(x, speed) for x in sounds.values() for speed in speeds]
    optimizer = torch.optim.Adam([*encoder.parameters(), centres], 2e-3)
    for _ in range(steps):
        labels = torch.randint(len(classes), (48,), generator=draw)
        x = torch.stack([classes[c][torch.randint(len(classes[c]), (1,), generator=draw).item()] for c in labels.tolist()])
        x = x.roll(torch.randint(LENGTH, (1,), generator=draw).item(), 1)
        cosines = encoder(x) @ F.normalize(centres, dim=1).T
        optimizer.zero_grad()
        F.cross_entropy(15 * (cosines - 0.2 * F.one_hot(labels, len(classes))), labels).backward()
        optimizer.step()
    return encoder.requires_grad_(False).eval()


class Verifier(nn.Module):
    "Is it the speaker who enrolled? Sounds `(B, 4000)` to the logits of no and yes `(B, 2)`."

    signal = WAVE

    def __init__(self, encoder: nn.Module, enrolment: torch.Tensor, threshold: float = 0.0):
        super().__init__()
        self.encoder, self.threshold = encoder, threshold
        self.register_buffer("speaker", F.normalize(encoder(enrolment).mean(0), dim=0))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        surplus = 10 * (self.encoder(x) @ self.speaker - self.threshold)
        return torch.stack([-surplus, surplus], 1)


class Identifier(nn.Module):
    "Whose voice is it? Sounds `(B, 4000)` to a logit for each of the enrolled speakers, in their order."

    signal = WAVE

    def __init__(self, verifiers: Iterable[Verifier]):
        super().__init__()
        first, *others = verifiers
        self.encoder = first.encoder
        self.register_buffer("speakers", torch.stack([v.speaker for v in (first, *others)]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 10 * self.encoder(x) @ self.speakers.T


# what cleans


class WaveDenoiser(nn.Module):
    "The noise in waveforms `(B, L)`, L a multiple of 4: dilated convolutions on a quarter of the rate."

    def __init__(self, width: int = 48, blocks: int = 6):
        super().__init__()
        self.first, self.last = nn.Conv1d(1, width, 8, 4, padding=2), nn.ConvTranspose1d(width, 1, 8, 4, padding=2)
        self.layers = nn.ModuleList(nn.Conv1d(width, width, 3, padding=2 ** (i % 4), dilation=2 ** (i % 4)) for i in range(blocks))
        self.times = nn.ModuleList(nn.Linear(32, width) for _ in range(blocks))

    def forward(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        h, time = self.first(8 * x[:, None]), timestep_features(t, 32).to(x)
        for layer, told in zip(self.layers, self.times):
            h = h + F.silu(layer(h + told(time)[..., None]))
        return self.last(h)[:, 0]


def diffusion(deepest: int = 12) -> SignalDiffusion:
    "An untrained diffusion of waveforms, on the lowest of AudioPure's 200 levels (betas 0.0001 to 0.02)."
    betas = torch.linspace(1e-4, 0.02, 200)[:deepest].tolist()
    scheduler = DDIMScheduler(num_train_timesteps=deepest, trained_betas=betas, clip_sample=False)
    with seeded(SEED):
        return SignalDiffusion(WaveDenoiser(), WAVE, scheduler)


def pieces_of(sounds: torch.Tensor, length: int = 1000) -> torch.Tensor:
    "All sounds in pieces `(n, length)`."
    return sounds.flatten().unfold(0, length, length)


class LearnedNoise(nn.Module):
    "Adds noise whose strength in each of 16 bands is learned; it takes nothing away."

    random = True

    def __init__(self, sigma: float = 0.006):
        super().__init__()
        self.gains = nn.Parameter(torch.full((16,), math.log(sigma)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        spectrum = torch.fft.rfft(torch.randn_like(x))
        shape = F.interpolate(self.gains.exp()[None, None], spectrum.shape[1], mode="linear")[0, 0]
        return (x + torch.fft.irfft(spectrum * shape, x.shape[1])).clamp(WAVE.low, WAVE.high)


def train_noise(verifiers: list[nn.Module], clean: list, attacked: list, labels: list, steps: int = 120) -> LearnedNoise:
    "The noise under which verifiers of known speakers are most often right, on clean and attacked sounds `(n, L)`, one batch for each."
    noise, data = LearnedNoise(), list(zip(verifiers, clean, attacked, labels))
    optimizer = torch.optim.Adam(noise.parameters(), 0.05)
    with seeded(SEED):
        for _ in range(steps):
            optimizer.zero_grad()
            for verifier, x, bad, y in data:
                rows = torch.randint(len(x), (6,))
                F.cross_entropy(verifier(noise(torch.cat([x[rows], bad[rows]]))), y[rows].repeat(2)).backward()
            optimizer.step()
    return noise.requires_grad_(False)


def defenses(pipe: SignalDiffusion, noise: LearnedNoise | None = None) -> dict[str, object]:
    "Name -> what cleans a waveform. The level t = 3 is AudioPure's."
    sigma = math.sqrt(1 - pipe.abar[2].item()) * WAVE.high
    found = {"none": None, "plain noise": RandomizedSmoothing(sigma, 1)} | ({"learned noise": noise} if noise else {})
    found |= {f"one-step, t = {t}": OneStep(pipe, t - 1) for t in (3, 6)} | {"random sampling, t = 3": RandomSampling(pipe, 3, 3)}
    return found | {f"diffusion, t = {t}": DiffPure(pipe, t) for t in (1, 3, 6, 10)}


# trials


def trials(sounds: dict[int, torch.Tensor], claim: int, part: int = 1, each: int = EACH) -> tuple[torch.Tensor, torch.Tensor]:
    "Sounds and labels of those who claim to be a speaker: `each` true (1) and as many others (0); part 0 sets the threshold."
    start, others = ENROL + part * EACH, [s for s in sounds if s != claim]
    share = [each // len(others) + (i < each % len(others)) for i in range(len(others))]
    x = torch.cat([sounds[claim][start : start + each], *(sounds[s][start : start + n] for s, n in zip(others, share))])
    return x, torch.tensor([1] * each + [0] * each)


def equal_error(scores: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    "The equal error rate of scores `(..., n)`, and the threshold where as many of the genuine are rejected as of the impostors accepted."
    cuts, order = scores.sort(-1)
    right = labels.gather(-1, order).double()
    rejected = (right.cumsum(-1) - right) / right.sum(-1, keepdim=True)
    accepted = (1 - right).flip(-1).cumsum(-1).flip(-1) / (1 - right).sum(-1, keepdim=True)
    i = (rejected - accepted).abs().argmin(-1, keepdim=True)
    return ((rejected + accepted) / 2).gather(-1, i)[..., 0], cuts.gather(-1, i)[..., 0]


def verifiers(encoder: nn.Module, sounds: dict[int, torch.Tensor]) -> dict[int, Verifier]:
    "Speaker -> a verifier, all with one threshold: the equal error of clean recordings that are not tested."
    found = {s: Verifier(encoder, x[:ENROL]) for s, x in sounds.items()}
    parts = [(cosine(found[s], x), y) for s in found for x, y in [trials(sounds, s, 0)]]
    threshold = equal_error(*(torch.cat(column) for column in zip(*parts)))[1].item()
    for each in found.values():
        each.threshold = threshold
    return found


@torch.no_grad()
def cosine(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    "How like the speaker's each voice is, from -1 to 1, by a verifier with or without a defense."
    scores, verifier = model(x), getattr(model, "classifier", model)
    return (scores[:, 1] - scores[:, 0]) / 20 + verifier.threshold


def attack(kind: str, verifier: Verifier, purifier: object, eps: float, steps: int | None = None, seed: int = 0) -> object:
    "What turns sounds and labels into attacked sounds, by one of the `STEPS`, or by chance. The exact gradient is a mean of draws."
    if kind == "chance":
        draw = torch.Generator().manual_seed(seed)
        return lambda x, y: (x + eps * (2 * torch.randint(2, x.shape, generator=draw) - 1)).clamp(WAVE.low, WAVE.high)
    sees = {"gray-box": "classifier", "BPDA": "bpda", "exact": "full"}[kind.partition(",")[0]]
    model = verifier if kind == "gray-box" or purifier is None else Defended(verifier, purifier, sees=sees)
    draws = (6 if "EOT" in kind else 2) if model is not verifier and getattr(purifier, "random", False) else 1
    steps = steps or STEPS[kind]
    return PGD(model, eps, steps=steps, momentum=0.75, eot=draws, early_stop=False, seed=seed, progress=False)


# the measurement


def cells() -> list[tuple[str, str, float]]:
    "What is measured: defense, attack, eps; the cheap ones first."
    names = list(defenses(diffusion(), LearnedNoise()))
    found = [(name, "clean", 0.0) for name in names] + [("none", "chance", max(EPS))]
    found += [(name, "gray-box", eps) for eps in EPS[::-1] for name in names]
    found += [("diffusion, t = 3", "exact", eps) for eps in EPS[::-1]] + [("diffusion, t = 3", "BPDA", EPS[-1])]
    found += [(name, "exact", EPS[-1]) for name in names if name not in ("none", "diffusion, t = 3")]
    return found + [("diffusion, t = 3", "exact, EOT 6", EPS[-1])]


PROOFS = [(sigma, denoised) for denoised in (False, True) for sigma in (0.005, 0.01, 0.02)]
PROVED = (0.0, 1e-4, 2e-4, 5e-4)  # Linf


def proof_name(sigma: float, denoised: bool) -> str:
    "How a table calls it."
    return f"noise {sigma:g}{', denoised' if denoised else ''}"


class Half:
    "The models trained on some speakers, and the sounds of the others."

    def __init__(self, name: str, train: dict, test: dict, folder: Path, encoder: Path | None):
        self.name, self.test, self.gray = name, test, {}
        file = folder / f"diffusion_{name}.pt"
        self.pipe = diffusion()
        if not file.exists():
            losses = self.pipe.train_on(pieces_of(torch.cat(list(train.values()))), 3000, 32, 2e-3, SEED, progress=False)
            torch.save(self.pipe.network.state_dict(), file)
            print(f"{name}: diffusion trained, loss {sum(losses[-100:]) / 100:.3f}", flush=True)
        self.pipe.network.load_state_dict(torch.load(file, weights_only=True))
        self.pipe.network.requires_grad_(False).eval()
        self.encoders = {"small": self.kept(folder / f"small_{name}.pt", train)}
        if encoder:
            self.encoders = {"pretrained": PretrainedEncoder(encoder).requires_grad_(False).eval()} | self.encoders
        self.victims = {kind: verifiers(each, test) for kind, each in self.encoders.items()}
        self.defenses = {}
        for kind, each in self.encoders.items():
            trained = verifiers(each, train)
            clean, labels = zip(*(trials(train, s) for s in train))
            attacked = [attack("gray-box", v, None, EPS[-1], 10)(x, y) for v, x, y in zip(trained.values(), clean, labels)]
            self.defenses[kind] = defenses(self.pipe, train_noise(list(trained.values()), clean, attacked, labels))

    def kept(self, file: Path, train: dict) -> nn.Module:
        "The small encoder, trained if it is missing."
        if not file.exists():
            torch.save(train_encoder(train).state_dict(), file)
        encoder = SmallEncoder()
        encoder.load_state_dict(torch.load(file, weights_only=True))
        return encoder.requires_grad_(False).eval()

    def scores(self, victim: str, defense: str, kind: str, eps: float, claim: int) -> dict:
        "The cosines of all trials of one claim, genuine ones first; the attacked sounds of the gray-box attack serve all defenses."
        verifier, purifier = self.victims[victim][claim], self.defenses[victim][defense]
        x, y = trials(self.test, claim)
        seed, key = seed_of(SEED, victim, kind, str(eps), claim) % 2**31, (victim, kind, eps, claim)
        if kind == "gray-box" and key not in self.gray:
            self.gray[key] = attack(kind, verifier, None, eps, seed=seed)(x, y)
        if kind != "clean":
            x = self.gray[key] if kind == "gray-box" else attack(kind, verifier, purifier, eps, seed=seed)(x, y)
        with seeded(seed + 1):
            found = cosine(verifier if purifier is None else Defended(verifier, purifier), x)
        return {"threshold": verifier.threshold, "scores": [round(s, 5) for s in found.tolist()], "labels": y.tolist()}

    def radii(self, victim: str, sigma: float, denoised: bool, claim: int) -> list[float]:
        "The L2 radius in which the right answer to each trial is proved; -1 for a wrong one, or none."
        x, y = trials(self.test, claim)
        proof = Smoothed(self.victims[victim][claim], sigma, self.pipe if denoised else None, chunk=50, seed=SEED)
        found = proof.certify(x, L2(), draws=500, progress=False)
        return [round(r, 5) if right else -1.0 for r, right in zip(found.radii.tolist(), (found.labels == y).tolist())]


def same_tools(half: Half, out: Path) -> None:
    "What `benchmark` and `check_defense` say, as they would of clips: which speaker it is; and whether one claim's defense is believed."
    victims, all_ways = half.victims["pretrained"], half.defenses["pretrained"]
    sounds, start = list(half.test.values()), ENROL + 2 * EACH  # recordings that nothing else uses
    x, y = torch.cat([part[i : i + 1] for i in range(start, start + 18) for part in sounds]), torch.arange(len(sounds)).repeat(18)
    attacks = {"gray-box": {"eps": EPS[-1], "steps": 40}, "exact": {"sees": "full", "eps": EPS[-1], "steps": 20, "eot": 2}}
    attacks["video-auto-1"] = {"method": "video-auto-1", "eps": EPS[-1], "n_clips": 18}
    ways = {name: all_ways[name] for name in ("none", "plain noise", "one-step, t = 3", "diffusion, t = 3")}
    options = {"title": f"Which of {len(sounds)} speakers, right in %", "out": out / f"speakers_{half.name}", "batch_size": 18}
    if not (options["out"] / "card.json").exists():
        print(benchmark(Identifier(victims.values()), ways, (x, y), attacks, progress=False, **options), flush=True)
    claim, file = min(half.test), out / f"check_{half.name}.json"
    if not file.exists():
        defended, sounds = Defended(victims[claim], all_ways["diffusion, t = 3"]), trials(half.test, claim)
        report = check_defense(defended, *sounds, EPS[-1], steps=40, eot=4, batch_size=20, progress=False)
        file.write_text(json.dumps({check.name: [check.verdict, check.numbers, check.meaning] for check in report.checks}, indent=0) + "\n")


def summary(found: list[dict], draws: int = 1000) -> list:
    "Equal error rate with an interval over speakers and trials, genuine ones rejected, impostors accepted, at the clean threshold."
    right = {y: [] for y in (0, 1)}
    for cell in found:
        for score, y in zip(cell["scores"], cell["labels"]):
            right[y].append(((score >= cell["threshold"]) != bool(y), cell["claim"]))
    scores, labels = (torch.tensor([cell[part] for cell in found]) for part in ("scores", "labels"))
    scores = scores - torch.tensor([[cell["threshold"]] for cell in found])  # halves have thresholds of their own
    draw, (n, k) = torch.Generator().manual_seed(0), scores.shape
    rows, columns = torch.randint(n, (draws, n, 1), generator=draw), torch.randint(k, (draws, n, k), generator=draw)
    again = equal_error(scores[rows, columns].flatten(1), labels[rows, columns].flatten(1))[0]
    low, high = (100 * again.quantile(torch.tensor([0.025, 0.975], dtype=again.dtype))).tolist()
    eer = f"{100 * equal_error(scores.flatten(), labels.flatten())[0].item():.1f} [{low:.0f}, {high:.0f}]"
    return [eer, *(clustered([wrong for wrong, _ in right[y]], [claim for _, claim in right[y]]) for y in (1, 0))]


def tables(kept: dict) -> list[Table]:
    "The table of each victim."
    found = []
    victims = dict.fromkeys(key.split(" | ")[0] for key in kept)
    for victim in victims:
        rows = []
        for defense, kind, eps in cells():
            start = f"{victim} | {defense} | {kind} | {eps} | "
            claims = [cell | {"claim": key.removeprefix(start)} for key, cell in kept.items() if key.startswith(start)]
            rows += [[kind, eps or "", defense, *summary(claims)]] if claims else []
        head = ["attack", "eps", "defense", "equal error rate, %", "genuine rejected, %", "impostors accepted, %"]
        found.append(Table(f"Victim: the {victim} encoder", head, rows))
    return [*found, proofs(kept, victims)]


def proofs(kept: dict, victims: Iterable[str]) -> Table:
    "Certified and right, of all trials, for changes of so much in each of the samples."
    rows = []
    for victim in victims:
        for sigma, denoised in PROOFS:
            start = f"{victim} | {proof_name(sigma, denoised)} | "
            found = [(r, key) for key, radii in kept.items() if key.startswith(start) for r in radii]
            cells = [clustered([r > eps * math.sqrt(LENGTH) for r, _ in found], [claim for _, claim in found]) for eps in PROVED]
            rows += [[victim, proof_name(sigma, denoised), *cells]] if found else []
    head = ["victim", "smoothing", *("right, %" if eps == 0 else f"certified at {eps:g}, %" for eps in PROVED)]
    return Table("Proved: certified and right, alpha 0.001, 500 draws", head, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/spoken_digits"))
    parser.add_argument("--encoder", type=Path, help="pretrained.pt of resemblyzer")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/voices"))
    args = parser.parse_args()
    try:
        sounds = recordings(args.data)
    except ValueError as error:
        sys.exit(f"{error}; the head of this script says where to get them")
    torch.set_num_threads(1)
    of_one_data(args.out, sounds)
    (args.out / "weights").mkdir(parents=True, exist_ok=True)
    file = args.out / "voices.json"
    kept = json.loads(file.read_text()) if file.exists() else {}
    order, middle = list(sounds), (len(sounds) + 1) // 2
    first, second = ({s: sounds[s] for s in part} for part in (order[:middle], order[middle:]))
    halves = [Half(*each, args.out / "weights", args.encoder) for each in (("a", first, second), ("b", second, first))]
    for cell in cells():
        once = "EOT" in cell[1]  # a check of the attack, on one victim
        for victim in list(halves[0].encoders)[: 1 if once else None]:
            for half in halves:
                for claim in half.test:
                    key = " | ".join(map(str, (victim, *cell, claim)))
                    if key not in kept:
                        kept[key] = half.scores(victim, *cell, claim)
            file.write_text(json.dumps(kept) + "\n")
            print(victim, *cell, flush=True)
    for victim, (sigma, denoised), half in product(halves[0].encoders, PROOFS, halves):
        for claim in half.test:
            key = f"{victim} | {proof_name(sigma, denoised)} | {claim}"
            kept[key] = kept[key] if key in kept else half.radii(victim, sigma, denoised, claim)
        file.write_text(json.dumps(kept) + "\n")
    if args.encoder:
        same_tools(halves[0], args.out)
    (args.out / "table.md").write_text("\n\n".join(t._repr_markdown_() for t in tables(kept)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
