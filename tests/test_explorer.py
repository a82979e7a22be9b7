"The explorer in a real JupyterLab, and its exported page from a file, both driven as a person would."

import gc
import json
import os
import shutil
import subprocess
import sys
import time
import weakref
from pathlib import Path
from unittest.mock import patch

import pytest
import torch

pytest.importorskip("ipywidgets")

from ipywidgets.widgets.widget import _instances

from videopure.attacks import PGD
from videopure.defense import Defended
from videopure.explore import Explorer
from videopure.pipeline import VideoPurePipeline
from videopure.purifier import VideoPure
from videopure.show import Player
from videopure.tiny import tiny_classifier
from videopure.trace import summary, trace_purification
from videopure.video import VideoPureError, moving_shapes, write_video

ROOT = Path(__file__).resolve().parent.parent
CELL = "from videopure.explore import Explorer\nexplorer = Explorer()\nexplorer"
STATE = "import json\nprint(json.dumps(explorer.values()))"


@pytest.fixture(scope="module")
def explored() -> Explorer:
    "An explorer that has attacked and purified."
    explorer = Explorer()
    explorer.set(clip="Embedded: left")
    explorer.attack()
    explorer.purify()
    return explorer


def test_turning_what_is_known_calls_no_network(explored):
    "Slider, frame and vote rule show what was computed before."

    def called(*args, **kwargs):
        raise AssertionError("a network was called")

    pipe = explored.purifier.pipe
    with patch.object(pipe.unet, "forward", called), patch.object(pipe.vae, "decode", called), patch.object(pipe.vae, "encode", called):
        with pytest.raises(AssertionError, match="a network"):
            explored.purify()
        explored.message.value = ""
        with patch.object(explored.defended.classifier, "forward", called):
            for record in range(5):
                explored.set(record=record, frame=record)
            explored.set(rule="mean-probability")
            explored.set(rule="majority")
    assert not explored.message.value  # where a control says what went wrong


def test_using_it_makes_no_widgets(explored):
    "All widgets are made at the start: a work makes none that would stay in the browser."
    with patch("ipywidgets.Widget.__init__", side_effect=AssertionError("a widget was made")):
        explored.attack()
        explored.purify()
        explored.set(record=1)


def test_runs_say_what_was_done(explored):
    "Knobs that were turned after the attack, or after the purification, do not change what the list of runs says of them."
    explorer = Explorer()
    explorer.attack()
    explorer.set(eps="1/255", steps=50, attack="FGSM", sees="full", seed=3)
    explorer.purify()
    assert summary(explorer.runs[-1])["attack"] == "PGD 8/255 × 10, seed 0, gray-box"
    explorer.set(purify_steps=9)
    assert summary(explorer.runs[-1])["levels"] == "4" and ">4</td>" in explorer.page() and ">9</td>" not in explorer.page()
    explorer.set(rule="mean-probability")
    assert summary(explorer.runs[-1])["vote"] == "mean-probability"


class Half(PGD):
    "An attack of one's own that takes half of the eps."

    def __init__(self, model, eps, steps, seed):
        super().__init__(model, eps / 2, steps=steps, seed=seed)


@pytest.fixture
def widgets_alive():
    "How many widgets ipywidgets keeps, after the garbage was collected."

    def count():
        gc.collect()
        return len(_instances)

    return count


def test_explorers_that_nobody_uses_are_freed(widgets_alive):
    "Used or not: the explorer, its clips and every widget that was made for it."
    defended = Defended(tiny_classifier(), VideoPurePipeline.tiny())
    before, gone = widgets_alive(), []
    for _ in range(3):
        explorer = Explorer(defended)
        explorer.set(purify_steps=1)
        explorer.start(explorer.purify)
        explorer.wait()
        gone += [weakref.ref(explorer), weakref.ref(explorer.trace), weakref.ref(explorer.box)]
    del explorer
    assert widgets_alive() == before and not any(ref() for ref in gone)


