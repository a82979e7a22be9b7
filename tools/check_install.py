"""Install the project as a user would, into an empty environment, and use it there: `python tools/check_install.py FOLDER`."""

import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
USE = """
import importlib.util, sys, torch
absent = ["nbdev", "jupyterlab", "ipykernel", "torchvision", "transformers", "pytest"]
assert not (found := [name for name in absent if importlib.util.find_spec(name)]), found
import videopure
assert "site-packages" in videopure.__file__, videopure.__file__
for name in videopure.__all__:
    assert name == "Explorer" or getattr(videopure, name), name  # the explorer needs ipywidgets, which are optional
from videopure import Defended, VideoPurePipeline, moving_shapes, tiny_classifier
clips, labels = moving_shapes(2, seed=0)
pipe = VideoPurePipeline.tiny()
out = pipe(clips)
assert out.videos.shape[0] == 2 and out.videos.shape[2:] == clips.shape[1:] and out.videos.isfinite().all()
assert (Defended(tiny_classifier(), pipe).vote(clips).labels == labels).all()
from pathlib import Path
typed = [name for name in sys.argv[1:] if not (Path(videopure.__file__).parent / name).exists()]
assert sys.argv[1:] and not typed, f"not installed: {typed}"
print("purified", tuple(out.videos.shape), "with videopure", videopure.__version__)
"""


def main(folder: Path) -> None:
    "Make the environment, install, run the library and the command."
    venv.create(folder, with_pip=True)
    python = folder / "bin/python"
    pip = [python, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "-c", ROOT / "constraints.txt"]
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHONPATH", "VIRTUAL_ENV"))}
    for command in (
        [*pip, "torch"],
        [*pip, ROOT],  # pip install .
        [python, "-m", "pip", "check"],
        [python, "-c", USE, *(path.name for path in sorted((ROOT / "videopure").iterdir()) if path.suffix in (".pyi", ".typed"))],
        [folder / "bin/videopure", "--help"],
        [python, "-m", "videopure", "--version"],
    ):
        subprocess.run(command, cwd=folder, env=env, check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
