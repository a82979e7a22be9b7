"""Code for pages, at most 88 characters wide, which is what a page shows beside its two columns.

The notebooks allow 140. Cells with wider lines are formatted by ruff, all in one call; what ruff leaves as it is (comments, docstrings,
long strings) is broken here. What a cell means does not change: a cell for which that cannot be shown stays as ruff left it, and one
that Python cannot read stays as it was. The page wraps the rest, such as a script in a string.
"""

import ast
import io
import re
import subprocess
import sys
import tempfile
import textwrap
import tokenize
from pathlib import Path

WIDTH = 88


def too_wide(source: str) -> bool:
    return any(len(line) > WIDTH for line in source.splitlines() if not line.startswith("#|"))


def options_and_code(source: str) -> tuple[str, str]:
    "The `#|` and `%%` lines at the top of a cell, which ruff would change or cannot read, and the code below."
    lines = source.splitlines(keepends=True)
    first = next((i for i, line in enumerate(lines) if not line.startswith(("#|", "%%"))), len(lines))
    return "".join(lines[:first]), "".join(lines[first:])


def formatted(sources: list[str]) -> list[str]:
    "What ruff makes of several pieces of code; one that it cannot read stays."
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{i}.py" for i in range(len(sources))]
        for file, source in zip(files, sources):
            file.write_text(source, encoding="utf-8")
        command = [sys.executable, "-m", "ruff", "format", "--isolated", "--no-cache", "--quiet", "--line-length", str(WIDTH), folder]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode not in (0, 2) or "No module" in done.stderr:  # 2: some file could not be read
            raise RuntimeError(f"ruff format failed: {done.stderr.strip()[-300:]}")
        return [file.read_text(encoding="utf-8").rstrip("\n") for file in files]


def meaning(source: str) -> str:
    "The syntax tree, in which the white space of strings that stand alone, such as docstrings, does not count."
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            node.value.value = " ".join(node.value.value.split())
    return ast.dump(tree)


def strings(source: str) -> list[tuple]:
    "The strings of some code as (start, end, text, depth of brackets, whether it stands alone), positions as (line, column)."
    found, depth, open_at, before = [], 0, [], tokenize.NEWLINE
    tokens = [t for t in tokenize.generate_tokens(io.StringIO(source).readline) if t.type not in (tokenize.NL, tokenize.COMMENT)]
    for i, token in enumerate(tokens):
        name = tokenize.tok_name[token.type]
        if name == "FSTRING_START":  # from Python 3.12 on an f-string is many tokens
            open_at.append(token.start)
        starts = before in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT) and "f" not in token.string[:2].lower()
        alone = starts and tokens[min(i + 1, len(tokens) - 1)].type == tokenize.NEWLINE
        if name == "STRING" and not open_at:
            found.append((token.start, token.end, token.string, depth, alone))
        if name == "FSTRING_END" and not open_at[1:]:
            (row, start), (last, end) = open_at[0], token.end
            found += [(open_at[0], token.end, source.splitlines()[row - 1][start:end], depth, False)] if row == last else []
        if name == "FSTRING_END":
            open_at.pop()
        depth += (token.string in ("(", "[", "{")) - (token.string in (")", "]", "}")) if token.type == tokenize.OP and not open_at else 0
        before = token.type
    return found


def docstring(text: str, column: int) -> list[str]:
    "The lines of a docstring, the first without its indentation."
    quotes = '"""' if '"""' not in text[3:-3] and not text.startswith("'''") else "'''"
    triple = text.startswith(('"""', "'''"))
    body, indent, lines = text[3:-3] if triple else text[1:-1], " " * column, []
    for i, line in enumerate(body.split("\n")):
        own = re.match(r"[ \t]*(?:[-*] )?", line)[0] if i else ""
        if len(own) + len(line.lstrip()) + (0 if i else column + 3) <= WIDTH - 3:
            lines.append(line)
            continue
        first = indent + quotes if i == 0 else own
        hanging = indent if i == 0 else " " * len(own)
        made = textwrap.wrap(
            line[len(own) :], WIDTH - 3, initial_indent=first, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False
        )
        lines += [made[0][len(first) :], *made[1:]] if i == 0 else made
    return (quotes + "\n".join(lines) + quotes).split("\n")


