"""Ready-made ways to turn 8-bit images into what a net was trained on, to be named as its `prepare`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from incumbent.core import Array
from incumbent.errors import DataError

_CHANNELS = (1, 3, 4)
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def scale_0_1(x: Any) -> Any:
    """Return 8-bit images as numbers from 0 to 1, channels first: what torchvision's ``ToTensor`` makes of them.

    Parameters
    ----------
    x : (n, h, w, c), (n, c, h, w) or (n, h, w) array of uint8, or a dict
        The images, of 1, 3 or 4 channels; where both ends could be those, the last axis is. In a dict those that are
        images are changed, and the other inputs stay.

    Returns
    -------
    (n, c, h, w) array of float32, or dict

    Raises
    ------
    DataError
        These are no images of 8 bits.

    Examples
    --------
    >>> x = np.array([[[[255, 0, 51]]]], dtype=np.uint8)
    >>> scale_0_1(x).shape, scale_0_1(x).ravel().round(2).tolist()
    ((1, 3, 1, 1), [1.0, 0.0, 0.2])
    """
    return _prepared(x, "scale_0_1", (0.0,), (1.0,))


def scale_minus1_1(x: Any) -> Any:
    """Return 8-bit images as numbers from -1 to 1, channels first: `scale_0_1`, minus 0.5, divided by 0.5.

    Parameters, returns and errors are those of `scale_0_1`.

    Examples
    --------
    >>> scale_minus1_1(np.array([[[0, 255]]], dtype=np.uint8)).tolist()
    [[[[-1.0, 1.0]]]]
    """
    return _prepared(x, "scale_minus1_1", (0.5,), (0.5,))


def normalize_imagenet(x: Any) -> Any:
    """Return 8-bit images as nets trained on ImageNet take them: `scale_0_1`, less the mean, over the deviation.

    The means are 0.485, 0.456, 0.406 for red, green and blue, the deviations 0.229, 0.224, 0.225, as torchvision's
    models have them. Grey images become three channels. Parameters, returns and errors are those of `scale_0_1`.

    References
    ----------
    torchvision, "Models and pre-trained weights": the transforms of the classification weights.

    Examples
    --------
    >>> normalize_imagenet(np.zeros((1, 8, 8, 3), dtype=np.uint8))[0, :, 0, 0].round(3).tolist()
    [-2.118, -2.036, -1.804]
    """
    return _prepared(x, "normalize_imagenet", _MEAN, _DEVIATION)


for _function in (scale_0_1, scale_minus1_1, normalize_imagenet):
    _function.__module__ = "incumbent.data"  # the name that is stored with a version, wherever this file goes


def _prepared(x: Any, name: str, mean: tuple[float, ...], deviation: tuple[float, ...]) -> Any:
    if isinstance(x, Mapping):
        if not any(_is_image(part) for part in x.values()):
            raise _no_images(name, ", ".join(f"{key} {_form(part)}" for key, part in x.items()))
        return {key: _scaled(part, name, mean, deviation) if _is_image(part) else part for key, part in x.items()}
    if not _is_image(x):
        raise _no_images(name, _form(x))
    return _scaled(x, name, mean, deviation)


def _is_image(part: Any) -> bool:
    return str(getattr(part, "dtype", "")).endswith("uint8") and getattr(part, "ndim", 0) in (3, 4)


def _scaled(part: Any, name: str, mean: tuple[float, ...], deviation: tuple[float, ...]) -> Array:
    pixels = _channels_first(np.asarray(part), name)
    if pixels.shape[1] not in (1, *((len(mean),) if len(mean) > 1 else _CHANNELS)):
        raise _no_images(name, _form(part))
    values = np.ascontiguousarray(pixels, dtype=np.float32)
    values /= np.float32(255)
    if mean == (0.0,):
        return values
    each = (1, -1, 1, 1)
    values = values - np.asarray(mean, dtype=np.float32).reshape(each)  # grey becomes as many channels as there are
    values /= np.asarray(deviation, dtype=np.float32).reshape(each)
    return values


def _channels_first(pixels: Array, name: str) -> Array:
    if pixels.ndim == 3:
        return pixels[:, None]
    if pixels.shape[-1] in _CHANNELS:
        return np.moveaxis(pixels, -1, 1)
    if pixels.shape[1] in _CHANNELS:
        return pixels
    raise _no_images(name, _form(pixels))


def _form(part: Any) -> str:
    shape = tuple(getattr(part, "shape", ()))
    return f"{getattr(part, 'dtype', type(part).__name__)}{f' of shape {shape}' if shape else ''}"


def _no_images(name: str, given: str) -> DataError:
    many = "1 or 3" if name == "normalize_imagenet" else "1, 3 or 4"
    return DataError(
        f"prepare=incumbent.data.{name} takes 8-bit images (n, h, w, c) of {many} channels, and the rows are {given}; "
        "give the images as bytes (uint8), or name a function of your own."
    )
