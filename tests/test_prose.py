"""Every percentage in prose has a source.

A percentage with its interval, `94.5 % [90, 97]`, is a cell of a table under benchmarks/ (of the run that its paragraph names, if it
names one), or a cell of its section prints it: all three numbers at once. A bare one is in an excerpt of prose_numbers.toml, which says
what it is.
"""

import json
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from videopure.results import Accuracy

ROOT = Path(__file__).resolve().parent.parent
BENCHMARKS = ROOT / "benchmarks"
if not (BENCHMARKS / "reference").exists():
    pytest.skip("an installed package carries no records", allow_module_level=True)

ENTRIES = tomllib.loads((ROOT / "tests" / "prose_numbers.toml").read_text(encoding="utf-8"))["number"]
NOTEBOOKS = sorted(path for path in (ROOT / "nbs").rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts)
PAGES = ["README.md", "CHANGELOG.md", *(path.relative_to(ROOT).as_posix() for path in NOTEBOOKS)]
RUNS = [path.parent.relative_to(BENCHMARKS).as_posix() for path in sorted(BENCHMARKS.rglob("table.md"))]

ONE = r"\d+(?:\.\d+)?"
SIGN = r"(?:\s|\\,)*(?:\\?%|per ?cent\b)"
NUMBERS = re.compile(rf"(?<![\d.\w])((?:{ONE}(?:{SIGN})?(?:,? (?:and|to|or|of) |, ))*{ONE}){SIGN}(?:\s*\[(\d+), (\d+)\])?")
LEVEL = re.compile(r"95\s*%(?=\s+(?:Wilson |bootstrap )?intervals?\b)")  # of all intervals
CELL = re.compile(r"(\d+\.\d)\D{0,3} \[(\d+), (\d+)\]")


@dataclass(frozen=True)
class Number:
    "A percentage in prose, where it stands, and the interval beside it."

    value: str
    start: int
    end: int
    interval: tuple[str, ...] = ()

    def equals(self, exact: float) -> bool:
        "At the precision of prose?"
        return abs(float(self.value) - exact) <= 0.5 * 10 ** -len(self.value.partition(".")[2]) + 1e-9

    def is_cell(self, cell: str) -> bool:
        "Is this the number of a cell of a table, and if it has an interval, that interval?"
        m = CELL.match(cell)
        return bool(m and self.equals(float(m[1])) and self.interval in ((), (m[2], m[3])))


def flat(text: str) -> str:
    return " ".join(text.split())


def percentages(text: str) -> list[Number]:
    "All numbers beside a percent sign, both in `97 to 99 %`."
    levels, found = [m.start() for m in LEVEL.finditer(text)], []
    for m in NUMBERS.finditer(text):
        for n in re.finditer(ONE, m[1]):
            start, end = m.start(1) + n.start(), m.start(1) + n.end()
            interval = (m[2], m[3]) if m[2] and end == m.end(1) else ()
            found += [] if start in levels else [Number(n[0], start, end, interval)]
    return found


# --- prose, and what is printed beside it ---------------------------------------------------------------------------------------------


def paragraphs(text: str) -> list[str]:
    "Without listings; an item of a list and a row of a table are paragraphs."
    return [flat(part) for part in re.split(r"\n\s*\n|\n(?=[-|] )", re.sub(r"^```.*?^```", "", text, flags=re.S | re.M))]


def shows(cell: dict) -> str:
    "What a cell prints."
    data = [output.get("data", {}) | {"text": output.get("text")} for output in cell["outputs"]]
    return flat(" ".join("".join(each["text"] or each.get("text/markdown") or each.get("text/plain") or "") for each in data))


@cache
def pieces(page: str) -> list[tuple[str, str]]:
    "Paragraphs and captions of figures, each with what the cells of its section print."
    source = (ROOT / page).read_text(encoding="utf-8")
    if page.endswith(".md"):
        return [(part, "") for part in paragraphs(source)]
    found, here, shown = [], [], ""
    for cell in json.loads(source)["cells"] + [{"cell_type": "markdown", "source": ["# end"]}]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown" and text.startswith("#"):
            found, here, shown = found + [(part, shown) for part in here], [], ""
        if cell["cell_type"] == "code":
            here, shown = here + re.findall(r"^#\| fig-alt: (.*)", text, flags=re.M), f"{shown} {shows(cell)}"
        elif cell["cell_type"] == "markdown":
            here += paragraphs(text)
    return found


# --- where numbers come from ----------------------------------------------------------------------------------------------------------


@cache
def table(run: str) -> dict[tuple[str, ...], str]:
    "The cells of benchmarks/RUN/table.md, by the first words of their row, as many as needed, and the name of their column."
    cells, head = {}, []
    for line in (BENCHMARKS / run / "table.md").read_text(encoding="utf-8").splitlines():
        row = [part.strip().replace("**", "") for part in line.strip().strip("|").split("|")] if line.startswith("|") else []
        if not row:
            head = []
        elif not head:
            head = [re.sub(r" n=\d+$", "", name) for name in row]
        for k in range(1, len(row)):
            cells |= {(*row[:k], name): cell for name, cell in zip(head[k:], row[k:])}
    return cells


def find(record: str) -> str:
    "The cell that `RUN: ROW; COLUMN` names, or nothing."
    run, _, words = record.partition(": ")
    return table(run).get(tuple(words.split("; ")), "") if run in RUNS else ""


def in_a_table(number: Number, text: str) -> bool:
    "Is a number with its interval a cell of a run, one of those whose folder or configuration the text names, if it names any?"
    named = [run for run in RUNS if re.search(rf"benchmarks/{re.escape(run)}(?![\w/])", text)]
    return any(number.is_cell(cell) for run in named or RUNS for cell in table(run).values())


