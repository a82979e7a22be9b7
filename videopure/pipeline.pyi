# Made by tools/stubs.py from pipeline.py: run it after nbdev_export.
"""`VideoPurePipeline`: the whole purification, as a diffusers pipeline"""
from typing import Any
from typing import Literal
from typing import overload
import os as os
from collections.abc import Callable as Callable
from dataclasses import dataclass as dataclass
from pathlib import Path as Path
from typing import NamedTuple as NamedTuple
import torch as torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline as DiffusionPipeline
from diffusers.schedulers.scheduling_utils import SchedulerMixin as SchedulerMixin
from diffusers.utils.outputs import BaseOutput as BaseOutput
from torch import nn as nn
from tqdm.auto import tqdm as tqdm
from .checks import as_path as as_path, check_flag as check_flag, checked as checked, near as near, reason as reason, shorten as shorten
from .flow import latent_flow as latent_flow
from .guidance import guidance_strength as guidance_strength, guide as guide
from .inversion import invert as invert
from .latents import PROMPT_WIDTHS as PROMPT_WIDTHS, PromptEmbedding as PromptEmbedding, on_meta as on_meta, psnr as psnr, recompute as recompute, share_prompt as share_prompt
from .loading import check_configs as check_configs, download as download, find_dtype as find_dtype, find_prompt as find_prompt, load_parts as load_parts, read_options as read_options, undisturbed as undisturbed
from .models import VideoModel as VideoModel, check_scale as check_scale
from .schedule import Level as Level, add_noise as add_noise, ddim_levels as ddim_levels, ddim_step as ddim_step, paper_scheduler as paper_scheduler, predict_x0 as predict_x0
from .tiny import PIPELINES as PIPELINES, assets as assets, check_weights as check_weights, flow_scheduler as flow_scheduler, tiny_defaults as tiny_defaults, tiny_scheduler as tiny_scheduler, tiny_transformer as tiny_transformer, tiny_unet as tiny_unet
from .tiny import tiny_vae as tiny_vae
from .video import VideoFileError as VideoFileError, VideoPureError as VideoPureError, check_number as check_number, check_video as check_video
__all__ = ['VideoPureOutput', 'VideoPurePipeline', 'RoundTrip', 'load_pipeline', 'save_pipeline']

@dataclass
class VideoPureOutput(BaseOutput):
    """What a purification returns: `S = purify_steps + 1` records of every clip."""
    videos: torch.Tensor
    latents: torch.Tensor
    timesteps: torch.Tensor

class _TimeConv(nn.Conv3d):
    """A convolution over frames alone, computed as one over pictures, for which there are faster routines."""

    def forward(self, x):
        ...

def _only_in_time(layer: nn.Module) -> bool:
    ...

def _ready(module: nn.Module) -> None:
    """Prepare a model for use only: evaluation mode, frozen, convolutions in the order and of the kind that is fastest."""
    ...

def _try(model: VideoModel) -> None:
    """Encode, predict and decode a small clip; raises whatever goes wrong."""
    ...

def _check_fit(vae: nn.Module, network: nn.Module, scheduler: SchedulerMixin, prompt: nn.Module | None) -> None:
    """Raise `VideoPureError` unless a clip can go through the parts of a pipeline."""
    ...

def _check_parts(parts: dict[str, nn.Module | None], scheduler: SchedulerMixin) -> None:
    """Raise `VideoPureError` unless the parts of a pipeline are whole, fit each other, and know the paper's levels."""
    ...

def _check_setting(name: str, value: float) -> float:
    """The value of a setting as Python's own number. Raises `VideoPureError` for what is none."""
    ...

