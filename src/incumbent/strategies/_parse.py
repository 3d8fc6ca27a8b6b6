"""Read strategies from text: the expressions that `repr` prints, and presets by name."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable
from typing import Any

from incumbent.core import Strategy
from incumbent.errors import UsageError
from incumbent.strategies._names_0_1 import OLD_PRESETS, OLD_STRATEGIES, old_strategy
from incumbent.words import nearest

PRESETS: dict[str, str] = {
    "retrain": "Retrain()",
    "window": "Window(10000)",
    "recency": "Recency(10000)",
    "incremental": "Incremental()",
    "online": "Online()",
    "append-trees": "chain(Replay(2000), AppendTrees(20))",
    "replay": "chain(Replay(2000), Incremental())",
    "gdumb": "GDumb(2000)",
    "vote": "Vote(5)",
    "weighted": "Weighted(5)",
    "stack": "Stack()",
    "interpolate": "chain(Replay(2000), Incremental('adam'), Interpolate('auto'))",
    "ewc": "chain(EWC(1.0), Incremental('adam'))",
    "l2sp": "chain(L2SP(0.1), Incremental())",
    "online-ewc": "chain(OnlineEWC(0.1), Incremental())",
    "si": "chain(SI(1.0), Incremental())",
    "mas": "chain(MAS(0.1), Incremental())",
    "lwf": "chain(LwF(1.0), Incremental())",
    "der": "chain(DER(1000), Incremental())",
    "derpp": "chain(DERpp(1000), Incremental())",
    "freeze": "chain(Replay(2000), Freeze('backbone'))",
    "transfer": "chain(Replay(2000), NewHead(), Freeze('backbone'))",
    "add-classes": "chain(Replay(2000), AddClasses('imprint'))",
    "lora": "chain(Replay(2000), LoRA(8))",
    "replace-architecture": "ReplaceArchitecture()",
    "shrink-perturb": "ShrinkPerturb(0.4)",
    "select-subset": "chain(Replay(2000), SelectSubset(0.5))",
    "balance": "chain(Replay(2000), Balance())",
    "soup": "chain(Replay(2000), Soup(4))",
    "ema": "chain(Replay(2000), EMA(0.99))",
    "objective": "chain(Replay(2000), Objective(class_weight='balanced'))",
    "schedule": "chain(Replay(2000), Schedule('cosine', warmup=0.1))",
    "tune": "Tune(12)",
    "analytic": "Analytic()",
}


def parse(given: str | Strategy) -> Strategy:
    """Return the strategy that a text names; a strategy is returned as it is.

    Only names of strategies, calls of them and plain values are read. No code in the text runs. Names of 0.1 are read
    as well, without a warning, because stores keep them.

    Parameters
    ----------
    given : str or Strategy
        A preset such as "replay", or an expression such as "chain(Replay(2000), Incremental('adam'))".

    Raises
    ------
    UsageError
        The text is no expression, names no strategy, or gives one a value that it does not take.

    Examples
    --------
    >>> parse("chain(Replay(2000), Incremental(optimizer='adagrad'))")
    chain(Replay(2000), Incremental('adagrad'))
    >>> parse("replay")
    chain(Replay(2000), Incremental())
    """
    if not isinstance(given, str):
        if isinstance(given, Strategy) and not isinstance(given, type):
            return given
        raise UsageError(f"A strategy is a value such as Replay(2000), or its text; it was given {given!r}.")
    text = (OLD_PRESETS | PRESETS).get(given.strip(), given.strip())
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError):
        raise UsageError(
            f"{given!r} is not a strategy: write a preset ({', '.join(PRESETS)}) or an expression such as "
            "\"chain(Replay(2000), Incremental(optimizer='adagrad'))\"."
        ) from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # a stored expression keeps the names of its version
        value = _value(tree, _names(), given)
    if not isinstance(value, Strategy):
        raise UsageError(f"{given!r} is not a strategy but a plain value; write for example Replay(2000).")
    return value


def _names() -> dict[str, Callable[..., Any]]:
    from incumbent.strategies import catalogue, chain

    return {**catalogue(), "chain": chain}


def _value(node: ast.expr, names: dict[str, Callable[..., Any]], given: str) -> Any:
    if isinstance(node, ast.Name):
        node = ast.Call(node, [], [])  # `Retrain` means `Retrain()`
    if not isinstance(node, ast.Call):
        return _literal(node, given)
    if not isinstance(node.func, ast.Name) or not (node.func.id in names or node.func.id in OLD_STRATEGIES):
        raise UsageError(_unknown(ast.unparse(node.func), names, given))
    make = names.get(node.func.id) or old_strategy(node.func.id, warn=False)
    arguments = [_value(a, names, given) for a in node.args]
    options = {k.arg: _value(k.value, names, given) for k in node.keywords if k.arg}
    try:
        return make(*arguments, **options)
    except TypeError as error:
        raise UsageError(
            f"{node.func.id} does not take that, in {given!r}: {str(error).replace('__init__() ', '')}."
        ) from None


def _literal(node: ast.expr, given: str) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        raise UsageError(
            f"{ast.unparse(node)!r} in {given!r} is neither a strategy nor a plain number or text."
        ) from None


def _unknown(name: str, names: dict[str, Callable[..., Any]], given: str) -> str:
    meant = nearest(name, [*names, *PRESETS])
    hint = f" Did you mean {meant}?" if meant else ""
    return f"There is no strategy {name!r} (in {given!r}).{hint} `incumbent strategies` lists them: {', '.join(names)}."
