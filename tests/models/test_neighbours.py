"""Rows that are kept beside an exact head: a bounded sample that adds up and is forgotten from, and its votes."""

import functools
import operator
from collections import Counter

import numpy as np
import pytest

from incumbent.models._grid import Grid
from incumbent.models._neighbours import SHARE, SHARPNESS, Neighbours, Votes, mixed

RNG = np.random.default_rng(0)
GRID = Grid(np.float32([0.5, 0.25, 1.0, 4.0]), signed=True)


def kept(n, seed=0, *, each=10_000, levels=4, names=("ant", "bee", "cow")):
    rng = np.random.default_rng(seed)
    codes = rng.integers(-levels, levels, (n, 3)).astype(np.int8)
    return Neighbours.of(codes, np.array(names)[rng.integers(0, len(names), n)], None, each=each)


def content(rows):
    return Counter((tuple(codes.tolist()), str(label)) for codes, label in zip(rows.codes, rows.labels, strict=True))


# ----------------------------------------------------------------------------------------------- which are kept


def test_rows_add_up_and_leave_again_whatever_is_equal_among_them():
    one, two = kept(400, 1), kept(300, 2)
    assert content(one + two) == content(one) + content(two)
    left = (one + two).without(two)
    assert content(left) == content(one) and content(one.without(two)) == content(one) - content(two)
    assert left.weight.dtype == np.float32 and (left.weight == 1).all()


def test_a_row_of_another_class_does_not_leave():
    one = Neighbours.of(np.int8([[1, 2, 3]]), np.array(["ant"]), None, each=9)
    other = Neighbours.of(np.int8([[1, 2, 3]]), np.array(["bee"]), None, each=9)
    assert len(one.without(other)) == 1 and len(one.without(one)) == 0


def test_beyond_their_number_the_same_rows_of_each_class_stay_in_whatever_order_they_come():
    parts = [kept(50, seed, each=20, levels=100) for seed in range(6)]
    forward, backward = (functools.reduce(operator.add, order) for order in (parts, parts[::-1]))
    assert Counter(forward.labels.tolist()) == {"ant": 20, "bee": 20, "cow": 20}
    assert content(forward) == content(backward) == content(Neighbours.join(parts))
    rare = kept(9, 7, each=20, levels=100, names=["elk"])
    assert Counter((forward + rare).labels.tolist())["elk"] == 9


def test_many_classes_share_what_is_kept_in_all(monkeypatch):
    monkeypatch.setattr("incumbent.models._neighbours.MOST", 60)
    rows = kept(3000, each=200, levels=100, names=[str(i) for i in range(30)])
    assert set(Counter(rows.labels.tolist()).values()) == {2}
    assert len(kept(3000, each=200, levels=100, names=[str(i) for i in range(100)])) == 100  # one of each at least