@pytest.mark.parametrize("cell", [{"metadata": {"cellId": "a"}}, {"content": {"code": "Explorer()"}}], ids=["cell", "code"])
def test_running_a_cell_again_closes_what_it_showed(cell, widgets_alive, monkeypatch):
    "An explorer on the screen stays, though only the screen holds it; two of one run stay both; another cell closes nothing."
    defended = Defended(tiny_classifier(), VideoPurePipeline.tiny())

    class Shell:
        def get_parent(self):
            return {"header": {"msg_id": self.run}} | self.cell

    shell = Shell()
    monkeypatch.setattr("videopure.explore.get_ipython", lambda: shell)
    monkeypatch.setattr("videopure.explore._SHOWN", {})

    def show(run, where, count=1):
        shell.run, shell.cell, held = run, where, [Explorer(defended) for _ in range(count)]
        for explorer in held:
            explorer._repr_mimebundle_()
        return held  # as the output history does

    first, other = show("1", cell, 2), show("2", {"metadata": {"cellId": "other"}})
    assert all(vars(explorer) for explorer in first + other)
    alive = widgets_alive()
    second = show("3", cell, 2)
    assert widgets_alive() == alive and not any(vars(explorer) for explorer in first)
    assert all(explorer.values()["clean"] for explorer in second + other)
    for use in (first[0].attack, first[0].values, lambda: first[0].set(eps="1/255"), lambda: first[0].to_html("x.html")):
        with pytest.raises(VideoPureError, match="was closed"):
            use()
    first[0].close()  # once more does nothing


@pytest.mark.parametrize("attack", ["APGD", "PGD", "noise", "pgd", Half])
def test_a_seed_is_a_seed(attack):
    "Also for attacks of torchattacks, which draw from the global generator; whatever was drawn before."
    explorer = Explorer(attacks={"mine": {"method": attack} | ({"steps": None} if attack == "noise" else {})})
    explorer.set(attack="mine", steps=2, eps="16/255")

    def made(seed):
        explorer.set(seed=seed)
        torch.rand(seed + 3)
        return explorer.attack().clone()

    one, again, two = made(1), made(1), made(2)
    assert torch.equal(one, again) and not torch.equal(one, two)


def test_noise_on_a_clip_that_is_wrong_already_says_so():
    explorer = Explorer(clip=moving_shapes(1, seed=3)[0], label=0)
    wrong = (int(explorer.clean.argmax()) + 1) % 10
    explorer = Explorer(clip=moving_shapes(1, seed=3)[0], label=wrong)
    explorer.set(attack="Random noise")
    explorer.start(explorer.attack)
    explorer.wait()
    assert torch.equal(explorer.attacked, explorer.clip)
    assert "changed nothing: the answer to the clip was wrong before" in explorer.message.value
    explorer.set(attack="PGD", eps="0")
    explorer.attack()
    assert "changed nothing" in explorer.message.value and explorer.attack() is not None


def test_values_are_those_that_are_used():
    "What an attack fixes, or does not have, is not what its control says."
    explorer = Explorer(attacks={"mine": {"eps": "2/255", "steps": 3, "sees": "bpda", "seed": 7}, "made": lambda clips, labels: clips})
    explorer.set(eps="8/255", steps=20, seed=1)
    shown = lambda: tuple(explorer.values()[name] for name in ("attack", "sees", "eps", "steps", "seed"))
    assert shown() == ("PGD", "classifier", "8/255", 20, 1)
    for name, used in {"FGSM": ("classifier", "8/255", 1, 1), "mine": ("bpda", "2/255", 3, 7), "made": (None,) * 4}.items():
        explorer.set(attack=name)
        assert shown() == (name, *used)
    assert shown()[0] == "made" and explorer.attack() is not None
    assert {name: explorer.attacked_with[name] for name in ("eps", "steps")} == {"eps": None, "steps": None}


NO_EXPLORER = [
    {"defended": 3},
    {"defended": tiny_classifier()},
    {"clip": "clip.mp4"},
    {"clip": torch.rand(2, 3, 4, 32, 32)},
    {"fps": "8"},
    {"fps": None},
    {"fps": float("nan")},
    {"fps": 0},
    {"attacks": ["pgd"]},
    {"attacks": "pgd"},
    {"attacks": {3: "pgd"}},
    {"label": 3},
    {"clip": torch.rand(1, 3, 4, 32, 32), "label": "left"},
    {"clip": torch.rand(1, 3, 4, 32, 32), "label": 1.5},
    {"clip": torch.rand(1, 3, 4, 32, 32), "label": 10},
]


