"""Clips in files: what is read, what is refused, what comes back; and the player's HTML. (notebooks 00 and 01)"""

import gc
import io
import os
import pickle
import re
import shutil
import struct
import subprocess
import sys
import warnings
import zipfile
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path

import av
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image, features

from videopure import checks
from videopure import video as v
from videopure.show import Player, differences, magnify, page, save_page, sprite_sheet, strip
from videopure.video import (
    ClipError,
    MissingPackageError,
    VideoFileError,
    VideoPureError,
    atomic_path,
    check_number,
    check_video,
    encode_h264,
    frame_rate,
    moving_shapes,
    read_video,
    resize_video,
    sample_frames,
    to_uint8,
    write_video,
)

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def one_line(error, *words):
    text = str(error.value)
    assert text and "\n" not in text and len(text) < 300, text
    for word in words:
        assert word in text, text


def encode(path, frames, codec="libx264", pixels="yuv420p", options=None, container=None):
    "A video file as other programs write them."
    with av.open(str(path), "w", options=container or {}) as file:
        stream = file.add_stream(codec, rate=Fraction(8), options=options or {})
        stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], pixels
        for frame in frames:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")))
        file.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    "Many small tensors: on a busy machine, threads that wait for each other make them a hundred times slower."
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def clip():
    return moving_shapes(1, seed=5, frames=24, size=40)[0]


@pytest.fixture(scope="module")
def files(tmp_path_factory, clip):
    "The clip in many containers and codecs."
    folder, frames = tmp_path_factory.mktemp("files"), to_uint8(clip)
    short = {"g": "6"}
    encode(folder / "h264.mp4", frames, options=short)
    encode(folder / "start.mp4", frames, options=short, container={"movflags": "faststart"})
    encode(folder / "fragments.mp4", frames, options=short, container={"movflags": "frag_keyframe+empty_moov"})
    encode(folder / "open.mp4", frames, options={"x264-params": "open-gop=1:keyint=6:min-keyint=6:bframes=3:scenecut=0"})
    encode(folder / "bframes.avi", frames, "mpeg4", options={"g": "6", "bf": "2"})
    encode(folder / "simple.avi", frames, "mpeg4", options=short)
    encode(folder / "h264.mkv", frames, options=short)
    encode(folder / "ffv1.mkv", frames, "ffv1", "bgr0")
    encode(folder / "vp9.webm", frames, "libvpx-vp9", options=short)
    encode(folder / "mpeg2.ts", frames, "mpeg2video", options=short)
    write_video(clip, folder / "whole.gif")
    write_video(clip, folder / "whole.npz")
    return folder


VIDEOS = [
    "h264.mp4", "start.mp4", "fragments.mp4", "open.mp4", "bframes.avi", "simple.avi", "h264.mkv", "ffv1.mkv", "vp9.webm", "mpeg2.ts",
]  # fmt: skip


def decoded(path):
    "Every frame, decoded from the beginning: what all readers must agree with."
    with av.open(str(path)) as file:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)])


# --- the contract ---------------------------------------------------------------------------------------------------------------
BAD_CLIPS = {
    "array": (lambda x: x.numpy(), "torch tensor"),
    "list": (lambda x: [x], "torch tensor"),
    "no batch": (lambda x: x[0], "unsqueeze(0)"),
    "image": (lambda x: x[0, :, 0], "(B, 3, T, H, W)"),
    "records": (lambda x: x[None], "(B, 3, T, H, W)"),
    "time first": (lambda x: x.transpose(1, 2), "transpose(1, 2)"),
    "channels last": (lambda x: x.permute(0, 2, 3, 4, 1), "permute(0, 4, 1, 2, 3)"),
    "grey": (lambda x: x[:, :1], "3 colour channels"),
    "alpha": (lambda x: torch.cat([x, x[:, :1]], 1), "3 colour channels"),
    "one frame": (lambda x: x[:, :, :1], "at least 2 frames"),
    "no frames": (lambda x: x[:, :, :0], "empty"),
    "no clips": (lambda x: x[:0], "empty"),
    "no width": (lambda x: x[..., :0], "empty"),
    "uint8": (lambda x: (x * 255).byte(), "/255"),
    "long": (lambda x: x.long(), "/255"),
    "bool": (lambda x: x > 0.5, "floating point"),
    "complex": (lambda x: x.to(torch.complex64), "floating point"),
    "0..255": (lambda x: x * 255, "rescale"),
    "-1..1": (lambda x: x * 2 - 1, "rescale"),
    "nan": (lambda x: torch.where(x == x.max(), torch.nan, x), "NaN"),
    "inf": (lambda x: torch.where(x == x.max(), torch.inf, x), "NaN or infinite"),
}


@pytest.mark.parametrize("name", BAD_CLIPS)
def test_bad_clip(clip, name):
    spoil, word = BAD_CLIPS[name]
    with pytest.raises(ClipError) as error:
        check_video(spoil(clip))
    one_line(error, word)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_good_clip(clip, dtype):
    video = clip.clone().to(dtype).requires_grad_()
    assert check_video(video) is video
    resized = resize_video(video, 20)
    assert resized.dtype == dtype and resized.shape == (1, 3, 24, 20, 20)
    resized.sum().backward()
    assert video.grad is not None and torch.is_grad_enabled()


def test_tolerance(clip):
    check_video(clip * 1.0005)
    with pytest.raises(ClipError):
        check_video(clip * 1.1)
    check_video(clip[:, :, :1], min_frames=1)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda x: x.to_sparse(),
        lambda x: x[0, 0, 0].to_sparse_csr(),
        lambda x: x.to("meta"),
        lambda x: torch.quantize_per_tensor(x, 1 / 255, 0, torch.quint8),
        lambda x: torch.nested.nested_tensor([x[0], x[0]]),
        lambda x: x.to_mkldnn(),
        lambda x: x.to(torch.float8_e4m3fn),
        lambda x: x.to(torch.complex128),
    ],
)
@pytest.mark.parametrize("door", [check_video, resize_video, to_uint8, lambda x: magnify(x, x), strip, Player])
def test_tensors_that_are_no_frames(clip, spoil, door):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        odd = spoil(clip)
    with pytest.raises(ClipError) as error:
        door(odd)
    one_line(error)


def test_a_message_is_one_short_line_whatever_the_name(tmp_path):
    for name in ("two\nlines.mp4", "two\r\x85lines.mp4", os.fsdecode(b"caf\xe9.mp4"), "\x1b[31mred.mp4", "x" * 251 + ".mp4", "y" * 9000):
        with pytest.raises(VideoFileError) as error:
            read_video(tmp_path / name)
        one_line(error, "does not exist" if len(name) < 9000 else "yyy")
        assert str(error.value).isprintable() and str(error.value).encode("ascii")
    again = pickle.loads(pickle.dumps(error.value))
    assert type(again) is VideoFileError and str(again) == str(error.value)


def test_errors_are_builtin_errors_too():
    assert issubclass(VideoPureError, ValueError) and issubclass(ClipError, VideoPureError)
    assert issubclass(VideoFileError, OSError) and issubclass(MissingPackageError, ImportError)


# --- numbers --------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("value", [2, 7, np.int64(5), np.uint8(2), 2**63 - 1])
def test_good_whole_numbers(value):
    assert check_number("n", value, 2) == value and type(check_number("n", value, 2)) is int


@pytest.mark.parametrize("value", [0, 0.5, 1, np.float32(0.25), Fraction(1, 2)])
def test_good_numbers(value):
    assert check_number("n", value, 0, 1, whole=False) is value


@pytest.mark.parametrize(
    "value", [1, -3, 2.0, True, np.bool_(True), np.float64(3), float("nan"), float("inf"), None, "3", [3], torch.tensor(3)]
)
def test_bad_whole_numbers(value):
    with pytest.raises(VideoPureError) as error:
        check_number("frames", value, 2)
    assert str(error.value) == f"frames is {value!r}, expected a whole number from 2"


@pytest.mark.parametrize("value", [-0.1, 1.1, True, float("nan"), float("inf"), -float("inf"), None, "0.5"])
def test_bad_numbers(value):
    with pytest.raises(VideoPureError) as error:
        check_number("rate", value, 0, 1, whole=False)
    assert str(error.value) == f"rate is {value!r}, expected a number from 0 to 1"
    if value == float("inf"):
        with pytest.raises(VideoPureError, match="expected a number from 0$"):
            check_number("rate", value, 0, whole=False)


# --- which frames ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("total", [2, 3, 7, 16, 100, 183])
@pytest.mark.parametrize("start", [0, 1, 5])
def test_uniform_sampling(total, start):
    left = total - start
    for frames in range(2, left + 1):
        indices = sample_frames(total, frames, start=start)
        assert len(set(indices)) == frames and indices == sorted(indices) and start <= indices[0] and indices[-1] < total
        gaps = np.diff(indices)
        assert gaps.max() - gaps.min() <= 1
        assert abs((indices[0] - start) - (total - 1 - indices[-1])) <= 1  # as much left out before as after
    if left >= 2:
        assert sample_frames(total, left, start=start) == list(range(start, total)) == sample_frames(total, start=start)


