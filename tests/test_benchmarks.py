"The scripts in benchmarks that need no hours."

import gzip
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


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
