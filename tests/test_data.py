"""Folders of clips, UCF-101 and Kinetics trees as they are published, good and bad, and procedural clips. (notebook 14)"""

import os
import pickle
import subprocess
import sys
import warnings
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset, Subset

from videopure.data import UCF101, ClipFolder, ClipList, ClipLoader, Clips, Kinetics400, MovingShapes, _read_or_reason, in_turns
from videopure.video import MissingPackageError, VideoFileError, VideoPureError, moving_shapes, read_video, to_uint8, write_video

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "ut_interaction"


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    "Many small tensors: threads that wait for each other make them slow."
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


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
    with pytest.warns(UserWarning, match="no clip of 1 of 3 classes: jump"):
        ds = ClipFolder(folder, classes=["jump", "walk", "run fast"])
    assert ds.labels == [2, 2, 1, 1, 1] and ds.absent == ["jump"] and "no clip of 1 of them" in repr(ds)
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


@pytest.mark.parametrize(
    "settings, words",
    [
        ({"frames": 1}, ["frames is 1"]),
        ({"stride": 0}, ["stride is 0"]),
        ({"start": "middle"}, ["'middle'", "'center'"]),
        ({"start": -1}, ["start is -1"]),
        ({"size": 0}, ["size is 0"]),
        ({"size": (8, 8, 8)}, ["size"]),
        ({"short_side": "big"}, ["short_side is 'big'"]),
        ({"classes": ["walk", "run fast", "walk"]}, ["'walk' is there twice"]),
    ],
)
def test_settings_no_clip_can_satisfy_are_refused_at_once(folder, settings, words):
    with pytest.raises(VideoPureError) as error:
        ClipFolder(folder, **settings)
    one_line(error, *words)


def test_in_the_order_of_a_classifier(folder):
    ds = ClipFolder(folder)
    numbered = ds.in_order_of(["walk", "Run_Fast"])
    assert numbered.labels == [1, 1, 0, 0, 0] and numbered.classes == ["walk", "Run_Fast"] and numbered.ids == ds.ids
    assert ds.labels == [0, 0, 1, 1, 1] and ds.classes == ["run fast", "walk"] and numbered[3][1] == 0
    with pytest.warns(UserWarning, match="no clip of 7 of the classifier's 9 classes: 'c0', .*'c5' and 1 more") as said:
        more = ds.in_order_of([*(f"c{k}" for k in range(7)), "run fast", "walk"])
    assert more.labels == [7, 7, 8, 8, 8] and len(said) == 1 and said[0].filename == __file__
    with pytest.raises(VideoPureError) as error:
        ds.in_order_of(["walk", "jump"])
    one_line(error, "clips of 'run fast'", "not among the classifier's 2 class names, 'walk', 'jump'", "rename")
    with pytest.warns(UserWarning):
        few = ClipFolder(folder, classes=["run fast", "sit", "walk"])
    assert few.in_order_of(["walk", "run fast"]).labels == [1, 1, 0, 0, 0]  # a class without clips may be unknown
    exact = Clips(folder, ["a", "b"], [0, 1], ["a b", "a_b"]).in_order_of(["a_b", "a b"])
    assert exact.labels == [1, 0]  # names that are the same go before names that are alike


# ---------------------------------------------------------------- which frames


@pytest.fixture
def counted(tmp_path):
    "Files whose frame k is k/100 everywhere, of 40 frames and of 5."
    (tmp_path / "count").mkdir()
    for name, total in (("long", 40), ("short", 5)):
        clip = (torch.arange(total) / 100)[None, None, :, None, None].expand(1, 3, total, 16, 16)
        write_video(clip, tmp_path / f"count/{name}.npz")
    return tmp_path


def frames_of(ds, name):
    clip, _ = ds[ds.ids.index(f"count/{name}.npz")]
    return (clip[0, :, 0, 0] * 100).round().int().tolist()


@pytest.mark.parametrize(
    "settings, expected",
    [
        ({"frames": 4}, [5, 15, 25, 35]),
        ({"frames": 4, "stride": 2}, [16, 18, 20, 22]),
        ({"frames": 4, "stride": 2, "start": 0}, [0, 2, 4, 6]),
        ({"frames": 4, "stride": 3, "start": 30}, [30, 33, 36, 39]),
        ({"frames": 20, "stride": 2}, list(range(0, 40, 2))),
        ({"frames": 4, "stride": 13}, [0, 13, 26, 39]),
    ],
)
def test_frames_taken(counted, settings, expected):
    assert frames_of(ClipFolder(counted, size=8, **settings), "long") == expected


def test_center_leaves_as_much_before_as_after(counted):
    for frames in range(2, 14):
        for stride in (1, 2, 3):
            taken = frames_of(ClipFolder(counted, frames, 8, stride), "long")
            assert 0 <= (39 - taken[-1]) - taken[0] <= 1 and set(np.diff(taken)) == {stride}


def test_short_clips_are_errors_or_begin_again(counted):
    with pytest.raises(VideoFileError) as error:
        frames_of(ClipFolder(counted, 8), "short")
    one_line(error, "short.npz", "5 frames")
    assert frames_of(ClipFolder(counted, 8, loop=True), "short") == [0, 1, 2, 3, 4, 0, 1, 2]
    assert frames_of(ClipFolder(counted, 6, stride=2, loop=True), "short") == [0, 2, 4, 1, 3, 0]
    assert frames_of(ClipFolder(counted, 4, stride=2, loop=True, start=1), "short") == [1, 3, 1, 3]
    for name in ("long", "short"):
        assert frames_of(ClipFolder(counted, 4, loop=True), name) == frames_of(ClipFolder(counted, 4), name)
    with pytest.raises(VideoFileError):  # one and the same frame is not a clip
        frames_of(ClipFolder(counted, 4, stride=5, loop=True), "short")