def test_strided_sampling():
    assert sample_frames(10, 3, stride=2, start=4) == [4, 6, 8]
    assert sample_frames(10, stride=4) == [0, 4, 8]
    for settings in ({"frames": 3, "stride": 2, "start": 6}, {"frames": 11}, {"frames": 6, "stride": 2}):
        with pytest.raises(VideoPureError) as error:
            sample_frames(10, **settings)
        one_line(error, "10 frames", "or fewer" if settings.get("start") != 9 else "")


@pytest.mark.parametrize("total, frames, stride", [(10, 3, 2), (11, 3, 2), (5, 3, 2), (40, 16, 1), (300, 32, 2)])
def test_windows_in_the_middle_and_at_random(total, frames, stride):
    middle = sample_frames(total, frames, stride, start="center")
    assert 0 <= (total - 1 - middle[-1]) - middle[0] <= 1 and set(np.diff(middle)) == {stride}
    draw = lambda seed: sample_frames(total, frames, stride, start="random", generator=torch.Generator().manual_seed(seed))
    starts = {draw(seed)[0] for seed in range(20 * total)}
    assert starts == set(range(total - (frames - 1) * stride)) and draw(3) == draw(3)


@pytest.mark.parametrize("start", ["center", "random"])
def test_placed_windows_without_stride_or_room(start):
    assert sample_frames(10, 4, start=start) == sample_frames(10, 4)
    assert sample_frames(10, start=start) == list(range(10))
    with pytest.raises(VideoPureError) as error:
        sample_frames(10, 6, 2, start=start)
    one_line(error, "10 frames", "frames=5 or fewer")


def test_looping():
    assert sample_frames(5, 8, loop=True) == [0, 1, 2, 3, 4, 0, 1, 2]
    assert sample_frames(5, 4, 2, loop=True) == [0, 2, 4, 1]
    assert sample_frames(6, 5, start=3, loop=True) == [3, 4, 5, 3, 4]
    assert sample_frames(5, 4, 2, start="center", loop=True) == [0, 2, 4, 1]
    for settings in ({"frames": 5}, {"frames": 3, "stride": 4}, {}):
        assert sample_frames(10, **settings, loop=True) == sample_frames(10, **settings)
    for total, settings in ((1, {"frames": 4}), (0, {"frames": 4}), (5, {"frames": 4, "stride": 5}), (5, {"frames": 4, "start": 4})):
        with pytest.raises(VideoPureError) as error:
            sample_frames(total, **settings, loop=True)
        one_line(error)


@pytest.mark.parametrize(
    "name, value",
    [("frames", n) for n in (1, 0, -4, 2.5, True)] + [("stride", 0)] + [("start", n) for n in (-1, 9, 50, "middle")],
)
def test_bad_sampling(name, value):
    with pytest.raises(VideoPureError) as error:
        sample_frames(10, **{name: value})
    one_line(error)


# --- size -----------------------------------------------------------------------------------------------------------------------
def test_resize(clip):
    wide = resize_video(clip, (20, 40))
    assert wide.shape[-2:] == (20, 40) and resize_video(wide, short_side=10).shape[-2:] == (10, 20)
    assert resize_video(clip, 40) is clip and resize_video(clip) is clip
    grey = torch.full((2, 3, 2, 31, 17), 0.25)
    for size in (8, 17, 64, (5, 50), (50, 5), [9, 7]):
        small = resize_video(grey, size)
        assert small.shape[-2:] == ((size, size) if isinstance(size, int) else tuple(size))
        assert torch.allclose(small, torch.tensor(0.25), atol=1e-6)
    ramp = torch.linspace(0, 1, 60).expand(1, 3, 2, 20, 60)
    assert torch.allclose(resize_video(ramp, 20), ramp[..., 20:40])  # the middle, cut out and nothing else


@pytest.mark.parametrize(
    "size, short_side", [(0, None), (-3, None), ((4,), None), ((4, 4, 4), None), (2.5, None), ("8", None), (None, 0), (30, 20)]
)
def test_bad_size(clip, size, short_side):
    with pytest.raises(VideoPureError) as error:
        resize_video(clip, size, short_side)
    one_line(error)


# --- reading --------------------------------------------------------------------------------------------------------------------
@pytest.mark.slow
@pytest.mark.parametrize("name", VIDEOS)
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"frames": 7},
        {"frames": 4, "stride": 3, "start": 9},
        {"frames": 5, "stride": 2, "start": "center"},
        {"frames": 30, "loop": True},
        {"frames": 9, "stride": 5, "start": 3, "loop": True},
    ],
)
def test_right_frames(files, name, settings):
    truth = decoded(files / name)
    assert len(truth) == 24
    video = read_video(files / name, **settings)
    assert video.dtype == torch.float32 and check_video(video) is video
    np.testing.assert_array_equal(to_uint8(video), truth[sample_frames(24, **settings)])


@pytest.mark.parametrize(
    "settings",
    [{"loop": "no"}, {"generator": 5}, {"pattern": 5}, {"start": None}, {"start": [0]}, {"stride": "2"}, {"size": "big"}, {"size": 0}],
)
def test_settings_of_a_wrong_type(files, tmp_path, settings):
    Image.fromarray(numbered(1)[0]).save(tmp_path / "1.png")
    with pytest.raises(VideoPureError) as error:
        read_video(tmp_path if "pattern" in settings else files / "whole.npz", **settings)
    one_line(error, next(iter(settings)))


def test_size_while_reading(files, clip):
    small = read_video(files / "whole.npz", frames=6, size=(20, 30), short_side=32)
    assert torch.equal(small, resize_video(clip[:, :, sample_frames(24, 6)], (20, 30), 32))


def test_only_wanted_frames_are_kept(files, monkeypatch):
    seen = []
    monkeypatch.setattr(v, "resize_video", lambda image, *args: seen.append(image.shape) or image)
    read_video(files / "h264.mp4", frames=3, size=40)
    assert seen == [(1, 3, 1, 40, 40)] * 3


def test_upright(files, tmp_path):
    data = bytearray((files / "h264.mp4").read_bytes())
    at = data.index(b"tkhd") + 4 + 40  # the matrix in the track header: a quarter turn clockwise, as phones write it
    data[at : at + 36] = np.array([0, 65536, 0, -65536, 0, 0, 40 << 16, 0, 1 << 30], ">i4").tobytes()
    (tmp_path / "phone.mp4").write_bytes(data)
    truth = np.rot90(decoded(files / "h264.mp4"), -1, axes=(1, 2))
    np.testing.assert_array_equal(to_uint8(read_video(tmp_path / "phone.mp4")), truth)


# --- files as the world has them ------------------------------------------------------------------------------------------------
COLUMNS = 5


def numbered(count, size=(40, 60)):
    "Frames of which each says its number, in bars of black and white."
    frames = np.full((count, *size, 3), 90, np.uint8)
    for i in range(count):
        for bit in range(COLUMNS):
            frames[i, :, 12 * bit : 12 * bit + 12] = 225 if i >> bit & 1 else 25
    return frames


def numbers(video):
    "The numbers that frames show."
    shown = lambda frame, bit: int(frame[:, 15:25, 12 * bit + 3 : 12 * bit + 9].mean() > 0.5)
    return [sum(shown(frame, bit) << bit for bit in range(COLUMNS)) for frame in video[0].unbind(1)]


def edited(path, target, *edits):
    "A copy of an .mp4 with another edit list: (first frame or None for an empty edit, frames) of each edit."
    data = bytearray(path.read_bytes())
    movie, media = (struct.unpack(">I", data[(at := data.index(box)) + 16 : at + 20])[0] for box in (b"mvhd", b"mdhd"))
    at = data.index(b"elst")
    _, first, _ = struct.unpack(">IiI", data[at + 12 : at + 24])
    place = lambda start: -1 if start is None else first + round(start / 8 * media)
    body = b"".join(struct.pack(">IiI", round(n / 8 * movie), place(start), 1 << 16) for start, n in edits)
    new = struct.pack(">I4sII", 16 + len(body), b"elst", 0, len(edits)) + body
    grown = len(new) - struct.unpack(">I", data[at - 4 : at])[0]
    data[at - 4 : at - 4 + struct.unpack(">I", data[at - 4 : at])[0]] = new
    for box in (b"edts", b"trak", b"moov"):
        at = data.index(box) - 4
        data[at : at + 4] = struct.pack(">I", struct.unpack(">I", data[at : at + 4])[0] + grown)
    target.write_bytes(data)
    return target