def test_the_rows_that_stay_are_a_fair_sample_of_first_and_last():
    often, one = np.zeros(10), np.array(["ant"] * 50)
    for seed in range(300):
        codes = np.random.default_rng(seed).integers(-127, 128, (500, 40)).astype(np.int8)
        rows = Neighbours.join([Neighbours.of(codes[at : at + 50], one, None, each=100) for at in range(0, 500, 50)])
        when = {each.tobytes(): place // 50 for place, each in enumerate(codes)}
        often += np.bincount([when[each.tobytes()] for each in rows.codes], minlength=10)
    assert often.sum() == 30_000
    chi_square = ((often - 3000) ** 2 / (3000 * 0.8)).sum()  # 100 of 500 stay, so a share of .8 varies
    assert chi_square < 27.9  # one in a thousand of nine degrees of freedom


@pytest.mark.parametrize("labels", [["a", "b"], [3, 7], np.array(["a", "b"], dtype=object)])
def test_they_come_back_from_plain_arrays(labels):
    rows = Neighbours.of(np.int8([[1, 2], [3, 4]]), np.array(labels), np.array([1.0, 2.0]), each=5)
    arrays = rows.to_arrays()
    again = Neighbours.from_arrays(arrays)
    assert content(again) == content(rows) and again.each == 5 and again.weight.tolist() == [1.0, 2.0]
    assert all(part.dtype.kind != "O" for part in arrays.values()) and rows.nbytes == sum(
        part.nbytes for part in arrays.values()
    )
    assert Neighbours.from_arrays({}) is None


# ------------------------------------------------------------------------------------------------------- votes


def votes(rows, count=None):
    classes, of = np.unique(rows.labels, return_inverse=True)
    learned = np.bincount(of, weights=rows.weight) if count is None else count
    return Votes.by(rows, classes, learned, GRID, np.array([0.1, -0.2, 0.3, 9.0]))


def one_by_one(rows, read, mean):
    """The shares of the votes by the equation, a row and a neighbour at a time, in double precision."""
    classes, out = np.unique(rows.labels), []
    for row in read[:, :3].astype(float) - mean[:3]:
        said = dict.fromkeys(classes.tolist(), 0.0)
        for codes, label, weight in zip(rows.codes, rows.labels, rows.weight, strict=True):
            other = codes * GRID.step[:3].astype(float) - mean[:3]
            cosine = row @ other / np.linalg.norm(row) / np.linalg.norm(other)
            said[str(label)] += weight * np.exp(SHARPNESS * (cosine - 1.0))
        out.append([each / sum(said.values()) for each in said.values()])
    return np.array(out)


def test_votes_are_those_of_the_equation():
    rows, mean = kept(80), np.array([0.1, -0.2, 0.3, 9.0])
    rows = Neighbours(rows.codes, rows.labels, RNG.uniform(0.5, 4.0, 80).astype(np.float32), 100)
    read = RNG.normal(size=(600, 4)).astype(np.float32)  # more than are asked at once; the last feature has no vote
    found = votes(rows).shares(read, 3)
    np.testing.assert_allclose(found, one_by_one(rows, read, mean), rtol=2e-4, atol=1e-6)
    assert found.sum(axis=1) == pytest.approx(1.0, abs=1e-5)


def test_a_row_of_weight_two_votes_as_two_rows():
    rows = kept(40)
    doubled = Neighbours(rows.codes, rows.labels, np.where(np.arange(40) < 10, 2.0, 1.0).astype(np.float32), 100)
    twice = rows + Neighbours(rows.codes[:10], rows.labels[:10], rows.weight[:10], 100)
    read = RNG.normal(size=(30, 4)).astype(np.float32)
    np.testing.assert_allclose(votes(doubled).shares(read, 3), votes(twice).shares(read, 3), rtol=1e-5)


def test_the_rows_of_a_class_weigh_together_what_all_did_that_were_learned():
    rows, read = kept(60), RNG.normal(size=(30, 4)).astype(np.float32)
    own = np.bincount(np.unique(rows.labels, return_inverse=True)[1]).astype(float)
    expected = votes(rows).shares(read, 3) * (learned := own * [1.0, 5.0, 40.0]) / own
    found = votes(rows, learned).shares(read, 3)
    np.testing.assert_allclose(found, expected / expected.sum(axis=1, keepdims=True), rtol=1e-4, atol=1e-7)


def test_a_row_in_the_middle_of_all_has_votes_that_are_numbers():
    read = np.float32([[0.1, -0.2, 0.3, 0.0], [1e-30, 0.0, 0.0, 0.0]])
    assert np.isfinite(votes(kept(50)).shares(read, 3)).all()


def test_votes_have_their_share_of_the_probabilities():
    proba, shares = np.array([[0.9, 0.1]]), np.array([[0.0, 1.0]])
    np.testing.assert_allclose(mixed(proba, shares), [[0.9 * (1 - SHARE), 0.1 * (1 - SHARE) + SHARE]])
