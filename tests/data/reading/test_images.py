import sys

import numpy as np
import pytest

from incumbent.data import LazyRows, Schema, read
from incumbent.errors import DataError, MissingDependency, SchemaError, UsageError

Image = pytest.importorskip("PIL.Image", reason="images are read through Pillow")


def picture(file, shape=(6, 8, 3), seed=0, mode=None):
    file.parent.mkdir(exist_ok=True, parents=True)
    values = np.random.default_rng(seed).integers(0, 256, size=shape, dtype=np.uint8)
    image = Image.fromarray(values)
    (image if mode is None else image.convert(mode)).save(file)
    return values


@pytest.fixture
def folder(tmp_path):
    for seed, name in enumerate(["dog/b.png", "cat/z.png", "dog/a.png", "cat/a.PNG", "cat/b.bmp"]):
        picture(tmp_path / "pets" / name, seed=seed)
    (tmp_path / "pets" / "cat" / "notes.txt").write_text("no image")
    (tmp_path / "pets" / "cat" / ".hidden.png").write_bytes(b"no image")
    return tmp_path / "pets"


@pytest.fixture
def no_room(monkeypatch):
    monkeypatch.setattr("incumbent.data.reading._images.HELD", 0)


def test_a_folder_of_images_by_class_is_read_in_order_of_class_and_name(folder):
    found = read(folder, tensors=True, target="kind")
    assert found.parts["x"].shape == (5, 6, 8, 3) and found.parts["x"].dtype == np.uint8
    assert found.parts["kind"].tolist() == ["cat", "cat", "cat", "dog", "dog"]
    assert found.source == "pets (5 images)"
    wanted = np.random.default_rng(2).integers(0, 256, size=(6, 8, 3), dtype=np.uint8)
    np.testing.assert_array_equal(found.parts["x"][3], wanted)  # dog/a.png


def test_images_without_classes_have_no_labels(tmp_path):
    picture(tmp_path / "a.png")
    assert list(read(tmp_path, tensors=True).parts) == ["x"]


def test_more_images_than_are_held_stay_in_their_files(folder, no_room):
    held = read(folder, tensors=True).parts["x"]
    assert isinstance(held, LazyRows) and held.shape == (5, 6, 8, 3)
    wanted = np.random.default_rng(2).integers(0, 256, size=(6, 8, 3), dtype=np.uint8)
    np.testing.assert_array_equal(held[[0, 3]][1], wanted)


def test_grey_images_have_one_channel_and_a_colour_among_them_makes_three(tmp_path):
    grey = picture(tmp_path / "a" / "1.png", shape=(6, 8))
    picture(tmp_path / "b" / "1.png", shape=(6, 8), mode="LA")
    x = read(tmp_path, tensors=True).parts["x"]
    assert x.shape == (2, 6, 8, 1)
    np.testing.assert_array_equal(x[0, :, :, 0], grey)
    picture(tmp_path / "b" / "2.png", mode="RGBA")
    x = read(tmp_path, tensors=True).parts["x"]
    assert x.shape == (3, 6, 8, 3)
    np.testing.assert_array_equal(x[0], np.repeat(grey[:, :, None], 3, axis=2))


def test_sizes_that_differ_are_named_and_size_resizes(tmp_path):
    picture(tmp_path / "a" / "1.png")
    picture(tmp_path / "a" / "2.jpg")
    picture(tmp_path / "b" / "3.png", shape=(9, 4, 3))
    said = r"differ in size .*2 of 6 x 8, 1 of 9 x 4; .*incumbent init ... --size 6x8; .*tensors=True, size=\(6, 8\)\)"
    with pytest.raises(DataError, match=said):
        read(tmp_path, tensors=True)
    assert read(tmp_path, tensors=True, size=(3, 5)).parts["x"].shape == (3, 3, 5, 3)


@pytest.mark.parametrize(("size", "shape"), [(5, (5, 5)), ("5", (5, 5)), ("3x5", (3, 5)), ([3, 5], (3, 5))])
def test_a_size_may_be_one_number_or_a_text(folder, size, shape):
    assert read(folder, tensors=True, size=size).parts["x"].shape == (5, *shape, 3)


def test_the_notes_say_which_images_were_resized(tmp_path):
    picture(tmp_path / "a" / "1.png")
    picture(tmp_path / "a" / "2.png", shape=(9, 4, 3))
    found = read(tmp_path, tensors=True, size=(6, 8))
    (note,) = found.notes
    assert note.level == "note" and "1 of 2 images was resized to 6 x 8 (height x width)" in note.text
    assert note.text.endswith("1 of 9 x 4.")
    wanted = np.random.default_rng(0).integers(0, 256, size=(6, 8, 3), dtype=np.uint8)
    np.testing.assert_array_equal(found.parts["x"][0], wanted)  # that has the size already
    (tmp_path / "a" / "2.png").unlink()
    assert read(tmp_path, tensors=True, size=(6, 8)).notes == ()


def test_photographs_are_turned_upright_as_their_exif_data_say(tmp_path):
    (tmp_path / "cat").mkdir()
    grey = np.arange(48, dtype=np.uint8).reshape(6, 8)
    for orientation, lies in ((1, grey), (3, grey[::-1, ::-1]), (6, np.rot90(grey)), (8, np.rot90(grey, -1))):
        exif = Image.Exif()
        exif[0x0112] = orientation
        Image.fromarray(np.ascontiguousarray(lies)).save(tmp_path / "cat" / f"{orientation}.png", exif=exif)
    found = read(tmp_path, tensors=True, target="y")
    assert found.parts["x"].shape == (4, 6, 8, 1) and (found.parts["x"][..., 0] == grey).all()
    assert [note.text for note in found.notes] == ["3 of 4 images were turned upright, as the EXIF data say."]


