"One interface for all that purifies: what `as_purifier` makes of it, `Defended` over it, and votes by a rule of one's own."

import json
from dataclasses import dataclass
from functools import partial

import pytest
import torch
from torch import nn

from videopure.baselines import JPEG, DDIMInversion, GaussianBlur, RandomizedSmoothing
from videopure.defense import Defended
from videopure.evaluate import benchmark
from videopure.pipeline import VideoPurePipeline
from videopure.purifier import NoGradientError, Purifier, Records, VideoPure, as_purifier, device_of, evaluating, seeded
from videopure.tiny import tiny_classifier
from videopure.video import ClipError, VideoPureError, moving_shapes
from videopure.voting import RULES, Rule, certain, find_rule, vote, vote_early, vote_scores

CLIPS, LABELS = moving_shapes(3, seed=21, frames=6, size=16)


@pytest.fixture(scope="module")
def pipe():
    return VideoPurePipeline.tiny()


@pytest.fixture(scope="module")
def classifier():
    return tiny_classifier()


def darker(video, by=0.1):
    return (video - by).clamp(0, 1)


def three(video):
    "Three records."
    return torch.stack([darker(video, by) for by in (0.0, 0.1, 0.2)], 1)


class Net(nn.Module):
    "A network as purifier; remembers in which modes its parts were called."

    def __init__(self):
        super().__init__()
        self.layer, self.still, self.seen = nn.Conv3d(3, 3, 1), nn.Dropout(0.9), []

    def forward(self, video, by=0.0):
        self.seen.append((self.training, self.layer.training, self.still.training))
        return darker(self.still(self.layer(video)).sigmoid(), by)


def training_net():
    torch.manual_seed(0)
    net = Net().train()
    net.layer.eval()
    return net


class Clean(Purifier):
    "The least that a purifier is."

    def __call__(self, video):
        return darker(video)


class Callable:
    "An object of a class that knows nothing of purifiers."

    def __init__(self, by=0.1):
        self.by, self._hidden, self.table = by, 3, {}

    def __call__(self, video):
        return darker(video, self.by)


@dataclass
class Steps:
    "A dataclass of one's own with a setting that surrogates reduce."

    purify_steps: int = 4

    def __call__(self, video):
        return torch.stack([darker(video, 0.05 * s) for s in range(self.purify_steps + 1)], 1)


@dataclass
class StepsPurifier(Purifier):
    "The same as a `Purifier`."

    purify_steps: int = 4
    __call__ = Steps.__call__


KINDS = {
    "pipeline": (lambda pipe: pipe, 5),
    "partial of a pipeline": (lambda pipe: partial(pipe, purify_steps=2), 3),
    "VideoPure": (lambda pipe: VideoPure(pipe, purify_steps=1), 2),
    "Purifier": (lambda pipe: Clean(), 1),
    "class of a Purifier": (lambda pipe: Clean, 1),
    "class": (lambda pipe: Callable, 1),
    "object": (lambda pipe: Callable(0.2), 1),
    "function": (lambda pipe: darker, 1),
    "lambda": (lambda pipe: lambda video: 1 - video, 1),
    "function of records": (lambda pipe: three, 3),
    "partial of a function": (lambda pipe: partial(darker, by=0.2), 1),
    "module": (lambda pipe: training_net(), 1),
    "partial of a module": (lambda pipe: partial(training_net(), by=0.1), 1),
    "dataclass": (lambda pipe: Steps(), 5),
    "dataclass that is a Purifier": (lambda pipe: StepsPurifier(2), 3),
    "baseline": (lambda pipe: JPEG(50), 1),
    "random baseline": (lambda pipe: RandomizedSmoothing(0.05, 3), 3),
}
kind = pytest.mark.parametrize(("make", "count"), KINDS.values(), ids=KINDS)


