"""Intrusion detection (NSL-KDD) behind diffusion purification, after arXiv 2406.17606, and its rivals, under those who know it.

`python benchmarks/traffic.py` trains every model (minutes), attacks them, and writes benchmarks/traffic/traffic.json and
table.md. It goes on where it was. The lesson nbs/tutorials/traffic.ipynb explains each step with the same functions.
"""

import argparse
import gzip
import json
import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
import torchattacks
from torch import nn

from records import of_one_data
from videopure.attacks import PGD
from videopure.baselines import DiffPure, ddpm_sigma, descend, make_purifier
from videopure.blackbox import Square
from videopure.certify import Smoothed
from videopure.defense import Defended
from videopure.diffusion import SignalDiffusion, VectorDenoiser
from videopure.sanity import check_defense
from videopure.signal import Signal
from videopure.statistics import Accuracy
from videopure.suite import Averaged, Selective
from videopure.table import Table
from videopure.threats import L2, Features, Threat

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "benchmarks" / "traffic"
NAMES = """duration protocol_type service flag src_bytes dst_bytes land wrong_fragment urgent hot num_failed_logins logged_in
num_compromised root_shell su_attempted num_root num_file_creations num_shells num_access_files num_outbound_cmds is_host_login
is_guest_login count srv_count serror_rate srv_serror_rate rerror_rate srv_rerror_rate same_srv_rate diff_srv_rate
srv_diff_host_rate dst_host_count dst_host_srv_count
dst_host_same_srv_rate dst_host_diff_srv_rate dst_host_same_src_port_rate dst_host_srv_diff_host_rate dst_host_serror_rate
dst_host_srv_serror_rate dst_host_rerror_rate dst_host_srv_rerror_rate""".split()
WORDS = ["protocol_type", "service", "flag"]  # the columns that are no numbers
NUMBERS = [name for name in NAMES if name not in WORDS]
FREE = len(NUMBERS)  # the numbers come first in a row, then the words as zeros and ones
GROWS = ["duration", "src_bytes", "count", "srv_count", "dst_host_count", "dst_host_srv_count"]  # whole numbers of what a sender sends
RATES = [name for name in NUMBERS if name.endswith("_rate")]  # in hundredths
PAIRS = [("serror_rate", "rerror_rate"), ("srv_serror_rate", "srv_rerror_rate"), ("same_srv_rate", "diff_srv_rate"),
         ("dst_host_serror_rate", "dst_host_rerror_rate"), ("dst_host_srv_serror_rate", "dst_host_srv_rerror_rate")]  # shares of one whole


# the data


