"""Adversarial purification of video with a video diffusion model.

What is used most can be imported from here, `from videopure import Defended, VideoPurePipeline`; each name is loaded when it is first asked
for, so that `import videopure` costs nothing. Everything else is in the modules, one for each notebook.
"""

import sys as _sys

__version__ = "0.2.0"

_WHERE = {
    "VideoPurePipeline": "pipeline",
    "VideoModel": "models",
    "Defended": "defense",
    "PGD": "attacks",
    "benchmark": "evaluate",
    "check_defense": "sanity",
    "Card": "results",
    "Explorer": "explore",
    "Player": "show",
    "read_video": "video",
    "write_video": "video",
    "moving_shapes": "video",
    "tiny_classifier": "tiny",
    "load_classifier": "classifiers",
    "train": "training",
    "VideoPureError": "video",
    "VideoFileError": "video",
}
__all__ = [*_WHERE]

if getattr(_sys, "argv", [])[:1] == ["-m"]:  # Python looks for the module that it is to run
    _named = [word.removeprefix("-m") for word in _sys.orig_argv if word.removeprefix("-m").startswith(f"{__name__}.")]
    if _named and _named[0].split(".")[1] not in ("cli", "__main__"):
        print(f"videopure: {_named[0]} is a module and no command: python -m videopure --help names the commands", file=_sys.stderr)
        _sys.exit(2)


def __getattr__(name: str) -> object:
    "A public name, or a module, loaded when it is first asked for (PEP 562)."
    from importlib import import_module
    from importlib.util import find_spec

    if name.startswith("_") or (name not in _WHERE and find_spec(f"{__name__}.{name}") is None):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f"{__name__}.{_WHERE.get(name, name)}")
    return getattr(module, name) if name in _WHERE else module


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
