"The sanity suite catches what it should: each check is failed by a defense made for it, and passed by an honest one."

import json
from functools import partial

import pytest
import torch
from torch import nn

from videopure.attacks import ATTACKS, PGD
from videopure.baselines import H264, JPEG, BitDepth, GaussianBlur, MedianBlur
from videopure.defense import Defended
from videopure.protocols import AttackSpec
from videopure.masked import _Pretended
from videopure.pipeline import VideoPurePipeline
from videopure.report import judge
from videopure.sanity import (
    CHECKS,
    Inspection,
    check_batch,
    check_blackbox,
    check_bpda,
    check_convergence,
    check_defense,
    check_deterministic,
    check_forward,
    check_full_gradient,
    check_gradients,
    check_larger_eps,
    check_memory,
    check_noise,
    check_own,
    check_promise,
    check_state,
    check_vote,
)
from videopure.suite import Averaged
from videopure.threats import THREATS
from videopure.tiny import tiny_classifier
from videopure.video import VideoPureError, moving_shapes

FAST = {"steps": 3, "queries": 10, "draws": 2, "eot": 2}


@pytest.fixture(scope="module")
def classifier():
    return tiny_classifier()


@pytest.fixture(scope="module")
def data():
    return moving_shapes(4, seed=93)


@pytest.fixture(scope="module")
def pipe():
    pipe = VideoPurePipeline.tiny()
    pipe.set_progress_bar_config(disable=True)
    pipe.disable_gradient_checkpointing()
    return pipe


@pytest.fixture
def look(classifier, data):
    return lambda purifier, **budget: Inspection(Defended(classifier, purifier), *data, **FAST | budget)


def ripple(video):
    "Invisible, and the sign of its gradient is as good as random."
    return (video + 1e-3 * torch.sin(1e5 * video)).clamp(0, 1)


def rounded(video):
    "A gradient that is there, and zero."
    return (video * 31).round() / 31


def root(video):
    "A gradient that is not finite."
    return video + 0 * (video - video).sqrt()


def half(video):
    "A gradient whose second half is zero: three quarters of the frames are cut off."
    return torch.cat([video[:, :, :4], video[:, :, 4:].detach()], 2)


def unfaithful(video):
    return video if torch.is_grad_enabled() else 0.9 * video


def sociable(video):
    return 0.9 * video + 0.1 * video.mean(0, keepdim=True)


OWN = torch.Generator().manual_seed(5)  # torch's random state stays as it is
BLUR = GaussianBlur(1.0)
MASKS = {
    "random": lambda grad: torch.randn(grad.shape, generator=OWN) * grad.abs().mean(),
    "reversed": lambda grad: -grad,
    "shuffled in time": lambda grad: grad.roll(5, 2),
    "small": lambda grad: 0.02 * grad,
}


def masked(mask, far):
    "A purifier, near the identity or far from it, with a gradient of its own."

    def purify(video):
        clean = BLUR(video).detach()
        return _Pretended.apply(video, (2 * clean - video.detach()).clamp(0, 1) if far else clean, MASKS[mask])

    return purify


def remembering(known, far=0.12):
    "Returns what it gave for a clip nearby; where it keeps its clips is not its matter."

    def once(clip):
        found = next((new for old, new in known if old.shape == clip.shape and (old - clip).abs().max() < far), None)
        if found is None:
            known.append((clip.detach().clone(), found := BLUR(clip)))
        return found + 0 * clip

    return lambda video: torch.cat([once(clip) for clip in video.split(1)])


class Remembering:
    "The same with its memory in an attribute."

    def __init__(self, first_only=False):
        self.known, self.first_only = [], first_only

    def __call__(self, video):
        if self.first_only:  # what comes first is answered by the blur, all else by the mean of both
            self.known = self.known or [video.detach().clone()]
            same = self.known[0].shape == video.shape and torch.equal(self.known[0], video)
            return BLUR(video) if same else 0.9 * BLUR(video) + 0.1 * self.known[0][:1]
        return remembering(self.known)(video)


class Refuses:
    "Not a number, or an error, for what looks attacked."

    def __init__(self, error=False, most=0.05):
        self.error, self.most = error, most

    def __call__(self, video):
        blurred = BLUR(video)
        rough = (video - blurred).abs().flatten(1).mean(1) > self.most
        if self.error and rough.any():
            raise VideoPureError("this clip looks attacked")
        return torch.where(rough[:, None, None, None, None], torch.nan, blurred)


