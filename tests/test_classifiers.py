"""Classifiers: equal to the reference networks, strict about weights, and one line for everything that goes wrong."""

import copy
import importlib.util
import json
import pickle
import sys
import types
import zlib
from argparse import Namespace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import save_file
from torch import nn

from videopure.classifiers import (
    CLASSIFIERS,
    IMAGENET_MEAN,
    IMAGENET_STD,
    TORCHVISION,
    VideoClassifier,
    _input_range,
    check_logits,
    load_classifier,
)
from videopure.checks import AnswerError
from videopure.networks import NETWORKS, _tied_names, build_network, load_weights
from videopure.pipeline import find_device
from videopure.tiny import MotionClassifier, save_classifier, tiny_classifier
from videopure.video import ClipError, MissingPackageError, VideoFileError, VideoPureError, moving_shapes, resize_video, sample_frames

GOLDEN = Path(__file__).parents[2] / "shared" / "golden" / "classifiers"
MODELS = sorted(path.stem for path in GOLDEN.glob("*.json")) or ["none"]
needs_golden = pytest.mark.skipif(not GOLDEN.is_dir(), reason="needs ../shared/golden/classifiers")
golden = pytest.mark.parametrize("name", MODELS, scope="module")  # so that tests of one network follow each other
COUNTS = dict(zip(NETWORKS, (35_401_936, 59_112_656, 34_480_216, 34_566_488, 62_826_968, 91_498_336, 119_403_360)))
SMALL = "slowfast_4x16_resnet50_kinetics400"


def one_line(call, *parts, error=VideoPureError):
    "The call raises the error in one line that holds all the parts."
    with pytest.raises(error) as raised:
        call()
    message = str(raised.value)
    assert "\n" not in message and len(message) < 700, message
    for part in parts:
        assert part in message, message
    return message


# --- equal to the reference ---------------------------------------------------------------------------------------------------


@lru_cache(1)
def rule():
    spec = importlib.util.spec_from_file_location("golden_rule", GOLDEN / "rule.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@lru_cache(1)
def reference(name):
    "What the reference says, and our network with the same weights; one at a time, they are large."
    want = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    return want, rule().fill(build_network(name)).requires_grad_(False)


def golden_clip(side):
    return torch.from_numpy(rule().clip(32, side, side))


@pytest.mark.parametrize("name", NETWORKS)
def test_parameter_counts(name):
    with torch.device("meta"):
        network = build_network(name)
    assert sum(p.numel() for p in network.parameters()) == COUNTS[name]
    seconds = 5 * 7 + 2 if name.startswith("i3d") else 0
    assert sum(len(names) - 1 for names in _tied_names(network)) == seconds


@pytest.mark.parametrize(
    "name", ["i3d_nl5_resnet101_v1_kinetics400", "tpn_resnet101_f32s2_kinetics400", "slowfast_8x8_resnet101_kinetics400"]
)
def test_deep_networks_as_described(name):
    "What the description says of the deep networks that have no reference here."
    with torch.device("meta"):
        network = build_network(name)
    keys = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    if name.startswith("i3d"):
        assert {key.split(".nonlocal")[0] for key in keys if "nonlocal" in key} == {
            f"res_layers.{k}" for k in ("1.1", "1.3", "2.6", "2.13", "2.20")
        }
        times = [[keys[f"res_layers.{s}.{b}.conv1.weight"][2] for b in range(n)] for s, n in enumerate((3, 4, 23, 3))]
        assert times == [[3, 3, 3], [3, 1, 3, 1], [3, 1] * 11 + [3], [1, 3, 1]]
    elif name.startswith("tpn"):
        pools = [op.pool.kernel_size[0] for op in network.TPN_neck.temporal_modulation_ops]
        fusions = [
            [op.pool.kernel_size[0] for op in fusion.ops]
            for fusion in (network.TPN_neck.level_fusion_op, network.TPN_neck.level_fusion_op2)
        ]
        assert (pools, fusions, network.TPN_neck.downsampling_ops[0].pool.kernel_size[0]) == ([16, 32], [[2, 1], [2, 1]], 2)
    else:
        assert (
            network.alpha == 4
            and keys["lateral_res2.0.weight"] == (64, 32, 5, 1, 1)
            and keys["slow_res4.22.conv1.weight"] == (256, 1024, 3, 1, 1)
        )


def test_4x16_takes_four_frames():
    network, seen = build_network(SMALL), {}
    for layer in ("slow_conv1", "fast_conv1", "lateral_p1"):
        getattr(network, layer).register_forward_hook(lambda m, i, o, layer=layer: seen.update({layer: (i[0], o.shape[2])}))
    clip = torch.arange(32.0).view(1, 1, 32, 1, 1).expand(1, 3, 32, 32, 32)
    with torch.no_grad():
        network(clip)
    assert seen["slow_conv1"][0][0, 0, :, 0, 0].tolist() == [0, 8, 16, 24]
    assert seen["fast_conv1"][1] == 32 and seen["lateral_p1"][1] == 4 and network.lateral_p1[0].weight.shape == (16, 8, 5, 1, 1)


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("frames", [8, 16, 37])
def test_other_lengths_and_sides(name, frames):
    "Shapes only: no network insists on 32 frames or on sides that are multiples of 32."
    with torch.device("meta"):
        assert build_network(name, 7)(torch.zeros(2, 3, frames, 40, 56)).shape == (2, 7)


@pytest.mark.slow
@needs_golden
@golden
def test_keys_shapes_and_weights(name):
    want, network = reference(name)
    weights = network.state_dict()
    assert [[key, list(value.shape)] for key, value in weights.items()] == [entry[:2] for entry in want["keys"]]
    assert sum(p.numel() for p in network.parameters()) == want["parameter_count"] and len(weights) == want["state_dict_entries"]
    assert sorted(sorted(pair) for pair in _tied_names(network)) == sorted(sorted(pair) for pair in want["aliases"])
    distinct, crc = {rule().canonical(key): value for key, value in weights.items()}, 0
    for key in sorted(distinct):
        crc = zlib.crc32(distinct[key].numpy().tobytes(), crc)
    assert crc == want["weights_crc32"]


@pytest.mark.slow
@needs_golden
@golden
@pytest.mark.parametrize("side", ["64", "112", pytest.param("224", marks=pytest.mark.slow)])
def test_logits(name, side):
    want, network = reference(name)
    with torch.inference_mode():
        logits = VideoClassifier(network)(golden_clip(int(side)))[0]
    expected = torch.tensor(want["runs"][side]["logits_float64"], dtype=torch.float64)
    assert (logits - expected).abs().max() < 1e-4 * expected.std()
    assert logits.argmax() == want["runs"][side]["argmax"]


@pytest.mark.slow
@needs_golden
@golden
def test_stages(name):
    want, network = reference(name)
    stages, seen = want["runs"]["64"]["stages"], {}
    hooks = [network.get_submodule(stage).register_forward_hook(lambda m, i, o, s=stage: seen.update({s: o.clone()})) for stage in stages]
    with torch.inference_mode():
        network(torch.from_numpy(rule().normalise(rule().clip(32, 64, 64))))
    for hook in hooks:
        hook.remove()
    for stage, expected in stages.items():
        found = seen[stage].double().flatten()
        assert list(seen[stage].shape) == expected["shape"], stage
        tolerance = 1e-4 * expected["std"]
        assert abs(found.mean() - expected["mean"]) < tolerance and abs(found.std(correction=0) - expected["std"]) < tolerance, stage
        torch.testing.assert_close(found[expected["flat_index"]], torch.tensor(expected["values"]).double(), rtol=0, atol=10 * tolerance)


@pytest.mark.slow
@needs_golden
@golden
def test_input_gradient(name):
    "In float64, as the reference: in float32 rounding moves values across the kinks of ReLU and maximum, differently on every machine."
    want, network = reference(name)
    expected, clip = want["runs"]["64"]["input_gradient"], golden_clip(64).double().requires_grad_(True)
    try:
        loss = nn.functional.cross_entropy(VideoClassifier(network.double())(clip), torch.tensor([7]))
        (gradient,) = torch.autograd.grad(loss, clip)
    finally:
        network.float()
    assert list(gradient.shape) == expected["shape"]
    values = torch.tensor(expected["values"], dtype=torch.float64)
    torch.testing.assert_close(gradient.flatten()[expected["flat_index"]], values, rtol=1e-4, atol=1e-4 * expected["std"])
    assert abs(gradient.std(correction=0).item() / expected["std"] - 1) < 1e-4


@needs_golden
@golden
def test_a_wrong_detail_would_show(name):
    "The comparison can fail: another epsilon of the batch norms moves the logits."
    want, network = reference(name)
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm3d)]
    try:
        for norm in norms:
            norm.eps = 1e-3
        with torch.inference_mode():
            logits = VideoClassifier(network)(golden_clip(64))[0]
    finally:
        for norm in norms:
            norm.eps = 1e-5
    expected = torch.tensor(want["runs"]["64"]["logits"])
    assert (logits - expected).abs().max() > 1e-2 * expected.std()