def read_rows(path: Path) -> list[list[str]]:
    "The rows of a file of NSL-KDD: 41 features, the label, and how hard the row is."
    try:
        with gzip.open(path, "rt") if path.suffix == ".gz" else open(path) as file:
            rows = [line.split(",") for line in file.read().split()]
    except (EOFError, OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read ({error}): get it again") from error
    words = [NAMES.index(word) for word in WORDS]
    for i, row in enumerate(rows, 1):
        if len(row) != len(NAMES) + 2:
            raise ValueError(f"{path}, row {i}: {len(row)} columns, expected {len(NAMES)} features, a label and a difficulty")
        try:
            [float(value) for j, value in enumerate(row[: len(NAMES)]) if j not in words]
        except ValueError as error:
            raise ValueError(f"{path}, row {i}: {error}; expected rows without a line of names above them") from error
    return rows


FILES = {  # the halves that the numbers of the lesson are of, or the files as they are published
    "training": ("train_20percent.csv.gz", "KDDTrain+_20Percent.txt", "KDDTrain+.txt"),
    "test": ("test_half.csv.gz", "KDDTest+.txt"),
}


def data_of(folder: Path) -> tuple[list, list]:
    "Training rows and test rows from a folder with NSL-KDD. A `ValueError` names what is missing."
    found = [next((folder / name for name in names if (folder / name).is_file()), None) for names in FILES.values()]
    for path, (kind, names) in zip(found, FILES.items()):
        if path is None:
            raise ValueError(f"no {kind} rows of NSL-KDD in {folder}: expected {' or '.join(names)}")
    rows = read_rows(found[0]), read_rows(found[1])
    if len(rows[0]) < 3000 or len(rows[1]) < 1000:
        raise ValueError(f"{folder}: {len(rows[0])} training and {len(rows[1])} test rows, expected 3000 and 1000 or more")
    return rows


class Encoder:
    "Rows of NSL-KDD to tensors `(n, features)` in [0, 1]: numbers min-max scaled as in the training rows, words as zeros and ones."

    def __init__(self, rows: list[list[str]]):
        values = np.array([[float(row[NAMES.index(name)]) for name in NUMBERS] for row in rows])
        self.low, self.high = values.min(0), values.max(0)
        self.words = {name: sorted({row[NAMES.index(name)] for row in rows}) for name in WORDS}
        self.columns = [*NUMBERS, *(f"{name}={word}" for name in WORDS for word in self.words[name])]
        self.signal = Signal("row", (len(self.columns),))

    @property
    def span(self) -> np.ndarray:
        "The range of each number in the training rows, 1 for a constant."
        return np.where(self.high > self.low, self.high - self.low, 1)

    def __call__(self, rows: list[list[str]]) -> tuple[torch.Tensor, torch.Tensor]:
        "Rows as a tensor, and whether each is an attack, `(n,)`. A word that no training row has becomes all zeros."
        numbers = np.array([[float(row[NAMES.index(name)]) for name in NUMBERS] for row in rows])
        hot = [[float(row[NAMES.index(name)] == word) for name in WORDS for word in self.words[name]] for row in rows]
        x = np.concatenate([((numbers - self.low) / self.span).clip(0, 1), np.array(hot)], 1)
        return torch.tensor(x, dtype=torch.float32), torch.tensor([int(row[41] != "normal") for row in rows])


# what an attacker may change


@dataclass
class Numbers(Features):
    "All 38 numbers may move, each by at most eps of its range; protocol, service and flag may not."

    features: Sequence[int] = tuple(range(FREE))


@dataclass
class Traffic(Features):
    """What a sender can bring about: more connections, bytes and time, in whole numbers; rates in hundredths, shares of a whole at most 1.

    What the host answers and what happens in it (dst_bytes, logins, shells) stays.
    """

    features: Sequence[int] = tuple(NUMBERS.index(name) for name in [*GROWS, *RATES])
    units: Sequence[float] = ()  # size of a step of 1 in each number, after scaling; none: 1/100

    def project(self, adv: torch.Tensor, clips: torch.Tensor) -> torch.Tensor:
        "A row that such a sender can bring about, near `adv`."
        delta = super().project(adv, clips) - clips
        unit = torch.full((FREE,), 0.01).to(clips)
        for name in GROWS if len(self.units) else ():
            unit[NUMBERS.index(name)] = self.units[NUMBERS.index(name)]
        grows = [NUMBERS.index(name) for name in GROWS]
        delta[:, grows] = delta[:, grows].clamp_min(0)
        delta[:, :FREE] = (delta[:, :FREE] / unit + 1e-3 * delta[:, :FREE].sign()).trunc() * unit
        for a, b in ((NUMBERS.index(one), NUMBERS.index(other)) for one, other in PAIRS):
            whole = clips[:, a] + clips[:, b]
            for side in (a, b):
                over = (whole + delta[:, a] + delta[:, b] - whole.clamp_min(1)).clamp_min(0)
                delta[:, side] -= over.minimum(delta[:, side].clamp_min(0))
        return (clips + delta).clamp(0, 1)


# the models


class Net(nn.Module):
    "A classifier of rows: three linear layers; of some columns only if `sees` says so."

    def __init__(self, signal: Signal, hidden: int = 256, sees: slice = slice(None)):
        super().__init__()
        self.signal, self.sees = signal, sees
        width = len(range(signal.shape[0])[sees])
        self.layers = nn.Sequential(
            nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 2)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x[:, self.sees])


