"The builders of the site and of README.md, on pages made for the purpose."

import importlib.util
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parent.parent / "tools"


def tool(name: str):
    spec = importlib.util.spec_from_file_location(name, TOOLS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_broken_links(tmp_path):
    good = '<h1 id="here">x</h1><a href="b.html#here"></a><a href="a.html"></a><a href="#here"></a><a href="https://x.org"></a>'
    (tmp_path / "a.html").write_text(good + '<a href="b.html#gone"></a>')
    (tmp_path / "b.html").write_text(good + '<img src="missing.png"><a href="c/"></a>')
    assert tool("docs").broken_links(tmp_path) == ["a.html -> b.html#gone", "b.html -> c/", "b.html -> missing.png"]


def test_only_names_with_a_heading_are_linked(tmp_path):
    page = '<h2 id="f">f</h2><a href="b.html#g"><code>g</code></a><a href="a.html#_h"><code>_h</code></a><a href="#i">i</a>'
    (tmp_path / "a.html").write_text(page)
    (tmp_path / "b.html").write_text('<h2 id="g">g</h2>')
    tool("docs").unlink(tmp_path)
    assert (tmp_path / "a.html").read_text().endswith('<a href="b.html#g"><code>g</code></a><code>_h</code><a href="#i">i</a>')


def test_formulas_become_mathml(tmp_path):
    pytest.importorskip("latex2mathml")
    page = tmp_path / "a.html"
    page.write_text(r'<script src="https://x.org/katex.min.js" defer></script><p><span class="math inline">\(\sqrt{a} &lt; b\)</span></p>')
    tool("docs").mathml(page)
    text = page.read_text()
    assert "<msqrt>" in text and "katex" not in text and r"\sqrt" not in text


def test_readme_keeps_prose_code_and_outputs(tmp_path):
    import nbformat
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

    code = new_code_cell("#| label: x\n1 + 1", outputs=[new_output("execute_result", {"text/plain": "2"})])
    cells = [new_markdown_cell("# T\n\n> t"), new_markdown_cell("[a](00_a.ipynb) [b](https://b.org)"), new_code_cell("#| hide\n3"), code]
    nbformat.write(new_notebook(cells=cells), tmp_path / "index.ipynb")
    text = tool("readme").readme(tmp_path / "index.ipynb")["README.md"].decode()
    assert "[a](nbs/00_a.ipynb) [b](https://b.org)" in text
    assert "```python\n1 + 1\n```\n\n```\n2\n```" in text
    assert "3" not in text and "label" not in text
