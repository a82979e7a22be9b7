"What the scripts share that keep a record: it is of one set of data only."

import sys
from pathlib import Path

from videopure.registry import identity


def of_one_data(out: Path, data: object) -> None:
    "End the script if the record in a folder is of other data; write down of which it is if that is new."
    mark, file = identity(data, "the data"), out / "data.txt"
    if file.exists() and file.read_text().strip() != mark:
        sys.exit(f"{out} holds results of other data than these: name another folder with --out, or empty this one")
    out.mkdir(parents=True, exist_ok=True)
    file.write_text(mark + "\n")
