"""A folder of images by class, read through Pillow into 8-bit arrays."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from incumbent.core import Array, Finding
from incumbent.data.reading._dataset import HELD
from incumbent.data.rows._lazy import LazyRows
from incumbent.data.rows._tensors import Tensors, pair_parts
from incumbent.errors import DataError, MissingDependency, UsageError
from incumbent.words import counted, listed

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
_WIDE = ("I", "F")  # modes of 16 and 32 bits
_GREY = {"1", "L", "LA"}
_ORIENTATION, _UPRIGHT, _ON_ITS_SIDE = 0x0112, (None, 0, 1), (5, 6, 7, 8)  # an EXIF tag and its values

Size: TypeAlias = int | str | tuple[int, int]
"""Height and width in pixels, as (224, 320) or "224x320"; one number for a square."""


def height_and_width(size: Size) -> tuple[int, int]:
    """Return a size as (height, width): ``height_and_width("224x320")`` is (224, 320)."""
    sides: Any = size.lower().split("x") if isinstance(size, str) else size
    sides = sides if isinstance(sides, list | tuple) else [sides]
    sides = [*sides, *sides] if len(sides) == 1 and not isinstance(size, tuple) else sides
    try:
        height, width = map(int if isinstance(size, str) else operator.index, sides)
    except (TypeError, ValueError):
        height = width = 0
    if min(height, width) < 1:
        raise UsageError(
            f"size is (height, width) in pixels, such as (224, 224), or 224 for a square (on the command line --size "
            f"224x224 or 224); got {size!r}."
        )
    return height, width


def image_files(folder: Path) -> list[Path]:
    """Return the images in a folder, or in the folders of classes inside it, by class and name."""
    inside = sorted(path for path in folder.iterdir() if not path.name.startswith((".", "_")))
    deeper = [file for path in inside if path.is_dir() for file in sorted(path.iterdir())]
    found = [file for file in deeper if _is_image(file)]
    return found or [file for file in inside if _is_image(file)]


def _is_image(file: Path) -> bool:
    return file.suffix.lower() in ENDINGS and not file.name.startswith((".", "_")) and file.is_file()


def read_images(folder: Path, *, target: str, size: Size | None = None, channels: int | None = None) -> Tensors:
    """Return the images of ``folder/CLASS/FILE`` with their classes, or those of ``folder/FILE`` without.

    "x" is (n, h, w, c) of uint8: c is 1 if all images are grey, else 3 without transparency. Photographs are turned
    upright as their EXIF data say. `notes` tell how images were changed.
    """
    if channels not in (None, 1, 3):
        raise UsageError(f"channels is 1 for grey or 3 for colour; got {channels!r}.")
    files = image_files(folder)
    form = _choose_form(files, folder, None if size is None else height_and_width(size), channels)
    lazy = LazyRows.of(_Images(folder, files, form))
    parts: dict[str, Any] = {"x": np.asarray(lazy) if lazy.nbytes <= HELD else lazy}
    if files[0].parent != folder:
        parts[target] = [file.parent.name for file in files]
    found = pair_parts(parts, f"{folder.name} ({counted(len(files), 'image')})")
    return Tensors(found.parts, found.source, notes=form.notes)


class _Form(NamedTuple):
    """The size and the mode that images are read in, and findings about the changes this makes."""

    size: tuple[int, int]
    mode: str
    notes: tuple[Finding, ...]


def _pillow() -> ModuleType:
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingDependency(
            "Reading images needs Pillow. Install it with: pip install 'incumbent[torch]'"
        ) from error
    return Image


def _choose_form(files: Sequence[Path], folder: Path, size: tuple[int, int] | None, channels: int | None) -> _Form:
    """Choose how to read the images from the header of each file."""
    sizes, modes, turned = _read_headers(files, folder)
    if size is None and len(sizes) > 1:
        h, w = sizes.most_common(1)[0][0]
        raise DataError(
            f"The images of {folder} differ in size (height x width): {_format_sizes(sizes)}; all must have one. "
            f"Resize them: incumbent init ... --size {h}x{w}; in Python Registry.init(..., size=({h}, {w})), or "
            f"read({str(folder)!r}, tensors=True, size=({h}, {w}))."
        )
    grey = modes.keys() <= _GREY if channels is None else channels == 1
    size = size or next(iter(sizes))
    return _Form(size, "L" if grey else "RGB", tuple(_note_changes(sizes, modes, turned, size, grey)))


def _read_headers(files: Sequence[Path], folder: Path) -> tuple[Counter[tuple[int, int]], Counter[str], int]:
    """Count the images of each height and width, of each mode, and those that were turned."""
    library = _pillow()
    sizes, modes, turned, broken = Counter[tuple[int, int]](), Counter[str](), 0, []
    for file in files:
        try:
            with library.open(file) as image:
                orientation = image.getexif().get(_ORIENTATION)
                sizes[image.size if orientation in _ON_ITS_SIDE else image.size[::-1]] += 1
                modes[image.mode] += 1
                turned += orientation not in _UPRIGHT
                broken += [file] if image.mode.startswith(_WIDE) else []
        except (OSError, ValueError, library.DecompressionBombError):
            broken.append(file)
    if broken:
        raise _unreadable(broken, folder)
    return sizes, modes, turned


def _format_sizes(sizes: Counter[tuple[int, int]]) -> str:
    shown = ", ".join(f"{count:,} of {h} x {w}" for (h, w), count in sizes.most_common(4))
    return f"{shown}{', ...' if len(sizes) > 4 else ''}"


def _note_changes(
    sizes: Counter[tuple[int, int]], modes: Counter[str], turned: int, size: tuple[int, int], grey: bool
) -> Iterator[Finding]:
    whole = sum(sizes.values())
    others = Counter({other: count for other, count in sizes.items() if other != size})
    coloured = sum(count for mode, count in modes.items() if mode not in _GREY)

    def held(part: int, which: str = "") -> str:
        return f"{part:,} of {counted(whole, 'image')}{which} {'was' if part == 1 else 'were'}"

    if turned:
        yield Finding("note", "", f"{held(turned)} turned upright, as the EXIF data say.")
    if others:
        text = f"resized to {size[0]} x {size[1]} (height x width), stretched and not cropped: {_format_sizes(others)}."
        yield Finding("note", "", f"{held(others.total())} {text}")
    if grey and coloured:
        yield Finding("warning", "", f"{held(coloured, ' in colour')} read as grey.")
    if not grey and not coloured:
        are = "The only image is" if whole == 1 else f"All {whole:,} images are"
        yield Finding("note", "", f"{are} grey, and read in colour: the same value for red, green and blue.")


def _unreadable(files: Sequence[Path], folder: Path) -> DataError:
    shown = listed([str(file.relative_to(folder)) for file in files])
    return DataError(
        f"{counted(len(files), 'file')} of {folder} cannot be read as {'an image' if len(files) == 1 else 'images'} of "
        f"8 bits a colour: {shown}. Save them again, or take them out of the folder."
    )


class _Images:
    """Image files, as a source of lazy rows."""

    dtype = np.dtype(np.uint8)

    def __init__(self, folder: Path, files: Sequence[Path], form: _Form) -> None:
        self.folder, self.files, self.mode = folder, files, form.mode
        self.shape = (len(files), *form.size, 1 if form.mode == "L" else 3)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, at: Array) -> Array:
        library, broken = _pillow(), []
        from PIL import ImageOps

        found = np.empty((len(at), *self.shape[1:]), dtype=np.uint8)
        for place, number in enumerate(at):
            try:
                with library.open(self.files[number]) as image:
                    ImageOps.exif_transpose(image, in_place=True)
                    plain = image.convert(self.mode)
                    if plain.size != self.shape[2:0:-1]:
                        plain = plain.resize(self.shape[2:0:-1], library.Resampling.BILINEAR)
                    found[place] = np.asarray(plain).reshape(self.shape[1:])
            except (OSError, ValueError, SyntaxError):  # of a damaged file
                broken.append(self.files[number])
        if broken:
            raise _unreadable(broken, self.folder)
        return found