class Scaled(nn.Module):
    "Logits so many times as large."

    def __init__(self, classifier, scale):
        super().__init__()
        self.classifier, self.scale = classifier, scale

    def forward(self, video):
        return self.scale * self.classifier(video)


def to_numpy(video):
    return torch.from_numpy(video.numpy() * 1)


class Noise:
    def __init__(self, sigma=0.02):
        self.sigma = sigma

    def __call__(self, video):
        return (video + self.sigma * torch.randn_like(video)).clamp(0, 1)


class DeclaredNoise(Noise):
    random = True


class OtherVote(Defended):
    "Scores that are not those of the vote."

    def forward(self, video):
        return super().forward(video).flip(1)


@pytest.mark.parametrize(
    "check", [check_deterministic, check_vote, check_forward, check_batch, check_promise, check_gradients, check_state, check_memory]
)
def test_blur_passes(look, check):
    assert check(look(GaussianBlur())).verdict == "passed"


@pytest.mark.parametrize(
    ("check", "purifier"),
    [
        (check_deterministic, Noise()),
        (check_forward, unfaithful),
        (check_batch, sociable),
        (check_gradients, rounded),
        (check_gradients, root),
        (check_gradients, to_numpy),
    ],
)
def test_failed_by_one_made_for_it(look, check, purifier):
    found = look(purifier)
    assert check(found).verdict == "failed"
    others = [c for c in (check_deterministic, check_forward, check_batch, check_gradients, check_state, check_vote) if c is not check]
    assert "failed" not in [c(found).verdict for c in others]


@pytest.mark.parametrize("far", [False, True], ids=["near", "far from the identity"])
@pytest.mark.parametrize("mask", MASKS)
def test_a_gradient_that_breaks_its_promise(mask, far, look):
    "Masks that no other attack need contradict; those that are only reversed and far are half right."
    kept = look(masked(mask, far)).kept_promises("full gradient").median().item()
    verdict = check_promise(look(masked(mask, far))).verdict
    assert verdict == ("failed" if not 0.4 <= kept <= 4 else "warning" if not 0.5 <= kept <= 2 else "passed")
    assert verdict == "failed" or (mask, far) == ("reversed", True)


HONEST = {"blur": BLUR, "median": MedianBlur(), "noise": DeclaredNoise(), "far": lambda video: (2 * BLUR(video) - video).clamp(0, 1)}


@pytest.mark.parametrize("purifier", HONEST.values(), ids=HONEST)
def test_an_honest_gradient_keeps_its_promise(purifier, look):
    "Random ones too: the noise is the same before and after the step."
    assert check_promise(look(purifier)).verdict == "passed"


@pytest.mark.slow
def test_videopure_keeps_its_promise(classifier, data, pipe):
    "But for the jumps of its sign; none of the checks of a gradient fails."
    found = Inspection(Defended(classifier, pipe), *(part[:2] for part in data), **FAST)
    assert check_promise(found).verdict == check_gradients(found).verdict == check_memory(found).verdict == "passed"
    assert 0.5 < found.kept_promises("full gradient").median() < 0.9


def test_a_gradient_without_a_promise(look, classifier, data):
    assert [check_promise(look(purifier)).verdict for purifier in (rounded, JPEG(50))] == ["not applicable"] * 2
    assert check_promise(Inspection(classifier, *data, **FAST)).verdict == "passed"


MEMORIES = {"attribute": Remembering, "closure": lambda: remembering([]), "first": lambda: Remembering(first_only=True)}


@pytest.mark.parametrize("purifier", MEMORIES.values(), ids=MEMORIES)
def test_a_memory_of_clips_is_found(purifier, look):
    "Wherever it is kept, and whether it gives the old answer or one that depends on it."
    found = check_memory(look(purifier(), grid=[]))
    assert found.verdict == "failed" and "take the memory out" in found.meaning


MEMORYLESS = {"JPEG": JPEG(10), "bits": BitDepth(3), "codec": H264(35), "median": MedianBlur()}


@pytest.mark.parametrize("purifier", MEMORYLESS.values(), ids=MEMORYLESS)
def test_rounding_is_no_memory(purifier, look):
    assert check_memory(look(purifier, grid=[])).verdict == "passed"