@pytest.mark.parametrize(
    "edits, seen",
    [
        ([(0, 12)], range(12)),
        ([(7, 17)], range(7, 24)),
        ([(13, 5)], range(13, 18)),
        ([(None, 8), (3, 9)], range(3, 12)),
        ([(12, 6), (0, 6)], [*range(12, 18), *range(6)]),
    ],
)
def test_edit_lists_play_as_players_play_them(tmp_path, edits, seen):
    whole = encode(tmp_path / "whole.mp4", numbered(24), options={"g": "6", "bf": "2"})  # the index lies behind the pictures
    path = edited(whole, tmp_path / "trimmed.mp4", *edits)
    shown = numbers(torch.from_numpy(decoded(path)).permute(3, 0, 1, 2)[None] / 255)
    assert numbers(read_video(path)) == shown == list(seen)
    assert numbers(read_video(path, frames=4)) == [shown[i] for i in sample_frames(len(shown), 4)]
    assert abs(frame_rate(path) - 8) < 0.5


def test_an_edit_list_does_not_hide_a_missing_end(tmp_path, files):
    path = edited(encode(tmp_path / "x.mp4", numbered(24), options={"g": "6"}), tmp_path / "trimmed.mp4", (0, 20))
    data = path.read_bytes()
    index = data[data.index(b"moov") - 4 :]
    pictures = data[: data.index(b"moov") - 4]
    path.write_bytes(pictures[: len(pictures) // 2] + bytes(0) + index)
    with pytest.raises(VideoFileError) as error:
        read_video(path)
    one_line(error, "trimmed.mp4")


@pytest.mark.parametrize(
    "name, codec, pixels, options",
    [
        ("hidden.webm", "libvpx", "yuv420p", {"auto-alt-ref": "1", "lag-in-frames": "16", "b": "200k"}),
        ("deep.mp4", "libx265", "yuv420p10le", {"x265-params": "log-level=none:keyint=6:open-gop=1:bframes=3"}),
        ("full.mov", "mjpeg", "yuvj420p", {}),
        ("a.flv", "flv", "yuv420p", {}),
        ("a.wmv", "wmv2", "yuv420p", {}),
        ("a.mpg", "mpeg2video", "yuv420p", {"bf": "2"}),
        ("a.h264", "libx264", "yuv420p", {}),
        ("grey.mkv", "ffv1", "gray16le", {}),
        ("palette.avi", "rawvideo", "rgb555le", {}),
        ("a.webp", "libwebp_anim", "yuv420p", {}),
        ("a.png", "apng", "rgb24", {}),
    ],
)
def test_every_frame_of_other_kinds(tmp_path, name, codec, pixels, options):
    if codec not in av.codecs_available:
        pytest.skip(f"this PyAV has no {codec}")
    path = tmp_path / name
    encode(path, numbered(24), codec, pixels, options) if name != "a.png" else apng(path, numbered(24))
    assert numbers(read_video(path)) == list(range(24))
    assert numbers(read_video(path, frames=6)) == sample_frames(24, 6)


def apng(path, frames):
    first, *others = map(Image.fromarray, frames)
    first.save(path, save_all=True, append_images=others, duration=125)


def test_a_recording_that_begins_in_the_middle(tmp_path):
    whole = encode(tmp_path / "whole.ts", numbered(24), options={"g": "8", "bf": "2"}).read_bytes()
    (tmp_path / "middle.ts").write_bytes(whole[188 * 20 :])
    found = numbers(read_video(tmp_path / "middle.ts"))
    assert found == list(range(found[0], 24)) and found[0] > 0 and len(found) == len(decoded(tmp_path / "middle.ts"))
    assert numbers(read_video(tmp_path / "middle.ts", frames=8)) == [found[i] for i in sample_frames(len(found), 8)]


def several(path, *streams):
    "A file of several video streams: (frames, disposition) of each."
    with av.open(str(path), "w") as file:
        made = []
        for frames, disposition in streams:
            codec, pixels = ("png", "rgb24") if len(frames) == 1 else ("libx264", "yuv420p")
            stream = file.add_stream(codec, rate=8)
            stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], pixels
            stream.disposition = disposition
            made.append(stream)
        for stream, (frames, _) in zip(made, streams):
            for frame in frames:
                file.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            file.mux(stream.encode(None))
    return path


def test_the_stream_that_a_player_shows(tmp_path):
    default, cover = (getattr(av.stream.Disposition, name) for name in ("default", "attached_pic"))
    first, second, still = numbered(8), numbered(16)[8:], numbered(1, (80, 120))
    assert numbers(read_video(several(tmp_path / "a.mkv", (first, 0), (second, default)))) == list(range(8, 16))
    assert numbers(read_video(several(tmp_path / "b.mp4", (first, default), (second, 0)))) == list(range(8))
    for flags in ((default, default), (0, 0)):
        with pytest.raises(VideoFileError) as error:
            read_video(several(tmp_path / "c.mkv", (first, flags[0]), (second, flags[1])))
        one_line(error, "2 video streams")
    path = several(tmp_path / "d.mp4", (first, 0), (still, cover))
    with av.open(str(path)) as file:
        assert [bool(stream.disposition & cover) for stream in file.streams.video] == [False, True]
    assert numbers(read_video(path)) == list(range(8))
    with pytest.raises(VideoFileError) as error:
        read_video(several(tmp_path / "e.mp4", (still, cover)))
    one_line(error, "e.mp4")


@pytest.mark.parametrize("turn", range(4))
@pytest.mark.parametrize("mirror", [False, True])
def test_turned_and_mirrored(files, tmp_path, turn, mirror):
    truth = decoded(files / "h264.mp4")
    truth = np.rot90(truth, -turn, axes=(1, 2))  # clockwise
    matrix = np.linalg.matrix_power(np.array([[0, 1], [-1, 0]]), turn)
    if mirror:
        matrix, truth = matrix @ np.array([[-1, 0], [0, 1]]), truth[:, :, ::-1]
    (a, b), (c, d) = (matrix * 65536).tolist()
    path = turned(files / "h264.mp4", tmp_path / "phone.mp4", [a, b, 0, c, d, 0, 0, 0, 1 << 30])
    np.testing.assert_array_equal(to_uint8(read_video(path)), truth)


SHAPES = {"2": (40, 120), "1/2": (80, 60), "16/15": (40, 64), "1001/1000": (40, 60)}


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".mov"])
@pytest.mark.parametrize("ratio", SHAPES)
def test_pixels_that_are_not_square(tmp_path, ratio, suffix):
    "The picture is stretched as a player stretches it, before it is turned; the frames stay the same."
    with av.open(str(tmp_path / f"x{suffix}"), "w") as file:
        stream = file.add_stream("libx264", rate=8, options={"crf": "1"})
        stream.height, stream.width, stream.pix_fmt, stream.sample_aspect_ratio = 40, 60, "yuv420p", Fraction(ratio)
        for frame in numbered(8):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        file.mux(stream.encode(None))
    video = read_video(tmp_path / f"x{suffix}")
    assert video.shape[-2:] == SHAPES[ratio]
    assert numbers(resize_video(video, (40, 60)) if ratio == "1001/1000" else F.interpolate(video, (8, 40, 60))) == list(range(8))
    if suffix == ".mp4":
        path = turned(tmp_path / "x.mp4", tmp_path / "y.mp4", [0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30])
        assert read_video(path).shape[-2:] == SHAPES[ratio][::-1]


def test_pixels_too_wide_for_memory(tmp_path, files):
    frame = av.VideoFrame(1000, 1000, "rgb24")
    with pytest.raises(VideoPureError, match="do not fit into memory"):
        v._shown_size("x.mp4", frame, Fraction(10**6))


def test_rows_of_two_moments_stay_in_one_frame(tmp_path):
    encode(tmp_path / "x.mp4", numbered(8), options={"crf": "1", "x264-params": "interlaced=1:tff=1"})
    with av.open(str(tmp_path / "x.mp4")) as file:
        assert next(file.decode(video=0)).interlaced_frame
    assert numbers(read_video(tmp_path / "x.mp4")) == list(range(8))


@pytest.mark.parametrize("name", ["x.mp4", "x.mkv"])
def test_frames_are_counted_not_timed(tmp_path, name):
    "Pauses, and a first frame that comes late, change nothing but the rate."
    with av.open(str(tmp_path / name), "w") as file:
        stream = file.add_stream("libx264", rate=8, options={"crf": "1"})
        stream.height, stream.width, stream.pix_fmt, stream.codec_context.time_base = 40, 60, "yuv420p", Fraction(1, 8)
        for frame, time in zip(numbered(8), (3, 4, 5, 30, 31, 60, 61, 62)):
            frame = av.VideoFrame.from_ndarray(frame, format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 8)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    assert numbers(read_video(tmp_path / name)) == list(range(8))
    assert frame_rate(tmp_path / name) == pytest.approx(8 * 8 / 60, rel=0.05)