def split_at(text: str, room: int) -> int:
    "Where a string can be cut after a space, outside of an f-string's braces and within its room; 0 if nowhere."
    prefix = re.match(r"\w*", text)[0].lower()
    if text[len(prefix) :].startswith(('"""', "'''")):
        return 0
    best = brace = depth = 0
    for i in range(len(prefix) + 1, min(room, len(text) - 1)):
        depth += (text[i] == "{") - (text[i] == "}") if "f" in prefix else 0
        if text[i] == " " and depth == 0 and i + 1 < len(text) - 1:
            best = i + 1
        elif text[i] == "{" and depth == 1 and i > len(prefix) + 1:
            brace = i  # where there is no space
    return best or brace


def in_brackets(source: str, row: int) -> str | None:
    "The code with the value of the statement in that line in brackets, on a line of its own; None if there is no such statement."
    lines = source.split("\n")
    kinds = (ast.Assign, ast.AugAssign, ast.Return, ast.Expr)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, kinds) and node.value and node.lineno == node.end_lineno == row:
            line = lines[row - 1]  # ast counts its bytes
            before, value = (line.encode()[:i].decode() for i in (node.value.col_offset, node.value.end_col_offset))
            indent, value, after = " " * node.col_offset, value[len(before) :], line[len(value) :]
            return "\n".join([*lines[: row - 1], f"{before}(", f"{indent}    {value}", f"{indent}){after}", *lines[row:]])
    return None


def broken_string(source: str) -> str | None:
    "The code with the first string that is too wide broken once, or a docstring wrapped; None if there is none."
    lines = source.split("\n")
    for (row, start), (last, end), text, depth, alone in strings(source):
        wide = any(len(line) > WIDTH for line in lines[row - 1 : last])
        if not wide or re.match(r"[bBrR]", text):
            continue
        if alone:
            made = docstring(text, start)
            made = [lines[row - 1][:start] + made[0], *made[1:]]
            made[-1] += lines[last - 1][end:]
            if made != lines[row - 1 : last]:
                return "\n".join([*lines[: row - 1], *made, *lines[last:]])
            continue
        if row != last or (cut := split_at(text, WIDTH - 1 - start)) == 0:
            continue
        if depth == 0:
            if made := in_brackets(source, row):
                return made
            continue
        opening = re.match(r"\w*(?:\"|')", text)[0]
        first, second = lines[row - 1][:start] + text[:cut] + text[-1], " " * start + opening + text[cut:] + lines[row - 1][end:]
        return "\n".join([*lines[: row - 1], first, second, *lines[row:]])
    return None


def broken_comments(source: str) -> str:
    "The code with its wide comments on several lines: below one another, or above the code if that leaves too little room."
    lines, places = source.split("\n"), {}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and token.end[1] > WIDTH:
            places[token.start[0]] = token.start[1]
    for row in sorted(places, reverse=True):
        line, column = lines[row - 1], places[row]
        words, code, above = line[column:].removeprefix("#").strip(), line[:column], WIDTH - column < 40
        indent = re.match(" *", line)[0] if above else " " * column
        made = textwrap.wrap(words, WIDTH - len(indent) - 2, break_long_words=False, break_on_hyphens=False)
        comment = [f"{indent}# {part}" for part in made]
        lines[row - 1 : row] = [*comment, code.rstrip()] if above else [code + comment[0].lstrip(), *comment[1:]]
    return "\n".join(lines)


MARK = "# _"  # and a number: where a wide comment was


