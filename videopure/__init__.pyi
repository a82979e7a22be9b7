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
from . import attacks as attacks
from . import baselines as baselines
from . import batch as batch
from . import blackbox as blackbox
from . import cache as cache
from . import certify as certify
from . import checks as checks
from . import classifiers as classifiers
from . import cli as cli
from . import config as config
from . import data as data
from . import defense as defense
from . import demo as demo
from . import detect as detect
from . import diffusion as diffusion
from . import evaluate as evaluate
from . import explore as explore
from . import families as families
from . import film as film
from . import filmstrip as filmstrip
from . import filters as filters
from . import flow as flow
from . import guidance as guidance
from . import inversion as inversion
from . import journal as journal
from . import latents as latents
from . import loading as loading
from . import masked as masked
from . import metrics as metrics
from . import models as models
from . import networks as networks
from . import options as options
from . import pipeline as pipeline
from . import plan as plan
from . import protocols as protocols
from . import purifier as purifier
from . import registry as registry
from . import report as report
from . import results as results
from . import robust as robust
from . import sanity as sanity
from . import schedule as schedule
from . import show as show
from . import signal as signal
from . import smallest as smallest
from . import statistics as statistics
from . import stream as stream
from . import suite as suite
from . import table as table
from . import threats as threats
from . import tiny as tiny
from . import trace as trace
from . import trainer as trainer
from . import training as training
from . import vcr as vcr
from . import verify as verify
from . import video as video
from . import voting as voting
__version__: str
_WHERE: dict[str, str]

def __dir__() -> list[str]:
    ...