def is_printed(number: Number, shown: str) -> bool:
    "With its interval; or a bare one as a percentage or a share, at least as precisely."
    if number.interval:
        return any(number.is_cell(m[0]) for m in CELL.finditer(shown))
    bare = re.findall(rf"(?<![\w./-])({ONE})(?![\w/]|\.\d)", re.sub(r"\[\d+, \d+\]|n=\d+", "", shown))
    return any(number.equals(scale * float(value)) for value in bare for scale in (1, 100))


def unexplained(entry: dict, numbers: list[Number], shown: str) -> list[str]:
    "What is wrong with what an entry says of the numbers in its excerpt."
    kind, *more = [name for name in ("records", "counts", "printed", "reason") if entry.get(name)] or ["nothing"]
    if more or kind == "nothing" or kind == "records" and len(entry["records"]) != len(numbers):
        return ["needs one of `records` (one for each number), `counts`, `printed` and `reason`"]
    if kind == "records":
        cells = [find(record) for record in entry["records"]]
        return [f"{n.value} is {cell!r} in {r!r}" for n, cell, r in zip(numbers, cells, entry["records"]) if not n.is_cell(cell)]
    if kind == "counts":
        accuracy = Accuracy(*entry["counts"])
        exact = [100 * share for share in (accuracy.right / accuracy.n, *accuracy.interval)]
        return [f"{n.value} is none of {exact}" for n in numbers if not any(map(n.equals, exact))]
    if kind == "printed" and entry["printed"] != "here":
        shown = " ".join({shown for _, shown in pieces(entry["printed"])})
    return [f"{n.value} is not printed" for n in numbers if kind == "printed" and not is_printed(n, shown)]


def problems(page: str, found: list[tuple[str, str]], entries: list[dict] = ENTRIES) -> list[str]:
    "Numbers of a page without a source, and entries that are wrong or stand for nothing."
    mine = [entry for entry in entries if page in (entry["file"] if isinstance(entry["file"], list) else [entry["file"]])]
    wrong, used = [], []
    for text, shown in found:
        numbers, known = percentages(text), []
        for entry in mine:
            spans = [m.span() for m in re.finditer(re.escape(flat(entry["text"])), text)]
            if inside := [n for n in numbers if any(start <= n.start and n.end <= end for start, end in spans)]:
                known, used = known + inside, [*used, entry["text"]]
                wrong += [f"{page}: {entry['text']!r}: {why}" for why in unexplained(entry, inside, shown)]
        for n in numbers:
            if n not in known and not (n.interval and (in_a_table(n, text) or is_printed(n, shown))):
                wrong.append(f"{page}: {n.value} % has no source: ...{text[max(0, n.start - 60) : n.end + 20]}...")
    return wrong + [f"{page}: not there: {entry['text']!r}" for entry in mine if entry["text"] not in used]


# --- the tests ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_percentages_have_a_source(page):
    found = problems(page, pieces(page))
    assert not found, "\n".join(["see the head of tests/prose_numbers.toml", *found])


def test_entries_are_of_pages():
    files = {file for entry in ENTRIES for file in (entry["file"] if isinstance(entry["file"], list) else [entry["file"]])}
    assert files <= set(PAGES)


def test_all_ways_to_write_a_percentage_are_read():
    text = "97 % and 98.5 % [96, 99]; 97 to 99 %; 1, 2 and 3 %; 95 % Wilson interval; 5 percent; $95\\,\\%$; v1.2 is 8/255; 0 % [0, 4]"
    assert [n.value for n in percentages(text)] == ["97", "98.5", "97", "99", "1", "2", "3", "5", "95", "0"]
    assert [n.interval for n in percentages(text) if n.interval] == [("96", "99"), ("0", "4")]


def test_every_number_that_is_changed_is_noticed():
    "Each by itself, in every page: one more in its last digit, and the interval that goes with it."
    noticed = total = 0
    for page in PAGES:
        found, before = pieces(page), len(problems(page, pieces(page)))
        for k, (text, shown) in enumerate(found):
            for n in percentages(text):
                digits = len(n.value.partition(".")[2])
                changed = f"{float(n.value) + 10**-digits:.{digits}f}"
                spoiled = (f"{text[: n.start]}{changed}{text[n.end :]}", shown)
                noticed += len(problems(page, [*found[:k], spoiled, *found[k + 1 :]])) > before
                total += 1
    assert total > 80 and noticed == total


@pytest.mark.parametrize("old, new", [("94.5 % [90", "93.7 % [90"), ("94.5 % [90", "94.5 % [91"), ("28: 93 %", "28: 94 %")])
def test_a_changed_readme_fails(old, new):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert old in text and problems("README.md", [(part, "") for part in paragraphs(text.replace(old, new))])


def test_entries_must_be_right_and_used():
    found = pieces("README.md")
    entry = next(entry for entry in ENTRIES if "README.md" in entry["file"] and "counts" in entry)
    others = [other for other in ENTRIES if other is not entry]
    assert problems("README.md", found, others)  # a number without its entry
    assert problems("README.md", found, [*ENTRIES, {"file": "README.md", "text": "12 % of nothing", "reason": "none"}])
    assert problems("README.md", found, [*others, entry | {"counts": [27, 30]}])
    assert problems("README.md", found, [*others, entry | {"reason": "two of them"}])
    page, entry = "nbs/reference.ipynb", next(entry for entry in ENTRIES if entry["text"].startswith("Under BPDA, H.264"))
    others = [other for other in ENTRIES if other is not entry]
    assert not problems(page, pieces(page))
    assert problems(page, pieces(page), [*others, entry | {"records": ["reference: JPEG 30; BPDA 8/255"]}])