@kind
def test_as_purifier(make, count, pipe):
    purifier = as_purifier(make(pipe))
    assert isinstance(purifier, Purifier) and as_purifier(purifier) is purifier
    with torch.no_grad(), seeded(0):
        records = purifier.records(CLIPS)
    assert len(records) == count == len(list(records)) and isinstance(records, Records)
    assert all(record.shape == CLIPS.shape and record.isfinite().all() for record in records)
    assert torch.equal(records(count - 1, torch.tensor([2, 0])), records(count - 1)[[2, 0]])
    assert torch.equal(records(0, slice(1, 2)), records(0)[1:2])
    with torch.no_grad(), seeded(0):
        direct = purifier(CLIPS)
    direct = direct if direct.ndim == 6 else direct[:, None]
    assert torch.equal(torch.stack(list(records), 1), direct)
    about = purifier.describe()
    assert about["method"] and json.loads(json.dumps(about)) == about and about == as_purifier(make(pipe)).describe()
    assert repr(purifier) and purifier.settings().items() <= about.items()


@kind
def test_defended_over_each(make, count, pipe, classifier):
    model = Defended(classifier, make(pipe))
    with seeded(0):
        scores = model(CLIPS)
    with seeded(0):
        found = model.vote(CLIPS)
    with seeded(0):
        labels = model.predict(CLIPS)
    assert scores.shape == (3, 10) and found.logits.shape == (3, count, 10)
    assert torch.equal(scores.argmax(1), found.labels) and torch.equal(labels, found.labels)
    with seeded(0):
        assert torch.equal(model.predict(CLIPS, model.purifier.records(CLIPS)), labels)
    for sees in ("bpda", "classifier"):
        attacked = Defended(classifier, make(pipe), sees=sees)
        clips = CLIPS.clone().requires_grad_()
        with seeded(0):
            seen = attacked(clips)
        assert torch.equal(seen.detach(), scores.detach())
        assert torch.autograd.grad(seen.sum(), clips)[0].isfinite().all()


def test_what_is_no_purifier():
    assert as_purifier(None) is None
    for part in (7, "jpeg", [], torch.rand(2)):
        with pytest.raises(VideoPureError, match="called with clips") as error:
            as_purifier(part)
        assert "\n" not in str(error.value)


def test_a_defense_needs_a_purifier(classifier):
    for part in (None, 7):
        with pytest.raises(VideoPureError) as error:
            Defended(classifier, part)
        assert "\n" not in str(error.value)


WRONG = {
    "one clip": lambda video: video[0],
    "fewer clips": lambda video: video[:2],
    "grey clips": lambda video: video.mean(1),
    "colours last": lambda video: video.permute(0, 2, 3, 4, 1),
    "no colours of records": lambda video: video[:, :, None],
    "nothing": lambda video: None,
    "a number": lambda video: 3.0,
    "a tuple": lambda video: (video,),
    "a list": lambda video: [video],
    "a dictionary": lambda video: {"videos": video},
}


@pytest.mark.parametrize("purifier", WRONG.values(), ids=WRONG)
def test_what_a_purifier_may_not_return(purifier, classifier):
    for use in (as_purifier(purifier).records, Defended(classifier, purifier).vote):
        with pytest.raises(ClipError, match=r"expected \(B, 3, T, H, W\) or \(B, S, 3, T, H, W\) with B = 3") as error:
            use(CLIPS)
        assert "\n" not in str(error.value)


# modules


def test_a_module_stays_out_of_training_inside_and_gets_its_modes_back(classifier):
    net = training_net()
    for purifier in (net, partial(net, by=0.1)):
        for use in (as_purifier(purifier), as_purifier(purifier).records, Defended(classifier, purifier).vote):
            use(CLIPS)
    assert set(net.seen) == {(False, False, False)} and len(net.seen) == 6
    assert (net.training, net.layer.training, net.still.training) == (True, False, True)
    with pytest.raises(RuntimeError):
        as_purifier(net)(CLIPS[:, :2])
    assert (net.training, net.layer.training, net.still.training) == (True, False, True)
    assert as_purifier(net).describe()["weights"] == as_purifier(partial(net, by=0.1)).describe()["weights"]


def test_a_module_goes_where_the_defense_goes(classifier):
    net = training_net()
    model = Defended(tiny_classifier(), net).double()
    assert net.layer.weight.dtype == torch.float64 and model(CLIPS.double()).dtype == torch.float64
    assert model.train() is model and not model.classifier.training
    assert device_of(net) == torch.device("cpu") == device_of(nn.Identity())
    with evaluating(darker), evaluating(net):
        assert not net.still.training
    assert net.still.training


