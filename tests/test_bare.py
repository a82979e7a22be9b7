"What works where torch and diffusers are, and nothing that only reads films, draws, or attacks."

import subprocess
import sys
import textwrap

MISSING = "cv2 av decord torchattacks matplotlib IPython pandas ipywidgets transformers accelerate scipy gradio torchvision".split()
BLOCK = f"""
import importlib.util, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {MISSING}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

found = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name.partition(".")[0] in {MISSING} else found(name, package)
sys.meta_path.insert(0, Blocked())
"""


def bare(code):
    "Run code in a new process without the packages; what it prints."
    done = subprocess.run([sys.executable, "-c", BLOCK + textwrap.dedent(code)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


def test_core_without_optional_packages():
    said = bare(
        """
        import torch
        from videopure import Defended, VideoPurePipeline, moving_shapes, tiny_classifier
        from videopure.families import untrained
        from videopure.video import VideoPureError, read_video

        clips, labels = moving_shapes(1, seed=3)
        pipe = VideoPurePipeline.tiny()
        pipe.set_progress_bar_config(disable=True)
        flow = torch.zeros(1, 15, 2, 16, 16)
        x = clips.clone().requires_grad_()
        logits = tiny_classifier()(pipe(x, flow=flow).videos[:, -1])
        assert torch.autograd.grad(logits.sum(), x)[0].isfinite().all()
        wan = VideoPurePipeline(**untrained("Wan"))
        assert wan(clips, purify_steps=1, temporal_scale=0.0).videos.shape == (1, 2, 3, 16, 32, 32)
        assert Defended(tiny_classifier(), lambda video: video)(clips).shape == (1, 10)
        for call in (lambda: pipe(clips), lambda: read_video("clip.mp4")):
            try:
                call()
            except VideoPureError as error:
                print(error)
        """
    )
    assert "pip install opencv-python-headless" in said


def test_every_module_loads():
    "Only the explorer, which is made of ipywidgets, does not."
    said = bare(
        """
        import importlib, pkgutil
        import videopure

        for module in pkgutil.iter_modules(videopure.__path__):
            if module.name != "__main__":
                try:
                    importlib.import_module(f"videopure.{module.name}")
                except ImportError as error:
                    print(module.name, error)
        """
    )
    assert said == "explore the explorer is made of ipywidgets: pip install 'videopure[widgets]'"


def test_attacks_say_what_is_missing():
    said = bare(
        """
        from videopure import PGD, tiny_classifier
        from videopure.checks import MissingPackageError
        from videopure.filmstrip import TorchAttack

        for make in (lambda: PGD(tiny_classifier()), lambda: TorchAttack("APGD", tiny_classifier())):
            try:
                make()
            except MissingPackageError as error:
                print(error)
        """
    )
    assert said.count("pip install torchattacks") == 2