def test_no_answer_is_never_a_right_one(look):
    "Where an attack meets a clip that is refused, this clip is not defended: a larger eps never helps."
    found = look(Refuses(error=True), steps=2)
    left = [int(found.survives("full gradient", eps).sum()) for eps in found.grid[-2:]]
    assert left == [0, 0] and "looks attacked" in check_gradients(found).meaning
    assert not found.right(torch.full_like(found.clips, torch.nan)).any()
    assert not look(lambda video: video).right(torch.zeros_like(found.clips) / 0).any()


def test_a_clip_without_an_answer_does_not_take_the_others_along(classifier, data):
    "Only the clip that the model refuses counts as broken."
    clips, labels = data

    class Picky(nn.Module):
        def __init__(self):
            super().__init__()
            self.classifier = classifier

        def forward(self, video):
            if ((video - clips[2]).abs().flatten(1).amax(1) < 0.2).any() and (not torch.equal(video[:1], clips[:1]) and len(video) != 1):
                raise VideoPureError("not this one")
            return classifier(video)

    found = Inspection(classifier, clips, labels, **FAST)
    found.judged = found.modes["full gradient"] = Picky()
    assert torch.equal(found.right(clips.flip(0)), (classifier(clips.flip(0)).argmax(1) == labels))


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
def test_tolerances_are_relative(scale, classifier, data):
    "Rounding of large logits is no influence, and an influence on small ones is."
    clips, labels = data
    honest = Inspection(Scaled(classifier, scale), clips, labels, **FAST)
    assert check_batch(honest).verdict == check_forward(honest).verdict == "passed"
    for check, purifier in ((check_batch, sociable), (check_forward, unfaithful)):
        model = Scaled(Defended(classifier, purifier), scale)
        assert check(Inspection(model, clips, labels, **FAST)).verdict == "failed"


DECIDED = [{"eps": "2/255"}, {"threat": "L2"}, {"n_clips": 2}, {"uint8": True}, AttackSpec(n_clips=2), AttackSpec(uint8=True)]


@pytest.mark.parametrize("table", DECIDED, ids=str)
def test_what_the_report_decides_cannot_be_set_in_an_attack(table, look):
    with pytest.raises(VideoPureError, match="which check_defense sets for all attacks alike: leave it out"):
        look(GaussianBlur(), attacks={"mine": table})


def test_labels_of_any_whole_numbers(look, classifier, data):
    clips, labels = data
    for same in (labels.int(), labels.numpy(), labels.tolist(), labels.to(torch.uint8)):
        assert torch.equal(Inspection(classifier, clips, same, **FAST).labels, labels)


def test_gradient_of_each_kind(look):
    zero, infinite, cut = (check_gradients(look(purifier)) for purifier in (rounded, root, half))
    assert "Gradient masking" in zero.meaning and "full gradient: 100 % zeros, zero everywhere in 4 of 4" in zero.numbers
    assert "not finite in 4" in infinite.numbers
    assert cut.verdict == "warning" and "75 % zeros" in cut.numbers
    assert "numpy" in check_gradients(look(to_numpy)).meaning


def test_random(look):
    declared, silent = look(DeclaredNoise()), look(Noise())
    assert [check_deterministic(declared).verdict, check_deterministic(silent).verdict] == ["passed", "failed"]
    assert "EOT" in check_deterministic(declared).meaning and declared.attack("BPDA", 0.1).eot == 2
    for check in (check_batch, check_forward, check_vote):
        assert check(declared).verdict == check(silent).verdict == "not applicable"
    fixed = DeclaredNoise(sigma=0)
    assert check_deterministic(look(fixed)).verdict == "warning"


def test_averaged(classifier, data):
    clips, labels = data
    assert torch.equal(Averaged(classifier, 3)(clips).argmax(1), labels)
    torch.testing.assert_close(Averaged(classifier, 3)(clips).softmax(1), classifier(clips).softmax(1))


def test_vote(classifier, data):
    clips, labels = data
    assert check_vote(Inspection(OtherVote(classifier, GaussianBlur()), clips, 9 - labels, **FAST)).verdict == "failed"
    assert check_vote(Inspection(classifier, clips, labels, **FAST)).verdict == "not applicable"


