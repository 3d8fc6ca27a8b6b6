"""Test an adapter: each promise of `incumbent.core.Model` is a named check around one fitted model and real rows."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from unittest import SkipTest

from incumbent.core import Array, Batch, Strategy
from incumbent.errors import AbilityError, UsageError
from incumbent.models import wrap
from incumbent.policy import recipe_for
from incumbent.strategies import Tune, catalogue
from incumbent.testing._case import Case, Trial
from incumbent.testing._checks import AFTER, BEFORE, BY_STRATEGY
from incumbent.words import joined


@dataclass(frozen=True, eq=False)
class Check:
    """A promise of a model, tested when it is called.

    Calling it raises `AssertionError` if the promise is broken, and `unittest.SkipTest`, which pytest reports as
    skipped, if it does not apply; both say why.

    Parameters
    ----------
    name : str
        The name, with the strategy in brackets if it follows one: ``fits_the_same_again[Retrain()]``.
    promise : str
        The promise in a sentence.
    run : callable
        The test.
    """

    name: str
    promise: str
    run: Callable[[], None] = field(repr=False)

    def __call__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on few rows, estimators warn that they have not converged
            self.run()

    def __str__(self) -> str:
        return self.name


def yield_checks(
    native: Any,
    batch: Batch,
    *,
    classes: Array | None = None,
    strategies: Sequence[Strategy] | None = None,
    exceptions: Mapping[str, str] | None = None,
    tolerance: float = 1e-6,
    seed: int = 0,
) -> Iterator[Check]:
    """Yield the checks of a model and its adapter, one promise each; the first failure tells most.

    Training may raise `ModelError` only if a recipe needs the Fisher information (``Pull(importance="fisher")``); if
    the loss is no likelihood, there is none.

    Parameters
    ----------
    native : object
        A fitted model, or an adapter around one.
    batch : Batch
        60 or more labelled rows like those it was trained on, with 9 or more of each class; 200 to 400 keep it quick.
    classes : (k,) array, optional
        Class names of a native booster, which only knows 0 to k - 1.
    strategies : sequence of Strategy, optional
        The strategies to follow, as far as its abilities suffice; by default the whole catalogue, with a search of two
        trials.
    exceptions : mapping of str to str, optional
        Checks that this model need not pass, each with the reason: by whole name or by the part before the bracket.
    tolerance : float
        How far probabilities may be from a sum of 1 and from those of the native model; the default leaves room for
        single precision. What must be the same must be exactly the same.
    seed : int
        Seed of all draws.

    Raises
    ------
    UsageError
        There are too few rows, or an exception has no reason or names no check.

    Examples
    --------
    With pytest, each promise is a test of its own: ``@pytest.mark.parametrize("check", yield_checks(model, rows),
    ids=str)`` above ``def test_it_keeps_its_promise(check): check()``.

    >>> import numpy as np
    >>> from sklearn.naive_bayes import GaussianNB
    >>> x = np.random.default_rng(0).normal(size=(90, 2))
    >>> y = (x[:, 0] > 0).astype(int)
    >>> checks = list(yield_checks(GaussianNB().fit(x, y), Batch(x, y), strategies=[]))
    >>> print(checks[4], "-", checks[4].promise)
    predicts_the_same_again - Predict the same rows alike when called again.
    >>> checks[4]()
    """
    reasons = dict(exceptions or {})
    _check_exceptions(reasons)
    model = wrap(native, classes=classes).infer_outputs(batch.labels)
    case = Case.from_rows(model, batch, tolerance, seed)
    for check in BEFORE:
        yield _named(check, case, "", reasons)
    for strategy in _catalogue() if strategies is None else strategies:
        try:
            trial = Trial(case, strategy, recipe_for(strategy, model, case.memory))
        except AbilityError:
            continue
        for follow in BY_STRATEGY if trial.new_class is not None else BY_STRATEGY[:-1]:
            yield _named(follow, trial, f"[{strategy!r}]", reasons)
    for check in AFTER:
        yield _named(check, case, "", reasons)


def check_model(
    native: Any,
    batch: Batch,
    *,
    classes: Array | None = None,
    strategies: Sequence[Strategy] | None = None,
    exceptions: Mapping[str, str] | None = None,
    tolerance: float = 1e-6,
    seed: int = 0,
) -> None:
    """Call every check of `yield_checks`, which has the same parameters, and raise if the model breaks a promise.

    Raises
    ------
    AssertionError
        A promise is broken. The message says which, and how.
    UsageError
        There are too few rows, or an exception has no reason or names no check.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import SGDClassifier
    >>> from incumbent.strategies import Incremental, Retrain
    >>> x = np.random.default_rng(0).normal(size=(200, 3))
    >>> y = np.where(x[:, 0] > 0, "yes", "no")
    >>> native = SGDClassifier(loss="log_loss", random_state=0).fit(x[:50], y[:50])
    >>> check_model(native, Batch(x, y), strategies=[Retrain(), Incremental()])
    """
    for check in yield_checks(
        native,
        batch,
        classes=classes,
        strategies=strategies,
        exceptions=exceptions,
        tolerance=tolerance,
        seed=seed,
    ):
        try:
            check()
        except SkipTest:
            continue
        except Exception as error:  # an adapter may raise anything; the note says in which check
            error.add_note(f"The check {check.name!r} failed. A model should: {check.promise}")
            raise


def _check_exceptions(reasons: Mapping[str, str]) -> None:
    known = [check.__name__ for check in (*BEFORE, *BY_STRATEGY, *AFTER)]
    for name, reason in reasons.items():
        if name.partition("[")[0] not in known:
            raise UsageError(f"exceptions= names {name!r}, which is no check. The checks are {joined(known)}.")
        if not reason.strip():
            raise UsageError(f"exceptions={{{name!r}: ...}} needs a reason.")


def _named(check: Callable[[Any], None], subject: Case | Trial, strategy: str, reasons: Mapping[str, str]) -> Check:
    name = check.__name__ + strategy
    reason = reasons.get(name, reasons.get(check.__name__))
    run = partial(check, subject) if reason is None else partial(_skip, reason)
    return Check(name, (check.__doc__ or "").strip(), run)


def _skip(reason: str) -> None:
    raise SkipTest(reason)


def _catalogue() -> list[Strategy]:
    return [Tune(2) if kind is Tune else kind() for kind in catalogue().values()]
