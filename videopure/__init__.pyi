# Made by tools/stubs.py from __init__.py: run it after nbdev_export.
"""Adversarial purification of video with a video diffusion model.

What is used most can be imported from here, `from videopure import Defended, VideoPurePipeline`; each name is loaded when it is first asked
for, so that `import videopure` costs nothing. Everything else is in the modules, one for each notebook."""
from .pipeline import VideoPurePipeline as VideoPurePipeline
from .models import VideoModel as VideoModel
from .defense import Defended as Defended
from .attacks import PGD as PGD
from .evaluate import benchmark as benchmark
from .sanity import check_defense as check_defense
from .results import Card as Card
from .explore import Explorer as Explorer
from .show import Player as Player
from .video import read_video as read_video
from .video import write_video as write_video
from .video import moving_shapes as moving_shapes
from .tiny import tiny_classifier as tiny_classifier
from .classifiers import load_classifier as load_classifier
from .training import train as train
from .video import VideoPureError as VideoPureError
from .video import VideoFileError as VideoFileError
import sys as _sys
__version__: str
_WHERE: dict[str, str]

def __dir__() -> list[str]:
    ...