def test_the_animation_that_a_browser_shows(tmp_path):
    "Not the still picture for those who cannot play it; upright, as the file says."
    first, *others = map(Image.fromarray, numbered(6))
    still = tmp_path / "still.png"
    first.save(still, save_all=True, append_images=others, default_image=True, duration=500)
    assert frame_rate(still) == pytest.approx(2)
    assert numbers(read_video(still)) == [1, 2, 3, 4, 5]
    exif = Image.Exif()
    exif[0x0112] = 6
    for name in ("x.png", "x.webp"):
        first.transpose(Image.Transpose.ROTATE_90).save(
            tmp_path / name, save_all=True, append_images=[i.transpose(Image.Transpose.ROTATE_90) for i in others], lossless=True, exif=exif
        )
        assert numbers(read_video(tmp_path / name)) == list(range(6)), name


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
def test_an_animated_avif(tmp_path):
    first, *others = map(Image.fromarray, numbered(6))
    first.save(tmp_path / "x.avif", save_all=True, append_images=others)
    assert numbers(read_video(tmp_path / "x.avif")) == list(range(6))


def turned(path, target, matrix):
    "A copy with another matrix in the track header."
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    data[at : at + 36] = np.array(matrix, ">i4").tobytes()
    target.write_bytes(data)
    return target


def test_slanted_pictures_are_refused(files, tmp_path):
    path = turned(files / "h264.mp4", tmp_path / "x.mp4", [46341, 46341, 0, -46341, 46341, 0, 0, 0, 1 << 30])
    with pytest.raises(VideoFileError) as error:
        read_video(path)
    one_line(error, "quarter turns")


@pytest.mark.parametrize("space, full", [(1, False), (1, True), (5, False), (9, False), (2, True)])
def test_colours_of_all_ranges(tmp_path, space, full):
    "The same colours come back, whatever matrix and range the file uses; untagged files keep their own."
    frames = np.zeros((4, 32, 96, 3), np.uint8)
    for i, colour in enumerate(((200, 30, 40), (20, 180, 60), (240, 240, 240))):
        frames[:, :, 32 * i : 32 * i + 32] = colour
    with av.open(str(tmp_path / "x.mp4"), "w") as file:
        stream = file.add_stream("libx264", rate=8, options={"crf": "1"})
        stream.height, stream.width, stream.pix_fmt = 32, 96, "yuv420p"
        stream.codec_context.colorspace, stream.codec_context.color_range = space, 1 + full
        for frame in frames:
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
            picture = picture.reformat(format="yuv420p", dst_colorspace=space if space != 2 else None, dst_color_range=1 + full)
            file.mux(stream.encode(picture))
        file.mux(stream.encode(None))
    found = to_uint8(read_video(tmp_path / "x.mp4"))[:, 8:24, 8::32]
    assert np.abs(found.astype(int) - frames[:, 8:24, 8::32]).max() <= 4


def test_a_stream_that_changes_its_size(tmp_path):
    parts = [encode(tmp_path / f"{size}.h264", numbered(8, (size, 60))).read_bytes() for size in (40, 64)]
    (tmp_path / "both.h264").write_bytes(b"".join(parts))
    with pytest.raises(VideoFileError) as error:
        read_video(tmp_path / "both.h264")
    one_line(error, "40x60", "64x60")


def test_names_with_a_colon(tmp_path, clip, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("12:30.mp4", "http:x.mp4", "file:y.mp4", "a%03d.mp4", "c:\\z.gif", "n:1.npz"):
        assert read_video(write_video(clip, name)).shape == clip.shape and Path(name).is_file()
    assert len(list(tmp_path.iterdir())) == 6


def test_names_in_another_encoding(tmp_path, clip):
    name = os.fsdecode(b"caf\xe9 \xff")
    for suffix in (".mp4", ".gif", ".npz"):
        assert read_video(write_video(clip, tmp_path / (name + suffix))).shape == clip.shape
    page_path = Player({name: clip, "b": clip}, {name: {name: 0.5}, "b": name}).save(tmp_path / f"{name}.html", title=name)
    assert "udce9" in page_path.read_text(encoding="utf-8")
    save_page(page_path, name, f"<p>{name}</p>")
    assert "udcff</p>" in page_path.read_text(encoding="utf-8")
    strip({name: clip}, title=name).draw_without_rendering()


@pytest.mark.parametrize("path", [None, "", b"a.mp4", 5, io.BytesIO(), "a\0b.mp4", ["a.mp4"]])
def test_what_is_no_path(clip, path):
    doors = (read_video, frame_rate, lambda p: write_video(clip, p), lambda p: save_page(p, "title"), lambda p: Player(clip).save(p))
    for door in doors:
        with pytest.raises(VideoFileError) as error:
            door(path)
        one_line(error, "not")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_pipes_devices_and_circles(tmp_path, clip):
    os.mkfifo(tmp_path / "pipe.mp4")
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "circle.mp4").symlink_to("circle.mp4")
    (tmp_path / "frames").mkdir()
    for name in ("1.png", "2.png"):
        Image.fromarray(to_uint8(clip)[0]).save(tmp_path / "frames" / name)
    os.mkfifo(tmp_path / "frames/3.png")
    bad = {"pipe.mp4": "pipe", "pipe.png": "pipe", "circle.mp4": "does not exist", "frames": "3.png", "/dev/zero": "device"}
    for path, word in bad.items():
        with pytest.raises(VideoFileError) as error:
            read_video(tmp_path / path)
        one_line(error, word)
    (tmp_path / "frames/3.png").unlink()
    (tmp_path / "frames/3.png").symlink_to("gone.png")  # a frame that is missing is not left out
    with pytest.raises(VideoFileError) as error:
        read_video(tmp_path / "frames")
    one_line(error, "3.png")
    for path in (tmp_path / "pipe.mp4", "/dev/null"):
        with pytest.raises(VideoFileError) as error, atomic_path(path):
            raise AssertionError("was opened")
        one_line(error, "device or a pipe")
    assert Path("/dev/null").is_char_device()


PLAYLIST = "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{}\n#EXT-X-ENDLIST\n"
NO_FILMS = {
    "list.mp4": PLAYLIST.format("http://127.0.0.1:9/x.ts"),
    "list.m3u8": PLAYLIST.format("h264.mp4"),
    "other.mp4": "ffconcat version 1.0\nfile h264.mp4\n",
    "README.txt": "All clips were filmed in 2019.\n" * 99,
    "a.nfo": "All clips were filmed in 2019.\n" * 99,
    "a.ans": "\33[31mred\n" * 99,
    "a.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
}


@pytest.mark.parametrize("name", NO_FILMS)
def test_texts_and_lists_are_no_films(files, tmp_path, name):
    "FFmpeg would open what a list names, and draw the letters of a text."
    shutil.copy(files / "h264.mp4", tmp_path)
    (tmp_path / name).write_text(NO_FILMS[name])
    with pytest.raises(VideoFileError) as error:
        read_video(tmp_path / name)
    one_line(error, name, "is not a video")


@pytest.mark.slow
def test_sizes_and_counts_are_bounded_before_memory_is_taken(tmp_path, files):
    (tmp_path / "huge.gif").write_bytes(b"GIF89a" + struct.pack("<HH", 60000, 60000) + b"\0\0\0,\0\0\0\0`\xea`\xea\0\x02\x02\x44\x01\0;")
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zipfile.crc32(kind + data))
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)) + chunk(b"IEND", b"")
    (tmp_path / "huge.png").write_bytes(png)
    (tmp_path / "frames").mkdir()
    for i in range(2):
        (tmp_path / f"frames/{i}.png").write_bytes(png)
    for name in ("huge.gif", "huge.png", "frames"):
        with pytest.raises(VideoFileError) as error:
            read_video(tmp_path / name, frames=2)
        one_line(error, name)
    looped = {"frames": 90_000, "size": 9000, "loop": True}
    for settings in ({"frames": 10**9}, {"frames": 10**9, "loop": True}, {"size": 10**9}, {"short_side": 10**7}, looped):
        for name in ("h264.mp4", "whole.gif", "whole.npz"):
            with pytest.raises(VideoFileError) as error:
                read_video(files / name, **settings)
            one_line(error, name)
    for settings in ({"n": 10**12}, {"n": 1, "size": 10**6}, {"n": 1, "frames": 10**10}):
        with pytest.raises(VideoPureError) as error:
            moving_shapes(**settings)
        one_line(error)


def rewritten(path, **changes):
    "An .npz whose member video.npy has other bytes in its zip headers."
    data = bytearray(path.read_bytes())
    for start, mark in ((0, b"PK\3\4"), (2, b"PK\1\2")):
        at = data.index(mark) + start
        for offset, value in changes.values():
            data[at + offset : at + offset + 2] = struct.pack("<H", value)
    path.write_bytes(data)


