"""Write README.md from nbs/index.ipynb: its prose, code and outputs. `--check` only says whether the two agree.

Pictures among the outputs are written to nbs/images.
"""

import base64
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOTE = "<!-- Made from nbs/index.ipynb by `make readme`: edit the notebook. -->\n\n"


def output(out: dict, alt: str, image: str) -> tuple[str, dict[str, bytes]]:
    "One output as markdown, and the files that it needs; what only a browser can show is left out."
    data = {k: "".join(v) if isinstance(v, list) else v for k, v in out.get("data", {}).items()}
    if "text/markdown" in data:
        return data["text/markdown"].strip(), {}
    if "image/png" in data:
        return f"![{alt}]({image})", {image: base64.b64decode(data["image/png"])}
    if "text/plain" in data and not any(kind.startswith(("text/html", "application/")) for kind in data):
        return "```\n" + data["text/plain"].strip() + "\n```", {}
    return "", {}


def readme(notebook: Path) -> dict[str, bytes]:
    "The files that the notebook makes: README.md and its pictures."
    parts, files = [], {}
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        options = re.findall(r"^#\|\s*(.+?)\s*$", source, flags=re.M)
        if "hide" in options:
            continue
        if cell["cell_type"] == "markdown":
            links = re.sub(r"\]\((?!https?:|#)", "](nbs/", source)
            parts.append(links)
            continue
        code = re.sub(r"^#\|.*\n?", "", source, flags=re.M).strip()
        if code and "echo: false" not in options:
            parts.append(f"```python\n{code}\n```")
        alt = next((o.removeprefix("fig-alt: ") for o in options if o.startswith("fig-alt: ")), "")
        for out in cell["outputs"]:
            text, pictures = output(out, alt, f"nbs/images/readme_{len(files)}.png")
            parts += [text] if text else []
            files |= pictures
    title, *rest = parts
    return {"README.md": (title + "\n\n" + NOTE + "\n\n".join(rest) + "\n").encode()} | files


def main() -> None:
    "Write the files, or check them."
    files = readme(ROOT / "nbs/index.ipynb")
    stale = [name for name, data in files.items() if not (ROOT / name).exists() or (ROOT / name).read_bytes() != data]
    if "--check" in sys.argv:
        sys.exit(f"out of date, run `make readme`: {', '.join(stale)}" if stale else 0)
    for name in stale:
        (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / name).write_bytes(files[name])


if __name__ == "__main__":
    main()