def test_state(classifier, data):
    def inplace(video):
        return video.detach().mul_(0.95)

    def reseeding(video):
        torch.manual_seed(0)
        return 1.0 * video

    def training(video):
        other.classifier.train()
        return 1.0 * video

    def frozen(video):
        for p in other.classifier.parameters():
            p.requires_grad_(False)
        return 1.0 * video

    other = Defended(tiny_classifier(), training)
    assert check_state(Inspection(other, *data, **FAST)).verdict == "passed", "modes are put back for all"
    assert check_state(Inspection(Defended(tiny_classifier(), inplace), *data, **FAST)).verdict == "passed", "it works on a copy"
    for purifier, what in ((reseeding, "random state"), (frozen, "requires_grad")):
        other = Defended(tiny_classifier().requires_grad_(), purifier)
        with torch.random.fork_rng():
            found = check_state(Inspection(other, *data, **FAST))
        assert found.verdict == "failed" and what in found.numbers, found


@pytest.mark.slow
def test_larger_eps(look):
    assert check_larger_eps(look(GaussianBlur())).verdict == "passed"
    stuck = check_larger_eps(look(rounded))
    assert stuck.verdict == "failed" and "4 clips survive eps 1" in stuck.meaning
    fake = look(GaussianBlur())
    for eps, broken in zip(fake.grid, (4, 2, 4, 4)):  # more survive at the second size
        fake.found["full gradient", eps] = torch.arange(4) >= broken
    assert check_larger_eps(fake).verdict == "failed" and "unreliable" in check_larger_eps(fake).meaning


@pytest.mark.slow
def test_masked_gradient(look):
    found = look(ripple, steps=10, eps=16 / 255, grid=[])
    assert [c(found).verdict for c in (check_full_gradient, check_blackbox, check_gradients)] == ["failed", "failed", "passed"]
    assert all("Gradient masking" in c(found).meaning for c in (check_full_gradient, check_blackbox))
    honest = look(GaussianBlur(), steps=10, grid=[])
    assert [c(honest).verdict for c in (check_full_gradient, check_blackbox)] == ["passed", "passed"]


@pytest.mark.slow
def test_bpda(look):
    found = look(GaussianBlur())
    found.found = {(a, eps): torch.full((4,), a == "BPDA") for a in ("full gradient", "BPDA", "Square") for eps in found.below}
    assert check_bpda(found).verdict == "warning" and "misleading" in check_bpda(found).meaning
    assert check_bpda(look(GaussianBlur(0.5), steps=10)).verdict == "passed"


def test_noise(look, classifier, data):
    assert check_noise(look(GaussianBlur())).verdict == "passed"
    brittle = look(GaussianBlur(), eps=0.5, steps=1)
    assert check_noise(brittle).verdict == "failed" and "as many as the attack" in check_noise(brittle).meaning
    brittle.found["noise", 0.5] = torch.tensor([False, True, True, True])
    brittle.found["full gradient", 0.5] = torch.zeros(4, dtype=torch.bool)
    assert check_noise(brittle).verdict == "warning"


def test_convergence(look):
    short = look(GaussianBlur(), steps=1, eps=2 / 255, grid=[])
    assert check_convergence(look(GaussianBlur(), steps=10, eps=32 / 255, grid=[])).verdict == "passed"
    short.found["full gradient", 2 / 255] = torch.ones(4, dtype=torch.bool)
    short.found["full gradient", 2 / 255, ("steps", 2)] = torch.tensor([True, False, False, False])
    found = check_convergence(short)
    assert found.verdict == "failed" and "1 to 2 steps: 3 of 4" in found.numbers and "more steps" in found.meaning


@pytest.mark.slow
def test_without_gradient(classifier, data):
    report = check_defense(Defended(classifier, JPEG(60)), *data, progress=False, grid=[], **FAST)
    assert report["gradients are finite and not zero"].verdict == "warning"
    assert any("No gradient: only BPDA and black-box were tried" in flag for flag in report.flags)
    assert report["full gradient ≥ BPDA"].verdict == "not applicable" and "full gradient" not in report.curves
    bits = Inspection(Defended(classifier, BitDepth(6)), *data, **FAST)
    assert bits.strongest() == "BPDA" and check_larger_eps(bits).verdict == "passed"