@pytest.mark.parametrize("settings", NO_EXPLORER)
def test_what_is_no_explorer_is_one_line(settings):
    with pytest.raises(VideoPureError) as error:
        Explorer(**settings)
    assert "\n" not in str(error.value) and len(str(error.value)) < 300


def test_eps_has_one_unit():
    "A string such as 4/255 or a fraction, in half steps; a bare number of levels is refused and changes nothing."
    explorer = Explorer()
    for given, shown in (("4/255", "4/255"), (4.5 / 255, "4.5/255"), ("0", "0"), ("32/255", "32/255")):
        explorer.set(eps=given)
        assert explorer.values()["eps"] == explorer.controls["eps"].value == shown
    for wrong in (8, "8", "40/255", "5.1/255", "eight", None):
        with pytest.raises(VideoPureError, match="eps"):
            explorer.set(seed=5, eps=wrong)
    assert explorer.values()["eps"] == "32/255" and explorer.values()["seed"] == 0


@pytest.mark.slow
def test_own_attacks_are_in_the_menu():
    "A class, a name to import, a dictionary with options, an object; each is used as it is and named in the history."
    classifier = tiny_classifier()
    defended = Defended(classifier, VideoPurePipeline.tiny())
    made = PGD(classifier, eps=2 / 255, steps=2, seed=0)
    own = {"class": Half, "name": f"{__name__}:Half", "options": {"method": "pgd", "restarts": 2, "steps": 3}, "object": made}
    explorer = Explorer(defended, attacks=own)
    explorer.set(eps="4/255", steps=2)
    sizes, lines = {}, {}
    for name in own:
        explorer.set(attack=name)
        sizes[name] = 255 * float((explorer.attack() - explorer.clip).abs().max())
        explorer.purify()
        lines[name] = summary(explorer.runs[-1])["attack"]
    assert sizes == pytest.approx({"class": 2, "name": 2, "options": 4, "object": 2}, abs=0.01)
    assert lines["class"] == "class 4/255 × 2, seed 0, gray-box" and lines["options"] == "options 4/255 × 3, seed 0, gray-box"
    assert lines["object"] == "object" and {"PGD", "Random noise"} < {*explorer.presets}


@pytest.mark.parametrize("wrong", [lambda clips, labels: clips[..., ::2], lambda clips, labels: clips + 2, "no.module:Attack", "pdg"])
def test_what_is_no_attack_is_one_line(wrong):
    "It raises from code, is a message from the button, and leaves what was there."
    explorer = Explorer(attacks={"wrong": wrong})
    explorer.purify()
    explorer.set(attack="wrong")
    with pytest.raises(VideoPureError):
        explorer.attack()
    explorer.buttons["attack"].click()
    explorer.wait()
    assert 'role="alert"' in explorer.message.value and explorer.attacked is None and explorer.trace


def test_two_explorers_at_once_find_what_each_finds_alone():
    "They share the networks, and nothing else: no random state, no progress, no cancelling."
    defended = Defended(tiny_classifier(), VideoPurePipeline.tiny())
    both = [Explorer(defended), Explorer(defended)]
    for seed, explorer in enumerate(both):
        explorer.set(seed=seed, clip=("Embedded: left", "Embedded: grow")[seed])
    alone = [explorer.attack().clone() for explorer in both]
    for explorer in both:
        explorer.start(explorer.attack)
    for explorer in both:
        explorer.wait()
    assert all(torch.equal(explorer.attacked, before) for explorer, before in zip(both, alone))


@pytest.mark.slow
def test_while_it_works_nothing_else_can_be_changed():
    "Another clip, another setting, a second work: one line. Then it goes on, and a cancelled work leaves what was there."
    explorer = Explorer()
    explorer.purify()
    kept = explorer.trace
    explorer.set(sees="full", steps=50)
    explorer.start(explorer.attack)
    again = lambda: explorer.start(explorer.attack)
    for change in (lambda: explorer.set(clip="Embedded: up"), lambda: explorer.set(eps="2/255"), explorer.purify, again):
        with pytest.raises(VideoPureError, match="busy"):
            change()
    explorer.set(frame=3)
    explorer.controls["clip"].set_state({"index": 4})  # a choice that was on its way when the work began
    assert explorer.values()["clip"] == "Embedded: left" and "busy" in explorer.message.value
    explorer.cancel()
    explorer.wait()
    assert "Cancelled" in explorer.message.value and explorer.trace is kept and explorer.attacked is None
    # whatever is done in the background gives the explorer back
    explorer.start(lambda: (explorer.set(purify_steps=2), explorer.purify(), explorer.purify()))
    explorer.wait()
    explorer.start(lambda: 1 / 0)
    explorer.wait()
    assert "ZeroDivisionError" in explorer.message.value
    assert explorer.purify() and len(explorer.runs) == 4