@needs_golden
@golden
@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_half_precision(name, kind):
    "The logits move by the rounding of the number type, and come out in float32."
    network, clip = reference(name)[1], torch.from_numpy(rule().clip(8, 32, 32))  # float16 is slow on a CPU
    with torch.inference_mode():
        expected, logits = VideoClassifier(network)(clip), VideoClassifier(copy.deepcopy(network).to(kind))(clip)
    assert logits.dtype == torch.float32
    assert (logits - expected).abs().max() < {torch.bfloat16: 0.15, torch.float16: 0.02}[kind] * expected.std()


@needs_golden
@golden
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_on_the_gpu(name):
    want, network = reference(name)
    expected = torch.tensor(want["runs"]["112"]["logits"])
    with torch.inference_mode(), torch.backends.cudnn.flags(allow_tf32=False):
        classifier = VideoClassifier(copy.deepcopy(network).cuda())
        full = classifier(golden_clip(112).cuda())[0].cpu()
        half = classifier.half()(golden_clip(112).cuda())[0].cpu()
    assert (full - expected).abs().max() < 1e-3 * expected.std()
    assert (half - expected).abs().max() < 5e-2 * expected.std()


# --- weights ------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def saved():
    "Weights of a small network, as a checkpoint would hold them."
    torch.manual_seed(0)
    return {name: value.clone() for name, value in build_network(SMALL, 11).state_dict().items()}


@lru_cache(1)
def i3d():
    torch.manual_seed(0)
    network = build_network("i3d_nl5_resnet50_v1", 3)
    return network, {name: value.clone() for name, value in network.state_dict().items()}


def same(network, weights):
    return all(torch.equal(value, weights[name]) for name, value in network.state_dict().items())


@pytest.mark.slow
@pytest.mark.parametrize(
    "wrap",
    [
        lambda w: w,
        lambda w: {"state_dict": w, "epoch": 3, "best_acc1": np.float64(71.5), "arch": "slowfast"},
        lambda w: {"model": w},
        lambda w: {"state_dict": {f"module.{name}": value for name, value in w.items()}},
        lambda w: {name: value for name, value in w.items() if not name.endswith("num_batches_tracked")},
        lambda w: {name: value.double() for name, value in w.items()},
    ],
    ids=["bare", "state_dict", "model", "module", "old", "double"],
)
def test_round_trip(wrap, saved, tmp_path):
    torch.save(wrap(saved), tmp_path / "weights.pth")
    classifier = load_classifier(SMALL, tmp_path / "weights.pth")
    assert same(classifier.model, saved) and classifier.num_classes == 11
    assert not classifier.training and not any(p.requires_grad for p in classifier.parameters())
    assert classifier.model.fc.weight.dtype == torch.float32


