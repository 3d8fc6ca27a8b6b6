"""Ready-made functions that scale 8-bit images, for the `prepare` of a net."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from incumbent.core import Array
from incumbent.errors import DataError

_CHANNELS = (1, 3, 4)
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def scale_0_1(x: Any) -> Any:
    """Return 8-bit images as numbers from 0 to 1, channels first, as torchvision's ``ToTensor`` does.

    Parameters
    ----------
    x : (n, h, w, c), (n, c, h, w) or (n, h, w) array of uint8, or a dict
        Images of 1, 3 or 4 channels; if both ends could be channels, the last axis is. In a dict only images change.

    Returns
    -------
    (n, c, h, w) array of float32, or dict

    Raises
    ------
    DataError
        x holds no 8-bit images.

    Examples
    --------
    >>> x = np.array([[[[255, 0, 51]]]], dtype=np.uint8)
    >>> scale_0_1(x).shape, scale_0_1(x).ravel().round(2).tolist()
    ((1, 3, 1, 1), [1.0, 0.0, 0.2])
    """
    return _scale_images(x, "scale_0_1", (0.0,), (1.0,))


def scale_minus1_1(x: Any) -> Any:
    """Return 8-bit images as numbers from -1 to 1, channels first: `scale_0_1`, minus 0.5, divided by 0.5.

    Parameters, returns and errors are those of `scale_0_1`.

    Examples
    --------
    >>> scale_minus1_1(np.array([[[0, 255]]], dtype=np.uint8)).tolist()
    [[[[-1.0, 1.0]]]]
    """
    return _scale_images(x, "scale_minus1_1", (0.5,), (0.5,))


def normalize_imagenet(x: Any) -> Any:
    """Return 8-bit images standardised as for ImageNet: `scale_0_1`, minus the mean, divided by the deviation.

    Grey images become three channels. Parameters, returns and errors are those of `scale_0_1`.

    References
    ----------
    torchvision, "Models and pre-trained weights": the transforms of the classification weights.

    Examples
    --------
    >>> normalize_imagenet(np.zeros((1, 8, 8, 3), dtype=np.uint8))[0, :, 0, 0].round(3).tolist()
    [-2.118, -2.036, -1.804]
    """
    return _scale_images(x, "normalize_imagenet", _MEAN, _DEVIATION)


for _function in (scale_0_1, scale_minus1_1, normalize_imagenet):
    _function.__module__ = "incumbent.data"  # the name that is stored with a version, wherever this file goes


def _scale_images(x: Any, name: str, mean: tuple[float, ...], deviation: tuple[float, ...]) -> Any:
    given = x if isinstance(x, Mapping) else {"": x}
    images = {key for key, part in given.items() if _is_image(part)}
    if not images:
        raise _no_images(name, ", ".join(f"{key} {_form(part)}".strip() for key, part in given.items()))
    scaled = {key: _scale(part, name, mean, deviation) if key in images else part for key, part in given.items()}
    return scaled if isinstance(x, Mapping) else scaled[""]


def _is_image(part: Any) -> bool:
    return str(getattr(part, "dtype", "")).endswith("uint8") and getattr(part, "ndim", 0) in (3, 4)


def _scale(part: Any, name: str, mean: tuple[float, ...], deviation: tuple[float, ...]) -> Array:
    pixels = np.asarray(part)
    if pixels.ndim == 3:
        pixels = pixels[:, None]
    elif pixels.shape[-1] in _CHANNELS:
        pixels = np.moveaxis(pixels, -1, 1)
    if pixels.shape[1] not in ((1, 3) if len(mean) == 3 else _CHANNELS):
        raise _no_images(name, _form(part))
    values = np.ascontiguousarray(pixels, dtype=np.float32)
    values /= np.float32(255)
    if mean == (0.0,):
        return values
    each = (1, -1, 1, 1)
    values = values - np.asarray(mean, dtype=np.float32).reshape(each)  # a grey channel becomes three
    values /= np.asarray(deviation, dtype=np.float32).reshape(each)
    return values


def _form(part: Any) -> str:
    shape = tuple(getattr(part, "shape", ()))
    return f"{getattr(part, 'dtype', type(part).__name__)}{f' of shape {shape}' if shape else ''}"


def _no_images(name: str, given: str) -> DataError:
    many = "1 or 3" if name == "normalize_imagenet" else "1, 3 or 4"
    return DataError(
        f"prepare=incumbent.data.{name} takes 8-bit images (n, h, w, c) of {many} channels, and the rows are {given}; "
        "give the images as bytes (uint8), or name a function of your own."
    )