def test_names_of_files_and_classes_are_shown_as_they_are(tmp_path):
    "A name is text, never markup, and a file with an odd name is only a file."
    classifier = tiny_classifier()
    classifier.class_names = ["<b>one</b>", *map(str, range(9))]
    explorer = Explorer(Defended(classifier, VideoPurePipeline.tiny()), moving_shapes(1, seed=3)[0], 0)
    explorer.purify()
    assert "<b>one</b>" not in explorer.page().replace("<b>&lt;b&gt;one", "") and "&lt;b&gt;one" in explorer.verdict.value
    file = {"type": "", "size": 3, "last_modified": 1000, "content": memoryview(b"abc")}
    for name in ("<i>x.mp4", "noending", "x." + "y" * 300, "same.mp4", "same.mp4", "zero\0.mp4"):
        explorer.upload.set_state({"value": [file | {"name": name}]})  # as the browser does
        assert "is not a video" in explorer.message.value or "unknown kind" in explorer.message.value, explorer.message.value
        assert "<i>" not in explorer.message.value and explorer.upload.value == ()
        explorer.message.value = ""


@pytest.mark.slow
def test_large_clips_are_shown_without_a_page_beside_them():
    "Where the page would be too much for a notebook to carry, the widget alone is shown."
    explorer = Explorer(clip=torch.rand(1, 3, 60, 48, 48))
    explorer.set(purify_steps=8)
    explorer.purify()
    assert set(explorer._repr_mimebundle_()) & {"text/html", "application/vnd.jupyter.widget-view+json"} == {
        "application/vnd.jupyter.widget-view+json"
    }
    assert {"text/html", "application/vnd.jupyter.widget-view+json"} <= set(Explorer()._repr_mimebundle_())


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(16, 32, 32), (32, 112, 96)])
def test_page_is_small(shape, tmp_path):
    "Less than 3 MB, also for clips whose films would not fit at full size."
    frames, height, width = shape
    clip = torch.rand(1, 3, *shape) if height > 32 else moving_shapes(1, seed=3)[0]
    explorer = Explorer(Defended(tiny_classifier(), VideoPurePipeline.tiny()), clip)
    explorer.set(purify_steps=6)
    explorer.purify()
    path = explorer.to_html(tmp_path / "explorer.html")
    assert 50_000 < path.stat().st_size < 3_000_000
    assert path.read_text().count('class="vp-level"') == 7


@pytest.mark.slow
@pytest.mark.parametrize("sees", ["bpda", "full"])
def test_attack_on_the_whole_defense_follows_the_settings(sees, explored):
    "What is attacked is the defense as it is set, and the attacked clip stays within eps."
    explored.set(purify_steps=1, sees=sees, steps=2, eps="4/255")
    adv = explored.attack()
    assert 0 < (adv - explored.clip).abs().max() <= 4 / 255 + 1e-6
    explored.purify()
    assert len(explored.values()["votes"]) == 2
    explored.set(purify_steps=4, sees="classifier", steps=10, eps="8/255")
    explored.attack(), explored.purify()


def test_trace_ends_where_the_pipeline_ends():
    "The last stage, which no callback sees, is that of the pipeline: with an own path or a guided one."
    pipe, clip = VideoPurePipeline.tiny(), moving_shapes(1, seed=5)[0]
    for options in ({}, {"guide_trajectory": True}, {"num_inference_steps": 25}):
        found, out = trace_purification(VideoPure(pipe, purify_steps=3, **options), clip), pipe(clip, purify_steps=3, **options)
        torch.testing.assert_close(found.records, out.videos[0])
        assert found.timesteps == out.timesteps.tolist()
        if not options.get("guide_trajectory"):  # without guidance and its last mixing, the record is the estimate
            free = trace_purification(VideoPure(pipe, purify_steps=3, spatial_scale=0, temporal_scale=0, **options), clip)
            torch.testing.assert_close(free.before[:-1], free.records[:-1])
            torch.testing.assert_close(free.before, found.before)