def test_round_trip_of_safetensors_and_old_files(saved, tmp_path):
    save_file(saved, tmp_path / "weights.safetensors")
    torch.save(saved, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    for file in ("weights.safetensors", "old.pth"):
        assert same(load_weights(build_network(SMALL, 11), tmp_path / file), saved)


@pytest.mark.parametrize("keep", [0, 1], ids=["first names", "second names"])
def test_one_of_two_names_is_enough(keep):
    network, weights = i3d()
    groups = [sorted(names, key=lambda n: ("W_bn" in n) + n.startswith("head.")) for names in _tied_names(network)]
    part = dict(weights)
    for names in groups:
        del part[names[1 - keep]]
    assert len(weights) - len(part) == 37
    fresh = build_network("i3d_nl5_resnet50_v1", 3)
    fresh.fc.weight.data.zero_()
    assert same(load_weights(fresh, part), weights)
    assert load_classifier("i3d_nl5_resnet50_v1", part).num_classes == 3


def test_two_names_must_agree():
    network, weights = i3d()
    wrong = weights | {"head.1.weight": weights["fc.weight"] + 1}
    one_line(lambda: load_weights(network, wrong), "fc.weight and head.1.weight", "two different tensors")
    one_line(lambda: load_weights(network, weights | {"head.1.weight": weights["fc.weight"][:2]}), "two different tensors")
    assert same(load_weights(network, weights | {"head.1.weight": weights["fc.weight"].double()}), weights)


def test_fresh_nonlocal_blocks_are_the_identity():
    block = i3d()[0].res_layers[1][1].nonlocal_block
    x = torch.randn(1, 512, 2, 3, 3)
    assert torch.equal(block(x), x)


def test_wrong_number_of_classes(saved):
    one_line(lambda: load_classifier(SMALL, saved, num_classes=400), "for 11 classes", "400", "num_classes=11")
    with torch.device("meta"):
        shapes = {name: value.shape for name, value in build_network("tpn_resnet50_f32s2", 2).state_dict().items()}
        network = build_network("tpn_resnet50_f32s2", 4)
    full = {name: torch.zeros(()).expand(shape) for name, shape in shapes.items()}
    one_line(lambda: load_weights(network, full), "for 2 classes", "has 4")
    one_line(lambda: load_classifier(SMALL, saved, class_names=["a", "b"]), "2 class_names", "11 classes")
    one_line(lambda: load_classifier(SMALL, "random", num_classes=0), "num_classes is 0")


def test_missing_and_unexpected_keys(saved):
    network = build_network(SMALL, 11)
    before = network.fc.weight.clone()
    without = {name: value for name, value in saved.items() if not name.startswith("lateral_p1")}
    one_line(lambda: load_weights(network, without), "5 missing keys", "lateral_p1.0.weight", "2 more")
    one_line(lambda: load_weights(network, saved | {"extra.weight": torch.zeros(1)}), "1 unexpected key", "extra.weight")
    one_line(lambda: load_weights(build_network("slowfast_8x8_resnet101", 11), saved), "510 missing keys", "fast_res4.6.conv1.weight")
    one_line(lambda: load_weights(network, {"a": torch.zeros(1)}), "missing", "unexpected", "another network")
    assert torch.equal(network.fc.weight, before)


WRAPPERS = {
    "compiled": lambda w: prefixed(w, "_orig_mod."),
    "compiled, then on several GPUs": lambda w: {"state_dict": prefixed(w, "module._orig_mod.")},
    "on several GPUs, then compiled": lambda w: prefixed(w, "_orig_mod.module."),
    "a compiled part": lambda w: {name.replace("0.", "0._orig_mod.", 1): value for name, value in w.items()},
    "Lightning": lambda w: {"state_dict": prefixed(w, "model."), "epoch": 1, "callbacks": {}},
    "Lightning, compiled": lambda w: {"state_dict": prefixed(w, "net._orig_mod."), "hyper_parameters": {"model": {}}},
    "SlowFast": lambda w: {"model_state": w, "optimizer_state": {}},
    "VideoMAE": lambda w: {"module": prefixed(w, "module.")},
    "timm, averaged": lambda w: {"state_dict_ema": w, "epoch": 3},
    "nested": lambda w: {"ema": {"module": {"state_dict": w}}},
    "torch.optim.swa_utils": lambda w: {"n_averaged": torch.tensor(3), **prefixed(w, "module.")},
}


def prefixed(weights, prefix):
    return {prefix + name: value for name, value in weights.items()}


@pytest.mark.parametrize("name", WRAPPERS)
def test_wrapped_checkpoints(name, tmp_path):
    network = lambda: nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    weights = network().state_dict()
    torch.save(WRAPPERS[name](weights), tmp_path / "weights.pth")
    assert same(load_weights(network(), tmp_path / "weights.pth"), weights)


def test_prefixes_that_the_network_knows_stay():
    inner = nn.Linear(2, 2)
    network = VideoClassifier(inner, None, None)
    for weights in (network.state_dict(), prefixed(network.state_dict(), "module.")):
        assert same(load_weights(VideoClassifier(nn.Linear(2, 2), None, None), weights), network.state_dict())
    one_line(lambda: load_weights(nn.Linear(3, 3), {"a.b": inner.weight, "_orig_mod.a.b": inner.bias}), "two tensors of one name")
    one_line(lambda: load_weights(inner, {1: inner.weight}), "holds no state dict")
    one_line(lambda: load_weights(inner, {"weight": inner.weight.int(), "bias": inner.bias}), "torch.int32")


def test_wrong_shapes(saved):
    wrong = saved | {"lateral_p1.0.weight": torch.zeros(16, 8, 7, 1, 1)}
    one_line(
        lambda: load_weights(build_network(SMALL, 11), wrong), "1 tensor (lateral_p1.0.weight)", "(16, 8, 7, 1, 1)", "(16, 8, 5, 1, 1)"
    )


def test_weights_that_are_not_numbers(saved):
    bad = saved | {"slow_bn1.weight": torch.full((64,), float("nan")), "fc.bias": torch.full((11,), float("inf"))}
    one_line(lambda: load_classifier(SMALL, bad), "2 tensors (slow_bn1.weight, fc.bias)", "NaN")


class Runs:
    def __reduce__(self):
        return print, ("code from a checkpoint ran",)


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_pickles_of_code_are_refused(protocol, tmp_path, capsys):
    (tmp_path / "plain.pkl").write_bytes(pickle.dumps(Runs(), protocol=protocol))
    torch.save({"state_dict": Runs()}, tmp_path / "torch.pth")
    torch.save(Namespace(state_dict={}), tmp_path / "object.pth")
    torch.save(nn.Linear(2, 2), tmp_path / "module.pth")
    for file in ("plain.pkl", "torch.pth", "object.pth", "module.pth"):
        one_line(lambda: load_classifier(SMALL, tmp_path / file), file, "is a pickle", "weights_only=False", error=VideoFileError)
    assert capsys.readouterr().out == ""


@pytest.mark.slow
def test_files_that_are_no_weights(saved, tmp_path):
    (tmp_path / "empty.pth").touch()
    (tmp_path / "text.pth").write_text("hello")
    (tmp_path / "text.safetensors").write_text("hello")
    torch.save(saved, tmp_path / "whole.pth")
    (tmp_path / "half.pth").write_bytes((tmp_path / "whole.pth").read_bytes()[:1_000_000])
    torch.save([1, 2], tmp_path / "list.pth")
    torch.save({"state_dict": {"a": 1}}, tmp_path / "numbers.pth")
    torch.jit.save(torch.jit.script(nn.Linear(2, 2)), tmp_path / "script.pth")
    parts = {"none.pth": "not a file", "empty.pth": "is empty", "list.pth": "no state dict", "numbers.pth": "no state dict"}
    parts |= {"half.pth": "damaged", "text.pth": "damaged", "text.safetensors": "damaged", "script.pth": "TorchScript"}
    for file, part in parts.items():
        one_line(lambda: load_weights(build_network(SMALL, 11), tmp_path / file), part)
    one_line(lambda: load_weights(build_network(SMALL, 11), tmp_path), "not a file", error=VideoFileError)
    one_line(lambda: load_weights(build_network(SMALL, 11), {}), "no state dict")


def test_settings_of_a_wrong_type(saved):
    for name in (5, None, ["tpn_resnet50_f32s2"]):
        one_line(lambda: build_network(name), "unknown network")
    for number in ("400", 2.5, True, float("nan")):
        one_line(lambda: load_classifier(SMALL, "random", num_classes=number), "num_classes is")
        one_line(lambda: load_classifier("tiny", device=number), "cannot use device")
    for weights in (5, [1], b"weights"):
        one_line(lambda: load_classifier("tiny", weights), "weights is")
    assert VideoClassifier(Head(), size=np.int64(8), frames=np.int32(2), mean=[np.float32(0.5)] * 3).size == 8
    with torch.device("meta"):
        assert build_network(SMALL, np.int64(3)).num_classes == 3


def test_filling_a_network_draws_nothing(saved):
    before = torch.get_rng_state()
    load_classifier(SMALL, saved)
    assert torch.equal(torch.get_rng_state(), before)


def test_unknown_networks():
    one_line(lambda: build_network("slowfast"), "unknown network 'slowfast'", *NETWORKS)
    assert type(build_network("slowfast_8x8_resnet50")).__name__ == "SlowFast"


# --- the interface ------------------------------------------------------------------------------------------------------------


class Head(nn.Module):
    "Means of the colours, as logits of some shape."

    def __init__(self, wrap=lambda logits: logits, layout="BCTHW"):
        super().__init__()
        self.scale, self.wrap, self.layout = nn.Parameter(torch.ones(())), wrap, layout

    def forward(self, x):
        axes = [i for i, axis in enumerate(self.layout) if axis in "THW"]
        logits = x.mean(axes) if self.layout.index("B") < self.layout.index("C") else x.mean(axes).T
        return self.wrap(logits * self.scale)


@pytest.fixture(scope="module")
def clips():
    return moving_shapes(3, seed=9)[0]


@pytest.mark.parametrize("layout", ["BCTHW", "BTCHW", "BTHWC", "TBCHW", "CBTHW"])
def test_layouts_and_normalisation(layout, clips):
    found = VideoClassifier(Head(layout=layout), layout=layout)(clips)
    mean, std = torch.tensor(IMAGENET_MEAN), torch.tensor(IMAGENET_STD)
    torch.testing.assert_close(found, (clips.mean((2, 3, 4)) - mean) / std, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "wrap",
    [lambda y: y, lambda y: (y, None), lambda y: {"logits": y}, lambda y: Namespace(logits=y), lambda y: [y]],
    ids=["tensor", "tuple", "dict", "object", "list"],
)
def test_outputs_are_unwrapped(wrap, clips):
    assert VideoClassifier(Head(wrap))(clips).shape == (3, 3)


@pytest.mark.parametrize(
    "wrap",
    [lambda y: y[0], lambda y: y[:2], lambda y: y.argmax(1), lambda y: y[..., None], lambda y: {"scores": y}, lambda y: None],
    ids=list("abcdef"),
)
def test_what_are_not_logits(wrap, clips):
    one_line(lambda: VideoClassifier(Head(wrap))(clips), "expected logits (3, K)")


@pytest.mark.parametrize("wrap", [lambda y: y, lambda y: (y, None), lambda y: {"logits": y}, lambda y: Namespace(logits=y)])
def test_logits_of_a_bare_model(wrap):
    logits = torch.randn(2, 5)
    assert check_logits(wrap(logits), 2) is logits and check_logits(wrap(logits), 2, 5) is logits
    assert check_logits(wrap(logits.half()), 2).dtype == torch.float32
    logits[:, 1] = float("-inf")  # a class that is ruled out
    assert check_logits(wrap(logits), 2) is logits
    for wrong in (logits[..., None, None], logits[0], logits.argmax(1), logits[:, :0], None, "logits", logits.tolist(), {}, []):
        one_line(lambda: check_logits(wrap(wrong), 2), "expected logits (2, K)", "VideoClassifier(model, ...)")
    one_line(lambda: check_logits(wrap(logits), 2, 4), "5 logits", "expected 4")


def test_logits_that_are_not_numbers(clips):
    "The largest of NaN is the first, so they would all be class 0."
    for bad in (float("nan"), float("inf"), float("-inf")):
        logits = torch.zeros(3, 4)
        logits[1] = bad
        for call in (lambda: check_logits(logits, 3), lambda: VideoClassifier(Head(lambda y: logits * y.mean() / y.mean()))(clips)):
            one_line(call, "clip 1 of the batch", "expected finite numbers", error=AnswerError)


def test_what_is_not_a_clip(clips):
    for wrong in (clips[0], clips.transpose(1, 2), (clips * 255).byte(), clips.numpy()):
        one_line(lambda: VideoClassifier(Head())(wrong), "(B, 3, T, H, W)", error=ClipError)


def test_class_names(clips):
    assert VideoClassifier(Head(), class_names=("r", "g", "b")).class_names == ["r", "g", "b"]
    one_line(lambda: VideoClassifier(Head(), class_names=["r", "g"])(clips), "3 logits", "expected 2")
    one_line(lambda: VideoClassifier(Head(), class_names="rgb"), "list of different names")
    one_line(lambda: VideoClassifier(build_network(SMALL, 4), class_names=["r", "g"]), "2 class_names", "4 classes")
    assert VideoClassifier(Head()).num_classes is None


@pytest.mark.parametrize(
    "options",
    [
        {"layout": "BTHW"},
        {"layout": 5},
        {"size": -1},
        {"size": 2.0},
        {"size": (8, "8")},
        {"size": (None, 8)},
        {"frames": True},
        {"frames": float("nan")},
        {"mean": 0.5},
        {"mean": "abc"},
        {"mean": (0.5, 0.5, float("nan"))},
        {"std": (1, 1)},
        {"std": (0, 1, 1)},
        {"std": (True, True, True)},
        {"class_names": 5},
        {"class_names": [1, 2, 3]},
        {"class_names": []},
    ],
)
def test_bad_options(options):
    one_line(lambda: VideoClassifier(Head(), **options), next(iter(options)))
    one_line(lambda: VideoClassifier(Head), "nn.Module")


def frames_seen(total, frames):
    "Which frames of a clip a network gets that wants so many."
    clip = torch.arange(float(total)).view(1, 1, -1, 1, 1).expand(2, 3, -1, 2, 2)
    return VideoClassifier(nn.Identity(), None, None, frames=frames).prepare(clip)[1, 2, :, 1, 0].int().tolist()


@pytest.mark.parametrize("total", [1, 3, 8, 11, 32])
def test_frames_are_spread_evenly(total):
    taken = frames_seen(total, 8)
    steps = {after - before for before, after in zip(taken, taken[1:])}
    assert len(taken) == 8 and 0 <= taken[0] and taken[-1] < total
    assert steps <= {total // 8, total // 8 + 1}  # as even as whole numbers can be
    assert taken[0] <= total / 16 and total - taken[-1] <= total / 16 + 1
    assert total > 8 or set(taken) == set(range(total))
    assert total < 8 or taken == sample_frames(total, 8)
    assert frames_seen(total, 1) == [total // 2]


@pytest.mark.parametrize("size", [16, 32, 50, (20, 31), (64, 8)])
def test_size_is_that_of_resize_video(size, clips):
    fitted = VideoClassifier(nn.Identity(), None, None, size=size).prepare
    torch.testing.assert_close(fitted(clips), resize_video(clips, size))
    torch.testing.assert_close(fitted(3 * clips - 1), 3 * resize_video(clips, size) - 1, rtol=1e-4, atol=1e-5)
    assert fitted(clips.half()).dtype == torch.float16


def test_gradient_goes_through_everything(clips):
    x = clips[:1].double().requires_grad_(True)
    classifier = VideoClassifier(
        nn.Sequential(nn.Conv3d(3, 4, 3), nn.Tanh(), nn.AdaptiveAvgPool3d(1), nn.Flatten()), size=(20, 24), frames=5
    ).double()
    assert torch.autograd.gradcheck(lambda z: classifier(z), x[..., ::4, ::4].detach().requires_grad_(True), fast_mode=True, atol=1e-5)
    (gradient,) = torch.autograd.grad(classifier(x).square().sum(), x)
    assert set(gradient.abs().sum((0, 1, 3, 4)).nonzero().flatten().tolist()) == set(frames_seen(16, 5))


def test_outside_of_range_is_let_through(clips):
    "Some attacks look one step ahead, beyond [0, 1]."
    assert VideoClassifier(Head(), size=20)(clips * 1.2 - 0.1).isfinite().all()


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_number_types(kind, clips):
    found = VideoClassifier(Head().to(kind), size=20)(clips)
    assert found.dtype == (torch.float64 if kind == torch.float64 else torch.float32)
    assert VideoClassifier(Head())(clips.half()).dtype == torch.float32
    assert VideoClassifier(Head(), layout="BTHWC").prepare(clips).is_contiguous()
    assert torch.is_grad_enabled()


# --- the front door -----------------------------------------------------------------------------------------------------------


def test_tiny_and_its_files(tmp_path, clips):
    file, net = tmp_path / "net.safetensors", tiny_classifier()
    save_classifier(net, file)
    for name in ("tiny", file, str(file), "videopure.tiny:tiny_classifier"):
        assert torch.equal(load_classifier(name)(clips), net(clips))
    other = {name: value + 0.01 for name, value in net.state_dict().items()}
    assert not torch.equal(load_classifier("tiny", weights=other)(clips), net(clips))
    wrapped = load_classifier("tiny", frames=8, class_names=[f"class {i}" for i in range(10)])
    assert torch.equal(wrapped(clips), net(clips[:, :, frames_seen(16, 8)])) and wrapped.class_names[3] == "class 3"


OWN = """import torch
def small(): return torch.nn.Sequential(torch.nn.AdaptiveAvgPool3d(1), torch.nn.Flatten())
def late():
    import my_own_helper
    return my_own_helper.small()
class Net(torch.nn.Module):
    def forward(self, x): return x.mean((2, 3, 4))
class Group: net = Net()
net, three = Net(), 3
def nothing(): return 3
def needs(x): return x
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    "A folder to work in, with modules of one's own."
    for name in ("my_own_models", "my_own_helper"):
        (tmp_path / f"{name}.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    yield
    for name in ("my_own_models", "my_own_helper"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("name", ["small", "late", "Net", "net", "Group.net"])
def test_words_to_import(own, name, clips):
    "A function, a class, and a module that is there already."
    before = list(sys.path)
    assert torch.allclose(load_classifier(f"my_own_models:{name}")(clips), clips.mean((2, 3, 4)))
    normalised = load_classifier(f"my_own_models:{name}", mean=(0.5,) * 3, std=(0.5,) * 3)
    assert torch.allclose(normalised(clips), clips.mean((2, 3, 4)) * 2 - 1, atol=1e-5)
    assert sys.path == before


def test_words_that_cannot_be_used(own):
    one_line(lambda: load_classifier("my_own_models:nothing"), "my_own_models:nothing", "returned int", "torch.nn.Module")
    one_line(lambda: load_classifier("my_own_models:three"), "my_own_models:three", "is int", "torch.nn.Module")
    one_line(lambda: load_classifier("my_own_models:none"), "cannot import", "none", "package.module:Name")
    one_line(lambda: load_classifier("no.such.module:model"), "cannot import", "no.such.module")
    one_line(lambda: load_classifier("my_own_models:needs"), "my_own_models:needs", "needs ")


def test_modules_classes_and_functions(clips):
    head, mean = Head(), clips.mean((2, 3, 4))
    assert load_classifier(head) is head and not head.training and not head.scale.requires_grad
    wrapped = VideoClassifier(head, class_names=[*"rgb"])
    assert load_classifier(wrapped, num_classes=3) is wrapped and wrapped.class_names == [*"rgb"]
    for part in (head, Head, lambda: Head()):
        assert torch.allclose(load_classifier(part)(clips), mean)
        found = load_classifier(part, class_names=[*"rgb"], frames=8)
        assert found.class_names == [*"rgb"] and torch.allclose(found(clips), clips[:, :, frames_seen(16, 8)].mean((2, 3, 4)), atol=1e-6)
    assert load_classifier(MotionClassifier, weights=tiny_classifier().state_dict()).class_names == tiny_classifier().class_names
    one_line(lambda: load_classifier(lambda: None), "<lambda>", "returned NoneType", "torch.nn.Module")
    one_line(lambda: load_classifier(3), "int", "torch.nn.Module")
    one_line(lambda: load_classifier(VideoClassifier), "VideoClassifier", "needs ")
    one_line(lambda: load_classifier(wrapped, num_classes=4), "'VideoClassifier' has 3 classes", "num_classes=4")
    one_line(lambda: load_classifier(head, class_names=["a"], num_classes=3), "1 classes")


def test_registered_names(monkeypatch):
    for name, part in {"head": Head, "net": Head(), "r3d_18": lambda: Head()}.items():
        monkeypatch.setitem(CLASSIFIERS, name, part)
        assert isinstance(load_classifier(name), Head)
    one_line(lambda: load_classifier("resnet50"), "'tiny', 'tiny-robust', 'tiny-smooth', 'tiny-frames', 'head', 'net'")


def test_what_is_not_a_name(tmp_path):
    message = one_line(
        lambda: load_classifier("resnet50"), "unknown classifier 'resnet50'", "tiny", "package.module:Name", "hub", error=VideoPureError
    )
    assert message.startswith("unknown classifier 'resnet50'")
    (tmp_path / "weights.pth").write_bytes(b"1")
    one_line(lambda: load_classifier(tmp_path / "weights.pth"), "expected a file of", "weights=", error=VideoFileError)
    one_line(lambda: load_classifier("missing/net.safetensors"), "missing/net.safetensors")
    one_line(lambda: load_classifier("transformers:" + str(tmp_path)), "with transformers")
    one_line(lambda: load_classifier("torchvision:resnet18"), "no video network", "r3d_18")
    one_line(lambda: load_classifier("i3d_nl5_resnet50_v1"), "needs weights=FILE")
    one_line(lambda: load_classifier("tiny", num_classes=3), "10 classes", "num_classes=3")
    one_line(lambda: load_classifier("tiny", color=1), "'color'", "layout")
    one_line(lambda: load_classifier("tiny", "random"), "'random' is not a file")


def test_devices():
    assert find_device("cpu") == torch.device("cpu") and find_device(torch.device("cpu")).type == "cpu"
    assert find_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    one_line(lambda: find_device("abacus"), "cannot use device 'abacus'")
    one_line(lambda: load_classifier("tiny", device="cuda:77"), "cuda:77")


# --- transformers -------------------------------------------------------------------------------------------------------------

SHAPE = dict(image_size=32, num_frames=4, hidden_size=24, num_hidden_layers=1, num_attention_heads=2, intermediate_size=24)
LABELS = {0: "wave", 1: "jump", 2: "run"}
KINDS = {
    "videomae": lambda **more: transformers.VideoMAEForVideoClassification(transformers.VideoMAEConfig(patch_size=16, **SHAPE, **more)),
    "timesformer": lambda **more: transformers.TimesformerForVideoClassification(
        transformers.TimesformerConfig(patch_size=16, **SHAPE, **more)
    ),
    "vivit": lambda **more: transformers.VivitForVideoClassification(transformers.VivitConfig(tubelet_size=[2, 16, 16], **SHAPE, **more)),
}
PREPROCESSOR = {
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.4, 0.5, 0.6],
    "image_std": [0.2, 0.25, 0.3],
}
transformer = pytest.mark.parametrize("kind", KINDS)


def saved_model(kind, folder, preprocessor=PREPROCESSOR, **more):
    torch.manual_seed(1)
    model = KINDS[kind](id2label=LABELS, label2id={name: i for i, name in LABELS.items()}, **more).eval()
    model.save_pretrained(folder)
    if preprocessor:
        (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor))
    return model


@transformer
def test_transformers(kind, tmp_path, clips):
    model = saved_model(kind, tmp_path, PREPROCESSOR | {"offset": False})
    for name in (str(tmp_path), f"transformers:{tmp_path}"):
        classifier = load_classifier(name)
        assert (classifier.frames, classifier.size, classifier.layout, classifier.class_names, classifier.num_classes) == (
            4,
            32,
            "BTCHW",
            ["wave", "jump", "run"],
            3,
        )
        mean, std = (torch.tensor(PREPROCESSOR[key]).view(3, 1, 1) for key in ("image_mean", "image_std"))
        with torch.no_grad():
            want = model(pixel_values=(clips[:, :, frames_seen(16, 4)].transpose(1, 2) - mean) / std).logits
        torch.testing.assert_close(classifier(clips), want, rtol=1e-4, atol=1e-5)
    x = clips[:1].clone().requires_grad_(True)
    assert torch.autograd.grad(classifier(x).sum(), x)[0].abs().sum() > 0
    assert not classifier.training and not any(p.requires_grad for p in classifier.parameters())


@transformer
def test_transformers_in_half_precision(kind, tmp_path, clips):
    saved_model(kind, tmp_path)
    full, half = load_classifier(tmp_path), load_classifier(tmp_path).to(torch.bfloat16)
    assert half(clips).dtype == torch.float32
    assert (half(clips) - full(clips)).abs().max() < 0.1


def test_transformers_saved_in_half_precision_load_in_float32(tmp_path):
    saved_model("videomae", tmp_path / "a").half().save_pretrained(tmp_path / "b")
    with pytest.warns(UserWarning, match="preprocessor"):
        assert next(load_classifier(tmp_path / "b").parameters()).dtype == torch.float32


@transformer
def test_silently_missing_weights_are_refused(kind, tmp_path, caplog):
    model = saved_model(kind, tmp_path)
    lost = {name: value for name, value in model.state_dict().items() if not name.startswith("classifier")}
    model.save_pretrained(tmp_path, state_dict=lost)
    verbosity = transformers.utils.logging.get_verbosity()
    one_line(lambda: load_classifier(tmp_path), "lacks 2 fitting tensors", "classifier.bias", "classifier.weight", "random")
    assert transformers.utils.logging.get_verbosity() == verbosity


def test_a_pretraining_checkpoint_is_refused(tmp_path):
    config = transformers.VideoMAEConfig(
        patch_size=16, decoder_hidden_size=24, decoder_num_attention_heads=2, decoder_num_hidden_layers=1, **SHAPE
    )
    transformers.VideoMAEForPreTraining(config).save_pretrained(tmp_path)
    with pytest.warns(UserWarning, match="preprocessor"):
        one_line(lambda: load_classifier(tmp_path), "classifier.weight", "trained as a classifier")


def test_misfit_and_superfluous_weights(tmp_path):
    model = saved_model("vivit", tmp_path)
    model.save_pretrained(tmp_path, state_dict=model.state_dict() | {"surplus.weight": torch.zeros(2)})
    with pytest.warns(UserWarning, match="surplus.weight"):
        load_classifier(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"intermediate_size": 48}))
    one_line(lambda: load_classifier(tmp_path), str(tmp_path), "lacks 3 fitting tensors", "fc1.weight")


def test_a_transformers_model_that_is_cut_short(tmp_path):
    saved_model("videomae", tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 0}))
    one_line(lambda: load_classifier(tmp_path), "layers that are not in its configuration")


def test_pickled_transformers_are_not_read(tmp_path):
    model = saved_model("videomae", tmp_path)
    (tmp_path / "model.safetensors").unlink()
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    one_line(lambda: load_classifier(tmp_path), "with transformers")


@pytest.mark.slow
@pytest.mark.parametrize("file", ["config.json", "preprocessor_config.json"])
def test_damaged_configurations_are_one_line(file, tmp_path):
    saved_model("videomae", tmp_path)
    whole, path = json.loads((tmp_path / file).read_text()), tmp_path / file
    for name in whole:
        for word in ("1", None, -1, 1.5, [], {}, [None] * 3):
            path.write_text(json.dumps(whole | {name: word}))
            try:
                load_classifier(tmp_path)
            except VideoPureError as error:
                assert "\n" not in str(error) and len(str(error)) < 400


def test_transformers_weights_with_nan(tmp_path):
    model = saved_model("timesformer", tmp_path)
    model.classifier.bias.data[0] = float("nan")
    model.save_pretrained(tmp_path)
    one_line(lambda: load_classifier(tmp_path), "classifier.bias", "NaN")


def test_transformers_with_weights_from_elsewhere(tmp_path, clips):
    model = saved_model("videomae", tmp_path)
    torch.manual_seed(2)
    other = {name: torch.randn_like(value) * 0.1 for name, value in KINDS["videomae"](num_labels=7).state_dict().items()}
    classifier = load_classifier(tmp_path, weights=other, num_classes=7, class_names=[*"abcdefg"])
    assert same(classifier.model, other) and classifier(clips).shape == (3, 7)
    one_line(lambda: load_classifier(tmp_path, num_classes=7), "has 3 classes", "num_classes=7")
    one_line(lambda: load_classifier(tmp_path, weights=other), "for 7 classes", "has 3")
    assert not same(load_classifier(tmp_path, weights="random").model, model.state_dict())


def test_not_a_video_model(tmp_path):
    transformers.ViTConfig().save_pretrained(tmp_path)
    one_line(lambda: load_classifier(tmp_path), "is a vit model", "videomae")


def test_options_go_before_the_configuration(tmp_path, clips):
    saved_model("videomae", tmp_path)
    classifier = load_classifier(tmp_path, mean=(0, 0, 0), std=(1, 1, 1), class_names=["x", "y", "z"])
    assert classifier.class_names == ["x", "y", "z"] and classifier.mean == (0, 0, 0)
    one_line(lambda: load_classifier(tmp_path, class_names=["x"]), "1 class_names", "3 classes")


@pytest.mark.parametrize("kind", ["vivit", "videomae"])
@pytest.mark.parametrize("change", [{}, {"rescale_factor": 1 / 127.5}, {"do_rescale": False}, {"do_normalize": False}])
def test_input_range_is_what_the_preprocessor_does(kind, change, clips):
    settings = PREPROCESSOR | {"do_resize": False, "do_center_crop": False} | change
    settings |= {"offset": settings["do_rescale"]} if kind == "vivit" else {}
    if kind == "vivit":
        processor = transformers.VivitImageProcessor(**settings)
    else:
        processor = transformers.models.videomae.image_processing_pil_videomae.VideoMAEImageProcessorPil(**settings)
    frames = [(frame.permute(1, 2, 0) * 255).byte().numpy() for frame in clips[0].transpose(0, 1)]
    theirs = torch.stack(list(processor(frames, return_tensors="pt")["pixel_values"]))
    x = torch.from_numpy(np.stack(frames)).permute(3, 0, 1, 2)[None].float() / 255
    ours = VideoClassifier(nn.Identity(), *_input_range(json.loads(json.dumps(processor.to_dict())), kind), layout="BTCHW").prepare(x)
    torch.testing.assert_close(ours, theirs.reshape(ours.shape).float(), rtol=1e-4, atol=1e-4)


# --- torchvision --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def stand_in(monkeypatch):
    """Three functions and the attributes that torchvision documents for its model registry, with a small network behind them.

    The real package cannot be imported beside a CPU build of torch from another index; `test_torchvision_itself` runs where it can.
    """

    def get_model(name, weights=None, **config):
        torch.manual_seed(3)
        return nn.Sequential(nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(3, config.get("num_classes", 400)))

    preset = types.SimpleNamespace(crop_size=[40, 48], resize_size=[50, 60], mean=[0.43, 0.39, 0.37], std=[0.22, 0.23, 0.21])
    default = types.SimpleNamespace(transforms=lambda: preset, meta={"categories": [f"class {i}" for i in range(400)]})
    models = types.ModuleType("torchvision.models")
    models.get_model, models.get_model_weights = get_model, lambda name: types.SimpleNamespace(DEFAULT=default)
    package = types.ModuleType("torchvision")
    package.models = models
    monkeypatch.setitem(sys.modules, "torchvision", package)
    monkeypatch.setitem(sys.modules, "torchvision.models", models)
    return models


def test_torchvision_registry(stand_in, clips):
    for name in (*TORCHVISION, "torchvision:r3d_18"):
        classifier = load_classifier(name)
        assert classifier.size == (40, 48) and classifier.num_classes == 400 and classifier.class_names[7] == "class 7"
        assert classifier.frames == (16 if name.startswith("mvit") else None) and classifier.mean == (0.43, 0.39, 0.37)
        assert classifier(clips).shape == (3, 400)
    assert load_classifier("s3d", size=64, frames=8).size == 64


def test_torchvision_with_weights(stand_in, clips, tmp_path):
    weights = {name: value + 1 for name, value in stand_in.get_model("r3d_18", num_classes=5).state_dict().items()}
    torch.save({"state_dict": weights}, tmp_path / "own.pth")
    classifier = load_classifier("r3d_18", tmp_path / "own.pth", num_classes=5, class_names=[*"abcde"])
    assert same(classifier.model, weights) and classifier.class_names == [*"abcde"]
    assert load_classifier("r3d_18", "random", num_classes=6)(clips).shape == (3, 6)
    one_line(lambda: load_classifier("r3d_18", tmp_path / "own.pth"), "for 5 classes", "has 400")
    one_line(lambda: load_classifier("r3d_18", num_classes=5), "400 classes", "num_classes=5")


@pytest.mark.parametrize(
    "failure", [ImportError("No module named 'torchvision'"), RuntimeError("operator torchvision::nms does not exist")]
)
def test_torchvision_missing_or_broken(failure, monkeypatch):
    class Finder:
        def find_spec(self, name, path=None, target=None):
            if name.split(".")[0] == "torchvision":
                raise failure

    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    one_line(lambda: load_classifier("r3d_18"), "pip install torchvision", torch.__version__, str(failure), error=MissingPackageError)


def test_torchvision_itself(clips):
    try:
        pytest.importorskip("torchvision.models")
    except RuntimeError as error:
        pytest.skip(f"torchvision does not fit this torch: {error}")
    classifier = load_classifier("r3d_18", weights="random", num_classes=12)
    assert classifier.size == (112, 112) and classifier(clips).shape == (3, 12)
