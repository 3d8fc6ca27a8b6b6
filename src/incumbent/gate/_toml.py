"""A gate as a TOML file: read with every mistake named, written so that reading it gives the same gate.

The keys are the fields of the gate and of what it holds, whichever those are; `None` where a field allows it is the
text "none", as TOML has no word for it.
"""

from __future__ import annotations

import dataclasses
import json
import re
import tomllib
import types
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from incumbent._deprecated import present_keys
from incumbent.errors import UsageError
from incumbent.words import hint

T = TypeVar("T")

NONE = "none"
_SAID = {
    bool: "true or false",
    float: "a number, such as 0.05",
    int: "a whole number, such as 100",
    str: 'a text in quotes, such as "region"',
}
_ORDINALS = {1: "1st", 2: "2nd", 3: "3rd"}


def read(kind: type[T], path: str | Path, renamed: Mapping[str, Mapping[str, str]] | None = None) -> T:
    """Return the value of class `kind` that a TOML file declares.

    Parameters
    ----------
    kind : type
        A dataclass: its fields are the keys, and a field that holds several dataclasses is a list of tables.
    path : str or Path
        The file.
    renamed : mapping of str to mapping, optional
        For a key, the present word for each old one. Stored files have old words.

    Raises
    ------
    UsageError
        The file cannot be read, is no TOML, or declares something that there is not; says where and what there is.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise UsageError(f"The gate file {path} cannot be read: {reason}.") from None
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"The gate file {path} is not valid TOML: {str(error).rstrip('.')}.") from None
    for key, words in (renamed or {}).items():
        if isinstance(word := table.get(key), str):
            table[key] = words.get(word, word)
    return _built(kind, table, str(path))


def _built(kind: type[T], table: Mapping[str, Any], where: str) -> T:
    fields = {f.name: f for f in dataclasses.fields(kind)}  # type: ignore[arg-type]  # all kinds are dataclasses
    table = present_keys(kind, table)  # files of 0.1 have old keys
    for key in table:
        if key not in fields:
            raise UsageError(
                f"{where} has the unknown key {key!r}.{hint(key, list(fields))} The keys are {', '.join(fields)}."
            )
    for name, f in fields.items():
        if name not in table and f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING:
            raise UsageError(f"{where} needs the key {name!r}; it has {', '.join(map(repr, table)) or 'none'}.")
    hints = get_type_hints(kind)
    found = {key: _fitting(value, hints[key], f"{where}: {key}", key) for key, value in table.items()}
    try:
        return kind(**found)
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from None


def _fitting(value: Any, hint: Any, where: str, key: str) -> Any:
    """Return a value of TOML as its field takes it, or say what the field takes."""
    choices = _choices(hint)
    if value == NONE and type(None) in choices and str not in choices:
        return None
    inner = next((part for part in map(_element, choices) if part is not None), None)
    if inner is not None:
        return tuple(_table(part, inner, i, where, key) for i, part in enumerate(_listed(value, inner, where, key), 1))
    if type(value) in choices or (type(value) is int and float in choices):
        return value
    words = [word for choice in choices for word in get_args(choice) if get_origin(choice) is Literal]
    if value in words:
        return value
    wanted = [_SAID[choice] for choice in choices if choice in _SAID]
    wanted += [f"one of {', '.join(json.dumps(word) for word in words)}"] if words else []
    wanted += [f'"{NONE}"'] if type(None) in choices else []
    raise UsageError(f"{where} is {' or '.join(wanted)}; {_shown(value)} was given.")


def _choices(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def _element(hint: Any) -> Any:
    """Return the class of the elements where a field holds several, else None."""
    arguments = get_args(hint)
    return arguments[0] if get_origin(hint) is tuple and len(arguments) == 2 and arguments[1] is Ellipsis else None


def _listed(value: Any, inner: Any, where: str, key: str) -> list[Any]:
    if isinstance(value, list):
        return value
    how = (
        f"tables: write [[{key}]] and its keys below it"
        if dataclasses.is_dataclass(inner)
        else "a list, such as [1, 2]"
    )
    raise UsageError(f"{where} are {how}; {_shown(value)} was given.")


def _table(part: Any, inner: Any, place: int, where: str, key: str) -> Any:
    """Return one element of a list."""
    at = f"{where.rpartition(': ')[0]}: the {_ORDINALS.get(place, f'{place}th')} [[{key}]]"
    if not dataclasses.is_dataclass(inner):
        return _fitting(part, inner, at, key)
    if not isinstance(part, dict):
        raise UsageError(f"{where} are tables: write [[{key}]] and its keys below it; {_shown(part)} was given.")
    return _built(inner, part, at)  # type: ignore[arg-type]  # a dataclass itself, as a type hint names no values


def _shown(value: Any) -> str:
    if isinstance(value, bool | int | float | str):
        return _scalar(value)
    return "a list" if isinstance(value, list) else "a table" if isinstance(value, dict) else f"the time {value}"


# ------------------------------------------------------------------------------------------------ writing


def write(value: Any) -> str:
    """Return a dataclass as TOML; `read` gives back an equal one.

    Fields that are None and have this default are left out. The tables come last, as TOML requires.
    """
    lines, tables = [], []
    for f in dataclasses.fields(value):
        held = getattr(value, f.name)
        if isinstance(held, Sequence) and held and all(dataclasses.is_dataclass(part) for part in held):
            tables += [f"\n[[{f.name}]]\n{write(part)}" for part in held]
        elif not (held is None and f.default is None) and not _no_tables(held):
            lines.append(f"{_key(f.name)} = {_scalar(held)}\n")
    return "".join([*lines, *tables])


def _no_tables(held: Any) -> bool:
    return isinstance(held, Sequence) and not isinstance(held, str) and not held


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _text(name)


def _scalar(value: Any) -> str:
    """Return a value as TOML writes it.

    Examples
    --------
    >>> print(_scalar(True), _scalar(1e-5), _scalar(None), _scalar('a == "b"'), _scalar((1, "c")))
    true 1e-05 "none" 'a == "b"' [1, "c"]
    """
    value = value.item() if hasattr(value, "item") else value  # a number of NumPy's
    if value is None:
        return f'"{NONE}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)  # infinity is inf in both
    if isinstance(value, str):
        return _text(value)
    return f"[{', '.join(map(_scalar, value))}]"


def _text(value: str) -> str:
    if '"' in value and "'" not in value and value.isprintable():
        return f"'{value}'"  # a literal text, as a condition is easier to read without escapes
    # JSON's escapes are TOML's, but for one control character that JSON leaves as it is
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