def test_weights_are_described():
    net = training_net()
    before = as_purifier(net).describe()
    assert before["method"] == "test_purifier:Net"
    net.layer.weight.data += 1
    assert as_purifier(net).describe() != before


# random ones


def noisy(video):
    return video + 0.1 * torch.randn_like(video)


class Noisy:
    "Random, with a generator of its own."

    random = True

    def __init__(self, seed):
        self.generator = torch.Generator().manual_seed(seed)

    def __call__(self, video, scale=0.1):
        return video + scale * torch.randn(video.shape, generator=self.generator)


def test_random_and_generator_are_passed_on(classifier):
    assert not as_purifier(noisy).random and as_purifier(noisy).generator is None
    own = Noisy(3)
    for part in (own, partial(own, scale=0.2)):
        purifier = as_purifier(part)
        assert purifier.random and purifier.generator is own.generator
    with seeded(5, purifier=as_purifier(own)):
        first = as_purifier(own)(CLIPS)
    with seeded(5, purifier=as_purifier(own)):
        assert torch.equal(as_purifier(own)(CLIPS), first)
    assert not torch.equal(own(CLIPS), first)


def test_seeding_shows_nothing_outside():
    own = as_purifier(Noisy(3))
    states = own.generator.get_state(), torch.get_rng_state()
    with pytest.raises(KeyError), seeded(1, purifier=own):
        own(CLIPS), torch.rand(3)
        raise KeyError
    assert torch.equal(own.generator.get_state(), states[0]) and torch.equal(torch.get_rng_state(), states[1])
    with seeded(None, purifier=own):
        own(CLIPS), torch.rand(3)
    assert not torch.equal(own.generator.get_state(), states[0]) and not torch.equal(torch.get_rng_state(), states[1])


# settings


def test_settings_of_each_kind(pipe):
    assert as_purifier(Callable(0.3)).settings() == {"by": 0.3}
    assert as_purifier(partial(darker, by=0.3)).settings() == {"by": 0.3} and as_purifier(darker).settings() == {}
    assert as_purifier(partial(darker, by=0.3)).describe() == {"method": "test_purifier:darker", "by": 0.3}
    assert as_purifier(Steps(2)).describe() == {"method": "test_purifier:Steps", "purify_steps": 2}
    assert StepsPurifier(2).describe() == {"method": "test_purifier:StepsPurifier", "purify_steps": 2}
    assert JPEG(7).describe() == {"method": "JPEG", "quality": 7} and Clean().describe() == {"method": "test_purifier:Clean"}
    about = as_purifier(partial(pipe, purify_steps=2)).describe()
    assert about["method"] == "VideoPure" and about["purify_steps"] == 2 and about["temporal_scale"] == pipe.config["temporal_scale"]
    assert about["weights"] == as_purifier(pipe).describe()["weights"] == DDIMInversion(pipe).describe()["weights"]
    half = VideoPurePipeline.tiny().to(torch.bfloat16)
    assert as_purifier(half).describe()["weights"].endswith("in bfloat16")


def test_descriptions_hold_no_addresses(pipe):
    "A run that goes on in another process compares descriptions."
    for purifier in (partial(pipe, sign=torch.sign), partial(pipe, flow=darker), partial(darker, by=darker)):
        assert " at 0x" not in json.dumps(as_purifier(purifier).describe())
    flows = (torch.zeros(1, 5, 2, 8, 8), torch.ones(1, 5, 2, 8, 8))
    assert len({json.dumps(as_purifier(partial(pipe, flow=flow)).describe()) for flow in flows}) == 2


def test_with_settings_leaves_the_old_one_alone(pipe):
    for purifier, name in ((as_purifier(Steps()), "purify_steps"), (StepsPurifier(), "purify_steps"), (JPEG(), "quality"),
                           (as_purifier(partial(darker, by=1)), "by"), (as_purifier(pipe), "purify_steps")):  # fmt: skip
        before = purifier.settings()
        changed = purifier.with_settings(**{name: 2})
        assert isinstance(changed, Purifier) and changed.settings()[name] == 2 and purifier.settings() == before != changed.settings()
    assert torch.equal(as_purifier(darker).with_settings(by=0.3)(CLIPS), darker(CLIPS, 0.3))