def test_random_windows_depend_on_seed_and_id_alone(counted):
    one, two = (ClipFolder(counted, 4, 8, stride=1, start="random", seed=seed) for seed in (0, 1))
    assert frames_of(one, "long") == frames_of(one, "long") != frames_of(two, "long")
    one.seed = 1
    assert frames_of(one, "long") == frames_of(two, "long")
    starts = set()
    for seed in range(300):
        one.seed = seed
        starts.add(frames_of(one, "long")[0])
    assert starts == set(range(37))


# ---------------------------------------------------------------- folders as the world has them


def classes_of(root, *names):
    "A folder with a class folder a name, each with one clip."
    clip = moving_shapes(1, seed=3, frames=4)[0]
    for name in names:
        (root / name).mkdir(parents=True)
        write_video(clip, root / name / "a.npz")
    return root


@pytest.mark.parametrize(
    "names, order, said",
    [
        (map(str, range(12)), map(str, range(12)), None),
        (["00", "01", "02"], ["00", "01", "02"], None),
        (["1", "2", "10"], ["1", "2", "10"], "become labels 0 to 2"),
        (["0", "1", "5", "30"], ["0", "1", "5", "30"], "become labels"),
        (["c1", "c2", "c10"], ["c1", "c2", "c10"], "c1 to c10 become labels 0 to 2"),
        (["c0", "c1", "c2"], ["c0", "c1", "c2"], None),
        (["walk", "run", "run2"], ["run", "run2", "walk"], None),
        (["2_run", "10_walk"], ["2_run", "10_walk"], "2_run to 10_walk become labels 0 to 1"),
        (["01 walk", "02 run", "10 sit"], ["01 walk", "02 run", "10 sit"], None),
        (["class 1a", "class 2a", "class 10b"], ["class 1a", "class 2a", "class 10b"], "become labels 0 to 2"),
        (["3 steps", "walk"], ["3 steps", "walk"], None),
    ],
)
def test_order_of_numbered_classes(tmp_path, names, order, said):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ds = ClipFolder(classes_of(tmp_path / "set", *names), 4)
    assert ds.classes == list(order)
    assert [ds.classes[label] for label in ds.labels] == [id.split("/")[0] for id in ds.ids]
    assert (said in str(caught[0].message)) if said else not caught
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ClipFolder(tmp_path / "set", 4, classes=sorted(ds.classes)).classes == sorted(ds.classes)


def test_what_systems_leave_is_neither_class_nor_clip(tmp_path):
    classes_of(tmp_path, "jump", "run")
    for name in ("__MACOSX", "@eaDir", "#recycle", "$RECYCLE.BIN", "System Volume Information", "lost+found", ".Spotlight-V100"):
        (tmp_path / name / "jump").mkdir(parents=True)
        (tmp_path / name / "a.npz").write_bytes(b"junk")
        if name.startswith(("@", "#")):
            (tmp_path / "run" / name).mkdir()
    for name in ("Thumbs.db", "desktop.ini", "ehthumbs.db", "._a.npz", "a.npz:Zone.Identifier", "Icon\r"):
        (tmp_path / "run" / name).write_bytes(b"junk")
    ds = ClipFolder(tmp_path, 4)
    assert (ds.classes, ds.ids) == (["jump", "run"], ["jump/a.npz", "run/a.npz"])
    (tmp_path / "jump/a.npz").unlink()
    (tmp_path / "jump/Thumbs.db").write_bytes(b"junk")
    with pytest.raises(VideoFileError) as error:
        ClipFolder(tmp_path, 4)
    one_line(error, "jump has no clip")


def test_names_in_another_encoding_and_form(tmp_path):
    "Ids are plain text, the same on every machine; the files are found all the same."
    odd, apart = os.fsdecode(b"caf\xe9"), "cafe\u0301"
    classes_of(tmp_path, odd, apart)
    (tmp_path / odd / "a.npz").rename(tmp_path / odd / f"{odd}\n.npz")
    ds = ClipFolder(tmp_path, 4)
    assert all(name.isprintable() and name.encode() for name in ds.ids + ds.classes) and "caf\u00e9" in ds.classes
    assert len([ds[i] for i in range(2)]) == 2
    loader = ClipLoader(ds)
    assert [ids for _, _, ids in loader] == [ds.ids] and not loader.skipped
    rows = "\n".join(["path,label,who", *(f"{id},{id.split('/')[0]},Ada" for id in ds.ids)])
    (tmp_path / "manifest.csv").write_text(rows, encoding="utf-8")
    assert ClipFolder(tmp_path, 4, group="who").groups == ["Ada"] * 2
    (tmp_path / "list.txt").write_text("caf\u00e9/a.npz 0\n", encoding="utf-8")
    assert ClipList(tmp_path, tmp_path / "list.txt", frames=4)[0][0].shape[1] == 4


def test_raw_frames_of_several_series_by_pattern(tmp_path):
    from PIL import Image

    from videopure.video import to_uint8

    clip = moving_shapes(1, seed=9, frames=6)[0]
    (tmp_path / "walk/clip").mkdir(parents=True)
    for t, frame in enumerate(to_uint8(clip)):
        Image.fromarray(frame).save(tmp_path / f"walk/clip/img_{t:05d}.png")
        Image.fromarray(frame[..., 0]).save(tmp_path / f"walk/clip/flow_x_{t:05d}.png")
    ds = ClipFolder(tmp_path, 6)
    with pytest.raises(VideoFileError) as error:
        ds[0]
    one_line(error, "several series", "pattern")
    assert (ClipFolder(tmp_path, 6, pattern="img_#.png")[0][0] - clip[0]).abs().max() <= 0.5 / 255 + 1e-6


