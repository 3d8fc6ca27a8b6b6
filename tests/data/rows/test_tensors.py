import sys
import zipfile

import numpy as np
import pandas as pd
import pytest

from incumbent.data import LazyRows, read
from incumbent.data.reading import _dataset as dataset_file
from incumbent.errors import DataError

torch = pytest.importorskip("torch", reason="tensors and Datasets are read by what they can do, shown here with torch")

IMAGES = np.random.default_rng(0).integers(0, 256, size=(6, 4, 5, 3), dtype=np.uint8)
LABELS = np.array(["cat", "dog", "cat", "dog", "cat", "cat"])


class Examples(torch.utils.data.Dataset):
    """Items made by a function of their number; counts how often each was asked for."""

    def __init__(self, make, length=6):
        self.make, self.length, self.asked = make, length, 0

    def __len__(self):
        return self.length

    def __getitem__(self, number):
        self.asked += 1
        return self.make(number)


def forms():
    codes = (LABELS == "dog").astype(int)
    pairs = [(image, int(code)) for image, code in zip(IMAGES, codes, strict=True)]
    return {
        "array": (IMAGES, codes),
        "tensor": (torch.from_numpy(IMAGES), torch.from_numpy(codes)),
        "gradient": (torch.from_numpy(IMAGES), torch.from_numpy(codes.astype(float)).requires_grad_()),
        "column": (IMAGES, codes[:, None]),
        "series": (IMAGES, pd.Series(codes, index=range(10, 16))),
        "nested lists": (IMAGES.tolist(), codes.tolist()),
        "dict": {"x": IMAGES, "target": codes},
        "TensorDataset": torch.utils.data.TensorDataset(torch.from_numpy(IMAGES), torch.from_numpy(codes)),
        "Dataset": Examples(lambda i: (torch.from_numpy(IMAGES[i]), int(codes[i]))),
        "Dataset of tensors": Examples(lambda i: (IMAGES[i], torch.tensor(codes[i]))),
        "Dataset of dicts": Examples(lambda i: {"x": IMAGES[i], "target": codes[i]}),
        "Subset": torch.utils.data.Subset(Examples(lambda i: pairs[i]), range(6)),
        "list of pairs": pairs,
    }


@pytest.mark.parametrize("form", forms())
def test_every_form_of_the_same_rows_gives_the_same_arrays(form):
    found = read(forms()[form], tensors=True)
    assert list(found.parts) == ["x", "target"] and len(found) == 6
    np.testing.assert_array_equal(found.parts["x"], IMAGES)
    assert found.parts["target"].tolist() == [0, 1, 0, 1, 0, 0]
    if form != "nested lists":  # which have no type of their own
        assert found.parts["x"].dtype == np.uint8
    assert found.named == ("dict" in form)


def test_arrays_and_tensors_are_not_copied():
    x = np.zeros((3, 2, 2))
    assert np.shares_memory(read((x, [0, 1, 0]), tensors=True).parts["x"], x)
    held = torch.zeros(3, 2, 2)
    held_x = read({"a": held}, tensors=True).parts["a"]
    held[0, 0, 0] = 7
    assert held_x[0, 0, 0] == 7


def test_half_precision_that_numpy_lacks_becomes_single():
    found = read(torch.ones(3, 2, dtype=torch.bfloat16), tensors=True)
    assert found.parts["x"].dtype == np.float32


def test_a_dict_may_hold_arrays_and_a_table():
    table = pd.DataFrame({"age": [1, 2, 3]}, index=[7, 8, 9])
    found = read(({"image": IMAGES[:3], "table": table}, ["a", "b", "a"]), tensors=True, target="kind")
    assert found.named and list(found.parts) == ["image", "table", "kind"]
    assert found.parts["table"].index.tolist() == [0, 1, 2]
    assert repr(found) == "image (3, 4, 5, 3) uint8, table table of 1 columns, kind (3,) <U1"


