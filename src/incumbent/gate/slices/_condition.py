"""A condition on columns, as text: read once into comparisons of columns, never run as code.

::

    region == "north" and amount > 100
    10 < age <= 30 or not (plan in ["free", None])
    `first name` != "Ada" and isnull(income)

What is missing is equal to None and to nothing else, and neither above nor below anything; ``not`` turns every answer
around. So rows without a region are among ``region != "north"``; rows without an amount are not in ``amount <= 100``.
"""

from __future__ import annotations

import ast
import functools
import keyword
import re
import warnings
from dataclasses import dataclass
from typing import TypeAlias

from incumbent.errors import UsageError

Scalar: TypeAlias = str | bool | int | float | None


@dataclass(frozen=True)
class Column:
    """A column by name."""

    name: str


@dataclass(frozen=True)
class Compare:
    """Compare a column with a value, a column, or (``in``) several values; `operator` is ==, <, <=, >, >= or in."""

    column: str
    operator: str
    value: Scalar | Column | tuple[Scalar, ...]


@dataclass(frozen=True)
class Not:
    """The opposite of a condition."""

    part: Node


@dataclass(frozen=True)
class Joined:
    """All of these, or any."""

    parts: tuple[Node, ...]
    every: bool


Node: TypeAlias = Compare | Not | Joined

_OPERATORS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.Is: "is",
    ast.IsNot: "is not",
}
_TURNED = {"==": "==", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_NEGATED = {"!=": "==", "not in": "in"}
_SIGNS = re.compile(r"[=<>!()\[\]{}\"'`&|~]|\b(?:and|or|not|in|is)\b")
_QUOTED = re.compile(r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|`([^`]+)`""")
_HINT = (
    'A condition compares columns with values, such as region == "north" and amount > 100; it takes and, or, not, '
    "==, !=, <, <=, >, >=, in [...], None and isnull(column). Put a name with spaces or signs in `backticks`."
)


def column_of(text: str) -> str | None:
    """Return the column that a text names, or None if the text is a condition.

    Examples
    --------
    >>> column_of("signup date"), column_of("`a > b`"), column_of("a > b")
    ('signup date', 'a > b', None)
    """
    found = re.fullmatch(r"`([^`]+)`", text.strip())
    if found:
        return found[1]
    return None if _SIGNS.search(text) else text.strip()


def quoted(name: str) -> str:
    """Return a column's name as it is written in a condition.

    Examples
    --------
    >>> quoted("amount"), quoted("first name")
    ('amount', '`first name`')
    """
    plain = name.isidentifier() and name.isascii() and not keyword.iskeyword(name) and name != "isnull"
    return name if plain else f"`{name}`"


def literal(value: Scalar) -> str:
    """Return a value as it is written in a condition.

    Examples
    --------
    >>> literal("north"), literal(2.0), literal(None)
    ('"north"', '2.0', 'None')
    """
    if isinstance(value, str) and value.isprintable() and not set(value) & set("\"'\\"):
        return f'"{value}"'
    return repr(value)


@functools.lru_cache(maxsize=1024)
def parse(text: str) -> Node:
    """Parse a condition.

    Raises
    ------
    UsageError
        If the text is not a condition.

    Examples
    --------
    >>> parse("amount > 100")
    Compare(column='amount', operator='>', value=100)
    """
    plain, names = _named(text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd escapes in texts are harmless here
            tree = ast.parse(plain.replace("\n", " ").strip(), mode="eval").body
        return _Parser(text, names).node(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        known = isinstance(error, SyntaxError) and error.msg and "Maybe you meant '=='" in error.msg
        why = " Write == to compare." if known or re.search(r"[^=<>!]=[^=]", text) else ""
        raise UsageError(f"{text!r} is not a condition.{why} {_HINT}") from None


def _named(text: str) -> tuple[str, dict[str, str]]:
    """Replace every name in backticks by an identifier that the text does not contain."""
    stem = "column"
    while stem in text:
        stem += "_"
    names: dict[str, str] = {}

    def plain(found: re.Match[str]) -> str:
        if found[1] is not None:
            return found[1]
        key = f"{stem}{len(names)}"
        names[key] = found[2]
        return f" {key} "

    return _QUOTED.sub(plain, text), names


@dataclass(frozen=True)
class _Parser:
    """The state of parsing one text."""

    text: str
    names: dict[str, str]

    def node(self, tree: ast.expr) -> Node:
        if isinstance(tree, ast.BoolOp):
            return Joined(tuple(self.node(part) for part in tree.values), isinstance(tree.op, ast.And))
        if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.Not):
            return Not(self.node(tree.operand))
        if isinstance(tree, ast.Compare):
            sides = [tree.left, *tree.comparators]
            parts = [self.compare(*pair) for pair in zip(sides, tree.ops, sides[1:], strict=False)]
            return parts[0] if len(parts) == 1 else Joined(tuple(parts), every=True)
        if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and tree.func.id == "isnull":
            if len(tree.args) == 1 and not tree.keywords and isinstance(tree.args[0], ast.Name):
                return Compare(self.name(tree.args[0]), "==", None)
        if isinstance(tree, ast.Name):
            return Compare(self.name(tree), "==", True)
        raise self.wrong(tree)

    def compare(self, left: ast.expr, operator: ast.cmpop, right: ast.expr) -> Node:
        sign = _OPERATORS[type(operator)]
        if sign in _NEGATED:
            return Not(self.plain(left, _NEGATED[sign], right))
        if sign in ("is", "is not"):
            if not (isinstance(right, ast.Constant) and right.value is None):
                raise UsageError(f"{sign} is for None alone, in {self.text!r}; write == or != to compare values.")
            same = self.plain(left, "==", right)
            return same if sign == "is" else Not(same)
        return self.plain(left, sign, right)

    def plain(self, left: ast.expr, sign: str, right: ast.expr) -> Compare:
        if sign == "in":
            if not (isinstance(left, ast.Name) and isinstance(right, ast.List | ast.Tuple | ast.Set)):
                raise UsageError(f'in takes a column and a list, such as plan in ["free", "pro"]; given {self.text!r}.')
            return Compare(self.name(left), "in", tuple(self.scalar(each) for each in right.elts))
        if isinstance(left, ast.Name):
            value = Column(self.name(right)) if isinstance(right, ast.Name) else self.scalar(right)
            return self.checked(Compare(self.name(left), sign, value))
        if isinstance(right, ast.Name):
            return self.checked(Compare(self.name(right), _TURNED[sign], self.scalar(left)))
        self.scalar(left), self.scalar(right)
        raise UsageError(f"{self.text!r} compares two values, and no column. {_HINT}")

    def checked(self, found: Compare) -> Compare:
        if found.value is None and found.operator != "==":
            raise UsageError(f"Nothing is {found.operator} None, in {self.text!r}; write {found.column} == None.")
        return found

    def name(self, tree: ast.Name) -> str:
        return self.names.get(tree.id, tree.id)

    def scalar(self, tree: ast.expr) -> Scalar:
        try:
            value = ast.literal_eval(tree)
        except (ValueError, TypeError):
            raise self.wrong(tree) from None
        if value is None or isinstance(value, str | bool | int | float):
            return value
        raise self.wrong(tree)

    def wrong(self, tree: ast.expr) -> UsageError:
        part = ast.unparse(tree)
        for key, name in self.names.items():
            part = part.replace(key, f"`{name}`")
        return UsageError(f"{part!r} is not part of a condition, in {self.text!r}. {_HINT}")
