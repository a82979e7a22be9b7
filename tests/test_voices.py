"The parts of the lesson on voices, and what its measurement left."

import json
import math
import re
import subprocess
import sys
import wave
from importlib import import_module
from pathlib import Path

import pytest
import torch

from videopure.attacks import PGD
from videopure.defense import Defended
from videopure.results import Card

ROOT = Path(__file__).resolve().parent.parent
if not (ROOT / "benchmarks" / "voices.py").exists():
    pytest.skip("an installed package carries no benchmarks", allow_module_level=True)
sys.path.insert(0, str(ROOT / "benchmarks"))
records, voices = import_module("records"), import_module("voices")


def test_equal_error_rate_is_that_of_all_thresholds_tried_one_by_one():
    draw = torch.Generator().manual_seed(0)
    for _ in range(5):
        labels = torch.tensor([1, 0] * 20)
        scores = torch.randn(40, generator=draw) + labels
        sides = [((scores[labels == 1] < cut).float().mean(), (scores[labels == 0] >= cut).float().mean()) for cut in scores]
        best = min(sides, key=lambda side: abs(side[0] - side[1]))
        rate, cut = voices.equal_error(scores, labels)
        assert rate == pytest.approx(sum(best).item() / 2) and cut in scores
    both = voices.equal_error(torch.stack([scores, -scores]), torch.stack([labels, labels]))[0]
    assert both[0] == pytest.approx(rate) and both[1] > 0.5


def test_front_end():
    filters = voices.mel_filters(16000, 400)
    hertz = torch.linspace(0, 8000, 201)
    centres = (filters * hertz[:, None]).sum(0) / filters.sum(0)
    assert filters.shape == (201, 40) and (filters >= 0).all() and (centres.diff() > 0).all()
    wide = filters[:, 25:].sum(0) * 40
    assert torch.allclose(wide, torch.ones_like(wide), atol=0.05)  # equal areas
    tone = torch.sin(2 * math.pi * 1000 * torch.arange(4000) / 8000)[None]
    power = voices.mel_power(tone, 400, 80, voices.mel_filters(8000, 400)).mean((0, 1))
    own = voices.mel_filters(8000, 400)[50]  # 1,000 Hz
    assert power.argmax() == own.argmax()


def test_sounds_are_as_loud_as_said_and_parts_are_apart():
    sounds = voices.made_up(takes=voices.ENROL + 2 * voices.EACH, speakers=4)
    for x in sounds.values():
        voices.WAVE.check(x)
        assert torch.allclose(20 * x.square().mean(1).sqrt().log10(), torch.tensor(-30.0), atol=0.1)
    used = [sounds[1][: voices.ENROL], *(voices.trials(sounds, 1, part)[0] for part in (0, 1))]
    assert not {tuple(x[:9].tolist()) for x in used[0]} & {tuple(x[:9].tolist()) for x in torch.cat(used[1:])}
    assert not {tuple(x[:9].tolist()) for x in used[1]} & {tuple(x[:9].tolist()) for x in used[2]}
    assert len(voices.half_second(torch.rand(999))) == len(voices.half_second(torch.rand(9999))) == 4000


def test_a_verifier_is_a_classifier_that_can_be_attacked_and_defended():
    sounds = voices.made_up(takes=25, speakers=4)
    verifier = next(iter(voices.verifiers(voices.train_encoder(sounds, steps=30), sounds).values()))
    x, y = voices.trials(sounds, 1, each=4)
    assert torch.equal(verifier(x)[:, 1] > 0, voices.cosine(verifier, x) > verifier.threshold)
    pipe = voices.diffusion()
    pipe.network.requires_grad_(False).eval()
    for name, purifier in voices.defenses(pipe, voices.LearnedNoise()).items():
        model = verifier if purifier is None else Defended(verifier, purifier)
        attacked = PGD(model, 0.002, steps=1, seed=0)(x, y)
        assert (attacked - x).abs().max() <= 0.002 + 1e-6, name
        assert not model(attacked).isnan().any()


def test_without_recordings_one_line_says_so(tmp_path):
    command = [sys.executable, ROOT / "benchmarks" / "voices.py", "--data", tmp_path, "--out", tmp_path / "out"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 1 and "found none" in found.stderr and len(found.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_the_table_is_made_of_the_record():
    folder = ROOT / "benchmarks" / "voices"
    kept = json.loads((folder / "voices.json").read_text())
    assert "\n\n".join(t._repr_markdown_() for t in voices.tables(kept)) + "\n" == (folder / "table.md").read_text()
    claims = {}
    for key in kept:
        claims.setdefault(key.rsplit(" | ", 1)[0], set()).add(key[-1])
    assert all(found == set("123456") for found in claims.values())
    proofs = {(voices.proof_name(*proof),) for proof in voices.PROOFS}
    assert {tuple(cell.split(" | ")[1:]) for cell in claims} == {tuple(map(str, cell)) for cell in voices.cells()} | proofs
    for cell in kept.values():
        assert cell["labels"] == [1] * voices.EACH + [0] * voices.EACH if isinstance(cell, dict) else len(cell) == 2 * voices.EACH


def test_the_tools_of_clips_have_measured_voices():
    folder = ROOT / "benchmarks" / "voices"
    card = Card.load(folder / "speakers_a")
    for name in ("none", "plain noise", "one-step, t = 3", "diffusion, t = 3"):
        assert [card.accuracy(name, column).n for column in ("none", "gray-box", "exact", "video-auto-1")] == [54, 54, 54, 18]
    check = json.loads((folder / "check_a.json").read_text())
    assert check["the gradient keeps its promise"][0] == check["full gradient ≥ BPDA"][0] == "passed"


@pytest.mark.parametrize(
    "wrong, says",
    [
        (b"", "no whole wav file"),
        (b"RIFF\0\0", "no whole wav file"),
        (b"some text that is no sound at all", "no whole wav file"),
        ((8000, 2), "2 channel(s)"),
        ((16000, 1), "16000 Hz"),
    ],
)
def test_wrong_recordings_are_named(wrong, says, tmp_path):
    path = tmp_path / "spk1_digit0_00.wav"
    if isinstance(wrong, bytes):
        path.write_bytes(wrong)
    else:
        with wave.open(str(path), "wb") as file:
            file.setframerate(wrong[0]), file.setnchannels(wrong[1]), file.setsampwidth(2), file.writeframes(bytes(8000))
    with pytest.raises(ValueError, match=re.escape(says)) as error:
        voices.recordings(tmp_path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


def test_a_record_is_of_one_set_of_recordings(tmp_path):
    records.of_one_data(tmp_path, [1, 2])
    records.of_one_data(tmp_path, [1, 2])
    with pytest.raises(SystemExit, match="other data"):
        records.of_one_data(tmp_path, [1, 3])
