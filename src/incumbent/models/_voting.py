"""Read heads of version 0.1 that mixed in the votes of kept rows: what is left is their linear layer."""

from __future__ import annotations

from typing import Any

from sklearn.linear_model import LogisticRegression

from incumbent.models.tables._layer import make_logistic

WITHOUT_ROWS = "opened without the kept rows that version 0.1 mixed in"


class VotingHead(LogisticRegression):  # type: ignore[misc]  # scikit-learn brings no types
    """The name that such heads have in stored files. Reading one makes a plain `LogisticRegression`, with a note."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        layer = make_logistic(state["coef_"], state["intercept_"], state["classes_"])
        own = {name: value for name, value in state.items() if name.startswith("_incumbent")}
        self.__dict__.update({**vars(layer), **own, "_incumbent_note": WITHOUT_ROWS})
        self.__class__ = LogisticRegression