@pytest.mark.parametrize(
    "make",
    [
        lambda root: ClipFolder(root, classes=5),
        lambda root: ClipFolder(root, classes="walk"),
        lambda root: ClipFolder(root, classes=["walk", 5]),
        lambda root: ClipFolder(root, where="x"),
        lambda root: ClipFolder(root, where_not=[1]),
        lambda root: ClipFolder(root, group=5),
        lambda root: ClipFolder(root, seed="x"),
        lambda root: ClipFolder(root, loop="no"),
        lambda root: ClipFolder(root, frames=10**9),
        lambda root: ClipFolder(root, size=10**9),
        lambda root: ClipFolder(root, start=None),
        lambda root: ClipFolder(None),
        lambda root: Clips(root, 5, [0], ["a"]),
        lambda root: Clips(root, ["x"], ["0"], ["a"]),
        lambda root: Clips(root, ["x"], [], ["a"]),
        lambda root: UCF101(None, root),
        lambda root: Kinetics400(root, 5),
        lambda root: ClipList(root, None),
        lambda root: ClipFolder(root).in_order_of(5),
        lambda root: ClipFolder(root).in_order_of([0, 1]),
        lambda root: ClipFolder(root).choose("3"),
        lambda root: ClipFolder(root).choose(1.5),
        lambda root: ClipFolder(root).choose(99),
        lambda root: ClipLoader(5),
        lambda root: ClipLoader(ClipFolder(root), batch_size=0),
        lambda root: ClipLoader(ClipFolder(root), batch_size="8"),
        lambda root: ClipLoader(ClipFolder(root), workers=-1),
        lambda root: MovingShapes("9"),
        lambda root: MovingShapes(9, seed=None),
        lambda root: MovingShapes(9, frames=1),
        lambda root: MovingShapes(9, size="big"),
    ],
)
def test_settings_of_a_wrong_type(folder, make):
    (folder / "manifest.csv").write_text("path,label\n" + "\n".join(f"{id},{id.split('/')[0]}" for id in ClipFolder(folder).ids))
    with pytest.raises(VideoPureError) as error:
        make(folder)
    one_line(error)


# ---------------------------------------------------------------- manifest


ROWS = ["path,label,who,take", "run/a.npz,run,Ada,1", "run/b.npz,run,Bob,2", "walk/a.npz,walk,Ada,3", "walk/b.npz,walk,Bob,10"]