@pytest.fixture
def page_file(explored, tmp_path):
    explored.set(record=1)
    return explored.to_html(tmp_path / "explorer.html")


@pytest.mark.slow
def test_exported_page_works_from_a_file(page_file, chromium):
    "No network, no kernel: it plays, and the slider shows another record and marks its vote."
    context = chromium.new_context(offline=True, viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    page, wrong = context.new_page(), []
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith(("file:", "data:")) else wrong.append(request.url[:100]))
    page.goto(page_file.as_uri())
    shown = lambda: page.evaluate("[...document.querySelectorAll('.vp-level')].map(s => !s.hidden).indexOf(true)")
    marked = lambda: page.evaluate("[...document.querySelectorAll('tr.record')].findIndex(r => r.classList.contains('on'))")
    assert (shown(), marked()) == (1, 1)
    page.focus("input.at")
    page.keyboard.press("ArrowRight")
    assert (shown(), marked()) == (2, 2)
    assert page.inner_text("output").startswith("2, t =")
    first = page.screenshot()
    page.focus("input.frame")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("getComputedStyle(document.querySelector('.vp-page')).getPropertyValue('--column')") == "1"
    assert page.screenshot() != first
    page.focus("button.play")
    page.keyboard.press("Enter")
    assert page.inner_text("button.play") == "Pause"
    page.wait_for_function("+document.querySelector('input.frame').value > 1")
    images = page.evaluate("[...document.images].map(i => [i.naturalWidth > 0, i.alt.length > 3])")
    assert len(images) > 20 and all(map(all, images))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert not wrong
    context.close()


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    "A running JupyterLab on a folder with one notebook; its address."
    if not (command := shutil.which("jupyter-lab", path=os.path.dirname(sys.executable)) or shutil.which("jupyter-lab")):
        pytest.skip("JupyterLab is not installed")
    nbformat = pytest.importorskip("nbformat")
    folder, own = tmp_path_factory.mktemp("lab"), tmp_path_factory.mktemp("jupyter")
    cells = [nbformat.v4.new_code_cell(source) for source in (CELL, STATE)]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), folder / "explore.ipynb")
    for seed, name in enumerate(("saved.ipynb", "trusted.ipynb")):  # not the same, because who trusts one trusts its like
        data = {"text/html": Player(moving_shapes(1, seed=seed)[0])._repr_html_()}
        shown = nbformat.v4.new_code_cell("1", outputs=[nbformat.v4.new_output("execute_result", data)])
        nbformat.write(nbformat.v4.new_notebook(cells=[shown], metadata=kernel), folder / name)
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR")
    env = os.environ | {name: str(own / name) for name in (*names, "IPYTHONDIR")} | {"OMP_NUM_THREADS": "1"}
    subprocess.run([Path(command).with_name("jupyter-trust"), folder / "trusted.ipynb"], env=env, check=True)
    quiet = ["--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    quiet += ["--no-browser", "--allow-root", f"--config={ROOT / 'tools/jupyter_config.py'}"]
    options = ["--ServerApp.port=0", "--IdentityProvider.token=", f"--ServerApp.root_dir={folder}", *quiet]
    with open(own / "log", "w") as log:
        server = subprocess.Popen([command, *options], env=env, stdout=log, stderr=log)
    try:
        for _ in range(600):
            found = list((own / "JUPYTER_RUNTIME_DIR").glob("jpserver-*.json"))
            if found and found[0].stat().st_size:
                break
            assert server.poll() is None, (own / "log").read_text()[-2000:]
            time.sleep(0.1)
        else:
            pytest.fail((own / "log").read_text()[-2000:])
        yield json.loads(found[0].read_text())["url"]
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()


@pytest.fixture(scope="module")
def notebook(lab, chromium):
    "The notebook in JupyterLab, its first cell run."
    context = chromium.new_context(viewport={"width": 1280, "height": 1700})
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(f"{lab}lab/tree/explore.ipynb?reset")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell")
    page.wait_for_selector("text=/ipykernel.*Idle/")
    run(page, 0)
    page.wait_for_selector("button:text-is('Attack')")
    yield page
    context.close()


def run(page, cell: int) -> None:
    "Run a cell, and wait until it has been run; a cell that was not ready to be run is run again."
    number = lambda: page.locator(".jp-CodeCell .jp-InputPrompt").nth(cell).inner_text()
    before = number()
    for _ in range(4):
        page.locator(".jp-CodeCell .cm-content").nth(cell).click()
        page.keyboard.press("Control+Enter")
        for _ in range(150):
            if number() != before and any(map(str.isdigit, number())):
                return
            page.wait_for_timeout(100)
    raise AssertionError(f"cell {cell} was not run")


def values(page) -> dict:
    "What `explorer.values()` says, by running the second cell."
    run(page, 1)
    return json.loads(page.locator(".jp-CodeCell").nth(1).locator(".jp-OutputArea-output").inner_text())


def upload(page, path) -> None:
    "Choose a file, as the dialog of the button would."
    with page.expect_file_chooser() as chooser:
        page.click("button:has-text('Upload a clip')")
    chooser.value.set_files(path)


@pytest.mark.slow
def test_a_file_that_the_browser_cannot_send_is_answered(notebook, tmp_path):
    "The name, the size and what to do instead; nothing is sent, and the line goes with the next file, which is read."
    large, good = tmp_path / "<b>minute.mp4", tmp_path / "small.mp4"
    large.write_bytes(bytes(12_000_000))
    write_video(moving_shapes(1, seed=7)[0], good)
    upload(notebook, large)
    line = notebook.locator("[class*=explorer-] p.vp-status.error[role=alert]:has-text('path')")
    line.wait_for()
    assert large.name in line.inner_text() and "12 MB" in line.inner_text()
    notebook.wait_for_timeout(2000)
    assert notebook.locator("text=/ipykernel.*Idle/").count() and "minute" not in values(notebook)["clip"]
    upload(notebook, good)
    notebook.wait_for_selector("p.vp-status:has-text('Read small.mp4')")
    assert line.count() == 0 and values(notebook)["clip"] == "small.mp4"


@pytest.mark.slow
def test_export_button_writes_the_page(notebook, chromium):
    "It says where, and the page is one that opens from a file."
    press(notebook, "Export")
    said = notebook.locator("p.vp-status:has-text('Wrote')").inner_text().strip()
    written = Path(said.removeprefix("Wrote "))
    assert written.name == "explorer.html" and written.stat().st_size < 3_000_000
    page = chromium.new_page()
    page.goto(written.as_uri())
    assert page.locator("img").count() > 0 and page.locator("button.play").count() == 1
    assert not page.locator(".vp-still").count()
    page.close()


@pytest.fixture
def opened(lab, chromium):
    "A function that opens a notebook in JupyterLab and waits until its kernel is ready."
    contexts = []

    def open_notebook(name: str):
        contexts.append(chromium.new_context(viewport={"width": 1280, "height": 900}))
        page = contexts[-1].new_page()
        page.set_default_timeout(60_000)
        page.goto(f"{lab}lab/tree/{name}?reset")
        page.wait_for_selector(".jp-Notebook .jp-CodeCell")
        page.wait_for_selector("text=/ipykernel.*Idle/")
        page.wait_for_timeout(2000)
        return page

    yield open_notebook
    for context in contexts:
        context.close()


@pytest.mark.slow
def test_opening_a_notebook_does_not_mark_it_as_modified(opened):
    page = opened("saved.ipynb")
    assert page.locator(".jp-mod-dirty").count() == 0
    page.locator(".jp-CodeCell .cm-content").first.click()
    page.keyboard.type("2")
    page.wait_for_selector(".jp-mod-dirty")


@pytest.mark.slow
@pytest.mark.parametrize("trusted", [False, True], ids=["saved", "trusted"])
def test_a_saved_player_plays_or_says_why_not(trusted, opened):
    page = opened("trusted.ipynb" if trusted else "saved.ipynb")
    assert page.get_by_text("scripts do not run").is_visible() is not trusted
    assert page.locator("img[src^='data:image']").first.is_visible() is not trusted
    assert (page.locator("[data-videopure][data-playing=true] canvas").count() > 0) is trusted


def press(page, name: str) -> None:
    page.click(f"button:text-is('{name}')")


@pytest.mark.slow
def test_attack_and_purify_in_jupyterlab(notebook):
    "Two buttons turn the label and turn it back; the slider changes the picture and the vote that is marked."
    press(notebook, "Attack")
    notebook.wait_for_selector("figcaption:has-text('Perturbation')")
    press(notebook, "Purify")
    notebook.wait_for_selector("table.vp-votes tr.record")
    found = values(notebook)
    assert found["clean"] == found["label"] == found["purified"] != found["attacked"]
    assert notebook.locator("tr.record").count() == len(found["votes"])
    notebook.evaluate("""() => {
      const level = [...document.querySelectorAll('figcaption')].find(c => c.innerText.startsWith('x_t')).closest('.widget-html');
      window.level = level; window.moved = null;
      new MutationObserver(() => window.moved ??= performance.now()).observe(level, {childList: true, subtree: true});
      window.addEventListener('keydown', () => { window.pressed = performance.now(); window.moved = null }, true) }""")
    before = notebook.evaluate("window.level.querySelector('img').src")
    handle = notebook.locator(".widget-hslider", has_text="Record").locator(".noUi-handle")
    for record in (1, 2):
        handle.focus()
        notebook.keyboard.press("ArrowRight")
        notebook.wait_for_function("window.moved")
        print(f"record {record} on the screen {notebook.evaluate('window.moved - window.pressed'):.0f} ms after the key")
    notebook.wait_for_function("before => window.level.querySelector('img').src != before", arg=before)
    notebook.wait_for_function("[...document.querySelectorAll('tr.record')].findIndex(r => r.classList.contains('on')) == 2")
    assert values(notebook)["record"] == 2


@pytest.mark.slow
def test_bad_and_good_upload_in_jupyterlab(notebook, tmp_path):
    "A file that is no video is one line in the widget; the next one, which is a video, works."
    bad, good = tmp_path / "notes.mp4", tmp_path / "mine.mp4"
    bad.write_text("this is no video")
    write_video(moving_shapes(1, seed=7)[0], good)
    upload(notebook, bad)
    notebook.wait_for_selector("p.vp-status.error:has-text('notes.mp4')")
    line = notebook.locator("p.vp-status.error")
    assert line.get_attribute("role") == "alert" and "\n" not in line.inner_text().strip() and "Traceback" not in line.inner_text()
    upload(notebook, good)
    notebook.wait_for_selector("p.vp-status:has-text('Read mine.mp4')")
    assert values(notebook)["clip"] == "mine.mp4"
    press(notebook, "Attack")
    notebook.wait_for_selector("figcaption:has-text('Perturbation')")
    press(notebook, "Purify")
    notebook.wait_for_selector("table.vp-votes tr.record")
    assert values(notebook)["purified"]


@pytest.mark.slow
def test_cancel_in_jupyterlab(notebook):
    "A long attack on the whole defense is stopped by the button, and the explorer goes on working."
    notebook.select_option("select:has(option:text-is('Exact gradient'))", label="Exact gradient")
    press(notebook, "Attack")
    notebook.wait_for_function("[...document.querySelectorAll('p.vp-status')].some(p => p.innerText.startsWith('Attacking'))")
    press(notebook, "Cancel")
    notebook.wait_for_selector("p.vp-status:has-text('Cancelled')")
    notebook.wait_for_selector("button:text-is('Attack'):enabled")


@pytest.mark.slow
def test_keyboard_reaches_every_control_in_jupyterlab(notebook):
    "Tab goes through all of them, and every picture has its text."
    wanted = notebook.evaluate("""() => {
      const root = document.querySelector('[class*=explorer-]');
      window.wanted = [...root.querySelectorAll('button, select, input:not([type=file]), .noUi-handle, [role=slider]')];
      window.wanted = window.wanted.filter(e => !e.disabled && e.offsetParent && getComputedStyle(e).visibility != 'hidden');
      window.wanted[0].focus(); window.reached = new Set([document.activeElement]); return window.wanted.length }""")
    for _ in range(3 * wanted):
        notebook.keyboard.press("Tab")
        notebook.evaluate("window.reached.add(document.activeElement)")
    missed = notebook.evaluate("window.wanted.filter(e => !window.reached.has(e)).map(e => e.outerHTML.slice(0, 150))")
    assert wanted > 10 and not missed
    texts = notebook.evaluate("[...document.querySelectorAll('[class*=explorer-] img')].map(i => i.alt)")
    assert texts and all(texts)