@pytest.mark.parametrize("make", [KINDS[name][0] for name in ("pipeline", "dataclass that is a Purifier", "baseline", "Purifier")])
def test_unknown_settings_of_purifiers(make, pipe):
    with pytest.raises(VideoPureError, match="nonsense") as error:
        as_purifier(make(pipe)).with_settings(nonsense=3)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("make", [KINDS[name][0] for name in ("function", "object", "partial of a function", "module", "dataclass")])
def test_unknown_settings_of_callables(make, pipe):
    with pytest.raises(VideoPureError, match="nonsense") as error:
        as_purifier(make(pipe)).with_settings(nonsense=3)
    assert "\n" not in str(error.value)


def test_bad_values_are_refused(pipe):
    for make in (
        lambda: as_purifier(partial(pipe, purify_steps=0)),
        lambda: as_purifier(partial(pipe, nonsense=1)),
        lambda: as_purifier(pipe).fewer(0),
        lambda: JPEG().with_settings(quality=0),
        lambda: VideoPure(pipe, spatial_scale=float("nan")),
        lambda: VideoPure(pipe, output_type="latent"),
        lambda: VideoPure(pipe, return_dict=False),
    ):
        with pytest.raises(VideoPureError) as error:
            make()
        assert "\n" not in str(error.value)


def test_fewer_steps(pipe):
    for purifier, count in ((Steps(), 3), (StepsPurifier(), 3), (pipe, 3), (partial(pipe, purify_steps=6), 3), (DDIMInversion(pipe), 1),
                            (partial(lambda video, purify_steps: Steps(purify_steps)(video), purify_steps=4), 3)):  # fmt: skip
        fewer = as_purifier(purifier).fewer(2)
        assert fewer.settings()["purify_steps"] == 2 and len(fewer.records(CLIPS[:1])) == count


@pytest.mark.parametrize("purifier", [darker, GaussianBlur(), Clean(), Callable(), training_net()], ids=lambda p: type(p).__name__)
def test_no_steps_to_reduce(purifier):
    with pytest.raises(NoGradientError, match="bpda") as error:
        as_purifier(purifier).fewer(2)
    assert "\n" not in str(error.value)


def test_surrogate_of_ones_own_dataclass(classifier):
    exact, cheap = (Defended(classifier, Steps(3), sees=sees) for sees in ("full", "surrogate-1"))
    clips = CLIPS.clone().requires_grad_()
    assert torch.equal(exact(CLIPS), cheap(clips))
    assert torch.autograd.grad(cheap(clips).sum(), clips)[0].abs().sum() > 0


# VideoPure


@pytest.mark.parametrize("settings", [{}, {"purify_steps": 2}, {"temporal_scale": 0.0, "purify_steps": 3, "num_inference_steps": 40}])
def test_videopure_is_the_pipeline_bit_for_bit(pipe, settings):
    expected = pipe(CLIPS, **settings).videos
    for purifier in (VideoPure(pipe, **settings), as_purifier(partial(pipe, **settings)), as_purifier(pipe).with_settings(**settings)):
        assert torch.equal(purifier(CLIPS), expected) and purifier.pipe is pipe and purifier.predictor is pipe.unet
        assert torch.equal(torch.stack(list(purifier.records(CLIPS)), 1), expected)


def test_videopure_records_are_decoded_when_asked_for(pipe, classifier, monkeypatch):
    decoded, decode = [], pipe.decode_records
    monkeypatch.setattr(pipe, "decode_records", lambda latents, *rest: decoded.append(tuple(latents.shape[:2])) or decode(latents, *rest))
    purifier = VideoPure(pipe, purify_steps=4)
    records = purifier.records(CLIPS[..., :13])
    assert decoded == [] and len(records) == 5
    assert records(4).shape == CLIPS[..., :13].shape and decoded == [(3, 1)]
    records(0, torch.tensor([1]))
    assert decoded == [(3, 1), (1, 1)]
    decoded.clear()
    Defended(lambda_classifier(), purifier, "majority-lowest-index").predict(CLIPS)
    assert decoded == [(3, 1)] * 3, "three of five votes decide"


