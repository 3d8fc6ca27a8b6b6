"""Images that a convolution cannot take, in one sentence that says what to type."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from incumbent.errors import DataError

_NAME = (
    "--prepare incumbent.data:scale_0_1 (0 to 1), incumbent.data:scale_minus1_1 (-1 to 1) or "
    "incumbent.data:normalize_imagenet (0 to 1, then its mean and deviation), whichever the "
    "net was trained with; in Python prepare=incumbent.data.scale_0_1"
)


def first_convolution(module: nn.Module) -> nn.Conv2d | None:
    """Return the convolution over images that comes before every other layer with weights, if one does."""
    leaves = (part for part in module.modules() if next(part.parameters(recurse=False), None) is not None)
    first = next(leaves, None)
    return first if isinstance(first, nn.Conv2d) else None


def explain_images(module: nn.Module, inputs: Mapping[str, Tensor], message: str) -> DataError | None:
    """Return what to do about a forward that failed on images with this message; None if it failed for another reason.

    It is called only after the failure: a net that turns the axes by itself never gets here.
    """
    first = first_convolution(module)
    if first is None:
        return None
    wanted = first.in_channels
    if "channels" in message:
        wrong = [part for part in inputs.values() if part.ndim in (3, 4) and part.shape[1] != wanted]
        return _other_channels(wrong[0], wanted) if wrong else None
    if "mat1 and mat2 shapes" in message and (seen := [part for part in inputs.values() if part.ndim == 4]):
        h, w = seen[0].shape[2:]
        return DataError(
            f"The net takes images of another size than {h} x {w} (height x width): its convolutions ran, and a layer "
            f"behind them did not ({message.splitlines()[0]}). Give images in the size of training: those in a folder "
            "by --size HEIGHTxWIDTH (in Python size=(height, width))."
        )
    return None


def _other_channels(part: Tensor, wanted: int) -> DataError:
    shape = f"(n, {', '.join(map(str, part.shape[1:]))})"
    takes = f"The first layer of the net takes images (n, {wanted}, height, width), and the rows are {shape}"
    if part.ndim == 3:
        return DataError(f"{takes}, without an axis for channels. Say how bytes become numbers: {_NAME}.")
    if part.shape[-1] == wanted:
        return DataError(
            f"{takes}, channels last. Say how bytes become numbers, channels first: {_NAME}. Fractions are "
            "turned by numpy.moveaxis(x, -1, 1)."
        )
    return DataError(
        f"{takes}: it takes {wanted} channel{'' if wanted == 1 else 's'}. Of a folder of images, "
        "incumbent.data.read(FOLDER, tensors=True, channels=1) reads them as grey and channels=3 in colour; "
        "incumbent.data.normalize_imagenet makes 3 of 1."
    )
