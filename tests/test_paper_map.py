"The map from the paper to the code holds, and would not if something were renamed; and the tests that only the map asks for."

import importlib.util
import inspect
import json
import re
import shutil
import sys
import types
from importlib import import_module
from pathlib import Path

import pytest
import torch

from videopure.flow import latent_flow, optical_flow, warp
from videopure.guidance import spatial_loss, temporal_loss
from videopure.pipeline import VideoPurePipeline
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


def rows_of(root: Path) -> list[dict]:
    "The rows of the map in a repository."
    return check.rows_of(root / MAP.relative_to(ROOT))


def broken(root: Path) -> set[str]:
    "What is wrong with the map in a repository, in words."
    return {problem for row in rows_of(root) for problem in check.problems(row, root)}


ROWS = rows_of(ROOT)


# --- the map holds, and would not if something were renamed -------------------------------------------------------------------


def test_every_row():
    assert not broken(ROOT)


def test_all_of_the_method_is_there():
    "A map of few rows would hold as well."
    symbols = {row["symbol"] for row in ROWS}
    for name in ("inversion", "guidance", "voting", "schedule", "flow", "defense", "evaluate", "attacks", "threats", "baselines"):
        assert any(symbol.startswith(f"{name}.") for symbol in symbols), name
    assert len(ROWS) >= 60


@pytest.mark.slow
def test_whatever_is_renamed_in_the_map_is_noticed(tmp_path):
    "Each part of each row: symbol, lesson, every test and assertion; and a line that is no row is an error."
    for row in ROWS:
        spoiled = [{"symbol": row["symbol"] + "_of_old"}, {"lesson": row["lesson"].replace(".ipynb", "_of_old.ipynb")}]
        for i, old in enumerate(row["held"]):
            new = f"{old}_of_old" if "::" in old else f"assert not ({old.removeprefix('assert ')})"
            spoiled.append({"held": [*row["held"][:i], new, *row["held"][i + 1 :]]})
        for part in spoiled:
            assert check.problems(row | part, ROOT), row | part
    copy = tmp_path / MAP.name
    shutil.copy(MAP, copy)
    replace(copy, f" `{ROWS[0]['symbol']}`<br>", f" {ROWS[0]['symbol']}<br>")
    with pytest.raises(ValueError, match=f"not a row of the map: .* {ROWS[0]['symbol']}"):
        check.rows_of(copy)


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.slow
def test_whatever_is_renamed_elsewhere_is_noticed(tmp_path, monkeypatch):
    "A symbol in its lesson, another in the library, an assertion, a test, and a lesson; each on a copy of the repository."
    for folder, kind in (("nbs", "*.ipynb"), ("nbs/tutorials", "*.ipynb"), ("tests", "*.py")):
        (tmp_path / folder).mkdir(exist_ok=True)
        for path in (ROOT / folder).glob(kind):
            shutil.copy(path, tmp_path / folder)
    path = {row["lesson"]: tmp_path / "nbs/tutorials" / row["lesson"] for row in ROWS}
    text, expected = {lesson: path[lesson].read_text(encoding="utf-8") for lesson in path}, set()

    def pick(fits) -> tuple:
        "The first row that fits and whose lesson nothing else here changes: its lesson, its symbol, and what fits."
        row, found = next((row, fits(row)) for row in ROWS if row["lesson"] in text and fits(row))
        del text[row["lesson"]]
        return row["lesson"], row["symbol"], found

    def function(row: dict) -> tuple | None:
        module, *name = row["symbol"].split(".")
        return (module, *name) if len(name) == 1 and f"def {name[0]}(" in text[row["lesson"]] else None

    lesson, symbol, (_, name) = pick(function)
    replace(path[lesson], f"def {name}(", f"def {name}_of_old(")
    expected.add(f"{lesson} does not define {symbol}")

    _, symbol, (module, name) = pick(function)
    monkeypatch.delattr(import_module(f"videopure.{module}"), name)
    expected.add(f"videopure.{symbol} cannot be imported")

    lesson, _, claim = pick(lambda row: next((h for h in row["held"] if h.startswith("assert ") and h in text[row["lesson"]]), None))
    replace(path[lesson], claim, claim.replace("assert ", "assert not "))
    expected.add(f"there is no {claim}")

    _, _, test = pick(lambda row: next((held for held in row["held"] if "::" in held), None))
    file, _, name = test.partition("::")
    replace(tmp_path / file, f"def {name}(", f"def {name}_of_old(")
    expected.add(f"there is no {test}")

    lesson, _, _ = pick(lambda row: True)
    path[lesson].unlink()
    expected.add(f"there is no notebook {lesson}")
    assert expected <= broken(tmp_path)


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


@pytest.mark.slow
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