@pytest.fixture
def grouped(tmp_path):
    "Two classes of two clips each, by two people."
    clip = moving_shapes(1, seed=3, frames=4)[0]
    for name in ("run/a", "run/b", "walk/a", "walk/b"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write_video(clip, tmp_path / f"{name}.npz")
    (tmp_path / "manifest.csv").write_text("\n".join(ROWS))
    return tmp_path


@pytest.mark.filterwarnings("ignore:.*has no clip of")
def test_groups_and_rows(grouped):
    read = lambda **how: ClipFolder(grouped, 4, **how)
    assert read().groups is None and read(group="who").groups == ["Ada", "Bob"] * 2
    assert read(where={"who": "Ada"}).ids == ["run/a.npz", "walk/a.npz"]
    assert read(where={"take": [1, "10"]}, group="who").groups == ["Ada", "Bob"]
    assert read(where={"who": ["Ada", "Bob"], "take": range(2, 4)}).ids == ["run/b.npz", "walk/a.npz"]
    assert read(where={"label": "walk"}, where_not={"who": "Bob"}).labels == [1]
    for condition in ({"who": "Ada"}, {"who": "Ada", "take": 3}, {"take": [1, 2, 3]}):
        inside, outside = read(where=condition), read(where_not=condition)
        assert sorted(inside.ids + outside.ids) == read().ids and inside.classes == outside.classes == ["run", "walk"]


@pytest.mark.filterwarnings("ignore:.*has no clip of")
def test_byte_order_mark_spaces_and_backslashes(grouped):
    rows = [ROWS[0].replace(",", ", "), *(row.replace("/", "\\").replace(",", " , ") for row in ROWS[1:])]
    (grouped / "manifest.csv").write_text("\r\n".join(rows) + "\r\n", encoding="utf-8-sig", newline="")
    assert ClipFolder(grouped, 4, group="who", where={"take": 10}, classes=["run", "walk"]).groups == ["Bob"]


def test_a_where_that_empties_a_class_says_so(grouped):
    with pytest.warns(UserWarning, match="no clip of 1 of 2 classes: run"):
        ClipFolder(grouped, 4, where={"take": [3, 10]})


@pytest.mark.parametrize(
    "how, words",
    [
        ({"group": "age"}, ["no column 'age'", "path, label, who, take"]),
        ({"where": {"age": 3}}, ["no column 'age'"]),
        ({"where": {"who": "Eve"}}, ["who=Eve", "there are Ada, Bob"]),
        ({"where_not": {"take": [1, 4]}}, ["take=4", "1, 2, 3, 10"]),
        ({"where": {"who": "Ada", "take": 2}}, ["leave no clip of 4"]),
        ({"where": {"who": []}}, ["leave no clip"]),
        ({"where_not": {"who": ["Ada", "Bob"]}}, ["leave no clip"]),
    ],
)
def test_conditions_that_cannot_be_meant(grouped, how, words):
    with pytest.raises(VideoPureError) as error:
        ClipFolder(grouped, 4, **how)
    one_line(error, *words)


@pytest.mark.parametrize(
    "rows, words",
    [
        (None, ["manifest.csv does not exist", "path, label"]),
        (["file,label,who", *ROWS[1:]], ["no column 'path'", "file, label, who"]),
        ([], ["no column 'path'"]),
        ([*ROWS[:3], "walk/a.npz,walk"], ["row 4 has not 4 fields"]),
        ([*ROWS, "run/c.npz,run,Eve,4,5"], ["row 6 has not 4 fields"]),
        (ROWS[:-1], ["no row for walk/b.npz"]),
        ([*ROWS, "run/c.npz,run,Eve,4"], ["lists run/c.npz, which is not there"]),
        ([*ROWS, ROWS[1]], ["1 clips in two rows"]),
        ([*ROWS[:-1], "walk/b.npz,run,Bob,10"], ["walk/b.npz shows 'run'"]),
        (["\0\x01\xff" * 9], ["manifest.csv"]),
    ],
)
def test_bad_manifests(grouped, rows, words):
    path = grouped / "manifest.csv"
    path.unlink() if rows is None else path.write_bytes("\n".join(rows).encode("latin-1"))
    with pytest.raises(VideoPureError) as error:
        ClipFolder(grouped, 4, group="who")
    one_line(error, *words)


def test_a_row_without_file_matters_only_where_it_is_wanted(grouped):
    (grouped / "manifest.csv").write_text("\n".join([*ROWS, "run/c.npz,run,Eve,4"]))
    assert len(ClipFolder(grouped, 4, where={"who": ["Ada", "Bob"]})) == 4


@pytest.mark.skipif(not DATA.is_dir(), reason="needs ../shared/data")
def test_real_clips_by_sequence():
    train = ClipFolder(DATA, group="sequence", where_not={"sequence": [8, 16]})
    test = ClipFolder(DATA, group="sequence", where={"sequence": ["8", "16"]})
    assert len(train) + len(test) == len(ClipFolder(DATA)) == 96 and len(train.classes) == 6 and not test.absent
    assert set(test.groups) == {"8", "16"} and not set(train.groups) & set(test.groups)
    loader = ClipLoader(test, batch_size=4, workers=2)
    batches = list(loader)
    assert [id for _, _, ids in batches for id in ids] == test.ids and not loader.skipped
    assert all(clips.shape[1:] == (3, 16, 32, 32) and 0 <= clips.min() and clips.max() <= 1 for clips, _, _ in batches)


# ---------------------------------------------------------------- UCF-101


UCF_CLASSES = ["ApplyEyeMakeup", "ApplyLipstick", "Archery", "HandstandPushups"]
INSIDE = {"HandstandPushups": "HandStandPushups"}  # the folder, and its files: as published
UCF_FILES = [f"{name}/v_{INSIDE.get(name, name)}_g{g:02d}_c{c:02d}.avi" for name in UCF_CLASSES for g in (1, 8) for c in (1, 2)]


def write_avi(path, clip):
    "MPEG-4 in an .avi at 25 frames a second, as UCF-101 has it."
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as file:
        stream = file.add_stream("mpeg4", rate=25)
        stream.height, stream.width, stream.pix_fmt = *clip.shape[-2:], "yuv420p"
        for frame in to_uint8(clip):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        file.mux(stream.encode(None))


def write_lists(folder, files=UCF_FILES, classes=UCF_CLASSES):
    folder.mkdir(exist_ok=True)
    (folder / "classInd.txt").write_text("".join(f"{k} {name}\r\n" for k, name in enumerate(classes, 1)), newline="")
    for split, held_out in ((1, "_g01"), (2, "_g08"), (3, "_c02")):
        train = "".join(f"{f} {1 + classes.index(f.split('/')[0])}\n" for f in files if held_out not in f)
        (folder / f"trainlist{split:02d}.txt").write_text(train)
        (folder / f"testlist{split:02d}.txt").write_text("".join(f"{f}\n" for f in files if held_out in f))


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    "UCF-101 and its lists, in small."
    root = tmp_path_factory.mktemp("ucf")
    clips, _ = moving_shapes(len(UCF_FILES), seed=6, size=48)
    for clip, name in zip(clips, UCF_FILES):
        write_avi(root / "UCF-101" / name, clip[None])
    write_lists(root / "ucfTrainTestlist")
    return root


@pytest.fixture
def ucf(published, tmp_path):
    "The same, to be damaged."
    for path in sorted(published.rglob("*")):
        copy = tmp_path / path.relative_to(published)
        copy.mkdir(exist_ok=True) if path.is_dir() else copy.write_bytes(path.read_bytes())
    return tmp_path / "UCF-101", tmp_path / "ucfTrainTestlist"


@pytest.mark.parametrize("split, group", [(1, "g01"), (2, "g08")])
def test_official_splits(published, split, group):
    train, test = (UCF101(published / "UCF-101", published / "ucfTrainTestlist", split, subset, size=24) for subset in ("train", "test"))
    assert train.classes == test.classes == UCF_CLASSES
    assert test.ids == sorted(f for f in UCF_FILES if group in f) and sorted(train.ids + test.ids) == sorted(UCF_FILES)
    assert test.labels == [0, 0, 1, 1, 2, 2, 3, 3] and set(test.groups) == {group} and not set(train.groups) & {group}
    clip, label = test[-1]
    assert torch.equal(clip, read_video(published / "UCF-101" / test.ids[-1], frames=16, size=24)[0]) and label == 3
    assert not test.missing and not test.absent


def test_names_without_regard_to_case_and_flat_folders(ucf):
    root, lists = ucf
    expected = [clip for clip, _ in UCF101(root, lists, subset="test")]
    (root / "HandstandPushups").rename(root / "HandStandPushups")
    for path in root.glob("*/v_Hand*"):
        path.rename(path.with_name(path.name.replace("HandStand", "Handstand")))
    renamed = [clip for clip, _ in UCF101(root, lists, subset="test")]
    for path in root.glob("*/*"):
        path.rename(root / path.name)
    flat = UCF101(root, lists, subset="test")
    (lists / "testlist01.txt").write_text((lists / "testlist01.txt").read_text().replace("HandstandPushups/", "HandStandPushups/"))
    assert UCF101(root, lists, subset="test").labels == flat.labels
    for clips in (renamed, [clip for clip, _ in flat]):
        assert all(torch.equal(a, b) for a, b in zip(clips, expected))


def test_clips_of_ucf_that_are_not_there(ucf):
    root, lists = ucf
    (root / UCF_FILES[0]).unlink()
    with pytest.raises(VideoFileError) as error:
        UCF101(root, lists, subset="test")
    one_line(error, "lacks 1 of the 8 clips of testlist01.txt", UCF_FILES[0], "incomplete=True")
    with pytest.warns(UserWarning, match="lacks 1 of 8 listed clips"):
        ds = UCF101(root, lists, subset="test", incomplete=True)
    assert ds.missing == UCF_FILES[:1] and len(ds) == 7 and ds.ids[0] == UCF_FILES[1] and "1 listed clips missing" in repr(ds)
    with pytest.raises(VideoFileError) as error:
        UCF101(lists, lists, incomplete=True)
    one_line(error, "none of the 8 clips")
    with pytest.raises(VideoFileError) as error:
        UCF101(root / "nowhere", lists)
    one_line(error, "nowhere is not a folder")


def test_all_101_classes_of_which_few_have_clips(ucf):
    root, lists = ucf
    classes = UCF_CLASSES + [f"Class{k:02d}" for k in range(97)]
    write_lists(lists, classes=classes)
    with pytest.warns(UserWarning, match="no clip of 97 of 101 classes: Class00, .* and 85 more"):
        ds = UCF101(root, lists)
    assert len(ds.classes) == 101 and max(ds.labels) == 3


@pytest.mark.parametrize("how", [{"split": 4}, {"split": 0}, {"split": "1"}, {"subset": "val"}])
def test_splits_ucf_has_not(published, how):
    with pytest.raises(VideoPureError) as error:
        UCF101(published / "UCF-101", published / "ucfTrainTestlist", **how)
    one_line(error, *("split is '1'" if value == "1" else f"{name}={value!r}" for name, value in how.items()))


@pytest.mark.parametrize(
    "name, text, words",
    [
        ("classInd.txt", None, ["classInd.txt does not exist"]),
        ("classInd.txt", "ApplyEyeMakeup\nApplyLipstick\n", ["line 1 is 'ApplyEyeMakeup'", "'1 NameOfTheClass'"]),
        ("classInd.txt", "1 ApplyEyeMakeup\n3 ApplyLipstick\n", ["line 2 is '3 ApplyLipstick'"]),
        ("classInd.txt", "1 ApplyEyeMakeup\n2 ApplyLipstick\n3 Archery\n", ["'HandstandPushups'", "among the 3"]),
        ("classInd.txt", "", ["'ApplyEyeMakeup'", "among the 0"]),
        ("classInd.txt", b"\xff\xfe\x00\xd8", ["cannot be read as text"]),
        ("trainlist01.txt", None, ["trainlist01.txt does not exist"]),
        ("trainlist01.txt", UCF_FILES[2] + " 102\n", ["line 1 has label 102", "1 of 1 to 4"]),
        ("trainlist01.txt", UCF_FILES[2] + " 0\n", ["label 0"]),
        ("trainlist01.txt", UCF_FILES[2] + " 2\n", ["label 2", "ApplyEyeMakeup is 1"]),
        ("trainlist01.txt", UCF_FILES[2] + " one\n", ["label one"]),
        ("trainlist01.txt", "\n\nsome/clip.avi 1\n", ["line 3 is 'some/clip.avi 1'"]),
        ("trainlist01.txt", "Yoga/v_Yoga_g01_c01.avi 1\n", ["class 'Yoga'"]),
        ("trainlist01.txt", f"{UCF_FILES[2]} 1\n" * 2, ["twice"]),
        ("trainlist01.txt", "", ["none of the 0 clips"]),
    ],
)
def test_bad_lists(ucf, name, text, words):
    root, lists = ucf
    path = lists / name
    path.unlink() if text is None else path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(VideoPureError) as error:
        UCF101(root, lists)
    one_line(error, *words)


def test_a_corrupt_a_short_and_a_larger_file(ucf):
    root, lists = ucf
    test = UCF101(root, lists, subset="test")
    (root / test.ids[0]).write_bytes((root / test.ids[0]).read_bytes()[:3000])
    write_avi(root / test.ids[1], moving_shapes(1, frames=7, size=48)[0])
    write_avi(root / test.ids[2], moving_shapes(1, size=80)[0][..., :62, :70])
    loader = ClipLoader(test, batch_size=3, workers=2)
    with pytest.warns(UserWarning, match="2 of 8 clips skipped"):
        batches = list(loader)
    assert list(loader.skipped) == test.ids[:2] and "7 frames" in loader.skipped[test.ids[1]]
    assert [id for _, _, ids in batches for id in ids] == test.ids[2:] and [len(labels) for _, labels, _ in batches] == [1, 3, 2]
    plain = iter(DataLoader(test, batch_size=3, num_workers=2))
    with pytest.raises(VideoFileError, match=test.ids[0].split("/")[1]):
        next(plain)
    assert [len(labels) for _, labels in plain] == [3, 2]  # to the end, or torch waits ten seconds for its workers


# ---------------------------------------------------------------- Kinetics


KINETICS = [
    ("riding a bike", "-3B32lodo2M", 59, "train"),
    ("air drumming", "_dbcJuKJQNs", 140, "val"),
    ("massaging person's head", "AAAAAAAAAAA", 0, "val"),
    ("punching person (boxing)", "aaaaaaaaaaa", 7, "val"),
    ("riding a bike", "bbbbbbbbbbb", 0, "val"),
    ("air drumming", "gone_gone-_", 3, "val"),
]
LABELS = sorted({row[0] for row in KINETICS})


def kinetics_csv(path, rows=KINETICS, cc=True):
    head = "label,youtube_id,time_start,time_end,split" + ",is_cc" * cc
    text = [f'"{label}",{id},{s},{s + 10},{split}' + ",0" * cc for label, id, s, split in rows]
    path.write_text("\n".join([head, *text]) + "\n")
    return path


@pytest.fixture(scope="module")
def kinetics(tmp_path_factory):
    "Four copies of Kinetics, arranged as people have them, without the last video."
    root = tmp_path_factory.mktemp("kinetics")
    clips, _ = moving_shapes(5, seed=8)
    layouts = {"spaces": "{label}", "underscores": "{plain}", "flat": ".", "splits": "{split}/{plain}"}
    for clip, (label, id, s, split) in zip(clips, KINETICS):
        file = write_video(clip[None], root / "clip.mp4").read_bytes()
        for layout, folder in layouts.items():
            path = root / layout / folder.format(label=label, plain=label.replace(" ", "_"), split=split) / f"{id}_{s:06d}_{s + 10:06d}.mp4"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file)
            path.with_suffix(".json").write_text("{}")  # some downloaders leave these
    kinetics_csv(root / "all.csv")
    return root


