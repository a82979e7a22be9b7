"""Folders of clips, good and bad, and procedural clips that do not depend on how many there are. (notebook 14)"""

import pytest
import torch
from torch.utils.data import DataLoader, Subset

from videopure.data import ClipFolder, MovingShapes
from videopure.video import VideoFileError, VideoPureError, moving_shapes, write_video


def one_line(error, *words):
    text = str(error.value)
    assert text and "\n" not in text and len(text) < 300, text
    for word in words:
        assert str(word) in text, text


@pytest.fixture
def folder(tmp_path):
    "Two classes: good clips of several kinds; a corrupt, a too short and a larger one; and hidden files."
    clips, _ = moving_shapes(4, seed=1)
    for name in ("walk", "run fast"):
        (tmp_path / name).mkdir()
    write_video(clips[:1], tmp_path / "walk/b.npz")
    write_video(clips[1:2], tmp_path / "walk/a.mp4")
    write_video(clips[2:3, :, :5], tmp_path / "walk/short.mp4")
    write_video(moving_shapes(1, seed=2, frames=20, size=48)[0], tmp_path / "run fast/large.mp4")
    whole = (tmp_path / "walk/a.mp4").read_bytes()
    (tmp_path / "run fast/corrupt.mp4").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "walk/.DS_Store").write_text("")
    (tmp_path / ".cache").mkdir()
    (tmp_path / "README.txt").write_text("what this is")
    return tmp_path


def test_ids_labels_and_order(folder):
    ds = ClipFolder(folder)
    assert ds.classes == ["run fast", "walk"]
    assert ds.ids == ["run fast/corrupt.mp4", "run fast/large.mp4", "walk/a.mp4", "walk/b.npz", "walk/short.mp4"]
    assert ds.labels == [0, 0, 1, 1, 1] and len(ds) == 5


def test_clips_are_read_at_the_wanted_size(folder):
    ds = ClipFolder(folder, frames=8, size=(24, 16))
    for i in (1, 2, 3):
        clip, label = ds[i]
        assert clip.shape == (3, 8, 24, 16) and clip.dtype == torch.float32 and label == ds.labels[i]
    exact, _ = ClipFolder(folder)[3]
    assert torch.equal(exact, moving_shapes(4, seed=1)[0][0])


@pytest.mark.parametrize("i, words", [(0, ["corrupt.mp4"]), (4, ["short.mp4", "5 frames", "frames=16"])])
def test_bad_clips_are_listed_and_raise_by_name(folder, i, words):
    with pytest.raises(VideoFileError) as error:
        ClipFolder(folder)[i]
    one_line(error, *words)


def test_a_file_that_is_no_video_is_not_dropped(folder):
    (folder / "walk/notes.txt").write_text("not a clip")
    ds = ClipFolder(folder)
    with pytest.raises(VideoFileError) as error:
        ds[ds.ids.index("walk/notes.txt")]
    one_line(error, "notes.txt")


def test_stride_takes_consecutive_frames(folder):
    long, consecutive = ClipFolder(folder, size=48), ClipFolder(folder, size=48, stride=1)
    assert not torch.equal(long[1][0], consecutive[1][0])


def test_given_classes_decide_the_labels(folder):
    assert ClipFolder(folder, classes=["jump", "walk", "run fast"]).labels == [2, 2, 1, 1, 1]
    with pytest.raises(VideoPureError) as error:
        ClipFolder(folder, classes=["walk", "jump"])
    one_line(error, "'run fast'", "2 given")


def test_a_folder_of_frames_is_a_clip(folder):
    from PIL import Image

    from videopure.video import to_uint8

    (folder / "walk/frames").mkdir()
    clip = moving_shapes(1, seed=9)[0]
    for t, frame in enumerate(to_uint8(clip)):
        Image.fromarray(frame).save(folder / f"walk/frames/{t}.png")
    ds = ClipFolder(folder)
    read, _ = ds[ds.ids.index("walk/frames")]
    assert (read - clip[0]).abs().max() <= 0.5 / 255 + 1e-6


@pytest.mark.parametrize("name, words", [("nowhere", ["not a folder"]), ("walk/a.mp4", ["not a folder"]), ("walk", ["no class folders"])])
def test_folders_that_are_no_data_set(folder, name, words):
    with pytest.raises(VideoFileError) as error:
        ClipFolder(folder / name)
    one_line(error, folder / name, *words)


def test_a_class_without_clips(folder):
    (folder / "empty").mkdir()
    with pytest.raises(VideoFileError) as error:
        ClipFolder(folder)
    one_line(error, "empty has no clip")


def test_loader_with_workers(folder):
    good = Subset(ClipFolder(folder), [1, 2, 3])
    clips, labels = next(iter(DataLoader(good, batch_size=3, num_workers=2)))
    assert clips.shape == (3, 3, 16, 32, 32) and labels.tolist() == [0, 1, 1]
    assert torch.equal(clips, torch.stack([clip for clip, _ in good]))


# ---------------------------------------------------------------- moving shapes


def test_a_clip_depends_on_seed_and_index_alone():
    few, many = MovingShapes(3, seed=5), MovingShapes(200, seed=5)
    for i in range(3):
        assert torch.equal(few[i][0], many[i][0]) and few[i][1] == many[i][1]
    assert few.ids == many.ids[:3] == [f"moving_shapes/seed-5/000{i}" for i in range(3)]
    assert len(set(many.ids)) == 200 and len(many) == 200


def test_classes_in_equal_parts():
    ds = MovingShapes(70, seed=1)
    assert torch.bincount(torch.tensor(ds.labels)).tolist() == [7] * 10
    assert ds.labels[:10] != ds.labels[10:20]


def test_blocks_and_seeds_differ():
    clips = [MovingShapes(21, seed=s)[i][0] for s in (0, 1) for i in (0, 10, 20)]
    assert all(not torch.equal(a, b) for k, a in enumerate(clips) for b in clips[:k])


def test_only_the_blocks_needed_are_made():
    ds = MovingShapes(10_000)
    ds[9_999]
    assert list(ds._blocks) == [999]


def test_iterates_and_ends():
    assert len(list(MovingShapes(12))) == 12
    for i in (12, -13):
        with pytest.raises(IndexError):
            MovingShapes(12)[i]


def test_shape_and_range():
    clip, label = MovingShapes(2, frames=8, size=24)[1]
    assert clip.shape == (3, 8, 24, 24) and 0 <= clip.min() and clip.max() <= 1 and isinstance(label, int)


@pytest.mark.parametrize("n, seed", [(0, 0), (-1, 0), (5, -1)])
def test_bad_numbers(n, seed):
    with pytest.raises(VideoPureError) as error:
        MovingShapes(n, seed)
    one_line(error, f"n={n}", f"seed={seed}")