def lambda_classifier():
    "One that always says 0."
    classifier = tiny_classifier()
    classifier.head.weight.data.zero_(), classifier.head.bias.data.copy_(torch.arange(10).flip(0))
    return classifier


# rules of one's own


def veto(counts, probability):
    "The class with most votes, but class 0 wins as soon as a single record says so."
    return torch.cat([counts[:, :1] * 1000, counts[:, 1:]], 1)


@pytest.fixture
def rules(monkeypatch):
    "Two rules beside those of the package: one of votes that may be cut short, one that may not."
    monkeypatch.setitem(RULES, "veto", Rule(veto))
    monkeypatch.setitem(
        RULES, "highest-index", Rule(lambda counts, p: counts + torch.arange(counts.shape[1]) / counts.shape[1], counts=True)
    )


LOGITS = torch.tensor([[[0, 5, 0], [0, 5, 0], [1, 0, 0]], [[0, 5, 0], [0, 5, 1], [0, 0, 5]], [[5.0, 0, 0], [0, 5, 0], [0, 0, 5]]])


@pytest.mark.parametrize(("rule", "labels"), [("veto", [0, 1, 0]), ("highest-index", [1, 1, 2]), (None, [1, 1, 0])])
def test_rules_of_ones_own(rules, rule, labels):
    assert find_rule(rule) == (rule or "majority") and vote(LOGITS, rule).labels.tolist() == labels
    assert vote_scores(LOGITS, rule).argmax(1).tolist() == labels
    if RULES[find_rule(rule)].counts:
        assert vote_early(lambda s, rows: LOGITS[rows, s], 3, 3, rule)[0].tolist() == labels
    else:
        with pytest.raises(VideoPureError, match="cannot stop early.*highest-index"):
            vote_early(lambda s, rows: LOGITS[rows, s], 3, 3, rule)
    assert certain(torch.tensor([[2, 0, 1], [2, 0, 0]]), 1).tolist() == [False, True]


class Says(nn.Module):
    "A classifier that sees the vote in the clip: the logits are the first pixels of the first frame."

    def __init__(self):
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, video):
        return video[:, 0, 0, 0, :3] * 5


def as_records(video):
    "Three records, the rows of the first frame, each in the place of the first."
    return torch.stack([video.roll(-row, 3) for row in range(3)], 1)


@pytest.mark.parametrize(("rule", "labels"), [("veto", [0, 1, 0]), ("highest-index", [1, 1, 2])])
def test_rules_of_ones_own_in_defenses_and_benchmarks(rules, rule, labels):
    clips = torch.zeros(3, 3, 4, 8, 8)
    clips[:, 0, 0, :3, :3] = LOGITS / 5
    model = Defended(Says(), as_records, rule)
    assert torch.equal(model.vote(clips).logits, LOGITS)
    assert model.vote(clips).labels.tolist() == model.predict(clips).tolist() == model(clips).argmax(1).tolist() == labels
    defenses = {"ours": model, "default": as_records}
    card = benchmark(
        Says(), defenses, (clips, torch.tensor(labels)), {"noise": {"method": "noise", "sees": "scores", "eps": 0.0}}, progress=False
    )
    assert card.accuracy("ours").right == card.accuracy("ours", "noise").right == 3 > card.accuracy("default").right
    assert card.config["defenses"]["ours"]["rule"] == rule and card.config["defenses"]["default"]["rule"] == "majority"


def test_unknown_rules(rules, classifier):
    for make in (lambda: Defended(classifier, darker, "vito"), lambda: vote(LOGITS, "vito"), lambda: vote_scores(LOGITS, "vito")):
        with pytest.raises(VideoPureError, match="unknown vote rule 'vito'.*veto") as error:
            make()
        assert "\n" not in str(error.value)


def test_records_are_decoded_in_the_chunks_that_were_asked_for(monkeypatch):
    pipe, seen = VideoPurePipeline.tiny(), []
    decode = type(pipe.vae).decode
    monkeypatch.setattr(type(pipe.vae), "decode", lambda self, z: seen.append(len(z)) or decode(self, z))
    VideoPure(pipe, purify_steps=1, decode_chunk=3).records(moving_shapes(1, seed=3)[0])(0)
    assert seen == [3, 3, 3, 3, 3, 1]
