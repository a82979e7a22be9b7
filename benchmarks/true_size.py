"""What the published sizes cost, without their weights: python benchmarks/true_size.py [--out FOLDER] [--run]

Every family is built from its published configuration on torch's meta device, which has no memory, and its operations are counted
at 32 x 224 x 224 (33 frames where a model takes 4k + 1 or 8k + 1): a call of the network, encoding, decoding, and a purification of
six levels (12 calls, one encoding, seven decodings). The memory is an estimate of the least that works: the weights, and the largest
sum of what goes into a layer and comes out of it. The autoencoder of pictures is asked for few frames a call there; where there is
room it takes more at once, so that a run on a GPU with 80 GB used twice as much (benchmarks/gpu/h100.md).

--run makes the 1.7B model with random weights in bfloat16, saves it with diffusers in shards, loads it by the name of its folder and
purifies a small clip on the processor: that it loads and runs is then seen. It takes 12 GB of memory, 3 GB of disk and some minutes.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import diffusers
import torch
from torch.utils.flop_counter import FlopCounterMode

from videopure.families import untrained
from videopure.models import VideoModel
from videopure.pipeline import VideoPurePipeline

FAMILIES = "ModelScope", "AnimateDiff", "Wan", "LTX-Video", "CogVideoX"
BYTES = {"float32": 4, "bfloat16": 2}


def operations(run) -> float:
    "In units of 10^12."
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        run()
    return counter.get_total_flops() / 1e12


def most_alive(modules, run) -> int:
    "The largest number of values that go into and come out of one layer of the modules."
    largest = [0]

    def look(layer, inputs, output):
        tensors = [t for t in (*inputs, *(output if isinstance(output, tuple) else (output,))) if isinstance(t, torch.Tensor)]
        largest[0] = max(largest[0], sum(t.numel() for t in tensors))

    hooks = [layer.register_forward_hook(look) for module in modules for layer in module.modules() if not [*layer.children()]]
    with torch.no_grad():
        run()
    for hook in hooks:
        hook.remove()
    return largest[0]


def measure(family: str) -> dict:
    "Parameters, operations and memory of one family at its published size."
    with torch.device("meta"):
        parts = untrained(family, "full")
        network = parts.pop("unet", None) or parts.pop("transformer")
        model = VideoModel(network=network, **parts)
        clip = model.fit(torch.zeros(1, 3, 32, 224, 224))
        z = model.encode(clip)
        runs = {"call": lambda: model.noise(z, 0.9), "encode": lambda: model.encode(clip), "decode": lambda: model.decode(z)}
        found = {f"TFLOP, {name}": round(operations(run), 2) for name, run in runs.items()}
        alive = max(most_alive((network, model.vae), run) for run in runs.values())
    if family == "LTX-Video":  # its padding is hidden, so one word of the empty prompt is left; diffusers' pipeline keeps 128
        model.prompt.embedding = model.prompt.embedding.expand(-1, 128, -1)
        found["TFLOP, call with 128 words"] = round(operations(runs["call"]), 2)
    count = sum(p.numel() for part in (network, model.vae) for p in part.parameters())
    found["TFLOP, purification"] = round(12 * found["TFLOP, call"] + found["TFLOP, encode"] + 7 * found["TFLOP, decode"], 1)
    found |= {"parameters, network": network.num_parameters(), "parameters, autoencoder": model.vae.num_parameters()}
    found |= {"clip": list(clip.shape[2:]), "latents": list(z.shape[1:]), "prompt": list(model.prompt.embedding.shape[1:])}
    return found | {f"GiB, {name}": round((count + alive) * size / 2**30, 1) for name, size in BYTES.items()}


def load_and_run(folder: Path) -> dict:
    "The 1.7B model with random weights: saved in shards by diffusers, loaded by its folder, one small clip purified."
    times, start = {}, time.time()

    def tick(name):
        nonlocal start
        times[name], start = round(time.time() - start, 1), time.time()

    parts = untrained("ModelScope", "full")
    prompt = parts.pop("prompt")
    theirs = diffusers.TextToVideoSDPipeline(**parts, text_encoder=None, tokenizer=None).to(torch.bfloat16)
    del parts
    tick("made, s")
    theirs.save_pretrained(folder, variant="fp16", max_shard_size="1GB")
    del theirs
    shards = len([*(folder / "unet").glob("*.safetensors")])
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    tick("saved, s")
    pipe = VideoPurePipeline.from_pretrained(folder, variant="fp16", torch_dtype=torch.bfloat16, prompt=prompt.to(torch.bfloat16))
    tick("loaded, s")
    clip = torch.rand(1, 3, 4, 64, 64, generator=torch.Generator().manual_seed(0))
    records = pipe(clip, purify_steps=1).videos
    tick("purified 4 x 64 x 64 at one level, s")
    finite = bool(records.isfinite().all())
    return {"shards": shards, "GB": round(size / 1e9, 2), "records": list(records.shape), "finite": finite, **times}


def to_markdown(found: dict) -> str:
    rows = ["| family | billion parameters | TFLOP: call | encode | decode | purification | GiB float32 | bfloat16 |", "|---|" + "---|" * 7]
    for name, one in found.items():
        if name in FAMILIES:
            costs = [one[f"TFLOP, {part}"] for part in ("call", "encode", "decode", "purification")]
            memory = [one[f"GiB, {dtype}"] for dtype in BYTES]
            rows.append(f"| {name} | {one['parameters, network'] / 1e9:.2f} | " + " | ".join(map(str, costs + memory)) + " |")
    return "\n".join(rows) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("benchmarks"))
    parser.add_argument("--run", action="store_true", help="make, save, load and run the 1.7B model")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    path = args.out / "true_size.json"
    found = json.loads(path.read_text()) if path.exists() else {}
    for family in FAMILIES:
        found[family] = measure(family)
        print(family, found[family], flush=True)
    if args.run:
        with tempfile.TemporaryDirectory() as folder:
            found["the 1.7B model, run"] = load_and_run(Path(folder))
        print(found["the 1.7B model, run"])
    path.write_text(json.dumps(found, indent=1) + "\n")
    (args.out / "true_size.md").write_text(to_markdown(found))


if __name__ == "__main__":
    main()
