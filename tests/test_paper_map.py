"The map from the paper to the code holds, and would not if something were renamed; and the tests that only the map asks for."

import importlib.util
import inspect
import json
import re
import shutil
import sys
import types
from pathlib import Path

import pytest
import torch

from videopure import inversion
from videopure.flow import latent_flow, optical_flow, warp
from videopure.guidance import spatial_loss, temporal_loss
from videopure.pipeline import VideoPurePipeline
from videopure.results import Card
from videopure.schedule import ddim_levels
from videopure.video import moving_shapes

ROOT = Path(__file__).resolve().parent.parent
MAP = ROOT / "nbs" / "tutorials" / "paper_map.ipynb"

if not MAP.exists():
    pytest.skip("an installed package carries no notebooks", allow_module_level=True)


def checker() -> types.SimpleNamespace:
    "The functions of the notebook: its cells that define something, run here."
    cells = [c for c in json.loads(MAP.read_text(encoding="utf-8"))["cells"] if c["cell_type"] == "code"]
    names = {}
    for text in ("".join(cell["source"]) for cell in cells):
        if re.search(r"^(def|import|from) ", text, re.M) and "#| eval: false" not in text:
            exec(text, names)
    return types.SimpleNamespace(**names)


check = checker()
ROWS = check.rows_of(MAP)
each = pytest.mark.parametrize("row", ROWS, ids=lambda row: row["symbol"])


# --- the map holds ------------------------------------------------------------------------------------------------------------


@each
def test_row(row):
    assert check.problems(row, ROOT) == []


def test_all_of_the_method_is_there():
    "A map of few rows would hold as well."
    symbols = {row["symbol"] for row in ROWS}
    for name in ("inversion", "guidance", "voting", "schedule", "flow", "defense", "evaluate", "attacks", "threats", "baselines"):
        assert any(symbol.startswith(f"{name}.") for symbol in symbols), name
    assert len(ROWS) >= 60


# --- and would not, if something were renamed ---------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["symbol", "lesson", "held"])
def test_renamed_in_the_map(part):
    "Whatever part of whatever row is changed, the check says so."
    for row in ROWS:
        for i in range(len(row["held"]) if part == "held" else 1):
            spoiled = row | {"held": list(row["held"])}
            if part == "symbol":
                spoiled["symbol"] += "_of_old"
            elif part == "lesson":
                spoiled["lesson"] = row["lesson"].replace(".ipynb", "_of_old.ipynb")
            else:
                old = row["held"][i]
                spoiled["held"][i] = f"{old}_of_old" if "::" in old else f"assert not ({old.removeprefix('assert ')})"
            assert check.problems(spoiled, ROOT), spoiled


@pytest.fixture
def copy(tmp_path):
    "The notebooks and tests, to be changed."
    for folder, kind in (("nbs", "*.ipynb"), ("nbs/tutorials", "*.ipynb"), ("tests", "*.py")):
        (tmp_path / folder).mkdir(exist_ok=True)
        for path in (ROOT / folder).glob(kind):
            shutil.copy(path, tmp_path / folder)
    return tmp_path


def broken(root: Path) -> list[str]:
    "What is wrong with the map in a repository, in words."
    rows = check.rows_of(root / "nbs" / "tutorials" / "paper_map.ipynb")
    return sorted({problem for row in rows for problem in check.problems(row, root)})


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_the_copy_is_good(copy):
    assert broken(copy) == []


def test_renamed_in_the_lesson(copy):
    replace(copy / "nbs" / "05_inversion.ipynb", "def share_first_frame(", "def share_frame_zero(")
    assert broken(copy) == ["../05_inversion.ipynb does not define inversion.share_first_frame"]


def test_renamed_in_the_library(copy, monkeypatch):
    monkeypatch.setattr(inversion, "share_frame_zero", inversion.share_first_frame, raising=False)
    monkeypatch.delattr(inversion, "share_first_frame")
    assert broken(copy) == ["videopure.inversion.share_first_frame cannot be imported"]


def test_renamed_method(copy):
    replace(copy / "nbs" / "09_pipeline.ipynb", "def purify_latents(", "def purify_latent(")
    assert broken(copy) == ["../09_pipeline.ipynb does not define pipeline.VideoPurePipeline.purify_latents"]


def test_renamed_test(copy):
    replace(copy / "tests" / "test_pipeline.py", "def test_early_stop_gives_the_full_vote(", "def test_early_stop(")
    assert broken(copy) == ["there is no tests/test_pipeline.py::test_early_stop_gives_the_full_vote"]


def test_renamed_notebook(copy):
    (copy / "nbs" / "06_flow.ipynb").rename(copy / "nbs" / "05_optical_flow.ipynb")
    assert broken(copy) == ["there is no notebook ../06_flow.ipynb"]


def test_changed_assertion(copy):
    replace(copy / "nbs" / "07_guidance.ipynb", "assert difference < 1e-5", "assert difference < 1e5")
    assert broken(copy) == ["there is no assert difference < 1e-5"]


def test_a_line_that_is_no_row_is_an_error(copy):
    replace(copy / "nbs" / "tutorials" / "paper_map.ipynb", " `latents.decode`<br>", " latents.decode<br>")
    with pytest.raises(ValueError, match="not a row of the map: .* latents.decode"):
        broken(copy)


# --- what the map asks for and no other test holds ----------------------------------------------------------------------------


