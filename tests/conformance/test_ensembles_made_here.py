"""Ensembles that updates make are champions like any other."""

import numpy as np
import pytest
from natives import fitted, numbers, values
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB

from incumbent.models import Blend, wrap
from incumbent.testing import check_model

STACK = np.vstack([0.5 * np.eye(3), 0.7 * np.eye(3), np.zeros((1, 3))])


@pytest.mark.parametrize(
    ("how", "weights"),
    [("vote", [0.5, 0.5]), ("weighted", [0.2, 0.8]), ("stack", STACK)],
    ids=["vote", "weighted", "stack"],
)
def test_one_of_classifiers_keeps_its_promises(how, weights):
    rows = numbers(3, names=["a", "b", "c"])
    members = [wrap(fitted(kind, rows)) for kind in (LogisticRegression(), GaussianNB())]
    check_model(Blend(members, np.asarray(weights), how), rows)


def test_one_of_regressors_does_too():
    members = [wrap(fitted(kind, values())) for kind in (RandomForestRegressor(4), Ridge())]
    check_model(Blend(members, np.array([0.5, 0.5]), "vote"), values())