@pytest.mark.parametrize("layout", ["spaces", "underscores", "flat", "splits"])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_every_arrangement_is_the_same_data_set(kinetics, layout):
    ds = Kinetics400(kinetics / layout, kinetics / "all.csv", "val")
    assert ds.classes == LABELS and ds.labels == [0, 1, 2, 3]
    assert ds.ids[0] == "air drumming/_dbcJuKJQNs_000140_000150"
    assert ds.groups == ["_dbcJuKJQNs", "AAAAAAAAAAA", "aaaaaaaaaaa", "bbbbbbbbbbb"]
    assert ds.missing == ["air drumming/gone_gone-__000003_000013"]
    clip, label = ds[3]
    assert torch.equal(clip, read_video(kinetics / "flat/bbbbbbbbbbb_000000_000010.mp4", frames=16, size=32)[0]) and label == 3


def test_missing_videos_are_counted_once(kinetics, tmp_path):
    with pytest.warns(UserWarning, match="lacks 1 of 6 listed clips") as said:
        ds = Kinetics400(kinetics / "flat", kinetics / "all.csv")
    assert len(said) == 1 and len(ds) == 5 and "1 listed clips missing" in repr(ds)
    with pytest.raises(VideoFileError) as error:
        Kinetics400(kinetics / "flat", kinetics / "all.csv", incomplete=False)
    one_line(error, "lacks 1 of the 6 clips of all.csv", "gone_gone")
    with pytest.raises(VideoFileError) as error:
        Kinetics400(tmp_path, kinetics / "all.csv")
    one_line(error, "none of the 6 clips")


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_newer_tables_say_validate(kinetics, tmp_path):
    rows = [(label, id, s, "validate" if split == "val" else split) for label, id, s, split in KINETICS]
    path = kinetics_csv(tmp_path / "validate.csv", rows, cc=False)
    assert Kinetics400(kinetics / "flat", path, "val").ids == Kinetics400(kinetics / "flat", path, "validate").ids
    assert len(Kinetics400(kinetics / "flat", path, "train")) == 1


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_given_classes_of_kinetics(kinetics):
    classes = ["yoga", *(label.replace(" ", "_") for label in reversed(LABELS))]
    ds = Kinetics400(kinetics / "flat", kinetics / "all.csv", "val", classes=classes)
    assert ds.labels == [4, 3, 2, 1] and ds.absent == ["yoga"] and ds.classes == classes
    with pytest.raises(VideoPureError) as error:
        Kinetics400(kinetics / "flat", kinetics / "all.csv", "val", classes=classes[:-1])
    one_line(error, "'air drumming'", "4 classes given")