@pytest.mark.slow
def test_archives_of_all_kinds(tmp_path, clip):
    with zipfile.ZipFile(tmp_path / "other.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("other.npy", bytes(300_000_000))
        np.save(buffer := io.BytesIO(), to_uint8(clip).transpose(3, 0, 1, 2))
        archive.writestr("video.npy", buffer.getvalue())
    code = "import resource, sys; from videopure.video import read_video; before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; "
    code += "read_video(sys.argv[1]); print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "other.npz"], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 100_000, "the array that nobody asked for was unpacked"
    for dtype in (">f4", "<f8", ">f8", "f2", np.longdouble):
        np.savez_compressed(tmp_path / "float.npz", video=clip.numpy().astype(dtype))
        assert (read_video(tmp_path / "float.npz") - clip).abs().max() < 1e-3
    bad = {"member": [("video", b"not an array")], "bytes": [("video.npy", b"not an array")], "none": []}
    for name, members in bad.items():
        with zipfile.ZipFile(tmp_path / f"{name}.npz", "w") as archive:
            for member in members:
                archive.writestr(*member)
    header = str({"descr": "<f4", "fortran_order": False, "shape": (1, 3, 10**6, 1000, 1000)}).encode().ljust(117) + b"\n"
    with zipfile.ZipFile(tmp_path / "liar.npz", "w") as archive:
        archive.writestr("video.npy", b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header)
    for name, changes in (("locked", {"flag": (6, 1)}), ("strange", {"method": (8, 77)})):
        write_video(clip, tmp_path / f"{name}.npz")
        rewritten(tmp_path / f"{name}.npz", **changes)
    for name in (*bad, "liar", "locked", "strange"):
        with pytest.raises(VideoFileError) as error:
            read_video(tmp_path / f"{name}.npz")
        one_line(error, f"{name}.npz")


@pytest.mark.parametrize("name, rate", [("x.mp4", 12.5), ("x.mp4", 30), ("x.gif", 20), ("x.gif", 2.5), ("x.npz", 8)])
def test_frame_rate(tmp_path, clip, name, rate):
    path = write_video(clip, tmp_path / name, fps=rate)
    assert frame_rate(path) == pytest.approx(rate, rel=1e-3)
    assert frame_rate(path, frames=6) == (pytest.approx(rate / 4, rel=1e-3) if name != "x.npz" else 8)
    again = write_video(read_video(path, frames=6), tmp_path / f"again{path.suffix}", fps=frame_rate(path, frames=6))
    assert name == "x.npz" or 6 / frame_rate(again) == pytest.approx(24 / rate, rel=0.02)


def test_frame_rate_of_containers_and_what_has_no_time(files, tmp_path, clip):
    for name in VIDEOS:
        assert frame_rate(files / name) == pytest.approx(8, rel=0.05), name
    for i in range(3):
        Image.fromarray(to_uint8(clip)[i]).save(tmp_path / f"{i}.png")
    assert frame_rate(tmp_path) == 8
    for path, settings in ((tmp_path / "none.mp4", {}), (files / "h264.mp4", {"frames": 1}), (files / "h264.mp4", {"frames": "x"})):
        with pytest.raises(VideoPureError) as error:
            frame_rate(path, **settings)
        one_line(error)


# --- folders of images ----------------------------------------------------------------------------------------------------------
def test_folder(tmp_path, clip):
    frames = to_uint8(clip)
    for i, frame in enumerate(frames[:12]):
        Image.fromarray(frame).save(tmp_path / f"frame{i}.png")
    (tmp_path / "notes.txt").write_text("not a frame")
    (tmp_path / "._frame0.png").write_text("left by a Mac")
    np.testing.assert_array_equal(to_uint8(read_video(tmp_path)), frames[:12])
    np.testing.assert_array_equal(to_uint8(read_video(str(tmp_path), frames=4)), frames[[1, 4, 7, 10]])


def test_modes_of_images(tmp_path, clip):
    frame = Image.fromarray(to_uint8(clip)[0])
    grey = np.asarray(frame.convert("L"))
    frame.convert("L").save(tmp_path / "1.png")
    frame.convert("RGBA").save(tmp_path / "2.png")
    frame.convert("P").save(tmp_path / "3.png")
    Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "4.png")
    frame.convert("LA").save(tmp_path / "5.PNG")
    frame.convert("CMYK").save(tmp_path / "6.jpg")
    frame.convert("1").save(tmp_path / "7.bmp")
    video = to_uint8(read_video(tmp_path))
    np.testing.assert_array_equal(video[0], np.repeat(grey[..., None], 3, 2))
    np.testing.assert_array_equal(video[1], np.asarray(frame))
    np.testing.assert_array_equal(video[3], video[0])
    np.testing.assert_array_equal(video[4], video[0])


def test_bad_folders(tmp_path, clip):
    with pytest.raises(VideoFileError) as error:
        read_video(tmp_path)
    one_line(error, "without images")
    frames = to_uint8(clip)
    Image.fromarray(frames[0]).save(tmp_path / "0.png")
    with pytest.raises(VideoFileError) as error:
        read_video(tmp_path)
    one_line(error, "at least 2")
    Image.fromarray(frames[1, :30]).save(tmp_path / "1.png")
    for settings in ({}, {"size": 16}):
        with pytest.raises(VideoFileError) as error:
            read_video(tmp_path, **settings)
        one_line(error, "40x40", "30x40")
    whole = (tmp_path / "0.png").read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"text", whole[:100] + b"?" * 50 + whole[150:]):
        (tmp_path / "1.png").write_bytes(content)
        with pytest.raises(VideoFileError) as error:
            read_video(tmp_path)
        one_line(error, "1.png")


SERIES = {
    "flow": (["img_{:05d}.jpg", "flow_x_{:05d}.jpg", "flow_y_{:05d}.jpg"], "img_#.jpg"),
    "masks": (["{}.png", "{}_mask.png"], "#.png"),
    "twins": (["{:03d}.png", "{:03d}.jpg"], "#.png"),
    "padded twice": (["{}.png", "0{}.png"], None),
    "stereo": (["left{:02d}.png", "right{:02d}.png"], "LEFT*"),
    "two takes": (["s1_{:03d}.png", "s2_{:03d}.png"], "s1_*.png"),
    "depth": (["{:06d}.color.png", "{:06d}.depth.png"], "#.color.png"),
    "a cover": (["{}.png", "cover.png"], "#.png"),
}


@pytest.mark.parametrize("kind", SERIES)
def test_one_series_of_pictures(tmp_path, kind):
    names, pattern = SERIES[kind]
    for i, frame in enumerate(numbered(5)):
        for k, name in enumerate(names):
            Image.fromarray(frame if not k else frame // 2 + 60).save(tmp_path / name.format(i))
    for settings in ({}, {"frames": 3}):
        with pytest.raises(VideoFileError) as error:
            read_video(tmp_path, **settings)
        one_line(error, "pattern")
    if pattern:
        assert numbers(read_video(tmp_path, pattern=pattern)) == list(range(5))
    for wrong, word in (("none_#.png", "fit"), (5, "pattern is 5")):
        with pytest.raises(VideoFileError) as error:
            read_video(tmp_path, pattern=wrong)
        one_line(error, word)


@pytest.mark.parametrize("name", ["v_Run_g01_c02_{:04d}.jpg", "frame{}.JPG", "{}.5fps.png", "t{:02d}_{:03d}ms.png", "²{}.png"])
def test_names_that_count_frames(tmp_path, name):
    for i, frame in enumerate(numbered(12)):
        Image.fromarray(frame).save(tmp_path / name.format(i, 40 * i))
    assert numbers(read_video(tmp_path)) == list(range(12))


def test_what_systems_leave_in_a_folder_is_no_frame(tmp_path):
    for i, frame in enumerate(numbered(4)):
        Image.fromarray(frame).save(tmp_path / f"{i}.png")
    for name in ("._0.png", "Thumbs.db", "desktop.ini", ".DS_Store", "~$0.png", "notes.txt"):
        (tmp_path / name).write_bytes(b"junk")
    for name in ("@eaDir", "__MACOSX", "$RECYCLE.BIN", "System Volume Information"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "9.png").write_bytes(b"junk")
    assert numbers(read_video(tmp_path)) == list(range(4))


@pytest.mark.parametrize("bits", [8, 16])
def test_tiff_in_which_white_is_zero(tmp_path, bits):
    grey = np.tile(np.arange(48, dtype=np.uint8) * 5, (32, 1))
    for k in range(2):
        Image.fromarray(grey.astype(np.uint16) * 257 if bits == 16 else grey).save(tmp_path / f"{k}.tif")
        data = bytearray((tmp_path / f"{k}.tif").read_bytes())
        at = data.index(struct.pack("<HHI", 262, 3, 1)) + 8
        data[at : at + 2] = b"\0\0"
        (tmp_path / f"{k}.tif").write_bytes(data)
    np.testing.assert_array_equal(to_uint8(read_video(tmp_path))[0, ..., 0], 255 - grey)


def test_pictures_that_say_nowhere_what_is_white(tmp_path, clip):
    frame = Image.fromarray(to_uint8(clip)[0])
    frame.save(tmp_path / "0.png")
    grey = np.asarray(frame.convert("L"))
    frame.save(tmp_path / "pages.tif", save_all=True, append_images=[frame, frame])
    Image.fromarray(grey.astype(np.float32) / 255).save(tmp_path / "float.tif")
    Image.fromarray(grey.astype(np.int32)).save(tmp_path / "int.tif")
    for name in ("pages", "float", "int"):
        shutil.move(tmp_path / f"{name}.tif", tmp_path / "1.tif")
        (tmp_path / "frames").mkdir(exist_ok=True)
        for file in ("0.png", "1.tif"):
            shutil.copy(tmp_path / file, tmp_path / "frames")
        with pytest.raises(VideoFileError) as error:
            read_video(tmp_path / "frames")
        one_line(error, "1.tif", "32 bits" if name != "pages" else "3 pictures")


# --- bad files ------------------------------------------------------------------------------------------------------------------
def audio_only(path):
    with av.open(str(path), "w") as file:
        stream = file.add_stream("aac", rate=8000, layout="mono")
        for i in range(8):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 8000, 1024 * i
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))