def test_defaults_are_the_papers():
    defaults = {name: p.default for name, p in inspect.signature(ddim_levels).parameters.items()}
    assert (defaults["purify_steps"], defaults["num_inference_steps"]) == (6, 50)
    assert VideoPurePipeline.PAPER == {"purify_steps": 6, "spatial_scale": 1.0, "temporal_scale": 1.0}
    tiny = VideoPurePipeline.tiny()
    fresh = VideoPurePipeline(tiny.vae, tiny.unet, tiny.scheduler)
    assert {name: fresh.config[name] for name in fresh.PAPER} == fresh.PAPER
    assert inspect.signature(VideoPurePipeline.__call__).parameters["num_inference_steps"].default == 50
    assert [level.t for level in ddim_levels(tiny.scheduler, 50)] == list(range(1, 1000, 20))


def test_the_losses_by_hand():
    generator = torch.Generator().manual_seed(0)
    x0, z0 = torch.randn(2, 1, 4, 3, 5, 6, generator=generator)
    flow = torch.randn(1, 2, 2, 5, 6, generator=generator)
    assert torch.allclose(spatial_loss(x0, z0), ((x0 - z0) ** 2).sum() / (4 * 3 * 5 * 6))
    by_hand = sum((warp(x0[:, :, i + 1], flow[:, i]) - x0[:, :, i]).abs().sum() / (4 * 5 * 6) for i in range(2))
    assert torch.allclose(temporal_loss(x0, flow), by_hand)
    x0.requires_grad_()
    (grad,) = torch.autograd.grad(temporal_loss(x0, flow).sum(), x0)
    assert grad[:, :, :-1].abs().min() > 0 and not grad[:, :, -1].any()


def test_the_whole_method_step_by_step():
    "The published order of work, with two prompts, autograd and one frame at a time, gives our records."
    spec = importlib.util.spec_from_file_location("purify", ROOT / "benchmarks" / "purify.py")
    purify = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(purify)
    clip, pipe = moving_shapes(1, seed=3)[0], VideoPurePipeline.tiny()
    flow = latent_flow(clip, 16, 16)
    with torch.no_grad():
        theirs = purify.in_published_order(purify.as_loaded(VideoPurePipeline.tiny()), clip, flow, 6, (0.5, 0.5))
    raw = {"spatial_scale": 0.5, "temporal_scale": 0.5, "normalize_guidance": False}
    ours = pipe(clip, purify_steps=6, flow=flow, **raw).videos
    error = (ours - theirs).abs().flatten()
    assert theirs.shape == ours.shape == (1, 7, *clip.shape[1:])
    assert error.mean() < 1e-5 and error.quantile(0.999) < 1e-4
    for part in ({"spatial_scale": 0.0}, {"temporal_scale": 0.0}, {"temporal_inversion": False}, {"guide_trajectory": True}):
        assert (ours - pipe(clip, purify_steps=6, flow=flow, **raw | part).videos).abs().mean() > 1e-3, part


def test_raft_is_given_what_it_was_trained_on(monkeypatch):
    seen = []

    class Raft(torch.nn.Module):
        def forward(self, first, second):
            seen.append((first.min().item(), first.max().item()))
            return [first.new_zeros(len(first), 2, *first.shape[2:])]

    fake = types.ModuleType("torchvision.models.optical_flow")
    fake.Raft_Large_Weights, fake.raft_large = types.SimpleNamespace(DEFAULT=None), lambda weights: Raft()
    for name in ("torchvision", "torchvision.models"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, fake.__name__, fake)
    video = torch.zeros(1, 3, 2, 32, 32)
    video[:, :, :, 16:] = 1
    assert optical_flow(video, "raft").shape == optical_flow(video, "raft-paper").shape == (1, 1, 2, 32, 32)
    assert seen == [(-1, 1), (0, 1)]


# --- what was found, in the committed tables ----------------------------------------------------------------------------------


def kept(run: str, defense: str, attack: str = "PGD 8/255") -> float:
    "The share of clips that stayed right."
    accuracy = Card.load(ROOT / "benchmarks" / run).accuracy(defense, attack)
    return accuracy.right / accuracy.n


def test_gray_box_the_defense_holds():
    assert kept("reference", "VideoPure") == 0.945 and kept("reference", "none") == 0


def test_bpda_sees_what_is_not_there():
    assert kept("reference", "VideoPure", "BPDA 8/255") == 0.9 and kept("reference", "VideoPure", "full 8/255") == 0
    assert Card.load(ROOT / "benchmarks" / "reference").accuracy("VideoPure", "full 8/255").n == 100


def test_shared_noise_carries_the_defense():
    assert [round(100 * kept("ablations", name)) for name in ("VideoPure", "no shared noise")] == [92, 37]


def test_the_sign_of_the_guidance_matters():
    whole, without, reversed_sign = (kept("ablations", name) for name in ("VideoPure", "no guidance", "spatial sign reversed"))
    assert reversed_sign < without < whole and round(100 * reversed_sign) == 25


def test_plain_inversion_defends_nothing():
    assert kept("reference", "DDIM inversion") == kept("ablations", "DDIM inversion only") == 0


def test_the_vote_adds_nothing_measured():
    others = ("vote: mean probability", "vote: lowest index (paper)", "last record only")
    assert all(kept("ablations", name) == kept("ablations", "VideoPure") for name in others)


def test_one_estimate_does_as_well():
    card = Card.load(ROOT / "benchmarks" / "reference")
    for attack in ("none", "PGD 4/255", "PGD 8/255"):
        (low, high), (lower, higher) = (card.accuracy(name, attack).interval for name in ("VideoPure", "one-step x0"))
        assert lower <= high and low <= higher
    assert card.cost("VideoPure", "none", "calls") == 8 * card.cost("one-step x0", "none", "calls")