def test_tables_stay_tables_and_tensors_stay_tensors():
    frame = pd.DataFrame({"a": [1.0, 2.0]})
    assert isinstance(read(frame, tensors=True), pd.DataFrame)
    assert list(read((frame, [0, 1]), tensors=True).columns) == ["a", "target"]
    structured = np.array([(1, 2.5)], dtype=[("n", "i4"), ("r", "f8")])
    assert list(read(structured, tensors=True).columns) == ["n", "r"]
    found = read(IMAGES, tensors=True)
    assert read(found, tensors=True) is found


def test_a_table_that_is_expected_is_not_taken_from_arrays(tmp_path):
    np.savez(tmp_path / "rows.npz", x=IMAGES)
    for source in (read(IMAGES, tensors=True), tmp_path / "rows.npz"):
        with pytest.raises(DataError, match="holds arrays, and a table was expected"):
            read(source)


# ------------------------------------------------------------------------------------------- Datasets


@pytest.fixture
def no_room(monkeypatch):
    """Let every Dataset and folder of images be larger than what is held."""
    monkeypatch.setattr("incumbent.data.reading._dataset.HELD", 0)
    monkeypatch.setattr("incumbent.data.reading._images.HELD", 0)


def test_a_small_dataset_is_read_once():
    source = Examples(lambda i: (IMAGES[i], LABELS[i]))
    read(source, tensors=True)
    assert source.asked == len(source) + 1  # the first, to see its form


def test_a_large_dataset_stays_where_it_is(no_room):
    source = Examples(lambda i: (torch.from_numpy(IMAGES[i]), str(LABELS[i])))
    found = read(source, tensors=True)
    x, asked = found.parts["x"], source.asked
    assert isinstance(x, LazyRows) and x.shape == IMAGES.shape and x.dtype == np.uint8
    assert found.parts["target"].tolist() == LABELS.tolist()
    np.testing.assert_array_equal(x[[4, 0]], IMAGES[[4, 0]])
    assert source.asked == asked + 2


def test_several_inputs_of_the_same_rows_are_read_together(no_room):
    source = Examples(lambda i: ({"image": IMAGES[i], "size": np.float32(i)}, int(i % 2)))
    parts = read(source, tensors=True).parts
    asked = source.asked
    at = np.array([3, 1])
    image, size = parts["image"][at], parts["size"][at]
    assert source.asked == asked + 2 and size.tolist() == [3.0, 1.0]
    image[:] = 0  # what was given is the caller's own
    np.testing.assert_array_equal(parts["image"][at], IMAGES[at])


def test_a_dataset_without_labels_gives_inputs_alone():
    assert list(read(Examples(lambda i: IMAGES[i]), tensors=True).parts) == ["x"]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda i: (IMAGES[i], 0, 1), "Example 0 of the Examples is a tuple of 3; a pair .x, y. was expected"),
        (
            lambda i: (IMAGES[i][: 4 - i % 2], 0),
            r"Example 1 of the Examples has 'x' of shape \(3, 5, 3\), and the first",
        ),
        (lambda i: ({"a": 1} if i < 2 else {"b": 1}, 0), "Example 2 of the Examples has no 'a'"),
        (lambda i: ("a picture of a cat", 0), "'x' is the text 'a picture of a cat'; an array was expected"),
    ],
)
def test_items_of_another_form_are_named(make, says):
    with pytest.raises(DataError, match=says):
        read(Examples(make), tensors=True)


def test_an_empty_dataset_and_what_gives_no_items_by_number_are_refused():
    with pytest.raises(DataError, match="The Examples is empty"):
        read(Examples(None, 0), tensors=True)
    loader = torch.utils.data.DataLoader(Examples(lambda i: (IMAGES[i], 0)))
    with pytest.raises(DataError, match="a Dataset with __getitem__ and __len__"):
        read(loader, tensors=True)


