"""Bring runs and cards of version 0.1 into the present form: `python tools/migrate.py FOLDER ...`.

Version 0.1 called results records, and kept the numbers of a result beside its other keys. Nothing has to be measured again. All new files
of a folder are written under temporary names first and moved to their places together, and the old files go last: an error changes
nothing, and after a kill the same command finishes the work.
"""

import gzip
import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from videopure import Card, VideoFileError, VideoPureError
from videopure.journal import config_hash, disk_errors, read_json, result_key
from videopure.video import atomic_path


def old_files(folder: Path) -> list[Path]:
    "Files of results in the form of version 0.1."
    return sorted([*folder.glob("records-[0-9]*.jsonl"), *folder.glob("records.jsonl.gz")])


def read_lines(path: Path) -> Iterator[dict]:
    "The results of a file; a last line without its end was cut off by a kill and is left out."
    with disk_errors(f"read {path}"), (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
        *lines, _ = file.read().split(b"\n")
    for number, line in enumerate(lines, 1):
        try:
            result = json.loads(line)
            result_key(result)
        except (ValueError, TypeError, AttributeError):
            raise VideoFileError(f"{path}, line {number} is damaged; delete this line and run again") from None
        yield result


def renamed(old, names):
    "A dictionary with some of its keys renamed, in the same order."
    return {names.get(key, key): value for key, value in old.items()}


def with_metrics(old, kept):
    "A dictionary whose other numbers than `kept` are under `metrics`, without those that were not measured."
    numbers = {name: value for name, value in old.items() if name not in (*kept, "metrics") and value is not None}
    return {name: value for name, value in old.items() if name in kept} | {"metrics": numbers | old.get("metrics", {})}


def new_result(old):
    "A result of version 0.1 with its numbers under `metrics`; a new one stays as it is."
    if "skipped" in old:
        return old
    return with_metrics(renamed(old, {"size": "budget_used"}), ("clip", "label", "defense", "attack", "predicted", "right"))


def new_config(old):
    "A configuration of version 0.1 with the names of today; a new one stays as it is."
    shorter = lambda spec: renamed(spec, {"clips": "n_clips"})
    purer = lambda spec: spec | {"method": "VideoPure"} if spec.get("method") == "VideoPurePipeline" else spec
    changed = {kind: change for kind, change in {"attacks": shorter, "defenses": purer}.items() if isinstance(old.get(kind), dict)}
    each = lambda specs, change: {name: change(spec) if isinstance(spec, dict) else spec for name, spec in specs.items()}
    return shorter(old) | {kind: each(old[kind], change) for kind, change in changed.items()}


def new_head(path):
    "run.json or card.json in the new form, as text; its single numbers as well."
    old = read_json(path, "config", "about", mend="get the file again")
    head = renamed(old, {"records": "results"}) | {"config": new_config(old["config"])}
    head["hash"] = config_hash(head["config"])
    if "cells" in old:
        kept = ("accuracy", "average", "success")
        head["cells"] = {d: {a: with_metrics(cell, kept) for a, cell in row.items()} for d, row in old["cells"].items()}
    return json.dumps(head, indent=1) + "\n"


def migrate(
    folder: str | Path,  # of a run or a card
) -> Path:  # the folder
    "Bring a run or a card of version 0.1 to the form of today: everything or nothing. `Card.load(folder).save(folder)` renews its pages."
    folder = Path(folder).expanduser()
    heads, old = [path for path in (folder / "run.json", folder / "card.json") if path.is_file()], old_files(folder)
    if not heads:
        raise VideoFileError(f"{folder} holds neither a run nor a card: expected run.json or card.json in it")
    texts = {path.name: new_head(path).encode() for path in heads}
    for path in old:
        lines = "".join(json.dumps(new_result(result)) + "\n" for result in read_lines(path)).encode()
        texts[path.name.replace("records", "results")] = gzip.compress(lines, mtime=0) if path.suffix == ".gz" else lines
    with ExitStack() as stack:
        paths = {name: stack.enter_context(atomic_path(folder / name)) for name in texts}
        for name, path in paths.items():
            path.write_bytes(texts[name])
    with disk_errors(f"remove {folder}/records*", "; call migrate again"):
        for path in old:
            path.unlink()
    return folder


def main(folders: list[str]) -> int:
    "Bring each folder into the present form; a mistake is one line and the status 2."
    try:
        for folder in folders:
            path = migrate(folder)
            if (path / "card.json").exists():
                Card.load(path).save(path)
            print(f"{path}: in the present form")
    except VideoPureError as error:
        print(f"migrate: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