def comments_away(source: str) -> tuple[str, list[str]]:
    "The code with a mark for each wide comment behind some code, so that ruff does not break the code for it; and the comments."
    source, comments = re.sub(r" *# fmt: (?:skip|on|off)$", "", source, flags=re.M), []
    lines = source.split("\n")
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            (row, column), wide = token.start, token.end[1] > WIDTH
            if token.type == tokenize.COMMENT and wide and lines[row - 1][:column].strip():
                lines[row - 1] = f"{lines[row - 1][:column]}{MARK}{len(comments)}"
                comments.append(token.string)
    except (tokenize.TokenError, SyntaxError):
        return source, []
    return "\n".join(lines), comments


def comments_back(source: str, comments: list[str]) -> str:
    "The comments in the places of their marks."
    return re.sub(rf"{MARK}(\d+)$", lambda m: comments[int(m[1])], source, flags=re.M) if comments else source


def broken_commands(source: str) -> str:
    "A cell with commands of the shell, the wide ones on several lines."
    lines, inside = [], False
    for line in source.split("\n"):
        inside = inside or line.startswith("!")
        lines.append(broken_command(line) if inside else line)
        inside = inside and line.endswith("\\")
    return "\n".join(lines)


def broken_command(line: str, indent: str = "    ") -> str:
    "A command of the shell on several lines: before an option or `&&`."
    cut = max(line.rfind(" -", 0, WIDTH - 2), line.rfind(" &&", 0, WIDTH - 2))
    return f"{line[:cut]} \\\n{broken_command(indent + line[cut + 1 :])}" if len(line) > WIDTH and cut > len(indent) else line


def broken(source: str) -> str:
    "Code with its strings and comments broken; as it was, if that would change what it means."
    if re.search(r"^!", source, flags=re.M):
        return broken_commands(source)
    try:
        made = source
        for _ in range(500):
            if (narrower := broken_string(made)) is None:
                break
            made = narrower
        made = broken_comments(made)
        return made if meaning(made) == meaning(source) else source
    except (SyntaxError, tokenize.TokenError, ValueError):
        return source


def narrow(sources: list[str]) -> list[str]:
    "Cells of code, those with wide lines made narrower."
    wide = [i for i, source in enumerate(sources) if too_wide(source)]
    parts = [options_and_code(sources[i]) for i in wide]
    marked = [comments_away(code) for _, code in parts]
    result = list(sources)
    for i, (options, _), new, (_, comments) in zip(wide, parts, formatted([code for code, _ in marked]), marked):
        new = comments_back(new, comments)
        result[i] = options + (broken(new) if too_wide(new) else new)
    return result


FENCE = re.compile(r"^```(sh|toml|py|python)\n(.*?)(?=\n```$)", flags=re.S | re.M)


def narrow_block(source: str, language: str) -> str:
    "A block of shell or TOML with its wide comments above their lines, and wide commands on several lines."

    def line(text: str) -> str:
        if len(text) > WIDTH and (found := re.match(r"(\s*)(\S.*?)\s+# (.*)$", text)):
            indent, code, comment = found.groups()
            above = textwrap.fill(comment, WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ")
            return f"{above}\n{line(indent + code)}"
        return text if language == "toml" else broken_command(text)

    return "\n".join(map(line, source.split("\n")))


def narrow_cells(cells: list[tuple[str, str]]) -> list[str]:
    "The sources of cells, given as (type, source): code, and prose with blocks of code, made narrower."
    blocks = [m[2] for kind, text in cells if kind == "markdown" for m in FENCE.finditer(text) if m[1] in ("py", "python")]
    made = iter(narrow([text for kind, text in cells if kind == "code"] + blocks))

    def fence(m: re.Match) -> str:
        return f"```{m[1]}\n" + (next(rest) if m[1] in ("py", "python") else narrow_block(m[2], m[1]))

    code = [next(made) for kind, _ in cells if kind == "code"]
    rest, code = made, iter(code)
    return [next(code) if kind == "code" else FENCE.sub(fence, text) for kind, text in cells]
