import numpy as np
import pytest

from incumbent import data
from incumbent.data import LazyRows, normalize_imagenet, scale_0_1, scale_minus1_1
from incumbent.errors import DataError

PREPARE = [scale_0_1, scale_minus1_1, normalize_imagenet]
IMAGES = np.random.default_rng(0).integers(0, 256, size=(5, 6, 8, 3), dtype=np.uint8)


@pytest.mark.parametrize("prepare", PREPARE, ids=lambda function: function.__name__)
def test_images_become_the_same_channels_first_whichever_way_they_come(prepare):
    found = prepare(IMAGES)
    assert found.shape == (5, 3, 6, 8) and found.dtype == np.float32 and found.flags.c_contiguous
    np.testing.assert_array_equal(prepare(np.moveaxis(IMAGES, -1, 1)), found)
    np.testing.assert_array_equal(prepare(LazyRows.of(IMAGES)), found)
    np.testing.assert_array_equal(prepare(IMAGES[2:3]), found[2:3])  # row by row, whatever else is in the mini-batch


def test_the_numbers_are_those_of_the_usual_transforms():
    first = np.moveaxis(IMAGES, -1, 1).astype(np.float64) / 255
    mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    np.testing.assert_allclose(scale_0_1(IMAGES), first, rtol=1e-6)
    np.testing.assert_allclose(scale_minus1_1(IMAGES), 2 * first - 1, atol=1e-6)
    wanted = (first - mean[:, None, None]) / deviation[:, None, None]
    np.testing.assert_allclose(normalize_imagenet(IMAGES), wanted, atol=2e-6)


def test_the_numbers_are_those_of_bytes_that_a_net_is_given_as_they_are():
    torch = pytest.importorskip("torch", reason="the extra 'torch' is not installed")
    given = torch.from_numpy(np.ascontiguousarray(np.moveaxis(IMAGES, -1, 1))).float().div_(255)
    np.testing.assert_array_equal(scale_0_1(IMAGES), given.numpy())


def test_what_is_given_stays_as_it_was():
    first = np.ascontiguousarray(np.moveaxis(IMAGES, -1, 1))
    before = first.copy()
    for prepare in PREPARE:
        prepare(first)
    np.testing.assert_array_equal(first, before)


@pytest.mark.parametrize(("prepare", "channels"), [(scale_0_1, 1), (scale_minus1_1, 1), (normalize_imagenet, 3)])
def test_grey_images_keep_one_channel_but_become_three_for_imagenet(prepare, channels):
    grey = IMAGES[..., :1]
    found = prepare(grey)
    assert found.shape == (5, channels, 6, 8)
    np.testing.assert_array_equal(prepare(grey[..., 0]), found)  # without an axis for it
    if channels == 3:
        np.testing.assert_array_equal(found, normalize_imagenet(np.repeat(grey, 3, axis=3)))


def test_in_a_dict_images_are_prepared_and_the_rest_stays():
    table = np.zeros((5, 2))
    found = scale_0_1({"image": IMAGES, "table": table})
    assert found["table"] is table
    np.testing.assert_array_equal(found["image"], scale_0_1(IMAGES))


@pytest.mark.parametrize(
    ("prepare", "rows", "given"),
    [
        (scale_0_1, IMAGES / np.float32(255), r"float32 of shape \(5, 6, 8, 3\)"),
        (scale_0_1, IMAGES.reshape(5, -1), r"uint8 of shape \(5, 144\)"),
        (scale_minus1_1, np.zeros((2, 5, 6, 7), dtype=np.uint8), r"uint8 of shape \(2, 5, 6, 7\)"),
        (normalize_imagenet, np.zeros((2, 6, 7, 4), dtype=np.uint8), r"1 or 3 channels, .* \(2, 6, 7, 4\)"),
        (scale_0_1, ["a", "b"], "the rows are list"),
        (scale_0_1, {"a": np.zeros(3), "b": np.zeros((3, 2))}, r"a float64 of shape \(3,\), b float64"),
    ],
)
def test_what_is_no_image_of_8_bits_is_refused(prepare, rows, given):
    with pytest.raises(DataError, match=rf"prepare=incumbent.data.{prepare.__name__} takes 8-bit images .*{given}"):
        prepare(rows)


def test_they_go_by_their_public_names():
    assert [f"{function.__module__}:{function.__qualname__}" for function in PREPARE] == [
        "incumbent.data:scale_0_1",
        "incumbent.data:scale_minus1_1",
        "incumbent.data:normalize_imagenet",
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("unit", "scale_0_1"),
        ("centred", "scale_minus1_1"),
        ("imagenet", "normalize_imagenet"),
        ("examine", "flag_rows"),
    ],
)
def test_an_old_name_works_with_a_warning_that_names_the_new_one(old, new):
    with pytest.warns(DeprecationWarning, match=rf"incumbent.data.{old} is now incumbent.data.{new}"):
        assert getattr(data, old) is getattr(data, new)