@pytest.mark.slow
def test_report(classifier, data):
    defended = Defended(classifier, GaussianBlur())
    run = partial(check_defense, defended, *data, progress=False, grid=[], **FAST | {"steps": 10})
    state, report = torch.get_rng_state(), run()
    assert torch.equal(torch.get_rng_state(), state) and torch.is_grad_enabled() and not classifier.training
    assert len(report.checks) == len(CHECKS) == len({c.name for c in report.checks})
    assert report.passed and report.title == "GaussianBlur"
    for shown in (str(report), report._repr_html_(), report._repr_markdown_()):
        assert all(text in shown for text in ("passed", "BPDA", "8/255", "seed 0", "steps 10"))
    again = run().to_dict() | {"budget": None}
    assert json.loads(json.dumps(again)) == report.to_dict() | {"budget": None}
    assert len(report.plot().axes[0].lines) == len(report.curves) == 4
    assert report.curves["full gradient"][1.0].right == 0 and report.curves["noise"][0.0].n == 4


def test_no_grad_training_mode_and_bare_classifier(data):
    classifier = tiny_classifier().train()
    with torch.no_grad():
        report = check_defense(classifier, *data, progress=False, grid=[], **FAST | {"steps": 10})
    assert report.passed and report.title == "MotionClassifier" and classifier.training
    assert report["full gradient ≥ BPDA"].verdict == "not applicable"


def test_gradient_that_breaks_on_the_way(classifier, data):
    class Fragile(nn.Module):
        "Its gradient is finite at the clean clips only."

        def __init__(self):
            super().__init__()
            self.classifier = classifier

        def forward(self, video):
            return classifier(video if any(torch.equal(video, x) for x in (clean, clean[:1])) else root(video))

    clean = data[0]
    found = Inspection(Fragile(), *data, **FAST)
    assert check_promise(found).verdict == "failed" and "not finite" in check_promise(found).meaning


def testjudge():
    assert [judge(k, 10) for k in (-1, 0, 1, 2)] == ["passed", "passed", "warning", "failed"]
    assert [judge(k, 500) for k in (1, 10, 11)] == ["warning", "warning", "failed"]


def test_bad_input(classifier, data):
    clips, labels = data
    defended = Defended(classifier, GaussianBlur())
    for text, args, options in (
        ("nn.Module", (GaussianBlur(), clips, labels), {}),
        ("labels .* shape", (defended, clips, labels[:2]), {}),
        ("labels", (defended, clips, labels.float()), {}),
        ("labels below K", (defended, clips, labels + 50), {}),
        ("none of the 4 clips", (defended, clips, (labels + 1) % 10), {}),
        ("at least 2", (defended, clips[:1], labels[:1]), {}),
        ("unsqueeze", (defended, clips[0], labels[:1]), {}),
        ("8/255, not 8", (defended, clips, labels), {"eps": 8}),
        ("8/255, not 8", (defended, clips, labels), {"eps": "8"}),
        ("8/255, not 8", (defended, clips, labels), {"grid": [16]}),
        ("called 'n_clips' now", (defended, clips, labels), {"attacks": {"x": {"clips": 3}}}),
        ("unknown attack 'NoSuch'", (defended, clips, labels), {"attacks": {"x": "NoSuch"}}),
        ("speed", (defended, clips, labels), {"attacks": {"x": {"speed": 3}}}),
        ("eps is 0", (defended, clips, labels), {"eps": 0}),
        ("eps is", (defended, clips, labels), {"grid": ["x"]}),
        ("steps is 0", (defended, clips, labels), {"steps": 0}),
        ("queries is 1.5", (defended, clips, labels), {"queries": 1.5}),
        ("unknown loss", (defended, clips, labels), {"loss": "cw9"}),
        ("the loss is None", (defended, clips, labels), {"loss": None}),
        ("the loss is", (defended, clips, labels), {"loss": ["ce"]}),
        ("labels are", (defended, clips, "left"), {}),
        ("labels", (defended, clips, None), {}),
        ("not str", (defended, "clips", labels), {}),
        ("grid is '8/255'", (defended, clips, labels), {"grid": "8/255"}),
        ("grid is 3", (defended, clips, labels), {"grid": 3}),
        ("attacks", (defended, clips, labels), {"attacks": "pgd"}),
        ("attacks", (defended, clips, labels), {"attacks": ["pgd"]}),
        ("cannot be called 3", (defended, clips, labels), {"attacks": {3: "pgd"}}),
        ("cannot be called 'noise'", (defended, clips, labels), {"attacks": {"noise": "pgd"}}),
        ("seed is", (defended, clips, labels), {"seed": None}),
        ("seed is", (defended, clips, labels), {"seed": 0.5}),
        ("steps is None", (defended, clips, labels), {"steps": None}),
        ("eot is 'x'", (defended, clips, labels), {"eot": "x"}),
        ("batch_size is nan", (defended, clips, labels), {"batch_size": float("nan")}),
        ("threat", (defended, clips, labels), {"threat": 3}),
        ("eps is None", (defended, clips, labels), {"eps": None}),
    ):
        with pytest.raises(VideoPureError, match=text) as caught:
            check_defense(*args, progress=False, **options)
        assert "\n" not in str(caught.value)


