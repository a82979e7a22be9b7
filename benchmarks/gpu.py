"""What the package does on a GPU, in one command of under 7 minutes: python benchmarks/gpu.py --out FOLDER

Needs torch and diffusers (with what they need) and this package; all weights are random. Writes gpu.json and gpu.md after every
part, so that a run that is cut keeps what it has. Every part has its own time limit: a worker process that hangs is stopped, and
another goes on with the next part. Without a GPU, or with --small, the same code runs on a processor with tiny models, to test it.
Times are medians of synchronized runs.

The parts: the card's own speed; the package against its results on the processor; a purification at the size of the paper
(32 x 224 x 224, the 1.7B UNet), in the published order of work and in ours; the exact gradient through 2, 4 and 6 levels;
Wan 1.3B and LTX-Video 2B; and which options make a call of the UNet faster.
"""

import argparse
import json
import queue
import statistics
import subprocess
import sys
import threading
import time
from contextlib import nullcontext
from pathlib import Path

LIMITS = {  # seconds that a part may take; they run in this order
    "card": 40,
    "checks": 90,
    "paper size, bfloat16": 90,
    "paper size, float16": 60,
    "gradient, 2 levels": 60,
    "gradient, 4 levels": 60,
    "gradient, 6 levels": 60,
    "LTX-Video": 60,
    "Wan": 90,
    "options": 60,
    "upsampling": 30,
    "CUDA graph": 60,
    "kernels": 60,
    "compiled blocks": 120,
}
# a call, encode, decode; true_size.py counts them
TFLOP = {"ModelScope": (7.60, 6.67, 15.23), "Wan": (5.31, 8.38, 14.11), "LTX-Video": (0.82, 1.38, 1.48)}