BAD_FILES = {
    "missing.mp4": (None, "does not exist"),
    "missing.npz": (None, "does not exist"),
    "empty.mp4": (b"", "empty"),
    "empty.gif": (b"", "empty"),
    "empty.npz": (b"", "empty"),
    "text.mp4": (b"I am not a video.\n" * 99, "not a video"),
    "text.avi": (b"I am not a video.\n" * 99, "not a video"),
    "text.gif": (b"I am not a video.\n" * 99, "GIF"),
    "text.npz": (b"I am not a video.\n" * 99, ".npz"),
    "zeros.mp4": (bytes(9999), "not a video"),
    "no_suffix": (b"I am not a video.\n" * 99, ""),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_files(tmp_path, name):
    content, word = BAD_FILES[name]
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(VideoFileError) as error:
        read_video(tmp_path / name)
    one_line(error, name, word)


def test_audio_only(tmp_path):
    audio_only(tmp_path / "sound.mp4")
    with pytest.raises(VideoFileError) as error:
        read_video(tmp_path / "sound.mp4")
    one_line(error, "audio")


@pytest.mark.parametrize("name", [*VIDEOS[:-1], "whole.gif", "whole.npz"])
def test_cut_short(files, tmp_path, name):
    "Wherever a file is cut, reading gives an error or, where only the end of the container is gone, every frame."
    whole, truth = (files / name).read_bytes(), read_video(files / name)
    spare = 1 if name.endswith(("mkv", "webm")) else 0  # these announce a duration, which does not tell 23 frames from 24
    errors = 0
    for part in (0.001, 0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98):
        (tmp_path / name).write_bytes(whole[: int(part * len(whole))])
        try:
            video = read_video(tmp_path / name)
        except VideoFileError as error:
            errors += 1
            assert "\n" not in str(error)
        else:
            assert video.shape[2] >= 24 - spare and torch.equal(video, truth[:, :, : video.shape[2]]), part
    assert errors >= 5
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(VideoFileError):
        read_video(tmp_path / name, frames=3)


@pytest.mark.parametrize("seed", range(4))
def test_damaged(files, tmp_path, seed):
    "Bits that flipped in many places are found by the decoder."
    data = bytearray((files / "open.mp4").read_bytes())
    pictures = data[data.index(b"mdat") : data.index(b"moov")]
    for i in np.random.default_rng(seed).integers(len(pictures) // 4, len(pictures) // 2, 40):
        data[data.index(b"mdat") + i] ^= 255
    (tmp_path / "damaged.mp4").write_bytes(data)
    with pytest.raises(VideoFileError) as error:
        read_video(tmp_path / "damaged.mp4")
    one_line(error, "damaged")


@pytest.mark.parametrize("name", ["h264.mp4", "whole.gif", "whole.npz"])
def test_too_few_frames(files, name):
    with pytest.raises(VideoFileError) as error:
        read_video(files / name, frames=32)
    one_line(error, name, "24 frames", "frames=24 or fewer")
    with pytest.raises(VideoFileError) as error:
        read_video(files / name, frames=16, stride=2)
    one_line(error, "frames=12 or fewer")


def test_one_frame(tmp_path, clip):
    encode(tmp_path / "one.mp4", to_uint8(clip)[:1])
    with pytest.raises(VideoFileError) as error:
        read_video(tmp_path / "one.mp4")
    one_line(error, "at least 2")


@pytest.mark.parametrize(
    "array, word",
    [
        (np.zeros((16, 32, 32, 3), np.float32), "shape"),
        (np.zeros((2, 3, 16, 32, 32), np.float32), "shape"),
        (np.zeros((3, 16, 32, 32), np.int64), "dtype"),
        (np.full((3, 16, 32, 32), 7.0), "[0, 1]"),
        (np.full((3, 16, 32, 32), np.nan), "NaN"),
        (np.zeros((3, 1, 32, 32)), "at least 2"),
    ],
)
def test_bad_arrays(tmp_path, array, word):
    np.savez(tmp_path / "bad.npz", video=array)
    with pytest.raises(VideoFileError) as error:
        read_video(tmp_path / "bad.npz")
    one_line(error, "bad.npz", word)


def test_npz(tmp_path, clip):
    np.savez(tmp_path / "other.npz", frames=clip.numpy(), label=3)
    with pytest.raises(VideoFileError) as error:
        read_video(tmp_path / "other.npz")
    one_line(error, "'video'", "'frames'")
    np.savez(tmp_path / "pickle.npz", video=np.array([{"a": 1}], dtype=object))
    with pytest.raises(VideoFileError) as error:
        read_video(tmp_path / "pickle.npz")
    one_line(error, "dtype object")
    np.savez(tmp_path / "bytes.npz", video=to_uint8(clip).transpose(3, 0, 1, 2))
    assert np.array_equal(to_uint8(read_video(tmp_path / "bytes.npz")), to_uint8(clip))
    np.save(tmp_path / "array.npy", clip.numpy())
    shutil.move(tmp_path / "array.npy", tmp_path / "array.npz")
    with pytest.raises(VideoFileError):
        read_video(tmp_path / "array.npz")


# --- writing --------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("size", [(40, 40), (33, 21), (30, 26)])
def test_lossless_mp4(tmp_path, clip, size):
    video = resize_video(clip, size)
    path = write_video(video, tmp_path / "x.mp4", lossless=True)
    assert np.array_equal(to_uint8(read_video(path)), to_uint8(video))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_npz_is_exact(tmp_path, clip, dtype):
    video = clip.to(dtype)
    assert torch.equal(read_video(write_video(video, tmp_path / "x.npz")), video.float())


def psnr(a, b):
    return -10 * torch.log10((a - b).square().mean()).item()


def test_mp4_is_close_and_plays_in_browsers(tmp_path):
    y, x = torch.meshgrid(torch.linspace(0, 1, 64), torch.linspace(0, 1, 80), indexing="ij")
    smooth = torch.stack([torch.stack([x, y, (x + y + t / 10) % 1 * 0 + t / 10]) for t in range(8)], 1)[None]
    path = write_video(smooth, tmp_path / "x.mp4", fps=12.5)
    assert psnr(read_video(path), smooth) > 40
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt, stream.average_rate) == ("h264", "yuv420p", Fraction(25, 2))
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")  # starts to play before it is all there


@pytest.mark.parametrize("name", ["x.mp4", "x.gif", "x.npz"])
def test_same_clip_same_file(tmp_path, clip, name):
    assert len({write_video(clip, tmp_path / name).read_bytes() for _ in range(12)}) == 1


def test_odd_size_is_padded(tmp_path, clip):
    video = resize_video(clip, (21, 33))
    back = read_video(write_video(video, tmp_path / "x.mp4"))
    assert back.shape[-2:] == (22, 34) and psnr(back[..., :21, :33], video) > 20


def test_gif_keeps_repeated_frames(tmp_path, clip):
    still = clip[:, :, [0, 0, 0, 1, 1, 2, 2, 2]]
    path = write_video(still, tmp_path / "x.gif", fps=10)
    back = read_video(path)
    assert back.shape == still.shape and psnr(back, still) > 25
    assert torch.equal(back[:, :, 0], back[:, :, 2]) and not torch.equal(back[:, :, 2], back[:, :, 3])
    with Image.open(path) as image:
        assert image.info["loop"] == 0 and image.info["duration"] == 100
    assert len(decoded(path)) == 8  # ffmpeg sees the same


def test_needs_grad_and_device_free(tmp_path, clip):
    write_video(clip.clone().requires_grad_(), tmp_path / "x.npz")
    write_video(clip.clone().requires_grad_(), tmp_path / "x.gif")
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("name", ["x.mp4", "x.gif", "x.npz"])
def test_unwritable(tmp_path, clip, name):
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "dir.mp4").mkdir()
    for path, word in [(tmp_path / "nowhere" / name, "does not exist"), (tmp_path / "file" / name, "does not exist")]:
        with pytest.raises(VideoFileError) as error:
            write_video(clip, path)
        one_line(error, word)
    with pytest.raises(VideoFileError) as error:
        write_video(clip, tmp_path / "dir.mp4")
    one_line(error, "folder")
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["dir.mp4", "file"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_read_only_folder(tmp_path, clip):
    tmp_path.chmod(0o500)
    with pytest.raises(VideoFileError) as error:
        write_video(clip, tmp_path / "x.mp4")
    one_line(error, "x.mp4")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("name", ["x.mp4", "x.gif", "x.npz"])
def test_full_disk(tmp_path, clip, monkeypatch, name):
    "A disk that runs full: one line, the old file untouched, nothing else left."
    write_video(clip[:, :, :4], tmp_path / name)
    before = (tmp_path / name).read_bytes()

    class Name(type(tmp_path)):
        def with_name(self, name):
            link = super().with_name(name)
            link.symlink_to("/dev/full")
            return link

    monkeypatch.setattr(checks, "Path", Name)
    with pytest.raises(VideoFileError) as error:
        write_video(clip, str(tmp_path / name))
    one_line(error, "cannot write")
    assert [p.name for p in tmp_path.iterdir()] == [name] and (tmp_path / name).read_bytes() == before


def test_what_a_killed_writer_left_is_removed_by_the_next(tmp_path, clip):
    "Only what a dead process of this machine left of the same file; nothing of anybody else."
    code = "import os, sys, pathlib; from videopure.checks import atomic_path\n"
    code += "with atomic_path(sys.argv[1]) as path: path.write_text('half'); os._exit(9)"
    for name in ("x.npz", "y.npz"):
        assert subprocess.run([sys.executable, "-c", code, tmp_path / name]).returncode == 9
    left = {path.name for path in tmp_path.iterdir()}
    assert len(left) == 2 and all(name.startswith(".") for name in left)
    others = {".x-1a2b3c4d.npz", ".videopure-mine.npz", f".videopure-00000000-{os.getpid()}-0.npz", "x.npz.bak"}
    for name in others:
        (tmp_path / name).write_text("mine")
    with atomic_path(tmp_path / "x.npz") as alive:
        alive.write_bytes(b"")
        write_video(clip, tmp_path / "x.npz")
        assert alive.exists()  # of a process that is at work
    found = {path.name for path in tmp_path.iterdir()}
    assert found >= {*others, "x.npz"} and len(found & left) == 1 and len(found) == len(others) + 2


KILLED = """
import os, sys
from videopure import cli, moving_shapes, write_video
os.replace = lambda *paths: os.kill(os.getpid(), 9)
{}
"""


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
@pytest.mark.parametrize(
    "name, what",
    [(name, "write_video(moving_shapes(1)[0], sys.argv[2])") for name in ("x.mp4", "x.gif", "x.npz")]
    + [("x.mp4", "cli.main(['purify', *sys.argv[1:], '-y', '--steps', '1', '--frames', '2'])")],
    ids=["mp4", "gif", "npz", "purify"],
)
def test_killed_while_writing(tmp_path, clip, name, what):
    "At the last moment, everything but the move is done: the old file is whole, and so is the source."
    source, target = write_video(clip, tmp_path / "source.npz"), write_video(clip, tmp_path / name)
    before = {path.name: path.read_bytes() for path in (source, target)}
    done = subprocess.run([sys.executable, "-c", KILLED.format(what), source, target], capture_output=True)
    assert done.returncode == -9, done.stderr
    visible = {path.name: path.read_bytes() for path in tmp_path.iterdir() if not path.name.startswith(".")}
    assert visible == before and len(list(tmp_path.iterdir())) == 3
    write_video(clip, target)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("number", [30, 5, 116])
def test_a_disk_that_refuses_even_to_remove(tmp_path, monkeypatch, number):
    def fails(path, *args, **kwargs):
        raise OSError(number, os.strerror(number))

    with pytest.raises(VideoFileError) as error, atomic_path(tmp_path / "x.txt") as temporary:
        monkeypatch.setattr(Path, "unlink", fails)
        monkeypatch.setattr(Path, "write_text", fails)
        temporary.write_text("x")
    one_line(error, "cannot write", os.strerror(number).lower())


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, OSError])
def test_interrupted_writing_leaves_nothing(tmp_path, error):
    (tmp_path / "x.txt").write_text("old")
    with pytest.raises(VideoFileError if error is OSError else error), atomic_path(tmp_path / "x.txt") as temporary:
        temporary.write_text("half")
        raise error("disk on fire")
    assert [p.name for p in tmp_path.iterdir()] == ["x.txt"] and (tmp_path / "x.txt").read_text() == "old"