def train(net: nn.Module, x: torch.Tensor, y: torch.Tensor, seed: int, steps: int = 1500, change: Callable | None = None) -> nn.Module:
    "Train a classifier with Adam on batches of 256 rows, each changed by `change(net, x, y)` first."
    draw, optimizer = torch.Generator().manual_seed(seed), torch.optim.Adam(net.parameters(), 1e-3)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        rows = torch.randint(len(x), (256,), generator=draw)
        xb = x[rows] if change is None else change(net, x[rows], y[rows])
        loss = F.cross_entropy(net(xb), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step(), falling.step()
    return net.requires_grad_(False).eval()


def attacked(net: nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    "Rows under five steps of PGD, for adversarial training."
    return PGD(net, Numbers(0.1), steps=5, early_stop=False, best=False, progress=False)(x, y)


def noised(sigma: float) -> Callable:
    "What adds noise to the numbers of rows, for training."
    return lambda net, x, y: torch.cat([x[:, :FREE] + sigma * torch.randn(len(x), FREE), x[:, FREE:]], 1)


class AutoEncoder(nn.Module):
    "Rows through twelve numbers and back, as a purifier."

    random = False

    def __init__(self, width: int):
        super().__init__()
        down = nn.Linear(width, 128), nn.ReLU(), nn.Linear(128, 12), nn.ReLU()
        self.layers = nn.Sequential(*down, nn.Linear(12, 128), nn.ReLU(), nn.Linear(128, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x).sigmoid()


def train_autoencoder(x: torch.Tensor, seed: int, steps: int = 1500) -> AutoEncoder:
    "Train to restore rows from rows whose numbers are noisy."
    net, draw = AutoEncoder(x.shape[1]), torch.Generator().manual_seed(seed)
    optimizer, noise = torch.optim.Adam(net.parameters(), 1e-3), noised(0.1)
    for _ in range(steps):
        rows = x[torch.randint(len(x), (256,), generator=draw)]
        loss = (net(noise(net, rows, None).clamp(0, 1)) - rows).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return net.requires_grad_(False).eval()


@dataclass
class Models:
    "All that is trained with one seed, which `parts` lists."

    bare: nn.Module
    words: nn.Module  # sees protocol, service and flag only
    adversarial: nn.Module
    noisy: dict[float, nn.Module]  # trained with noise on the numbers
    autoencoder: nn.Module
    diffusion: SignalDiffusion

    @property
    def parts(self) -> nn.ModuleList:
        "The networks in a row, to save and to load."
        return nn.ModuleList([self.bare, self.words, self.adversarial, *self.noisy.values(), self.autoencoder, self.diffusion.network])


def train_all(
    x: torch.Tensor, y: torch.Tensor, signal: Signal, seed: int, steps: int = 1000, longer: int = 4000, hidden: int = 512
) -> Models:
    "Train everything; the diffusion model `longer`."
    torch.manual_seed(seed)
    fit = lambda change=None, sees=slice(None), steps=steps: train(Net(signal, sees=sees), x, y, seed, steps, change)
    bare, words, adversarial = fit(), fit(sees=slice(FREE, None)), fit(attacked, steps=steps // 2)
    noisy = {sigma: fit(noised(sigma)) for sigma in (0.25, 0.5)}
    autoencoder = train_autoencoder(x, seed, steps)
    diffusion = SignalDiffusion(VectorDenoiser(len(x[0]), hidden, 3), signal)
    diffusion.train_on(x, longer, seed=seed, progress=False)
    return Models(bare, words, adversarial, noisy, autoencoder, diffusion)


# attacks of this benchmark's own


class AsPicture(nn.Module):
    "A model of rows for torchattacks, which wants four axes; the words are rounded, so that only numbers move."

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def rows(self, x: torch.Tensor) -> torch.Tensor:
        "The rows of pictures `(B, features, 1, 1)`."
        x = x[:, :, 0, 0]
        return torch.cat([x[:, :FREE], x[:, FREE:].detach().round()], 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.model(self.rows(x))


def apgd(model: nn.Module, x: torch.Tensor, y: torch.Tensor, eps: float, steps: int, eot: int) -> torch.Tensor:
    "The rows of the highest loss that APGD of torchattacks finds, and not only those that one lucky draw got wrong."
    shown = AsPicture(model)
    attack = torchattacks.APGD(shown, eps=eps, steps=steps, eot_iter=eot)
    return shown.rows(attack.attack_single_run(x[:, :, None, None], y)[0]).detach()


class Reverse(nn.Module):
    "Noisy rows to logits: what DiffPure does after its noise. Behind `Smoothed` it is DiffPure itself, with a certificate."

    def __init__(self, classifier: nn.Module, purifier: DiffPure):
        super().__init__()
        self.classifier, self.purifier, self.signal = classifier, purifier, classifier.signal
        self.abar = purifier.levels[-1].abar
        self.sigma = math.sqrt((1 - self.abar) / self.abar) / 2  # of the noise, where rows lie in [0, 1]

    def forward(self, noisy: torch.Tensor) -> torch.Tensor:
        pipe = self.purifier.pipe
        z = math.sqrt(self.abar) * pipe.encode(noisy)
        return self.classifier(pipe.decode(descend(pipe, z, self.purifier.levels, ddpm_sigma)))


class Numbered(nn.Module):
    "A classifier as a function of the numbers of one row, so that noise and certificates are about them only."

    def __init__(self, classifier: nn.Module, row: torch.Tensor):
        super().__init__()
        self.classifier, self.rest, self.signal = classifier, row[FREE:], Signal("numbers of a row", (FREE,))

    def forward(self, numbers: torch.Tensor) -> torch.Tensor:
        return self.classifier(torch.cat([numbers, self.rest.expand(len(numbers), -1)], 1))


def certified(classifier: nn.Module, sigma: float, x: torch.Tensor, y: torch.Tensor, draws: int) -> list[float]:
    "For each row the Euclidean radius, over the numbers only, within which its right answer is proved; 0 where it is wrong."
    found = []
    for i, row in enumerate(x):
        smoothed = Smoothed(Numbered(classifier, row), sigma, chunk=1000)
        proof = smoothed.certify(row[None, :FREE], L2(), draws=draws, first=i, progress=False)
        found.append(proof.radii.item() * (proof.labels == y[i]).item())
    return found


@torch.no_grad()
def right(model: nn.Module, x: torch.Tensor, y: torch.Tensor, draws: int = 16) -> str:
    "Which rows get the right answer in the mean of some draws, as a word of zeros and ones."
    random = getattr(getattr(model, "purifier", None), "random", False)
    answer = sum(model(x).softmax(1) for _ in range(draws if random else 1)).argmax(1)
    return "".join(str(int(ok)) for ok in answer == y)


# the study


def defenses(models: Models, t: int, steps: int) -> dict[str, nn.Module]:
    "What is compared, by name."
    pipe, bare = models.diffusion, models.bare
    pure = lambda method, **options: Defended(bare, make_purifier(method, pipe, **options))
    return {
        "none": bare,
        "DiffPure": pure("diffpure", t=t, steps=steps),
        "random sampling": pure("random-sampling", t=t, steps=steps),
        "one step": pure("one-step", t=t - 1),
        "autoencoder": Defended(bare, models.autoencoder),
        "smoothing": Defended(bare, make_purifier("smoothing", sigma=0.25, votes=8)),
        "noise training": models.noisy[0.25],
        "adversarial training": models.adversarial,
        "words only": models.words,
    }


def pgd(model: nn.Module, threat: Threat, kind: type = PGD, **options: object) -> Callable:
    "PGD on a model: a function of rows and labels. The last step of gray-box attacks counts, since the rows are for others."
    return kind(model, threat, **{"seed": 0, "progress": False} | options)


def gray_box(models: Models, threat: Threat) -> dict[str, Callable]:
    "Attacks that do not know the defense, merely shown to it."
    whole = {"early_stop": False, "best": False}
    return {
        "gray-box": pgd(models.bare, threat, steps=20, **whole),
        "gray-box, 100 steps": pgd(models.bare, threat, steps=100, momentum=0.75, schedule="cosine", alpha=threat.eps / 4, **whole),
        "from noise training": pgd(models.noisy[0.25], threat, steps=100, **whole),
    }


def as_seen(model: nn.Module, sees: str) -> nn.Module:
    "A defense as an attacker with another gradient sees it."
    return Defended(model.classifier, model.purifier, sees=sees) if isinstance(model, Defended) else model


def is_random(model: nn.Module) -> bool:
    "Whether a defense draws noise."
    return bool(getattr(getattr(model, "purifier", None), "random", False))


def adaptive(model: nn.Module, threat: Threat, deep: bool) -> dict[str, Callable]:
    "Attacks on a defense that they know; all of them if `deep`. Where nothing is random, one draw is all, and 40 steps are cheap."
    if is_random(model):  # a row is not left alone when a single draw was wrong
        budget = {"steps": 30, "eot": 16, "loss": "margin", "alpha": threat.eps / 4, "early_stop": False}
    else:
        budget = {"steps": 40, "restarts": 2, "loss": ["ce", "margin"]}
    if isinstance(threat, Traffic):  # which cuts changes to whole hundredths, so that small steps would come to nothing
        budget["alpha"] = 0.3 * threat.eps
    found = {"exact, EOT 16": pgd(model, threat, **budget)}
    if not deep:
        return found
    searched = Averaged(model, 4) if is_random(model) else model
    eps = threat.eps
    return found | {
        "BPDA, EOT 16": pgd(as_seen(model, "bpda"), threat, steps=40, eot=16, loss="margin"),
        "selective, EOT 16": pgd(model, threat, Selective, steps=20, eot=16, loss="margin"),
        "APGD, EOT 16": lambda x, y: apgd(model, x, y, eps, 20, 16),
        "exact, EOT 64, from the nearest": pgd(model, threat, steps=8, eot=64, loss="margin", momentum=0.75, alpha=eps / 6),
        "Square, 100 queries": Square(searched, threat, 100, seed=0, progress=False),
    }


@dataclass
class Study:
    "One seed: its models, its rows, and what is known so far, kept in `path`."

    models: Models
    x: torch.Tensor
    y: torch.Tensor
    held: tuple[torch.Tensor, torch.Tensor]  # training rows that no model saw
    units: list[float]
    path: Path
    few: int = 300
    found: dict | None = None

    def __post_init__(self):
        self.found = json.loads(self.path.read_text()) if self.path.exists() else {}

    def keep(self, key: str, make: Callable) -> object:
        "What `make` gives, from the file if it is there."
        if key not in self.found:
            start = time.process_time()
            self.found[key] = make()
            self.found.setdefault("seconds", {})[key] = round(time.process_time() - start)
            self.path.write_text(json.dumps(self.found) + "\n")
            print(f"{self.path.stem}: {key}, {self.found['seconds'][key]} s", flush=True)
        return self.found[key]

    def scan(self, eps: float, steps: int) -> list[list]:
        "For each depth t: right answers on held-out training rows, clean and under the gray-box attack."
        attacked = gray_box(self.models, Numbers(eps))["gray-box"](*self.held)
        rows = []
        for t in (25, 50, 75, 100, 150, 200, 300, 500):
            model = defenses(self.models, t, min(t, steps))["DiffPure"]
            rows.append([t, *(right(model, x, self.held[1], 8).count("1") for x in (self.held[0], attacked)), len(attacked)])
        return rows

    def cell(self, name: str, model: nn.Module, column: str, attack: Callable, n: int) -> None:
        "Attack the first n rows, and see which a defense still gets right."
        x, y = self.x[:n], self.y[:n]
        self.keep(f"{name}; {column}", lambda: right(model, attack(x, y), y))


def clean(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    "No attack."
    return x


def run(study: Study, eps: float = 0.1, steps: int = 5) -> None:
    "All that is measured of one seed, cheapest first."
    study.keep("labels", lambda: "".join(map(str, study.y.tolist())))
    scan = study.keep("scan", lambda: study.scan(eps, steps))
    t = max(scan, key=lambda row: row[2])[0]  # the depth with most right answers under the gray-box attack, as the paper chooses it
    study.keep("t", lambda: t)
    table, numbers = defenses(study.models, t, steps), Numbers(eps)
    strict = Traffic(eps, units=study.units)
    shown = {"clean": clean} | gray_box(study.models, numbers) | {"sender, gray-box": gray_box(study.models, strict)["gray-box"]}
    for column, attack in shown.items():
        made = []
        once = lambda x, y, made=made, attack=attack: made[0] if made else made.append(attack(x, y)) or made[0]
        for name, model in table.items():
            study.cell(name, model, column, once, len(study.x))
    x, y = study.held
    for name, model in table.items():
        study.keep(f"{name}; held-out, clean", lambda: right(model, x, y))
    noise = torch.Generator().manual_seed(0)
    corner = torch.zeros_like(study.x)
    corner[:, :FREE] = torch.randint(0, 2, (len(study.x), FREE), generator=noise) * 2 - 1.0
    for name, model in table.items():
        study.cell(name, model, "random corners", lambda x, y: (x + eps * corner[: len(x)]).clamp(0, 1), len(study.x))
    for name in (name for name, model in table.items() if not is_random(model)):  # no draws, so quick
        model = table[name]
        study.cell(name, model, "exact, EOT 16", adaptive(model, numbers, False)["exact, EOT 16"], len(study.x))
        study.cell(name, model, "sender, exact", adaptive(model, strict, False)["exact, EOT 16"], len(study.x))
        study.keep(f"{name}; held-out, exact", lambda: right(model, adaptive(model, numbers, False)["exact, EOT 16"](x, y), y))
        for larger in (0.3, 1.0):
            study.cell(name, model, f"eps {larger:g}, exact", pgd(model, Numbers(larger), steps=40, loss="margin"), len(study.x))
    certificates(study, table["DiffPure"])
    attack_purifier(study, table["DiffPure"], numbers, strict)
    for name in ("smoothing", "random sampling"):
        study.cell(name, table[name], "exact, EOT 16", adaptive(table[name], numbers, False)["exact, EOT 16"], study.few)
    study.held = x[:300], y[:300]
    for other in (0.03, 0.3):
        study.keep(f"scan {other:g}", lambda: study.scan(other, steps))


def attack_purifier(study: Study, model: nn.Module, numbers: Threat, strict: Threat) -> None:
    "All attacks on DiffPure that know it; on the first rows only, since each step follows many draws."
    known = adaptive(model, numbers, True)
    nearest = known["exact, EOT 64, from the nearest"]
    nearest.early_stop = False  # its starts are for all rows
    begin = pgd(model, numbers, steps=10, eot=16)
    known["exact, EOT 64, from the nearest"] = lambda x, y: from_there(nearest, begin(x, y), x, y)
    known["eps 1, exact"] = pgd(model, Numbers(1.0), steps=15, eot=8)
    known["eps 0.3, exact"] = pgd(model, Numbers(0.3), steps=15, eot=8)
    known["sender, exact"] = adaptive(model, strict, False)["exact, EOT 16"]
    for column in ("exact, EOT 16", "BPDA, EOT 16", "exact, EOT 64, from the nearest", *known):
        study.cell("DiffPure", model, column, known[column], study.few)


def from_there(attack: PGD, starts: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    "An attack that goes on from where another one ended."
    attack.starts = starts
    return attack(x, y)


def certificates(study: Study, pure: nn.Module) -> None:
    "Radii within which a right answer is proved, of noise training on the numbers, and of DiffPure, whose noise is on all columns."
    for sigma, net in study.models.noisy.items():
        study.keep(f"radii, noise training {sigma:g}", lambda: certified(net, sigma, study.x[:500], study.y[:500], 1000))

    def proved() -> list[float]:
        reverse, x, y = Reverse(pure.classifier, pure.purifier), study.x[: study.few], study.y[: study.few]
        proof = Smoothed(reverse, reverse.sigma, chunk=200).certify(x, L2(), draws=200, progress=False)
        return (proof.radii * (proof.labels == y)).tolist()

    study.keep("radii, DiffPure", proved)


def checked_defense(study: Study, eps: float, steps: int) -> dict:
    "What `check_defense` says of DiffPure on a few rows."
    model = defenses(study.models, study.found["t"], steps)["DiffPure"]
    budget = {"steps": 10, "eot": 8, "batch_size": 24}
    report = check_defense(model, study.x[:24], study.y[:24], eps, threat=Numbers, progress=False, **budget)
    return {check.name: [check.verdict, check.numbers, check.meaning] for check in report.checks}


AT_EPS = ["gray-box", "gray-box, 100 steps", "from noise training", "random corners", "exact, EOT 16", "BPDA, EOT 16", "selective, EOT 16",
          "APGD, EOT 16", "exact, EOT 64, from the nearest", "Square, 100 queries"]  # of the size 0.1, on all numbers
SIZES = (0.01, 0.02, 0.05, 0.1)  # Linf, of certificates


def cut(found: dict, key: str, n: int | None = None) -> tuple[int, int, int, int]:
    "Of the first n rows of a seed: how many are right, of how many; and the same of attacks only."
    outcome, labels = found[key][:n], found["labels"]
    pairs = list(zip(outcome, labels))
    return sum(o == "1" for o in outcome), len(outcome), pairs.count(("1", "1")), [label for _, label in pairs].count("1")


def worst(found: dict, name: str, few: int) -> str:
    "Which of the first rows are right under every attack of size 0.1 that was tried."
    tried = [found[f"{name}; {column}"][:few] for column in ["clean", *AT_EPS] if f"{name}; {column}" in found]
    return "".join(str(int(set(outcomes) == {"1"})) for outcomes in zip(*tried))


def collect(out: Path, few: int) -> dict:
    "What all seeds found: cells of counts, one for each seed, without single rows."
    seeds = [json.loads(path.read_text()) for path in sorted(out.glob("seed-*.json"))]
    for found in seeds:
        for name in [key.split("; ")[0] for key in found if key.endswith("; exact, EOT 16")]:  # no worst case without it
            found[f"{name}; worst"] = worst(found, name, few)
    cells = {key: [cut(found, key) for found in seeds if key in found] for key in seeds[0] if "; " in key and "held-out" not in key}
    held = {key: [[found[key].count("1"), len(found[key])] for found in seeds if key in found] for key in seeds[0] if "held-out" in key}
    radii = {
        key.removeprefix("radii, "): {size: [[sum(r > size * math.sqrt(FREE) for r in found[key]), len(found[key])] for found in seeds
                                             if key in found] for size in (0.0, *SIZES)}
        for key in seeds[0] if key.startswith("radii")
    }
    rest = {key: [found.get(key) for found in seeds] for key in ("t", "scan", "scan 0.03", "scan 0.3", "seconds")}
    pure = [key for key in cells if key.startswith("DiffPure; ")]
    first = {key.removeprefix("DiffPure; "): [cut(found, key, few) for found in seeds if key in found] for key in pure}
    more = {"held-out": held, "certified": radii, "check_defense": seeds[0].get("check_defense")}
    return rest | more | {"cells": cells, "DiffPure, the same rows": first}


def accuracy(counts: list) -> Accuracy:
    "Pooled over seeds, which have no test row in common."
    return Accuracy(sum(one[0] for one in counts), sum(one[1] for one in counts))


def main_table(found: dict) -> Table:
    "The defenses under the attacks of size 0.1."
    columns = ["clean", "gray-box", "exact, EOT 16", "worst", "sender, exact", "eps 0.3, exact", "eps 1, exact"]
    names = dict.fromkeys(key.split("; ")[0] for key in found["cells"])
    pick = lambda name, column: found["cells"].get(f"{name}; {column}")
    rows = [[name, *(pick(name, c) and accuracy(pick(name, c)) for c in columns)] for name in names]
    return Table("Right answers in %, test rows of NSL-KDD, numbers within 0.1", ["defense", *columns], rows)


def attack_table(found: dict) -> Table:
    "Every attack on DiffPure, on the same rows."
    cells = found["DiffPure, the same rows"]
    share = lambda counts: Accuracy(sum(one[2] for one in counts), sum(one[3] for one in counts))
    spread = lambda counts: " ".join(f"{100 * one[0] / one[1]:.0f}" for one in counts)
    rows = [[column, accuracy(counts), spread(counts), share(counts)] for column, counts in cells.items()]
    return Table("DiffPure under each attack, in %", ["attack", "right", "each seed", "attacks found"], rows)


def held_table(found: dict) -> Table:
    "The same on training rows that no model saw, where the numbers help; what draws noise is not attacked there."
    names = dict.fromkeys(key.split("; ")[0] for key in found["held-out"])
    pick = lambda name, column: found["held-out"].get(f"{name}; held-out, {column}")
    rows = [[name, *(pick(name, c) and accuracy(pick(name, c)) for c in ("clean", "exact"))] for name in names]
    return Table("Right answers in %, held-out training rows", ["defense", "clean", "exact, eps 0.1"], rows)


def certified_table(found: dict) -> Table:
    "Right answers that are proved."
    rows = [[name, *(accuracy(counts) for counts in sizes.values())] for name, sizes in found["certified"].items()]
    sizes = next(iter(found["certified"].values()))
    return Table("Right and certain, in %, by the size in Linf", ["model", *(f"{float(size):g}" for size in sizes)], rows)


def report(out: Path, few: int) -> None:
    "Write traffic.json and table.md."
    found = json.loads(json.dumps(collect(out, few)))
    (out / "traffic.json").write_text(json.dumps(found, indent=None) + "\n")
    tables = main_table(found), attack_table(found), certified_table(found), held_table(found)
    (out / "table.md").write_text("\n".join(table._repr_markdown_() for table in tables))


def prepare(seed: int, data: Path, out: Path, many: int, few: int) -> Study:
    "The rows and models of a seed; trained, or loaded where they were trained before."
    train_rows, test_rows = data_of(data)
    encoder = Encoder(train_rows)
    (x, y), (test, labels) = encoder(train_rows), encoder(test_rows)
    order = torch.randperm(len(test), generator=torch.Generator().manual_seed(0))[many * seed : many * (seed + 1)]
    weights = out / f"models-{seed}.pt"
    models = train_all(x[:-1000], y[:-1000], encoder.signal, seed, *((1, 1) if weights.exists() else ()))
    if weights.exists():
        models.parts.load_state_dict(torch.load(weights, weights_only=True))
    else:
        torch.save(models.parts.state_dict(), weights)
    units = [0.01 if name in RATES else 1 / span for name, span in zip(NUMBERS, encoder.span)]
    return Study(models, test[order], labels[order], (x[-1000:], y[-1000:]), units, out / f"seed-{seed}.json", few)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "nsl_kdd", help="the folder of NSL-KDD")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--many", type=int, default=1000, help="test rows of a seed")
    parser.add_argument("--few", type=int, default=300, help="of these, for attacks that average over draws")
    options = parser.parse_args()
    try:
        train_rows, test_rows = data_of(options.data)
    except ValueError as error:
        sys.exit(f"{error}; name the folder with --data")
    if len(test_rows) < (need := options.many * (max(options.seeds) + 1)):
        sys.exit(f"{options.data} has {len(test_rows)} test rows, and these seeds need {need}: take fewer with --many or --seeds")
    of_one_data(options.out, [train_rows, test_rows])
    torch.set_num_threads(1)
    for seed in options.seeds:
        study = prepare(seed, options.data, options.out, options.many, options.few)
        run(study)
        if seed == 0:
            study.keep("check_defense", lambda: checked_defense(study, 0.1, 5))
        report(options.out, options.few)


if __name__ == "__main__":
    main()
