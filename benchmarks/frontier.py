"""What an answer costs behind each defense of frontier.toml: python benchmarks/frontier.py

CPU seconds of one thread for the label of a clip, flow and classifier included, in batches of four; all defenses and the published order
of work in turn, so that all see the same machine. Writes benchmarks/frontier/cost.json; the page of measurements draws it against the
accuracies of benchmarks/frontier.
"""

import argparse
import json
import statistics
import time
import tomllib
from pathlib import Path

import purify
import torch

from videopure.config import parts_of
from videopure.video import moving_shapes

HERE = Path(__file__).resolve().parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--n-clips", type=int, default=4)
    args = parser.parse_args()
    torch.set_num_threads(1)
    config = tomllib.loads((HERE / "frontier.toml").read_text(encoding="utf-8"))
    classifier, defenses, _, _ = parts_of(config, "cpu")
    clips, calls = moving_shapes(args.n_clips, seed=3)[0], {}

    def label(defended):
        return classifier(clips).argmax(1) if defended is None else defended.predict(clips)

    with torch.no_grad():
        runs = {name: lambda defended=defended: label(defended) for name, defended in defenses.items()}
        runs["published order"] = purify.both_sides("tiny", args.n_clips, 6)["label"][0]
        for name, defended in defenses.items():
            network, count = getattr(getattr(getattr(defended, "purifier", None), "pipe", None), "network", None), []
            hook = network and network.register_forward_hook(lambda *_, count=count: count.append(1))
            runs[name]()
            calls[name] = len(count)
            if hook: hook.remove()
        taken = {name: [] for name in runs}
        for _ in range(args.repeats):
            for name, run in runs.items():
                start = time.process_time()
                run()
                taken[name].append((time.process_time() - start) / args.n_clips)
    calls["published order"] = 24
    rows = {}
    for name, each in taken.items():
        middle, least, most = (round(of(each), 4) for of in (statistics.median, min, max))
        rows[name] = {"seconds": middle, "least": least, "most": most, "calls": calls[name]}
        print(f"{name:32} {calls[name]:3} calls {middle:.4f} s [{least:.4f}, {most:.4f}]", flush=True)
    (HERE / "frontier").mkdir(exist_ok=True)
    (HERE / "frontier" / "cost.json").write_text(json.dumps({"clips": args.n_clips, "rows": rows}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