@pytest.mark.parametrize(
    "change, settings, word",
    [
        (lambda x: x, {"path": "x.avi"}, ".mp4, .gif or .npz"),
        (lambda x: x, {"path": "x"}, ".mp4, .gif or .npz"),
        (lambda x: x, {"path": "x.gif", "lossless": True}, "lossless"),
        (lambda x: x, {"fps": 0}, "fps"),
        (lambda x: x, {"fps": -3}, "fps"),
        (lambda x: x, {"fps": float("nan")}, "fps"),
        (lambda x: x, {"fps": 1e9}, "fps"),
        (lambda x: x, {"fps": "8"}, "fps"),
        (lambda x: x, {"lossless": "no"}, "lossless"),
        (lambda x: x[..., :1, :1].expand(-1, -1, -1, -1, 70_000), {"path": "x.gif"}, "GIF"),
        (lambda x: x.expand(3, -1, -1, -1, -1), {}, "video[i:i + 1]"),
        (lambda x: x[0], {}, "unsqueeze(0)"),
        (lambda x: x * 2, {}, "rescale"),
        (lambda x: x[:, :, :1], {}, "at least 2"),
    ],
)
def test_bad_writing(tmp_path, clip, change, settings, word):
    path = tmp_path / settings.pop("path", "x.mp4")
    with pytest.raises(VideoPureError) as error:
        write_video(change(clip), path, **settings)
    one_line(error, word)
    assert not list(tmp_path.iterdir())


def test_writing_needs_the_encoder(tmp_path, clip, monkeypatch):
    monkeypatch.setattr(v.av, "codecs_available", {"mpeg4"})
    with pytest.raises(MissingPackageError) as error:
        write_video(clip, tmp_path / "x.mp4")
    one_line(error, "libx264", "pip install")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("crf", [None, 0, 16, 51])
@pytest.mark.parametrize("size", [(40, 40), (33, 21)])
def test_encode_h264(tmp_path, clip, size, crf):
    frames = to_uint8(resize_video(clip, size))
    encode_h264(frames, buffer := io.BytesIO(), crf=crf)
    encode_h264(frames, tmp_path / "x.mp4", crf=crf)
    for file in (io.BytesIO(buffer.getvalue()), tmp_path / "x.mp4"):
        with av.open(file) as video:
            back = np.stack([frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)])
        assert len(back) == len(frames)
        cut = back[:, : size[0], : size[1]]
        assert np.array_equal(cut, frames) if crf is None else 0 < np.abs(cut - frames.astype(float)).mean() < 40


@pytest.mark.parametrize("settings", [{"crf": -1}, {"crf": 52}, {"crf": 2.5}, {"crf": True}, {"fps": 0}, {"fps": float("inf")}])
def test_bad_encoding(clip, settings):
    with pytest.raises(VideoPureError) as error:
        encode_h264(to_uint8(clip), io.BytesIO(), **settings)
    one_line(error, next(iter(settings)))


# --- moving shapes --------------------------------------------------------------------------------------------------------------
def test_moving_shapes():
    clips, labels = moving_shapes(30, seed=11)
    assert check_video(clips).shape == (30, 3, 16, 32, 32) and labels.bincount().tolist() == [3] * 10
    again, same = moving_shapes(30, seed=11)
    assert torch.equal(again, clips) and torch.equal(same, labels)
    assert not torch.equal(moving_shapes(30, seed=12)[0], clips)
    state = torch.get_rng_state()
    moving_shapes(3, seed=1, frames=5, size=24)
    assert torch.equal(torch.get_rng_state(), state)  # the caller's randomness is left alone