class Kit:
    "The parts, as methods that return what was measured, and the models that they share."

    def __init__(self, small: bool):
        import torch

        self.torch, self.small = torch, small or not torch.cuda.is_available()
        self.device = torch.device("cpu" if self.small else "cuda")
        self.size = "tiny" if self.small else "full"
        self.half = torch.float32 if self.small else torch.bfloat16
        self.shape = (4, 32, 32) if self.small else (32, 224, 224)
        self.held = (None, None, None)  # family, type, pipeline

    # tools

    def sync(self):
        if self.device.type == "cuda":
            self.torch.cuda.synchronize()

    def seconds(self, run, repeats: int = 3, warm: int = 1) -> float:
        for _ in range(warm):
            run()
        times = []
        for _ in range(repeats):
            self.sync()
            start = time.perf_counter()
            run()
            self.sync()
            times.append(time.perf_counter() - start)
        return max(round(statistics.median(times), 6), 1e-6)

    def fresh(self):
        "Forget the peak of the memory."
        if self.device.type == "cuda":
            self.torch.cuda.empty_cache()
            self.torch.cuda.reset_peak_memory_stats()

    def peak_GiB(self) -> float | None:
        return round(self.torch.cuda.max_memory_allocated() / 2**30, 2) if self.device.type == "cuda" else None

    def build(self, family: str, dtype):
        "A pipeline of the family with random weights."
        from videopure.families import untrained
        from videopure.pipeline import VideoPurePipeline

        with self.device:
            parts = untrained(family, self.size)
        for name in ("vae", "unet", "transformer", "prompt"):
            if name in parts:
                parts[name] = parts[name].to(dtype)
        pipe = VideoPurePipeline(**parts)
        pipe.set_progress_bar_config(disable=True)
        return pipe

    def only(self, family: str, dtype):
        "The same, made once; the one before is forgotten."
        if self.held[:2] != (family, dtype):
            self.held = (None, None, None)
            self.fresh()
            self.held = family, dtype, self.build(family, dtype)
        return self.held[2]

    def clip(self):
        generator = self.torch.Generator().manual_seed(0)
        return self.torch.rand(1, 3, *self.shape, generator=generator).to(self.device)

    def flow(self, pipe):
        "A flow of half a latent pixel, in the place of an estimator that is not there."
        with self.torch.no_grad():
            z = pipe.model.encode(pipe.prepare(self.clip()))
        return self.torch.full((1, z.shape[2] - 1, 2, *z.shape[3:]), 0.5, device=self.device)

    # parts

    def card(self):
        n = 256 if self.small else 8192
        found = {}
        for dtype in (self.torch.bfloat16, self.torch.float16, self.torch.float32):
            a, b = (self.torch.randn(n, n, device=self.device).to(dtype) for _ in range(2))
            found[f"matmul {dtype} TFLOP/s".replace("torch.", "")] = round(2 * n**3 / self.seconds(lambda: a @ b, 10, 3) / 1e12, 1)
        x = self.torch.randn(n * n // 4, device=self.device)
        y = self.torch.empty_like(x)
        found["copy GB/s"] = round(2 * x.nbytes / self.seconds(lambda: y.copy_(x), 10, 3) / 1e9, 1)
        return found

    def checks(self):
        "The package on the card against the package on the processor, with the embedded models and the five tiny families."
        from videopure.defense import Defended
        from videopure.families import NETWORKS_OF, untrained
        from videopure.pipeline import VideoPurePipeline
        from videopure.tiny import tiny_classifier
        from videopure.video import moving_shapes

        torch, found = self.torch, {}
        clips, labels = moving_shapes(2, seed=5)
        flow = torch.zeros(2, 15, 2, 16, 16)
        quiet = VideoPurePipeline.tiny()
        quiet.set_progress_bar_config(disable=True)
        wanted = quiet(clips, flow=flow).videos
        for dtype in (torch.float32, torch.float16, torch.bfloat16):
            pipe = VideoPurePipeline.tiny().to(self.device, dtype)
            pipe.set_progress_bar_config(disable=True)
            out = pipe(clips.to(self.device), flow=flow.to(self.device)).videos.cpu().float()
            found[f"difference, {dtype}".replace("torch.", "")] = round((out - wanted).abs().mean().item(), 7)
        gradients = []
        for place in ("cpu", self.device):
            pipe = VideoPurePipeline.tiny().to(place)
            pipe.set_progress_bar_config(disable=True)
            x = clips.to(place).requires_grad_()
            loss = torch.nn.functional.cross_entropy(Defended(tiny_classifier().to(place), pipe)(x), labels.to(place))
            gradients.append(torch.autograd.grad(loss, x)[0].cpu())
        found["gradient, cosine"] = round(torch.nn.functional.cosine_similarity(*(g.flatten() for g in gradients), dim=0).item(), 5)
        for family in NETWORKS_OF:
            same = []
            for place in ("cpu", self.device):
                pipe = VideoPurePipeline(**untrained(family)).to(place)
                pipe.set_progress_bar_config(disable=True)
                same.append(pipe(clips.to(place), purify_steps=2, temporal_scale=0.0).videos.cpu())
            found[f"difference, {family}"] = round((same[0] - same[1]).abs().max().item(), 6)
        return found

    def published(self, pipe, clip, flow, levels):
        "The order of work of the published code: pairs of prompts, frames one by one, guidance by autograd at every level."
        torch = self.torch
        from videopure.guidance import spatial_loss, temporal_loss
        from videopure.schedule import ddim_step, predict_x0

        model, words = pipe.model, pipe.prompt.embedding
        dtype = pipe.network.dtype
        with torch.no_grad():
            frames = (2 * clip - 1).to(dtype)
            z0 = torch.stack([pipe.vae.encode(frames[:, :, i]).latent_dist.mode() for i in range(clip.shape[2])], 2).float()
            z0 = z0 * pipe.vae.config.scaling_factor

            def predict(z, t):
                both = torch.cat([z, z]).to(dtype)
                plain, told = pipe.unet(both, t, encoder_hidden_states=words.expand(2, -1, -1)).sample.float().chunk(2)
                return plain + 9 * (told - plain)

            z = z0
            for level in levels:
                noise = predict(z, level.t)
                z = ddim_step(z, noise[:, :, :1].expand_as(noise), level.abar_prev, level.abar)
            records = []
            for level in reversed(levels):
                noise = predict(z, level.t)
                x0 = predict_x0(z, noise, level.abar)
                with torch.enable_grad():
                    leaf = x0.detach().requires_grad_()
                    loss = 800 * spatial_loss(leaf, z0) + 5 * temporal_loss(leaf, flow)
                    (push,) = torch.autograd.grad(loss.sum(), leaf)
                records.append(x0 - 0.01 * push)
                z = ddim_step(z, noise, level.abar, level.abar_prev)
            records.append(z)
            for record in records:
                parts = (record / pipe.vae.config.scaling_factor).to(dtype)
                [pipe.vae.decode(parts[:, :, i]).sample for i in range(parts.shape[2])]
        return model

    def paper_size(self, dtype):
        from videopure.schedule import ddim_levels

        torch, pipe = self.torch, self.only("ModelScope", dtype)
        clip, flow, levels = self.clip(), self.flow(pipe), ddim_levels(pipe.grid)
        z = pipe.model.encode(pipe.prepare(clip)).detach()
        found = {"network, 1 clip": self.seconds(lambda: pipe.predict_noise(z, 101)), "network, 2 clips": None}
        with torch.no_grad():
            found["network, 2 clips"] = self.seconds(lambda: pipe.predict_noise(torch.cat([z, z]), 101))
            found["encode"] = self.seconds(lambda: pipe.model.encode(pipe.prepare(clip)))
            found["decode"] = self.seconds(lambda: pipe.model.decode(z))
        self.fresh()
        found["published order"] = self.seconds(lambda: self.published(pipe, clip, flow, levels), 1, 1)
        found["published order GiB"] = self.peak_GiB()
        self.fresh()
        found["ours"] = self.seconds(lambda: pipe(clip, flow=flow, purify_steps=6), 2, 1)
        found["ours GiB"] = self.peak_GiB()

        def label_only():
            latents = pipe(clip, flow=flow, purify_steps=6, output_type="latent").latents
            return pipe.decode_records(latents[:, :4], clip.shape[-3:])

        found["ours, four records decoded"] = self.seconds(label_only, 1, 0)
        found["ratio"] = round(found["published order"] / found["ours"], 2)
        found["ratio, four records"] = round(found["published order"] / found["ours, four records decoded"], 2)
        if not self.small:
            call, encode, decode = TFLOP["ModelScope"]
            found["TFLOP/s, ours"] = round((12 * call + encode + 7 * decode) / found["ours"], 1)
            found["TFLOP/s, network"] = round(call / found["network, 1 clip"], 1)
            found["TFLOP/s, decode"] = round(decode / found["decode"], 1)
        return found

    def gradient(self, levels: int, family: str = "ModelScope"):
        pipe = self.only(family, self.half)
        flow, torch = self.flow(pipe), self.torch
        self.fresh()

        def step():
            x = self.clip().requires_grad_()
            videos = pipe(x, flow=flow, purify_steps=levels).videos
            return torch.autograd.grad(videos.square().mean() * 2**8, x)[0]

        start = time.perf_counter()
        gradient = step()
        self.sync()
        found = {"first, seconds": round(time.perf_counter() - start, 3), "GiB": self.peak_GiB()}
        found["seconds"] = self.seconds(step, 1, 0)
        found["finite"], found["share of zeros"] = bool(gradient.isfinite().all()), round((gradient == 0).float().mean().item(), 5)
        return found

    def family(self, family: str):
        pipe = self.only(family, self.half)
        clip, flow, torch = self.clip(), self.flow(pipe), self.torch
        self.fresh()
        with torch.no_grad():
            z = pipe.model.encode(pipe.prepare(clip))
            found = {"latents": list(z.shape), "network": self.seconds(lambda: pipe.predict_noise(z, 101))}
            found["encode"] = self.seconds(lambda: pipe.model.encode(pipe.prepare(clip)), 2)
            found["decode"] = self.seconds(lambda: pipe.model.decode(z), 2)
        found["purification"] = self.seconds(lambda: pipe(clip, flow=flow, purify_steps=6), 1, 1)
        found["purification GiB"] = self.peak_GiB()
        if not self.small:
            call, encode, decode = TFLOP[family]
            found["TFLOP/s"] = round((12 * call + encode + 7 * decode) / found["purification"], 1)
        found |= {f"gradient, 2 levels: {name}": value for name, value in self.gradient(2, family).items()}
        return found

    def options(self):
        "The UNet's call and the decoder, as they come and with one thing changed."
        torch, pipe = self.torch, self.only("ModelScope", self.half)
        from torch.nn.attention import SDPBackend, sdpa_kernel

        found = {}
        with torch.no_grad():
            z = pipe.model.encode(pipe.prepare(self.clip()))
            network, decode = lambda: pipe.predict_noise(z, 101), lambda: pipe.model.decode(z)
            found["network"], found["decode"] = self.seconds(network), self.seconds(decode)
            with nullcontext() if self.small else sdpa_kernel(SDPBackend.MATH):
                found["network, attention without flash"] = self.seconds(network, 2)
            for module in (*pipe.network.modules(), *pipe.vae.modules()):
                if isinstance(module, torch.nn.Conv2d):
                    module.to(memory_format=torch.contiguous_format)
            found["network, channels first"], found["decode, channels first"] = self.seconds(network), self.seconds(decode)
            for module in (*pipe.network.modules(), *pipe.vae.modules()):
                if isinstance(module, torch.nn.Conv2d):
                    module.to(memory_format=torch.channels_last)
            found["decode, 8 frames a call"] = self.seconds(lambda: pipe.model.decode(z, 8))
            torch.backends.cudnn.benchmark = True
            found["network, cuDNN tries algorithms"] = self.seconds(network, 3, 2)
            found["decode, cuDNN tries algorithms"] = self.seconds(decode, 3, 2)
            for module in pipe.network.modules():
                if isinstance(module, torch.nn.Conv3d):
                    module.to(memory_format=torch.channels_last_3d)
            found["network, temporal convolutions channels last too"] = self.seconds(network, 3, 2)
            torch.backends.cudnn.benchmark = False
        return found

    def upsampling(self):
        "Nearest-neighbour upsampling and a 3x3 convolution, against four 2x2 convolutions at half the size: the same numbers."
        torch, functional = self.torch, self.torch.nn.functional
        found = {}
        for channels, side in ((8, 8),) if self.small else ((512, 56), (256, 112)):
            x = torch.randn(8, channels, side, side, device=self.device, dtype=self.half).to(memory_format=torch.channels_last)
            w = torch.randn(channels, channels, 3, 3, device=self.device, dtype=self.half) / channels
            rows = torch.tensor([[[1, 0, 0], [0, 1, 1]], [[1, 1, 0], [0, 0, 1]]], device=self.device, dtype=self.half)
            small = torch.einsum("piy,qjx,ocyx->pqocij", rows, rows, w).contiguous()
            stacked = small.permute(2, 0, 1, 3, 4, 5).flatten(0, 2).to(memory_format=torch.channels_last)

            def plain(x=x, w=w):
                return functional.conv2d(functional.interpolate(x, scale_factor=2, mode="nearest"), w, padding=1)

            def subpixel(x=x, stacked=stacked, side=side):
                four = functional.conv2d(x, stacked, padding=1).unflatten(1, (-1, 2, 2))
                out = four.new_empty(len(x), four.shape[1], 2 * side, 2 * side)
                for p in (0, 1):
                    for q in (0, 1):
                        out[:, :, p::2, q::2] = four[:, :, p, q, p : p + side, q : q + side]
                return out

            with torch.no_grad():
                difference = (plain() - subpixel()).abs().max() / plain().abs().max()
                found[f"{channels} x {side}"] = {
                    "plain": self.seconds(plain, 5),
                    "subpixel": self.seconds(subpixel, 5),
                    "difference": round(difference.item(), 5),
                }
        return found

    def cuda_graph(self):
        "The UNet's call recorded once and replayed: no time is lost between its thousands of small operations."
        torch, pipe = self.torch, self.only("ModelScope", self.half)
        if self.device.type != "cuda":
            return {"left out": "there is no GPU"}
        found = {}
        with torch.no_grad():
            z = pipe.model.encode(pipe.prepare(self.clip())).to(self.half)
            words, t = pipe.prompt.embedding, torch.tensor(101, device=self.device)
            for n in (1, 2):
                x, text = z.repeat(n, 1, 1, 1, 1), words.expand(n, -1, -1).contiguous()
                run = lambda x=x, text=text: pipe.unet(x, t, encoder_hidden_states=text).sample
                plain, want = self.seconds(run), run()
                stream = torch.cuda.Stream()
                stream.wait_stream(torch.cuda.current_stream())
                with torch.cuda.stream(stream):
                    for _ in range(3):
                        run()
                torch.cuda.current_stream().wait_stream(stream)
                graph = torch.cuda.CUDAGraph()
                with torch.cuda.graph(graph):
                    out = run()
                replayed = self.seconds(graph.replay, 5)
                difference = round(((out - want).abs().max() / want.abs().max()).item(), 6)
                ratio = round(plain / replayed, 2)
                found[f"{n} clips"] = {"plain": plain, "replayed": replayed, "ratio": ratio, "difference": difference}
                del graph
        return found

    def kernels(self, run) -> dict:
        "How many kernels a call launches, how long they take together, and which take longest."
        from torch.profiler import ProfilerActivity, profile

        with profile(activities=[ProfilerActivity.CUDA]) as seen:
            run()
            self.sync()
        spent = {}
        kernels = [event for event in seen.events() if event.device_type.name == "CUDA"]
        for event in kernels:
            spent.setdefault(event.name[:70], []).append(event.device_time / 1e6)
        longest = sorted(spent.items(), key=lambda pair: -sum(pair[1]))[:14]
        found = {"launched": len(kernels), "busy, seconds": round(sum(map(sum, spent.values())), 4)}
        return found | {name: [len(times), round(sum(times), 5)] for name, times in longest}

    def profiled(self):
        "Where a call of the UNet and a decoding spend their time on the card."
        pipe = self.only("ModelScope", self.half)
        if self.device.type != "cuda":
            return {"left out": "there is no GPU"}
        with self.torch.no_grad():
            z = pipe.model.encode(pipe.prepare(self.clip()))
            runs = {"network": lambda: pipe.predict_noise(z, 101), "decode": lambda: pipe.model.decode(z)}
            for run in runs.values():
                run()
            return {name: self.kernels(run) for name, run in runs.items()}

    def compiled(self):
        "The blocks of the UNet compiled, which takes a fraction of the time that the whole takes."
        torch, pipe = self.torch, self.only("ModelScope", self.half)
        if self.device.type != "cuda":
            return {"left out": "there is no GPU"}
        with torch.no_grad():
            z = pipe.model.encode(pipe.prepare(self.clip()))
            plain = self.seconds(lambda: pipe.predict_noise(z, 101))
            kinds = ("BasicTransformerBlock", "ResnetBlock2D", "TemporalConvLayer")
            blocks = [module for module in pipe.network.modules() if type(module).__name__ in kinds]
            torch._dynamo.config.recompile_limit = 64  # one kind of block comes in many shapes
            for block in blocks:
                block.compile(dynamic=False)
            start = time.perf_counter()
            pipe.predict_noise(z, 101)
            self.sync()
            first = time.perf_counter() - start
            fast = self.seconds(lambda: pipe.predict_noise(z, 101))
            return {"blocks": len(blocks), "plain": plain, "compiled": fast, "compiling": round(first, 1)}

    def run(self, name: str):
        torch = self.torch
        parts = {
            "card": self.card,
            "checks": self.checks,
            "paper size, bfloat16": lambda: self.paper_size(self.half),
            "paper size, float16": lambda: self.paper_size(torch.float32 if self.small else torch.float16),
            **{f"gradient, {n} levels": lambda n=n: self.gradient(n) for n in (2, 4, 6)},
            "LTX-Video": lambda: self.family("LTX-Video"),
            "Wan": lambda: self.family("Wan"),
            "options": self.options,
            "upsampling": self.upsampling,
            "CUDA graph": self.cuda_graph,
            "kernels": self.profiled,
            "compiled blocks": self.compiled,
        }
        start = time.perf_counter()
        try:
            found = parts[name]()
        except Exception as error:
            found = {"error": f"{type(error).__name__}: {str(error)[:300]}"}
        return found | {"took": round(time.perf_counter() - start, 1)}


def worker(names: list[str], small: bool) -> None:
    "Run parts one after the other; a line of JSON before and after each."
    kit = Kit(small)
    torch = kit.torch
    device = torch.cuda.get_device_name() if kit.device.type == "cuda" else "processor"
    about = {"device": device, "torch": torch.__version__, "small": kit.small}
    print(json.dumps({"about": about}), flush=True)
    for name in names:
        print(json.dumps({"start": name}), flush=True)
        print(json.dumps({"part": name, "found": kit.run(name)}), flush=True)


def watch(names: list[str], small: bool, until: float, keep) -> list[str]:
    "A worker for the parts; what is left when it had to be stopped."
    command = [sys.executable, __file__, "--worker", ";".join(names)] + ["--small"] * small
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    said: queue.Queue = queue.Queue()

    def pass_on():
        for line in process.stdout:
            said.put(line)
        said.put(None)

    threading.Thread(target=pass_on, daemon=True).start()
    left, now, begun, stopped = list(names), None, time.time(), False
    while True:
        wait = min(until, begun + (LIMITS[now] if now else 90)) - time.time()
        try:
            line = said.get(timeout=max(wait, 0.01))
        except queue.Empty:
            stopped = True
            process.kill()
            process.wait()
            break
        if line is None:
            break
        if not line.startswith("{"):
            continue
        begun, told = time.time(), json.loads(line)
        if "start" in told:
            now = told["start"]
        elif "part" in told:
            left.remove(told["part"])
            keep(told["part"], told["found"])
            now = None
        else:
            keep(None, told["about"])
    if left and now in left:
        left.remove(now)
        keep(now, {"error": f"stopped after {time.time() - begun:.0f} s" if stopped else "the process ended"})
    elif left and time.time() < until:
        keep(left.pop(0), {"error": "the process ended before it"})
    return left


def to_markdown(result: dict) -> str:
    about = result["about"]
    lines = [f"# {about.get('device')}, torch {about.get('torch')}", "", "| part | what | |", "|---|---|---|"]
    for part, found in result["parts"].items():
        lines += [f"| {part} | {name} | {json.dumps(value)} |" for name, value in found.items()]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/gpu"))
    parser.add_argument("--name", default="gpu", help="of the two files")
    parser.add_argument("--small", action="store_true", help="tiny models, on a processor")
    parser.add_argument("--limit", type=float, default=400, help="seconds for everything")
    parser.add_argument(
        "--parts", nargs="+", choices=LIMITS, metavar="PART", default=[*LIMITS], help=f"some of {', '.join(map(repr, LIMITS))}"
    )
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        return worker(args.worker.split(";"), args.small)
    args.out.mkdir(parents=True, exist_ok=True)
    result, until = {"about": {}, "parts": {}}, time.time() + args.limit

    def keep(part, found):
        if part is None:
            result["about"] = found
        else:
            result["parts"][part] = found
            print(part, found, flush=True)
        (args.out / f"{args.name}.json").write_text(json.dumps(result, indent=1) + "\n")
        (args.out / f"{args.name}.md").write_text(to_markdown(result))

    left = args.parts
    while left and time.time() < until:
        left = watch(left, args.small, until, keep)
    for name in left:
        keep(name, {"left out": f"the {args.limit:.0f} s were over"})


if __name__ == "__main__":
    main()