def test_the_notes_survive_labels_that_are_given_apart(tmp_path):
    picture(tmp_path / "1.png")
    found = read((tmp_path, ["cat"]), tensors=True, size=3)
    assert found.parts["x"].shape == (1, 3, 3, 3) and found.notes[0].text.startswith("1 of 1 image was resized")


def test_grey_images_are_read_in_colour_and_colour_as_grey_where_that_is_asked_for(tmp_path):
    grey = picture(tmp_path / "grey" / "1.png", shape=(6, 8))
    found = read(tmp_path / "grey", tensors=True, channels=3)
    np.testing.assert_array_equal(found.parts["x"][0], np.repeat(grey[:, :, None], 3, axis=2))
    assert [note.level for note in found.notes] == ["note"] and "grey, and read in colour" in found.notes[0].text
    picture(tmp_path / "colour" / "1.png", shape=(6, 8))
    picture(tmp_path / "colour" / "2.png")
    found = read(tmp_path / "colour", tensors=True, channels=1)
    assert found.parts["x"].shape == (2, 6, 8, 1)
    assert [note.level for note in found.notes] == ["warning"]
    assert found.notes[0].text == "1 of 2 images in colour was read as grey."
    assert read(tmp_path / "colour", tensors=True, channels=3).notes == ()


@pytest.mark.parametrize("form", [{"size": 8}, {"channels": 1}, {"size": 8, "channels": 3}])
def test_a_size_for_anything_but_images_is_refused(tmp_path, form):
    (tmp_path / "a.csv").write_text("n,target\n1,0\n")
    for source in (tmp_path / "a.csv", np.zeros((2, 8, 8, 3), dtype=np.uint8)):
        with pytest.raises(UsageError, match=f"{' and '.join(form)} is for a folder of images, and .* is none"):
            read(source, tensors=True, **form)


def test_channels_are_one_or_three(folder):
    with pytest.raises(UsageError, match="1 for grey or 3 for colour; got 4"):
        read(folder, tensors=True, channels=4)


def test_a_later_folder_is_read_in_the_size_and_channels_of_the_first(tmp_path):
    for number in range(4):
        picture(tmp_path / "old" / "ab"[number % 2] / f"{number}.png", shape=(6, 8), seed=number)
        picture(tmp_path / "new" / "ab"[number % 2] / f"{number}.png", shape=(9, 4, 3), seed=number)
    schema = Schema.of(read(tmp_path / "old", tensors=True, target="kind"), target="kind")
    for rows in (tmp_path / "new", schema.read(tmp_path / "new")):
        batch, check = schema.check(rows)
        assert batch.x.shape == (4, 6, 8, 1) and sorted(batch.y) == ["a", "a", "b", "b"]
        assert [finding.level for finding in check.findings if "images" in finding.text] == ["note", "warning"]
        assert "4 of 4 images were resized to 6 x 8" in str(check) and "in colour were read as grey" in str(check)
    again = Schema.from_dict(schema.to_dict())
    assert schema.check(again.read(tmp_path / "new"), labelled=False)[0].x.shape == (4, 6, 8, 1)


def test_images_are_left_as_they_are_for_a_model_of_other_inputs(tmp_path):
    picture(tmp_path / "a" / "1.png")
    picture(tmp_path / "b" / "2.png", seed=1)
    x = np.zeros((4, 3, 6, 8), dtype=np.uint8)  # channels first, which a folder never is
    schema = Schema.of(read((x, [0, 1, 0, 1]), tensors=True), target="target")
    with pytest.raises(SchemaError, match=r"rows of shape \(6, 8, 3\), but .* trained on rows of shape \(3, 6, 8\)"):
        schema.check(tmp_path, labelled=False)


@pytest.mark.parametrize("lazy", [False, True])
def test_files_that_cannot_be_read_are_named(folder, lazy, monkeypatch):
    (folder / "cat" / "bad.png").write_bytes(b"no image")
    (folder / "dog" / "bad.jpg").write_bytes(b"")
    Image.fromarray(np.zeros((6, 8), dtype=np.uint16)).save(folder / "dog" / "deep.png")
    with pytest.raises(
        DataError, match=r"3 files .* as images of 8 bits a colour: 'cat/bad.png', 'dog/bad.jpg', 'dog/"
    ):
        read(folder, tensors=True)
    for name in ("cat/bad.png", "dog/bad.jpg", "dog/deep.png"):
        (folder / name).unlink()
    cut = folder / "cat" / "a.PNG"  # its head is sound, the rest is not there
    cut.write_bytes(cut.read_bytes()[:120])
    if lazy:
        monkeypatch.setattr("incumbent.data.reading._images.HELD", 0)
    with pytest.raises(DataError, match="1 file of .* cannot be read as an image .*: 'cat/a.PNG'"):
        np.asarray(read(folder, tensors=True).parts["x"])


def test_without_pillow_it_says_how_to_get_it(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(MissingDependency, match=r"pip install 'incumbent\[torch\]'"):
        read(folder, tensors=True)


@pytest.mark.parametrize("size", [(0, 3), (3,), (1, 2, 3), 0, -2, 2.5, "", "axb", "3x", "1x2x3"])
def test_a_size_that_means_nothing_is_refused(folder, size):
    with pytest.raises(UsageError, match="height, width"):
        read(folder, tensors=True, size=size)


def test_a_folder_of_tables_is_a_table_whatever_is_drawn_beside_them(tmp_path):
    (tmp_path / "a.csv").write_text("n,target\n1,0\n")
    picture(tmp_path / "plots" / "a.png")
    assert read(tmp_path).shape == read(tmp_path, tensors=True).shape == (1, 2)
