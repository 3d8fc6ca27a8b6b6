"""A folder of images by class, read through Pillow into 8-bit arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from incumbent.core import Array
from incumbent.data._check import counted, listed
from incumbent.data._dataset import HELD
from incumbent.data._lazy import LazyRows
from incumbent.data._tensors import Tensors, together
from incumbent.errors import DataError, MissingDependency, UsageError

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
_WIDE = ("I", "F")  # modes of 16 and 32 bits a value, which 8 bits would cut off


def image_files(folder: Path) -> list[Path]:
    """Return the images in a folder, or in the folders of classes inside it, by class and name."""
    inside = sorted(path for path in folder.iterdir() if not path.name.startswith((".", "_")))
    deeper = [file for path in inside if path.is_dir() for file in sorted(path.iterdir())]
    found = [file for file in deeper if _is_image(file)]
    return found or [file for file in inside if _is_image(file)]


def _is_image(file: Path) -> bool:
    return file.suffix.lower() in ENDINGS and not file.name.startswith((".", "_")) and file.is_file()


def images(folder: Path, *, target: str, size: tuple[int, int] | None = None) -> Tensors:
    """Return the images of ``folder/CLASS/FILE`` with their classes, or those of ``folder/FILE`` without.

    Parameters
    ----------
    folder : Path
        Where they lie. Hidden files and files that are no images are left out.
    target : str
        What the classes are called.
    size : (int, int), optional
        Height and width that every image is resized to; without it all must have one size.

    Returns
    -------
    Tensors
        "x" is (n, h, w, c) in 8 bits: c is 1 where every image is grey, else 3 (transparency is dropped). Up to 256 MiB
        are read once; beyond that, images are read whenever they are asked for.

    Raises
    ------
    DataError
        Some files cannot be read, or the sizes differ.
    MissingDependency
        Pillow is not installed.
    """
    if size is not None and (len(size) != 2 or min(size) < 1):
        raise UsageError(f"size is (height, width) in pixels, such as (224, 224); got {size}.")
    files = image_files(folder)
    source = _Images(folder, files, *_form(files, folder, size), resized=size is not None)
    lazy = LazyRows.of(source)
    parts: dict[str, Any] = {"x": np.asarray(lazy) if lazy.nbytes <= HELD else lazy}
    if files[0].parent != folder:
        parts[target] = [file.parent.name for file in files]
    return together(parts, f"{folder.name} ({counted(len(files), 'image')})")


def _pillow() -> ModuleType:
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingDependency(
            "Reading images needs Pillow. Install it with: pip install 'incumbent[torch]'"
        ) from error
    return Image


def _form(files: Sequence[Path], folder: Path, size: tuple[int, int] | None) -> tuple[tuple[int, int], str]:
    """Return height and width of the images and the mode they are read in, from what the head of each file says."""
    library = _pillow()
    sizes, modes, broken = Counter[tuple[int, int]](), set(), []
    for file in files:
        try:
            with library.open(file) as image:
                sizes[image.size[::-1]] += 1
                modes.add(image.mode)
                broken += [file] if image.mode.startswith(_WIDE) else []
        except (OSError, ValueError, library.DecompressionBombError):
            broken.append(file)
    if broken:
        raise _unreadable(broken, folder)
    if size is None and len(sizes) > 1:
        shown = ", ".join(f"{count:,} of {h} x {w}" for (h, w), count in sizes.most_common(4))
        h, w = sizes.most_common(1)[0][0]
        raise DataError(
            f"The images of {folder} differ in size (height x width): {shown}{', ...' if len(sizes) > 4 else ''}; all "
            f"must have one. Resize them with: read({str(folder)!r}, tensors=True, size=({h}, {w}))"
        )
    return size or next(iter(sizes)), "L" if modes <= {"1", "L", "LA"} else "RGB"


def _unreadable(files: Sequence[Path], folder: Path) -> DataError:
    shown = listed([str(file.relative_to(folder)) for file in files])
    return DataError(
        f"{counted(len(files), 'file')} of {folder} cannot be read as {'an image' if len(files) == 1 else 'images'} of "
        f"8 bits a colour: {shown}. Save them again, or take them out of the folder."
    )


class _Images:
    """Image files, as a source of lazy rows."""

    dtype = np.dtype(np.uint8)

    def __init__(self, folder: Path, files: Sequence[Path], size: tuple[int, int], mode: str, *, resized: bool) -> None:
        self.folder, self.files, self.mode, self.resized = folder, files, mode, resized
        self.shape = (len(files), *size, 1 if mode == "L" else 3)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, at: Array) -> Array:
        library, broken = _pillow(), []
        found = np.empty((len(at), *self.shape[1:]), dtype=np.uint8)
        for place, number in enumerate(at):
            try:
                with library.open(self.files[number]) as image:
                    plain = image.convert(self.mode)
                    if self.resized:
                        plain = plain.resize(self.shape[2:0:-1], library.Resampling.BILINEAR)
                    found[place] = np.asarray(plain).reshape(self.shape[1:])
            except (OSError, ValueError, SyntaxError):  # Pillow raises all of them where a file is cut off or damaged
                broken.append(self.files[number])
        if broken:
            raise _unreadable(broken, self.folder)
        return found