@pytest.mark.parametrize(
    "text, words",
    [
        (None, ["does not exist", "label, youtube_id"]),
        ("youtube_id,time_start,time_end,split\naaaaaaaaaaa,7,17,test\n", ["no column 'label'", "youtube_id, time_start"]),
        ("label,id,time_start,time_end,split\nyoga,aaaaaaaaaaa,7,17,val\n", ["no column 'youtube_id'"]),
        ("label,youtube_id,time_start,time_end,split\nyoga,aaaaaaaaaaa,7\n", ["row 2 has not 5 fields"]),
        ("label,youtube_id,time_start,time_end,split\nyoga,aaaaaaaaaaa,7,later,val\n", ["row 2 lasts from '7' to 'later'"]),
        ("label,youtube_id,time_start,time_end,split\nyoga,aaaaaaaaaaa,7,17,test\n", ["no row with split 'val'", "it has test"]),
        ("label,youtube_id,time_start,time_end,split\n", ["no row with split 'val'", "no rows"]),
        ("label,youtube_id,time_start,time_end,split\nyoga,a,7,17,val\njudo,a,7,17,val\n", ["row 3", "'judo'", "'yoga'"]),
        (b"\xff\xfe\x00\xd8" * 20, ["cannot be read as text"]),
    ],
)
def test_bad_tables(kinetics, tmp_path, text, words):
    path = tmp_path / "val.csv"
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(VideoPureError) as error:
        Kinetics400(kinetics / "flat", path, "val")
    one_line(error, path, *words)