# ---------------------------------------------------------------------------------------------- files


def test_an_npy_file_is_mapped_and_an_npz_file_has_names(tmp_path):
    np.save(tmp_path / "x.npy", IMAGES)
    np.savez_compressed(tmp_path / "rows.npz", pixels=IMAGES, target=LABELS)
    one = read(tmp_path / "x.npy", tensors=True)
    assert isinstance(one.parts["x"], LazyRows) and one.source == "x.npy"
    many = read(str(tmp_path / "rows.npz"), tensors=True)
    assert list(many.parts) == ["pixels", "target"] and not many.named
    assert many.parts["target"].tolist() == LABELS.tolist()


def test_a_folder_of_npy_files_is_mapped_by_name(tmp_path):
    for name, part in {"image": IMAGES, "target": LABELS}.items():
        np.save(tmp_path / f"{name}.npy", part)
    parts = read(tmp_path, tensors=True).parts
    assert sorted(parts) == ["image", "target"] and all(isinstance(part, LazyRows) for part in parts.values())


def test_x_and_y_may_be_files(tmp_path):
    np.save(tmp_path / "x.npy", IMAGES)
    np.save(tmp_path / "y.npy", LABELS)
    parts = read((tmp_path / "x.npy", tmp_path / "y.npy"), tensors=True).parts
    assert isinstance(parts["x"], LazyRows) and parts["target"].tolist() == LABELS.tolist()


def test_a_file_that_could_run_code_is_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return sys.exit, ("code ran",)

    np.save(tmp_path / "x.npy", np.array([Evil()], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "x.npz", x=np.array([Evil()], dtype=object), allow_pickle=True)
    for name in ("x.npy", "x.npz"):
        with pytest.raises(DataError, match="holds Python objects, .* which can run any code"):
            read(tmp_path / name, tensors=True)


@pytest.mark.parametrize("name", ["x.npy", "x.npz"])
@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04broken", b"a,b\n1,2\n", "cut"], ids=["empty", "zip", "text", "cut"]
)
def test_a_damaged_file_gets_one_sentence(tmp_path, name, content):
    file = tmp_path / name
    if content == "cut":
        np.save(file, IMAGES) if name == "x.npy" else np.savez(file, x=IMAGES)
        content = file.read_bytes()[:-200]
    file.write_bytes(content)
    with pytest.raises(DataError, match="x.np[yz] (cannot be read|holds Python objects, or is no file of arrays)"):
        read(file, tensors=True)


def test_an_archive_of_other_files_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(DataError):
        read((tmp_path / "x.npz"), tensors=True)


# -------------------------------------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (({"a": IMAGES, "b": IMAGES[:4]}, LABELS), "'a' has 6 rows, 'b' has 4 rows"),
        ((IMAGES, LABELS[:3]), r"y has shape \(3,\) but x has 6 rows"),
        ((IMAGES, 1), r"y has shape \(\) but x has 6 rows"),
        ((IMAGES[:0], []), "has no rows"),
        ({}, "holds no arrays"),
        ({"a": 3}, "'a' is a single number, 3"),
        ({"a": "rows.npy"}, "'a' is the text 'rows.npy'; an array was expected. For a file, read it first"),
        ({"a": [[1, 2], [3]]}, "'a' holds rows of different lengths"),
        (({"a": IMAGES, "target": LABELS}, LABELS), "x already has an array 'target'"),
        ((IMAGES, "labels.csv"), "labels.csv holds no single array of labels"),
        (np.float64(3), "'x' is a single number"),
    ],
)
def test_bad_tensors_get_one_clear_sentence(source, says):
    with pytest.raises(DataError, match=says):
        read(source, tensors=True)


def test_reading_tensors_does_not_import_torch():
    assert not any(
        hasattr(module, "torch") for name, module in sys.modules.items() if name.startswith("incumbent.data")
    )
    assert dataset_file.HELD == 1 << 28
