"""Run notebooks from top to bottom and save their outputs: `python tools/rerun.py nbs/02_schedule.ipynb ...`; all of them if none is named.

Cells marked slow, cuda or `eval: false` are not run and keep what is saved in them. Live widgets and progress bars are not saved. With
`--check` nothing is written: what would come out otherwise than it is saved is printed, and the status is 1. Pictures count as the same
if they have the same size, times and machine names never are.
"""

import argparse
import base64
import difflib
import os
import re
import struct
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from tqdm.auto import tqdm

ROOT = Path(__file__).resolve().parent.parent
NOT_RUN = re.compile(r"^#\|\s*(?:slow|cuda|eval:\s*false)\s*$", flags=re.M)
WIDGET = "application/vnd.jupyter.widget-view+json"


def run(notebook: nbformat.NotebookNode, folder: Path) -> nbformat.NotebookNode:
    "The notebook with fresh outputs."
    fresh = nbformat.from_dict(notebook)
    client = NotebookClient(fresh, timeout=1200, kernel_name="python3", resources={"metadata": {"path": str(folder)}})
    with client.setup_kernel(env=os.environ | {"TQDM_DISABLE": "1", "MPLBACKEND": "module://matplotlib_inline.backend_inline"}):
        for i, cell in enumerate(fresh.cells):
            if cell.cell_type == "code" and not NOT_RUN.search(cell.source):
                client.execute_cell(cell, i)
                cell.outputs = [kept for out in cell.outputs if (kept := without_widget(out))]
    fresh.metadata.pop("widgets", None)
    return fresh


def without_widget(out: nbformat.NotebookNode) -> nbformat.NotebookNode | None:
    "An output without its live widget; None if nothing else is in it for a reader."
    data = out.get("data", {})
    live = data.pop(WIDGET, None) is not None
    return out if not live or "text/html" in data else None


def shown(cell: nbformat.NotebookNode) -> list[str]:
    "What a reader sees of a cell's outputs, line by line; of a picture its size."
    lines = []
    for out in cell.get("outputs", []):
        data = out.get("data", {})
        if "image/png" in data:
            lines.append("picture {}x{}".format(*struct.unpack(">II", base64.b64decode(data["image/png"])[16:24])))
        text = data.get("text/markdown") or ("" if "image/png" in data else data.get("text/plain")) or out.get("text") or ""
        lines += "".join(text).splitlines()
    return [re.sub(r" at 0x[0-9a-f]+", "", line) for line in lines]


def differences(saved: nbformat.NotebookNode, fresh: nbformat.NotebookNode) -> list[str]:
    "The lines that differ, under the first line of their cell."
    found = []
    for old, new in zip(saved.cells, fresh.cells):
        changed = [line for line in difflib.ndiff(shown(old), shown(new)) if line[0] in "+-"]
        if changed:
            code = [line for line in old.source.splitlines() if not line.startswith("#|")]
            found += [f"  {code[0] if code else ''}", *(f"    {line}" for line in changed)]
    return found


def main() -> None:
    "Run, and save or compare."
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path, help="which; all if none is named")
    parser.add_argument("--check", action="store_true", help="compare with what is saved instead of saving")
    args = parser.parse_args()
    everything = sorted(p for p in (ROOT / "nbs").rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)
    other = 0
    for path in tqdm(args.notebooks or everything, desc="notebooks"):
        saved = nbformat.read(path, 4)
        fresh = run(saved, path.parent)
        if not args.check:
            nbformat.write(fresh, path)
        elif found := differences(saved, fresh):
            other += 1
            tqdm.write("\n".join([path.name, *found]))
    if args.check:
        print(f"{other} of {len(args.notebooks or everything)} notebooks come out otherwise")
    else:
        print("saved; now run nbdev_clean")
    sys.exit(args.check and other > 0)


if __name__ == "__main__":
    main()