# ---------------------------------------------------------------- text lists


def test_text_list(folder):
    listing = folder / "val.txt"
    listing.write_text("walk/b.npz 1\nrun fast/large.mp4 20 0\n\n")
    ds = ClipList(folder, listing)
    assert (ds.ids, ds.labels, ds.classes) == (["run fast/large.mp4", "walk/b.npz"], [0, 1], ["0", "1"])
    assert torch.equal(ds[1][0], moving_shapes(4, seed=1)[0][0])
    absolute = folder / "absolute.txt"
    absolute.write_text(f"{folder}/walk/b.npz 0\n")
    assert torch.equal(ClipList("/", absolute)[0][0], ds[1][0])


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16"])
def test_lists_made_on_windows(folder, coding):
    lines = "walk\\b.npz 1\r\nrun fast\\large.mp4 20 0\r\n"
    (folder / "val.txt").write_text(lines, encoding=coding, newline="")
    ds = ClipList(folder, folder / "val.txt")
    assert (ds.ids, ds.labels) == (["run fast/large.mp4", "walk/b.npz"], [0, 1])
    assert torch.equal(ds[1][0], moving_shapes(4, seed=1)[0][0])
    rows = ["path,label,who", *(f"{id.replace('/', chr(92))},{id.split('/')[0]},Zo\u00eb" for id in ClipFolder(folder).ids)]
    (folder / "manifest.csv").write_text("\r\n".join(rows), encoding=coding, newline="")
    assert set(ClipFolder(folder, group="who").groups) == {"Zo\u00eb"}


@pytest.mark.skipif(os.sep == "\\", reason="a name there cannot hold one")
def test_a_backslash_that_is_part_of_a_name(folder):
    (folder / "walk/b.npz").rename(folder / "walk\\b.npz")
    (folder / "val.txt").write_text("walk\\b.npz 0\n")
    assert torch.equal(ClipList(folder, folder / "val.txt")[0][0], moving_shapes(4, seed=1)[0][0])


@pytest.mark.parametrize(
    "text, words",
    [
        ("walk/b.npz 9999999999\n", ["line 1"]),
        ("x" * 999 + " 1\n", ["none of the 1 clips"]),
        ("walk/b.npz\n", ["line 1 is 'walk/b.npz'", "'path label'"]),
        ("walk/b.npz walk\n", ["line 1"]),
        ("walk/b.npz 2\n", ["label 2 of walk/b.npz", "0 to 1"]),
        ("walk/b.npz -1\n", ["line 1"]),
        ("walk/b.npz 1\nwalk/c.npz 1\n", ["lacks 1 of the 2 clips", "walk/c.npz"]),
        ("walk/c.npz 1\n", ["none of the 1 clips"]),
        ("walk/b.npz 1\nwalk/b.npz 1\n", ["twice"]),
        ("\n", ["no lines"]),
    ],
)
def test_bad_text_lists(folder, text, words):
    (folder / "val.txt").write_text(text)
    with pytest.raises(VideoPureError) as error:
        ClipList(folder, folder / "val.txt", classes=["run", "walk"])
    one_line(error, *words)


# ---------------------------------------------------------------- choosing and loading


def test_choice_is_balanced_reproducible_and_nested(tmp_path):
    for name, count in (("a", 20), ("b", 3), ("c", 20)):
        for i in range(count):
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / f"{i}.mp4").touch()
    ds = ClipFolder(tmp_path)
    assert np.bincount(ds.choose(9).labels).tolist() == [3, 3, 3] and np.bincount(ds.choose(13).labels).tolist() == [5, 3, 5]
    assert ds.choose(7).ids == ds.choose(7).ids == sorted(ds.choose(7).ids) != ds.choose(7, seed=1).ids
    for n in range(1, 43):
        assert set(ds.choose(n).ids) < set(ds.choose(n + 1).ids)
    assert ds.choose(43).ids == ds.ids
    for n in (0, 44):
        with pytest.raises(VideoPureError) as error:
            ds.choose(n)
        one_line(error, "1 to 43")


def test_classes_take_turns():
    labels = torch.tensor([0, 0, 0, 1, 1, 2])
    assert in_turns(range(6), labels) == [0, 3, 5, 1, 4, 2]
    assert in_turns([5, 4, 3, 2, 1, 0], labels) == [5, 4, 2, 3, 1, 0]
    assert in_turns([0, 2, 4], labels.tolist()) == [0, 4, 2] and in_turns(["b", "a"], {"a": 0, "b": 0}) == ["b", "a"]


def test_a_clip_or_the_reason(folder):
    ds = ClipFolder(folder)
    clip, label, reason = _read_or_reason(ds, 3)
    assert torch.equal(clip, ds[3][0]) and (label, reason) == (1, None)
    assert _read_or_reason(ds, 0)[:2] == (None, None) and "corrupt.mp4" in _read_or_reason(ds, 0)[2]
    for wrong in (clip * 255, clip[0], clip.numpy(), clip / 0):
        assert "clip" in _read_or_reason([(wrong, 0)], 0)[2]
    for error in (KeyError("label"), MissingPackageError("pip install av")):
        with pytest.raises(type(error)):
            _read_or_reason(Broken(error), 0)