PARTS = """
from videopure.attacks import PGD
from videopure.threats import Linf

class Step(PGD):
    def __init__(self, model, eps="8/255", **options):
        super().__init__(model, eps, steps=3, random_start=False, **{"early_stop": False, "best": False} | options)

class Narrow(PGD):
    "It takes nothing but eps."

    def __init__(self, model, eps="8/255"):
        super().__init__(model, eps, steps=3, random_start=False, early_stop=False, best=False)

class Small(Linf):
    "A threat model whose size must be given."

    def __init__(self, eps):
        super().__init__(eps)

class Darker(Linf):
    def shrink(self, delta, clips):
        return delta.clamp(-self.eps, 0)
"""


@pytest.fixture(scope="module")
def parts(own_module):
    return own_module("my_attacks", PARTS)


ATTACK_FORMS = {
    "class": lambda parts, defended: parts.Step,
    "word": lambda parts, defended: "my_attacks:Step",
    "name": lambda parts, defended: "step",
    "factory": lambda parts, defended: lambda model, eps: parts.Step(model, eps),
    "table": lambda parts, defended: {"method": "my_attacks:Step", "sees": "classifier"},
    "class of few options": lambda parts, defended: parts.Narrow,
    "spec": lambda parts, defended: AttackSpec(parts.Step),
}


@pytest.mark.slow
@pytest.mark.parametrize("form", ATTACK_FORMS.values(), ids=ATTACK_FORMS)
def test_an_attack_of_ones_own_in_every_form(form, look, parts, monkeypatch):
    "At each size; every form is the same attack."
    monkeypatch.setitem(ATTACKS, "step", parts.Step)
    blur = GaussianBlur()
    mine = form(parts, None)
    mine = mine if isinstance(mine, AttackSpec | dict) else {"method": mine, "sees": "classifier"}
    found = look(blur, attacks={"mine": mine})
    for eps in found.below:
        plain = PGD(found.model.classifier, eps, steps=3, random_start=False, early_stop=False, best=False)
        assert torch.equal(found.survives("mine", eps), found.right(plain(found.clips, found.labels)))


@pytest.mark.slow
def test_attacks_of_ones_own_in_the_report(classifier, data, parts):
    defended = Defended(classifier, GaussianBlur())
    calls = []

    def brighter(clips, labels):
        calls.append(len(clips))
        return (clips + 2 / 255).clamp(0, 1)

    mine = {"made": parts.Step(defended), "function": brighter, "BPDA of mine": {"sees": "bpda", "steps": 2}, "noise of mine": "noise"}
    report = check_defense(defended, *data, attacks=mine, progress=False, **FAST | {"steps": 10})
    assert calls and set(mine) < set(report.curves) and all(report.curves[name][8 / 255].n == 4 for name in mine)
    assert report["gradient ≥ attacks of your own"].verdict in ("passed", "warning", "failed")
    assert all(name in report["gradient ≥ attacks of your own"].numbers for name in mine)
    without = check_defense(defended, *data, progress=False, **FAST | {"steps": 10})
    assert without["gradient ≥ attacks of your own"].verdict == "not applicable"
    others = lambda report: {check.name: check.verdict for check in report.checks if "own" not in check.name}
    assert others(report) == others(without), "attacks of one's own say nothing about the defense itself"