class VideoPurePipeline(DiffusionPipeline):
    """Adversarial purification of clips with a video diffusion model.

    Deterministic: the posterior mean is encoded and DDIM has eta = 0. Source: VideoPure (arXiv 2501.14999)."""
    _optional_components: list[str]
    model_cpu_offload_seq: Any
    PAPER: dict[str, Any]
    gradient_checkpointing: bool
    vae: nn.Module
    unet: nn.Module | None
    transformer: nn.Module | None
    scheduler: SchedulerMixin | None
    prompt: nn.Module | None
    text_encoder: Any
    tokenizer: Any

    def __init__(self, vae: nn.Module, unet: nn.Module | None=None, scheduler: SchedulerMixin | None=None, prompt: nn.Module | None=None, text_encoder: nn.Module | None=None, tokenizer: Callable[..., Any] | None=None, purify_steps: int=6, spatial_scale: float=1.0, temporal_scale: float=1.0, transformer: nn.Module | None=None):
        ...

    @property
    def network(self) -> nn.Module:
        """The UNet, or the transformer."""
        ...

    @property
    def model(self) -> VideoModel:
        """The components as one `VideoModel`."""
        ...

    @property
    def grid(self) -> SchedulerMixin:
        """The schedule whose timesteps name the levels, whatever the model is: the paper's."""
        ...

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | os.PathLike[str], **kwargs: Any) -> VideoPurePipeline:
        """A pipeline from a folder or the hub, saved by this class or a text-to-video pipeline of diffusers; see diffusers for `kwargs`.

        Known are Wan, LTXPipeline, CogVideoX, AnimateDiff and TextToVideoSD; `DENOISERS` and `SCHEDULES` take others.

        The weights of the paper's `damo-vilab/text-to-video-ms-1.7b` are CC BY-NC 4.0: not for commercial use.
        Raises `VideoPureError` if there is no such model, or its parts are not whole or do not fit each other."""
        ...

    @classmethod
    def tiny(cls, kind: str='unet') -> VideoPurePipeline:
        """An embedded pipeline, with its own tuned defaults: no network, no GPU.

        `kind` is "unet" (DDPM), "flow" (a flow transformer), or "robust" (the UNet of a one-step purifier that was trained against attacks)."""
        ...

    @classmethod
    def from_pipe(cls, pipeline: DiffusionPipeline, **kwargs: Any) -> VideoPurePipeline:
        """A pipeline of the components of another one, of diffusers for example, which are frozen; `kwargs` take their place.

        Raises `VideoPureError` if the components do not fit, or are not those of a model of videos."""
        ...

    def setting(self, name: str, value: float | None=None) -> float:
        """`value`, or what the pipeline's configuration holds under `name` if it is None."""
        ...

    def prepare(self, video: torch.Tensor) -> torch.Tensor:
        """A checked, padded copy of a clip on the pipeline's device, float32 (float64 for a float64 model)."""
        ...

    def predict_noise(self, latents: torch.Tensor, t: int) -> torch.Tensor:
        """The noise that the model sees in latents `(B, C, t, h, w)` at timestep `t` of the paper's schedule, with the empty prompt."""
        ...

    def enable_gradient_checkpointing(self) -> None:
        """Recompute every noise prediction in the backward pass: memory for one at a time, the way a pipeline starts."""
        ...

    def disable_gradient_checkpointing(self) -> None:
        """Keep the activations of all noise predictions for the backward pass: no prediction is made twice, but memory grows with the levels."""
        ...

    def invert(self, video: torch.Tensor, purify_steps: int | None=None, temporal_inversion: bool=True, num_inference_steps: int=50, share: str='first') -> list[torch.Tensor]:
        """Temporal DDIM inversion of a clip, all latents on the way included."""
        ...

    def denoise(self, z: torch.Tensor, levels: list[Level], predict: Callable[..., Any], on_level: Callable[[int, Level, dict[Any, Any]], dict[Any, Any]] | None=None, guide_path: Callable[..., Any] | None=None) -> tuple[torch.Tensor, torch.Tensor]:
        """Walk down from the highest level; the estimates of x0, the path's end last."""
        ...

    def guidance(self, clip: torch.Tensor, z0: torch.Tensor, flow: torch.Tensor | str | Callable[..., Any] | None, spatial_scale: float, temporal_scale: float, normalize: bool, sign: Callable[..., Any]=torch.sign) -> Callable[[torch.Tensor, list[Level]], torch.Tensor]:
        """The guidance of one purification: a function of estimates `(B, S, C, T, h, w)` and their `S` levels."""
        ...

    def purify_latents(self, z0: torch.Tensor, levels: list[Level], temporal_inversion: bool, guidance: Callable[..., Any], guide_trajectory: bool=False, callback: Callable[..., Any] | None=None, share: str='first') -> torch.Tensor:
        """From encoded clips `(B, C, T, h, w)` to guided records `(B, S, C, T, h, w)`."""
        ...

    def decode_records(self, latents: torch.Tensor, size: tuple[int, ...], decode_chunk: int | None=None) -> torch.Tensor:
        """Clips `(B, S, 3, T, H, W)`, cropped to `size` (T, H, W), of records `(B, S, C, t, h, w)`."""
        ...

    @overload
    def __call__(self, video: torch.Tensor, purify_steps: int | None=None, num_inference_steps: int=50, temporal_inversion: bool=True, spatial_scale: float | None=None, temporal_scale: float | None=None, normalize_guidance: bool=True, guide_trajectory: bool=False, flow: torch.Tensor | str | Callable[..., Any] | None=None, sign: Callable[..., Any]=torch.sign, output_type: str='pt', decode_chunk: int | None=None, callback_on_step_end: Callable[..., Any] | None=None, share: str='first', *, return_dict: Literal[True]=True) -> VideoPureOutput:
        """Purify clips: `S = purify_steps + 1` records each, for a classifier to vote on.

        Raises `ClipError` for what is not a clip or a flow that does not fit, else `VideoPureError`. Source: arXiv 2501.14999."""
        ...

    @overload
    def __call__(self, video: torch.Tensor, purify_steps: int | None=None, num_inference_steps: int=50, temporal_inversion: bool=True, spatial_scale: float | None=None, temporal_scale: float | None=None, normalize_guidance: bool=True, guide_trajectory: bool=False, flow: torch.Tensor | str | Callable[..., Any] | None=None, sign: Callable[..., Any]=torch.sign, output_type: str='pt', decode_chunk: int | None=None, callback_on_step_end: Callable[..., Any] | None=None, share: str='first', *, return_dict: Literal[False]) -> tuple[Any, ...]:
        """Purify clips: `S = purify_steps + 1` records each, for a classifier to vote on.

        Raises `ClipError` for what is not a clip or a flow that does not fit, else `VideoPureError`. Source: arXiv 2501.14999."""
        ...

    def round_trip(self, video: torch.Tensor, purify_steps: int | None=None, num_inference_steps: int=50) -> list[RoundTrip]:
        """How well the model comes back from every level by plain DDIM; n levels cost n (n + 5) / 2 noise predictions."""
        ...
