"The scripts in benchmarks that need no hours."

import gzip
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from videopure.results import Card

ROOT = Path(__file__).resolve().parent.parent


sys.path.insert(0, str(ROOT / "benchmarks"))  # where the scripts find each other


def script(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_gpu_kit_in_small(tmp_path):
    "All parts run on a processor; what needs a GPU says so."
    command = [sys.executable, "benchmarks/gpu.py", "--small", "--out", str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, timeout=600)
    found = json.loads((tmp_path / "gpu.json").read_text())
    assert list(found["parts"]) == list(script("gpu").LIMITS)
    assert not [name for name, part in found["parts"].items() if "error" in part]
    assert [name for name, part in found["parts"].items() if "left out" in part] == ["CUDA graph", "kernels", "compiled blocks"]
    checks = found["parts"]["checks"]
    assert checks["difference, float32"] == 0 and checks["gradient, cosine"] == 1
    assert found["parts"]["upsampling"]["8 x 8"]["difference"] < 1e-4
    assert "| card |" in (tmp_path / "gpu.md").read_text()


@pytest.mark.slow
def test_gpu_kit_stops_a_part_that_hangs(tmp_path, monkeypatch):
    "The other parts go on, and what was measured is kept."
    kit, kept = script("gpu"), {}
    monkeypatch.setitem(kit.LIMITS, "checks", 0.1)
    left = kit.watch(["card", "checks", "upsampling"], True, 1e12, lambda name, found: kept.update({name: found}))
    assert left == ["upsampling"] and "stopped after" in kept["checks"]["error"] and "took" in kept["card"]


@pytest.mark.slow
@pytest.mark.parametrize("family, call, encode, decode", [("ModelScope", 7.60, 6.67, 15.23), ("LTX-Video", 0.82, 1.38, 1.48)])
def test_operations_of_the_published_sizes(family, call, encode, decode):
    found = script("true_size").measure(family)
    assert [found[f"TFLOP, {part}"] for part in ("call", "encode", "decode")] == pytest.approx([call, encode, decode], abs=0.006)
    kept = json.loads((ROOT / "benchmarks" / "true_size.json").read_text())[family]
    assert found == kept
    if family == "LTX-Video":
        assert found["TFLOP, call with 128 words"] == pytest.approx(0.89, abs=0.006)


def test_proofs_on_record_are_of_the_embedded_models_and_none_was_refuted():
    lines = gzip.decompress((ROOT / "benchmarks" / "certify" / "results.jsonl.gz").read_bytes()).decode().splitlines()
    rows, results = script("certify").rows(), [json.loads(line) for line in lines]
    assert all(result["weights"] == rows[result.get("of", result["defense"])].weights for result in results)
    assert all(sum(result["defense"] == name for result in results) == row.n for name, row in rows.items())
    attacked = [result for result in results if "certain" in result]
    assert len(attacked) >= 500 and not [result for result in attacked if result["certain"] and result["said"] != result["before"]]


def test_a_sender_of_traffic_sends_more_in_whole_numbers_and_shares_keep_to_one():
    traffic = script("traffic")
    place = traffic.NUMBERS.index
    units = [0.01] * traffic.FREE
    units[place("count")] = 1 / 64
    threat = traffic.Traffic(0.1, units=units)
    draw = torch.Generator().manual_seed(0)
    rows = torch.rand(50, traffic.FREE + 4, generator=draw).mul(100).round() / 100
    rows[:, place("count")] = torch.randint(0, 65, (50,), generator=draw) / 64
    for a, b in traffic.PAIRS:
        rows[:, place(b)] = torch.minimum(rows[:, place(b)], 1 - rows[:, place(a)])
    adv = threat.project(rows + 0.5 * torch.randn(rows.shape, generator=draw), rows)
    delta = adv - rows
    assert (threat.distance(adv, rows) <= 1 + 1e-4).all() and 0 <= adv.min() and adv.max() <= 1
    torch.testing.assert_close(threat.project(adv, rows), adv, atol=1e-5, rtol=0)
    free = list(map(place, [*traffic.GROWS, *traffic.RATES]))
    assert not delta[:, [i for i in range(rows.shape[1]) if i not in free]].any() and (delta[:, free] != 0).any(0).all()
    assert all(delta[:, place(name)].min() >= 0 for name in traffic.GROWS)
    for whole in (64 * delta[:, place("count")], *(100 * delta[:, place(name)] for name in traffic.RATES)):
        torch.testing.assert_close(whole, whole.round(), atol=1e-3, rtol=0)
    for a, b in traffic.PAIRS:
        assert (adv[:, place(a)] + adv[:, place(b)]).max() <= 1 + 1e-5


def test_words_that_training_has_not_seen_are_zeros():
    traffic = script("traffic")
    row = dict.fromkeys(traffic.NAMES, "0") | {"protocol_type": "tcp", "service": "http", "flag": "SF", "count": "10"}
    rows = [[*row.values(), "normal", "20"], [*(row | {"count": "30", "flag": "S0"}).values(), "neptune", "20"]]
    encode = traffic.Encoder(rows)
    x, y = encode([*rows, [*(row | {"service": "new", "count": "20"}).values(), "smurf", "1"]])
    assert y.tolist() == [0, 1, 1] and x[:, traffic.NUMBERS.index("count")].tolist() == [0, 1, 0.5]
    assert x[:, traffic.FREE :].sum(1).tolist() == [3, 3, 2] and encode.signal.shape == (x.shape[1],)


def test_the_table_of_traffic_is_that_of_its_record():
    traffic, folder = script("traffic"), ROOT / "benchmarks" / "traffic"
    found = json.loads((folder / "traffic.json").read_text(encoding="utf-8"))
    tables = [table(found) for table in (traffic.main_table, traffic.attack_table, traffic.certified_table, traffic.held_table)]
    assert (folder / "table.md").read_text(encoding="utf-8") == "\n".join(table._repr_markdown_() for table in tables)
    cells = found["cells"]
    assert all(one[0] <= one[1] and one[2] <= one[3] <= one[1] for counts in cells.values() for one in counts)
    floor = [cells[f"words only; {column}"] for column in ("clean", "gray-box", "exact, EOT 16", "eps 1, exact")]
    assert all(counts == floor[0] for counts in floor)  # no attack moves a word
    right = lambda column: sum(one[0] for one in cells[f"none; {column}"])  # nothing is hidden there, so the exact attack does no worse
    assert right("exact, EOT 16") <= right("gray-box") and right("sender, exact") <= right("sender, gray-box")


def test_without_the_rows_of_traffic_one_line_says_so(tmp_path):
    command = [sys.executable, "benchmarks/traffic.py", "--data", str(tmp_path / "none"), "--out", str(tmp_path)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 1 and len(ended.stderr.strip().splitlines()) == 1 and "--data" in ended.stderr


def test_the_comparison_with_the_audit_is_that_of_its_card():
    folder = ROOT / "benchmarks" / "audit"
    table = script("audit").comparison(Card.load(folder))
    assert (folder / "comparison.md").read_text(encoding="utf-8") == table._repr_markdown_() + "\n" and len(table.rows) == 9