@pytest.mark.parametrize("context", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
def test_order_is_that_of_the_data_set_for_any_number_of_workers(folder, context):
    ds = ClipFolder(folder, stride=1, start="random")
    ds[3]  # the decoder has been used in this process before
    runs = []
    for workers in (0, 1, 2) if context == "fork" else (0, 2):  # a spawned worker takes seconds to import all
        loader = ClipLoader(ds, 2, workers, multiprocessing_context=context if workers else None)
        with pytest.warns(UserWarning, match="2 of 5 clips skipped"):
            runs.append([(clips, labels.tolist(), ids) for clips, labels, ids in loader])
        assert list(loader.skipped) == ["run fast/corrupt.mp4", "walk/short.mp4"] and len(loader) == 3
    for run in runs:
        assert [ids for _, _, ids in run] == [["run fast/large.mp4"], ["walk/a.mp4", "walk/b.npz"]]
        assert [labels for _, labels, _ in run] == [[0], [1, 1]]
        assert all(torch.equal(a[0], b[0]) for a, b in zip(run, runs[0]))


DYING = """
import os, signal, time, torch
from videopure.checks import VideoPureError
from videopure.data import ClipLoader

class Fragile(torch.utils.data.Dataset):
    def __len__(self): return 4
    def __getitem__(self, i):
        if i == 2: time.sleep(1), os.kill(os.getpid(), signal.SIGKILL)  # while the others are waited for
        return torch.zeros(3, 2, 4, 4), 0

for workers in (1, 2):
    try: list(ClipLoader(Fragile(), 1, workers))
    except VideoPureError as error: print(error)
"""


def test_a_worker_that_dies():
    "In a process of its own: torch tells of the death by a signal, which would hit the test runner."
    said = subprocess.run([sys.executable, "-c", DYING], capture_output=True, text=True).stdout
    assert said.count("a worker has died") == said.count("use fewer workers") == 2


@pytest.mark.parametrize("workers", [0, 1])
def test_an_error_of_a_data_set_is_not_the_death_of_a_worker(workers):
    with pytest.raises(RuntimeError, match="mine"):
        list(ClipLoader(Broken(RuntimeError("mine"), first=2), 1, workers))


def test_account_is_kept_anew_each_time(folder):
    loader = ClipLoader(Subset(ClipFolder(folder), [0, 1, 4]), batch_size=8)
    for _ in range(2):
        with pytest.warns(UserWarning, match="2 of 3 clips skipped"):
            assert [ids for _, _, ids in loader] == [["run fast/large.mp4"]]
        assert len(loader.skipped) == 2


def test_nothing_readable_is_an_error(folder):
    with pytest.raises(VideoFileError) as error:
        list(ClipLoader(Subset(ClipFolder(folder), [0, 4])))
    one_line(error, "none of the 2 clips", "corrupt.mp4")


def test_clips_of_different_shapes_are_an_error(folder):
    good = Subset(ClipFolder(folder, size=None), [1, 2])
    with pytest.raises(VideoPureError) as error:
        list(ClipLoader(good, workers=1))
    one_line(error, "48", "32", "batch_size=1")
    assert len(list(ClipLoader(good, batch_size=1))) == 2


class Broken(Dataset):
    "A data set with a mistake in it, or without a package."

    def __init__(self, error, first=0):
        self.error, self.first = error, first

    def __len__(self):
        return 3

    def __getitem__(self, i):
        if i >= self.first:
            raise self.error
        return torch.zeros(3, 2, 4, 4), 0


@pytest.mark.parametrize("error", [KeyError("label"), MissingPackageError("pip install av"), ZeroDivisionError()])
def test_other_errors_are_not_skipped(error):
    with pytest.raises(type(error)):
        list(ClipLoader(Broken(error)))


def test_loads_other_data_sets_and_options():
    ds = MovingShapes(5, seed=2)
    clips, labels, ids = next(iter(ClipLoader(ds, batch_size=5, shuffle=True, generator=torch.Generator().manual_seed(0))))
    assert ids != ds.ids and sorted(ids) == ds.ids
    assert all(torch.equal(clip, ds[ds.ids.index(id)][0]) for clip, id in zip(clips, ids))


def test_a_data_set_survives_pickling(published):
    ds = UCF101(published / "UCF-101", published / "ucfTrainTestlist", subset="test", stride=1, start="random")
    again = pickle.loads(pickle.dumps(ds))
    assert again.ids == ds.ids and torch.equal(again[3][0], ds[3][0])


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(tmp_path):
    "32 frames of a long film of full size: only the small frames are kept."
    resource = pytest.importorskip("resource")
    (tmp_path / "long").mkdir()
    frames = torch.rand(1, 3, 2, 240, 320).repeat(1, 1, 150, 1, 1)
    write_avi(tmp_path / "long/a.avi", frames)
    write_avi(tmp_path / "long/b.avi", frames[:, :, :40])
    del frames
    ds = ClipFolder(tmp_path, 32, 64)
    ds[1]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ds[0]
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / (1 if os.uname().sysname == "Darwin" else 1024)
    assert grown < 60  # MB; all frames decoded would be 69, as floats 276


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
    one_line(error, f"n is {n}" if n < 1 else f"seed is {seed}", "expected a whole number")
