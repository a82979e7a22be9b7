"""A rendered scene, so that a clip of the landing page looks like a video: a ball rolls over a floor while the light moves.

Each pixel follows one ray: to the ball, where it is reflected once, or to the floor, or to the sky. All lengths are in diameters of
the ball, and all colours are linear until the end.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

EYE, RADIUS, FAR = torch.tensor([0.0, 1.15, -3.4]), 0.5, 1e9
HAZE, ZENITH = torch.tensor([0.95, 0.78, 0.62]), torch.tensor([0.25, 0.45, 0.80])
TILES, STRIPES = torch.tensor([[0.30, 0.22, 0.20], [0.80, 0.72, 0.58]]), torch.tensor([[0.96, 0.94, 0.90], [0.90, 0.16, 0.12]])


def unit(v: Tensor) -> Tensor:
    return v / v.norm(dim=-1, keepdim=True)


def dot(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum(-1, keepdim=True)


def to_ball(ray: Tensor, ball: Tensor) -> Tensor:
    "How far the ball is along each ray from the eye, `FAR` where it is missed."
    middle = dot(EYE - ball, ray)
    inside = middle**2 - ((EYE - ball) ** 2).sum() + RADIUS**2
    return torch.where(inside > 0, -middle - inside.clamp_min(0).sqrt(), FAR)


def background(start: Tensor, ray: Tensor, ball: Tensor, light: Tensor) -> Tensor:
    "The colour of the floor, with the shadow of the ball, or of the sky."
    down = ray[..., 1:2]
    far = torch.where(down < -1e-3, -start[..., 1:2] / down.clamp_max(-1e-3), FAR)
    place = start + far.clamp_max(60) * ray
    to_light, above = unit(light - place), ball - place
    along = dot(above, to_light)
    passing = (dot(above, above) - along**2).clamp_min(0).sqrt()  # how close the way to the light comes to the ball's middle
    lit = torch.where(along > 0, ((passing / RADIUS - 0.8) / 0.5).clamp(0, 1), 1)
    corner = ((place[..., ::2] - ball[::2]).norm(dim=-1, keepdim=True) / (1.3 * RADIUS)).clamp(0.35, 1)
    tile = TILES[((place[..., ::2] * 1.3).floor().sum(-1) % 2).long()]
    floor = tile * (0.28 * corner + 1.1 * to_light[..., 1:2] * lit)
    clear = torch.exp(-0.055 * far.clamp_max(60))
    sky = HAZE + (ZENITH - HAZE) * down.clamp(0, 1) ** 0.6
    return torch.where(far < FAR, clear * floor + (1 - clear) * HAZE, sky)


def render(t: float, size: int) -> Tensor:
    "The picture (3, size, size) at a time from 0 to 1."
    n = 2 * size  # four rays a pixel
    y, x = torch.meshgrid(torch.linspace(1, -1, n), torch.linspace(-1, 1, n), indexing="ij")
    ray = unit(torch.stack([0.75 * x, 0.75 * y - 0.28, torch.full_like(x, 1.5)], -1))
    way = 0.85 * (1 - 2 * t)  # from the right to the left
    ball = torch.tensor([way, RADIUS, 0.2])
    light = torch.tensor([2.2 * math.cos(1.2 * t + 0.6), 3, 1.2 * math.sin(1.2 * t) - 1.8])
    far = to_ball(ray, ball)
    place = EYE + far.clamp_max(50) * ray
    normal = (place - ball) / RADIUS
    angle = torch.atan2(normal[..., 1], normal[..., 0]) + way / RADIUS  # it rolls
    stripe = STRIPES[((3 * angle / math.pi).floor() % 2).long()]
    to_light, mirrored = unit(light - place), ray - 2 * dot(ray, normal) * normal
    matte = stripe * (0.25 + 0.15 * normal[..., 1:2] + 0.95 * dot(normal, to_light).clamp_min(0))
    gloss = 0.06 + 0.5 * (1 + dot(ray, normal)).clamp(0, 1) ** 4
    surface = matte * (1 - gloss) + gloss * background(place, mirrored, ball, light) + 0.9 * dot(mirrored, to_light).clamp_min(0) ** 60
    linear = torch.where(far < FAR, surface, background(EYE.expand_as(ray), ray, ball, light))
    seen = (1.15 * linear / (1 + 0.25 * linear)).clamp(0, 1) ** 0.61
    return F.avg_pool2d(seen.movedim(-1, 0), 2)


def rolling_ball(size: int, frames: int = 16) -> Tensor:
    "The scene as a clip (1, 3, frames, size, size) in [0, 1]; the ball moves to the left."
    return torch.stack([render(t / (frames - 1), size) for t in range(frames)], 1)[None].clamp(0, 1)