_GRID: Any

def grad_like(video: torch.Tensor) -> torch.set_grad_enabled:
    """A context that records gradients only if they are enabled and `video` asks for them."""
    ...

def _counted(predict: Callable[..., Any], bar: tqdm) -> Callable[..., Any]:
    """`predict`, moving the progress bar on by one each time."""
    ...

def _check_call(output_type: str, decode_chunk: int | None, sign: Callable[..., Any], callback: Callable[..., Any] | None, *switches: bool) -> None:
    """Raise `VideoPureError` unless the settings of a call make sense that are read in the end only."""
    ...

class RoundTrip(NamedTuple):
    """What is lost on the way up to a level and down again."""
    t: int
    time: float
    noise: float
    error: float
    psnr: float
    guess: float

def _down(pipe: VideoPurePipeline, z: torch.Tensor, levels: list[Level]) -> torch.Tensor:
    """Plain DDIM from the highest of the levels to below the lowest."""
    ...

def _guess(model: VideoModel, z0: torch.Tensor, abar: float) -> float:
    """Distance of the predicted noise to known noise that was added to latents, over its size."""
    ...

def find_device(name: str | torch.device='auto') -> torch.device:
    """A device by name; "auto" takes the GPU where there is one."""
    ...

def _seconds(run: Callable[..., Any], device: torch.device) -> float:
    """The least time of a call, of as many as half a second allows and at least two, after one to warm up."""
    ...

def _hurry(pipe: VideoPurePipeline) -> bool:
    """Put the network into bfloat16; whether a prediction then takes less than nine tenths of its time."""
    ...

def load_pipeline(name: str | Path='tiny', device: str | torch.device='auto', dtype: str | torch.dtype='float32', variant: str | None=None) -> VideoPurePipeline:
    """A pipeline by name. Raises `VideoPureError` for a model, device or type that there is not.

    "fast" is bfloat16 for the network and float32 for the rest, if this machine is found to be faster so; else float32, and a warning."""
    ...

def save_pipeline(pipe: VideoPurePipeline, folder: str | Path) -> Path:
    """`save_pretrained` that never leaves half a model, and takes the place of nothing else. Raises `VideoFileError` if it cannot."""
    ...
