"""List what a pickle would load: run its instructions with every module, class and function replaced by a dummy.

A pickle is a program. Here it runs on a machine that cannot import and cannot call. Each name that it loads is noted
and replaced by an inert stand-in. The arrays that joblib writes between the instructions are skipped.
"""

# `pickletools.genops` alone does not do: the raw arrays that joblib writes into the stream break it.

from __future__ import annotations

import _compat_pickle
import pickle
from collections.abc import Callable
from typing import IO, Any, ClassVar, Final

import numpy as np


def names_in(file: IO[bytes]) -> tuple[list[str], bool]:
    """Return every ``module.function`` that a decompressed pickle would load, and whether the list is complete.

    Examples
    --------
    >>> import io
    >>> names_in(io.BytesIO(pickle.dumps(print)))
    (['builtins.print'], True)
    """
    machine = _Machine(file)
    try:
        machine.load()
    except Exception:  # a damaged or hostile file can fail anywhere; the names before that still count
        return sorted(machine.seen), False
    return sorted(machine.seen), True


class _Standin:
    """Accepts every operation of a pickle and does nothing."""

    state: Any = None

    def __new__(cls, *_: Any, **__: Any) -> _Standin:
        return object.__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __call__(self, *_: Any, **__: Any) -> _Standin:
        return _Standin()

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def __setitem__(self, _key: Any, _value: Any) -> None:
        pass

    def append(self, _item: Any) -> None:
        pass

    def extend(self, _items: Any) -> None:
        pass

    def add(self, _item: Any) -> None:
        pass


class _JoblibArray(_Standin):
    """Stands for joblib's NumpyArrayWrapper; the bytes of the array follow in the file."""


def _make(kind: Any, *_: Any) -> _Standin:
    return kind() if isinstance(kind, type) and issubclass(kind, _Standin) else _Standin()


_INSTRUCTIONS: dict[int, Callable[[Any], None]] = pickle._Unpickler.dispatch


class _Machine(pickle._Unpickler):
    """The interpreter of the standard library in Python, the only one that can be extended, without any module."""

    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = dict(_INSTRUCTIONS)
    proto = 0
    stack: list[Any]  # what the interpreter has made so far

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file, encoding="latin1")
        self.file: Final = file
        self.seen: set[str] = set()

    def find_class(self, module: str, name: str) -> Any:
        if self.proto < 3:  # names of Python 2, which every pickle of protocols 0 to 2 uses
            module, name = _compat_pickle.NAME_MAPPING.get((module, name), (module, name))
            module = _compat_pickle.IMPORT_MAPPING.get(module, module)
        self.seen.add(f"{module}.{name}")
        if (module, name) in (("copyreg", "_reconstructor"), ("copyreg", "__newobj__")):
            return _make
        if (module, name) == ("numpy", "dtype"):
            return np.dtype  # only describes the length of arrays, and runs nothing
        if module.startswith("joblib.") and name == "NumpyArrayWrapper":
            return _JoblibArray
        return type(name, (_Standin,), {})

    def persistent_load(self, pid: Any) -> Any:
        return _Standin()

    def get_extension(self, code: int) -> None:
        self.seen.add(f"copyreg.extension_{code}")
        self.stack.append(_Standin())

    def load_build(self) -> None:
        _INSTRUCTIONS[pickle.BUILD[0]](self)
        if isinstance(self.stack[-1], _JoblibArray):
            self._skip_array(self.stack[-1].state)

    dispatch[pickle.BUILD[0]] = load_build

    def _skip_array(self, state: dict[str, Any]) -> None:
        dtype = np.dtype(state["dtype"])
        if dtype.hasobject:
            nested = _Machine(self.file)
            nested.seen = self.seen
            nested.load()
            return
        if state.get("numpy_array_alignment_bytes") is not None:
            self._skip(self.file.read(1)[0])
        self._skip(int(np.prod(state["shape"], dtype=object)) * dtype.itemsize)

    def _skip(self, count: int) -> None:
        while count > 0:
            got = len(self.file.read(min(count, 1 << 20)))
            if not got:
                raise EOFError("the file ends within an array")
            count -= got
