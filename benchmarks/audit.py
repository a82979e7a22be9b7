"""The suite against the attacks of an independent audit, on its clips: python benchmarks/audit.py

Somebody else attacked the published defenses with code of their own, on the clips `moving_shapes(20, seed=4242)`, and found attacks
that were stronger than those of the first edition of the table. AUDIT holds how many clips each of them left. The suite should leave no
more. Where a defense draws noise, both numbers are means over six draws. The script goes on where it was stopped, and writes its card to
OUT. Less than an hour on a core, most of it for what draws noise.
"""

import argparse
from pathlib import Path

import torch

from videopure import VideoPurePipeline, benchmark, moving_shapes, tiny_classifier
from videopure.baselines import make_purifier
from videopure.results import Card
from videopure.table import Table

AUDIT = {  # (defense, size): clips, how many were left right
    ("JPEG", "8/255"): (20, 0),
    ("H.264", "8/255"): (20, 5),
    ("shuffle", "8/255"): (20, 0.23 * 20),
    ("VideoPure", "8/255"): (20, 0),
    ("VideoPure", "4/255"): (20, 3),
    ("VideoPure, paper's setting", "8/255"): (20, 2),  # by merely showing it the clips that break VideoPure
    ("DDIM", "8/255"): (10, 0),
    ("DiffPure, 6 steps", "8/255"): (10, 3.2),
    ("random sampling", "8/255"): (10, 0.30 * 10),  # of six clips, by the exact gradient
}


def defenses() -> dict[str, object]:
    "The defenses that the audit broke, by name."
    pipe = VideoPurePipeline.tiny()
    pipe.set_progress_bar_config(disable=True)
    pipe.disable_gradient_checkpointing()
    kinds = {
        "JPEG": "jpeg",
        "H.264": "h264",
        "shuffle": "shuffle",
        "VideoPure": "videopure",
        "VideoPure, paper's setting": "videopure-paper",
    }
    kinds |= {"DDIM": "ddim", "random sampling": "random-sampling"}
    found = {name: make_purifier(kind, None if kind in ("jpeg", "h264", "shuffle") else pipe) for name, kind in kinds.items()}
    return found | {"DiffPure, 6 steps": make_purifier("diffpure", pipe, steps=6)}


def comparison(card: Card) -> Table:
    "What is left right by the suite and by the audit."
    rows = []
    for (name, size), (n, left) in AUDIT.items():
        if len(card.cell(name, f"video-auto-1 {size}")) == n:
            rows += [[name, size, n, f"{left:g}", card.accuracy(name, f"video-auto-1 {size}")]]
    return Table("Right under attack", ["defense", "size", "clips", "audit, clips left", "video-auto-1, %"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, default=Path("audit-run"), help="folder of the unfinished run")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/audit"), help="folder of the card")
    parser.add_argument("--only", nargs="+", default=(), help="work on these defenses for now")
    args = parser.parse_args()
    torch.set_num_threads(1)
    sizes = {size: {name: n for (name, at), (n, _) in AUDIT.items() if at == size} for _, size in AUDIT}
    attacks = {
        f"video-auto-1 {size}": {"method": "video-auto-1", "eps": size, "n_clips": {"others": 0} | counts} for size, counts in sizes.items()
    }
    card = benchmark(
        tiny_classifier(), defenses(), moving_shapes(20, seed=4242), attacks, out=args.run, seed=1, trials=6, batch_size=10,
        only_defenses=args.only, worst=["video-auto-1 8/255"], title="On the clips of the audit",
    )  # fmt: skip
    card.save(args.out)
    (args.out / "comparison.md").write_text(comparison(card)._repr_markdown_() + "\n", encoding="utf-8")
    print(comparison(card))


if __name__ == "__main__":
    main()