# --- real clips -----------------------------------------------------------------------------------------------------------------
def test_decoders_are_let_go(files, tmp_path):
    "One that an error keeps alive crashes the worker processes that are forked later."
    cut = tmp_path / "cut.avi"
    cut.write_bytes((files / "simple.avi").read_bytes()[:-3000])
    kept, whole = [], files / "h264.mp4"
    for path, settings in ((cut, {}), (whole, {"frames": 99}), (whole, {"size": (9, 9, 9)}), (tmp_path / "none.mp4", {})):
        try:
            read_video(path, **settings)
        except VideoFileError as error:
            kept.append(error)
    assert len(kept) == 4 and all(error.__context__ is None for error in kept)
    found = [thing for thing in gc.get_objects() if type(thing) in (av.container.InputContainer, av.VideoCodecContext)]
    assert not [thing for thing in found if getattr(thing, "is_decoder", True)]


@pytest.mark.slow
@pytest.mark.skipif(not DATA.exists(), reason="no shared data")
def test_real_videos():
    for path in sorted(DATA.glob("ut_interaction/*/*.avi"))[::24]:
        truth = decoded(path)
        assert np.array_equal(to_uint8(read_video(path)), truth)
        assert np.array_equal(to_uint8(read_video(path, frames=16)), truth[sample_frames(len(truth), 16)])


@pytest.mark.skipif(not DATA.exists(), reason="no shared data")
def test_real_folder():
    folder = DATA / "ucf101_clips" / "CliffDiving"
    video = read_video(folder, frames=16, size=112)
    assert video.shape == (1, 3, 16, 112, 112)
    assert np.array_equal(to_uint8(read_video(folder))[7], np.asarray(Image.open(folder / "07.png").convert("RGB")))


# --- showing --------------------------------------------------------------------------------------------------------------------
class Tags(HTMLParser):
    "All tags with their attributes."

    def __init__(self, text):
        super().__init__()
        self.tags, self.open = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("img", "meta", "br", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def shapes():
    return moving_shapes(1, seed=3)[0]


def test_player_is_self_contained(shapes):
    noisy = (shapes + torch.randn(shapes.shape, generator=torch.Generator().manual_seed(0)) * 4 / 255).clamp(0, 1)
    clips = {"original": shapes, "attacked": noisy, "perturbation": magnify(shapes, noisy), "purified": shapes.flip(2)}
    html = Player(clips, {"original": {"left": 0.9, "right": 0.1}, "attacked": "right"})._repr_html_()
    assert len(html) < 150_000
    assert not re.search(r"https?://|src=\"(?!data:)|@import|url\(|fetch\(", html)
    tags = Tags(html)
    assert not tags.open
    images = [attrs for tag, attrs in tags.tags if tag == "img"]
    assert [image["alt"] for image in images] == ["original: left 90 %, right 10 %", "attacked: right", "perturbation", "purified"]
    assert all(image["src"].startswith("data:image/") for image in images)


def test_players_do_not_clash_and_are_the_same_each_time(shapes):
    players = Player(shapes), Player(shapes, fps=9), Player(shapes.flip(2)), Player({"a": shapes})
    ids = [re.search(r'data-videopure="(\w+)"', player._repr_html_())[1] for player in players]
    assert len(set(ids)) == 4
    assert Player(shapes)._repr_html_() == Player(shapes)._repr_html_()


def test_player_escapes(shapes):
    evil = '"><script>alert(1)</script>'
    html = Player({evil: shapes, "b": shapes}, {"b": {evil: 0.5}, evil: evil})._repr_html_()
    assert [tag for tag, _ in Tags(html).tags].count("script") == 1 and "<script>alert" not in html


def test_sprite_sheet(clip):
    import base64
    import io

    video = resize_video(clip, (21, 33))[:, :, :10]
    uri, columns, height, width = sprite_sheet(video, quality=None)
    sheet = np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))))
    assert (columns, height, width) == (4, 24, 40) and sheet.shape == (3 * 24, 4 * 40, 3)
    for i, frame in enumerate(to_uint8(video)):
        row, column = divmod(i, columns)
        assert np.array_equal(sheet[row * height :, column * width :][:21, :33], frame)


def test_save(tmp_path, shapes):
    path = Player(shapes).save(tmp_path / "p.html", title="a < b")
    text = path.read_text()
    assert text.startswith("<!doctype html>") and "<title>a &lt; b</title>" in text and "viewport" in text and "color-scheme" in text
    assert not Tags(text).open
    save_page(path, "two", "<p>words</p>", Player(shapes), Player(shapes))
    assert path.read_text() == page("two", "<p>words</p>", Player(shapes), Player(shapes))
    with pytest.raises(VideoFileError):
        Player(shapes).save(tmp_path / "nowhere" / "p.html")
    assert [p.name for p in tmp_path.iterdir()] == ["p.html"]


@pytest.mark.parametrize(
    "show",
    [
        lambda x: Player({}),
        lambda x: Player(x[0]),
        lambda x: Player(x.expand(2, -1, -1, -1, -1)),
        lambda x: Player({"a": x, "b": x[:, :, :4]}),
        lambda x: Player({"a": x}, {"c": "unknown"}),
        lambda x: Player(x, fps=0),
        lambda x: Player(x, size=0),
        lambda x: strip({}),
        lambda x: strip(x * 3),
        lambda x: magnify(x, x[:, :, :4]),
        lambda x: differences(x),
        lambda x: differences({"a": x}),
        lambda x: differences({"a": x, "b": x[..., :16]}),
        lambda x: differences({"a": x, "b": x[..., :16]}, gain=3),
        lambda x: magnify(x, x[..., :16]),
        *(lambda x, gain=gain: magnify(x, x, gain) for gain in (float("nan"), float("inf"), -1, "2")),
        lambda x: differences({"a": x, "b": x}, gain=float("nan")),
        lambda x: strip(x, frames=0),
        lambda x: strip(x, frames="8"),
        lambda x: strip(x, width=float("nan")),
        lambda x: strip({5: x}),
        lambda x: Player(x, captions="words"),
        lambda x: Player({"a": x}, {"a": {"left": "much"}}),
        lambda x: Player({"a": x}, {"a": {"left": float("nan")}}),
        lambda x: Player(x, quality=0),
        lambda x: Player(x, quality="best"),
        lambda x: Player(x, size="big"),
    ],
)
def test_bad_showing(shapes, show):
    with pytest.raises(VideoPureError) as error:
        show(shapes)
    one_line(error)


def test_magnify(shapes):
    changed = (shapes + 0.01).clamp(0, 1)
    both = magnify(torch.cat([shapes, shapes]), torch.cat([changed, shapes]))
    assert both[0].max() == 1 and torch.equal(both[1], torch.full_like(shapes[0], 0.5))
    assert torch.allclose(magnify(shapes, changed, gain=3), 0.5 + 3 * (changed - shapes))


def test_differences(shapes):
    clips = {"a": shapes, "b": (shapes + 0.01).clamp(0, 1), "c": (shapes - 0.04).clamp(0, 1), "same": shapes.clone()}
    rows = differences(clips, gain=3)
    assert list(rows) == ["b −\na, ×3", "c −\na, ×3", "same −\na, ×3"]
    assert all(torch.equal(row, magnify(shapes, clips[name], 3)) for row, name in zip(rows.values(), ("b", "c", "same")))
    common = list(differences(clips).values())  # one gain for all: only the largest difference reaches black or white
    assert common[1].min() < 1e-3 and 0.6 < common[0].max() < 0.65 and torch.equal(common[2], torch.full_like(shapes, 0.5))
    assert len(strip(clips | rows).axes) == 7


@pytest.mark.parametrize("size, names", [((32, 32), "ab"), ((24, 48), ["a long name of a row\nin two lines", "b"]), ((32, 32), ["n" * 60])])
def test_strip_draws_frames_undistorted(shapes, size, names):
    video = resize_video(shapes, size)
    figure = strip({name: video for name in names}, frames=4, title="two rows")
    figure.draw_without_rendering()
    for ax in figure.axes:
        box = ax.get_window_extent()
        assert abs(box.height / box.width - size[0] / (4 * size[1])) < 0.02 and box.width > 0.2 * 700
    assert figure.axes[-1].get_xlabel() == "time →" and not figure.axes[0].get_xlabel() * (len(names) > 1)
    assert not strip(video, frames=1).axes[0].get_xlabel()


def test_strip_leaves_no_figure_open(shapes):
    import matplotlib.pyplot as plt

    figure = strip({"a": shapes, "b": shapes}, frames=5)
    assert not plt.get_fignums() and len(figure.axes) == 2 and figure.axes[0].images[0].get_size() == (32, 160)