def test_own(look):
    "An attack of one's own that does better than the gradient is gradient masking."
    found = look(ripple, attacks={"mine": "pgd"})
    found.found = {(a, eps): torch.full((4,), a == "full gradient") for a in ("full gradient", "mine") for eps in found.below}
    assert check_own(found).verdict == "failed" and "mine does better" in check_own(found).meaning
    found.found = {(a, eps): torch.full((4,), a == "mine") for a in ("full gradient", "mine") for eps in found.below}
    assert check_own(found).verdict == "passed"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["word", "class", "name", "object"])
def test_a_threat_in_every_form(kind, look, parts, monkeypatch):
    "Of each size that is asked for, also where a threat model is given as an object."
    monkeypatch.setitem(THREATS, "darker", parts.Darker)
    threat = {"word": "my_attacks:Darker", "class": parts.Darker, "name": "darker", "object": parts.Darker(8 / 255)}[kind]
    found = look(GaussianBlur(), threat=threat)
    assert [found.within(eps).eps for eps in found.below] == found.below
    for name in ("full gradient", "BPDA", "noise", "Square"):
        change = found.attack(name, 4 / 255)(found.clips, found.labels) - found.clips
        assert change.max() <= 1e-6 and -4 / 255 - 1e-6 <= change.min() < 0, name


@pytest.mark.parametrize("kind", ["my_attacks:Small", "class"])
def test_a_threat_whose_size_must_be_given(kind, look, parts):
    found = look(GaussianBlur(), threat=parts.Small if kind == "class" else kind)
    assert [found.within(eps).eps for eps in found.below] == found.below


@pytest.mark.slow
def test_a_threat_of_another_norm(classifier, data):
    "Sizes of L2 are not fractions of 1, and there is no size at which all is allowed."
    defended = Defended(classifier, GaussianBlur())
    report = check_defense(defended, *data, threat="L2", eps=8, grid=[4, "16"], progress=False, **FAST)
    assert set(report.curves["full gradient"]) == {0.0, 4.0, 8.0, 16.0}
    with pytest.raises(VideoPureError, match="unknown threat model 'L7': expected one of Linf, L2"):
        check_defense(defended, *data, threat="L7", progress=False)


def test_one_is_a_size_of_other_norms(look):
    assert look(GaussianBlur(), threat="L2", eps=1).below == [0.5, 1.0, 2.0]


def test_an_attack_that_is_made_already_is_compared_at_its_size(look, classifier):
    "It has one size: at a smaller one it would seem to do better than the gradient."
    blur = GaussianBlur()
    made = PGD(Defended(classifier, blur), 8 / 255, steps=10, random_start=False, progress=False)
    found = look(blur, attacks={"made": made})
    found.found = {("full gradient", eps): torch.full((4,), eps < 8 / 255) for eps in found.below}
    assert check_own(found).verdict == "passed"


@pytest.mark.parametrize("attack", ["NoSuch", {"speed": 3}, {"clips": 3}, {"method": "noise", "draws": 0}], ids=str)
def test_a_bad_attack_is_refused_before_any_work(attack, look):
    with pytest.raises(VideoPureError) as error:
        look(GaussianBlur(), attacks={"x": attack})
    assert "\n" not in str(error.value)


def test_eps_is_a_fraction(look):
    "8/255, its number and the string are the same; a grid as well."
    for eps in (8 / 255, "8/255"):
        found = look(GaussianBlur(), eps=eps, grid=["4/255", 16 / 255])
        assert found.eps == 8 / 255 and found.grid == [4 / 255, 8 / 255, 16 / 255, 1.0]
    assert look(GaussianBlur()).grid == [4 / 255, 8 / 255, 16 / 255, 1.0]


def test_an_empty_grid_is_eps_alone(look):
    assert look(GaussianBlur(), grid=[]).grid == [8 / 255, 1.0]


@pytest.mark.parametrize(("eps", "grid"), [(0.75, [0.375, 0.75, 1.0]), (1.0, [0.5, 1.0])])
def test_large_sizes(eps, grid, look):
    "Twice the size is at most everything."
    assert look(GaussianBlur(), eps=eps).grid == grid


@pytest.mark.slow
def test_progress_bar(classifier, data, capsys):
    check_defense(Defended(classifier, GaussianBlur()), *data, grid=[], **FAST)
    assert "check_defense" in capsys.readouterr().err
    check_defense(Defended(classifier, GaussianBlur()), *data, grid=[], progress=False, **FAST)
    assert capsys.readouterr().err == ""
