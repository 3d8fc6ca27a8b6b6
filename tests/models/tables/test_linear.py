"""Linear models: their own optimum is a fixed point, Fisher row by row, the pull, and what their own rule does."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.special import expit, softmax
from sklearn.linear_model import (
    ElasticNet,
    HuberRegressor,
    Lasso,
    LinearRegression,
    LogisticRegression,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
    SGDRegressor,
)
from sklearn.metrics import log_loss
from sklearn.svm import LinearSVC, LinearSVR

from incumbent.core import Batch, Memory, Pull, Recipe
from incumbent.errors import ModelError
from incumbent.models import wrap
from incumbent.models.tables import problem_of

CHAMPION = Recipe().replace(start="champion")


def rows(k=2, n=300, seed=0, d=3):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d)) * np.array([1.0, 3.0, 0.5, 1.0, 1.0])[:d] + 0.5
    score = x @ np.array([1.0, -0.5, 0.8, 0.0, 0.0])[:d] + 0.5 * rng.normal(size=n)
    if not k:
        return Batch(x, score)
    return Batch(x, np.digitize(score, np.quantile(score, np.arange(1, k) / k)))


def follow(model, recipe, train, **more):
    return model.fit(recipe.bind(train=train, **more))


SMOOTH = {
    "logistic, two classes": (LogisticRegression(C=0.3, tol=1e-10, max_iter=5000), 2),
    "logistic, three classes": (LogisticRegression(C=0.3, tol=1e-10, max_iter=5000), 3),
    "logistic, no penalty": (LogisticRegression(C=np.inf, tol=1e-10, max_iter=5000), 2),
    "logistic, balanced": (LogisticRegression(class_weight="balanced", tol=1e-10, max_iter=5000), 3),
    "logistic, a class counts more": (LogisticRegression(C=0.1, class_weight={1: 5.0}, tol=1e-10, max_iter=5000), 2),
    "logistic, no intercept": (LogisticRegression(fit_intercept=False, tol=1e-10, max_iter=5000), 2),
    "squared hinge": (LinearSVC(C=0.1, fit_intercept=False, tol=1e-10, max_iter=200_000), 2),
    "squared hinge, three classes": (LinearSVC(C=0.1, fit_intercept=False, tol=1e-10, max_iter=200_000), 3),
    "ridge classifier, two classes": (RidgeClassifier(alpha=20.0), 2),
    "ridge classifier, three classes": (RidgeClassifier(alpha=20.0), 3),
    "ridge": (Ridge(alpha=30.0), 0),
    "ridge, no intercept": (Ridge(alpha=30.0, fit_intercept=False), 0),
    "least squares": (LinearRegression(), 0),
    "huber": (HuberRegressor(alpha=50.0, epsilon=1.1, tol=1e-10, max_iter=5000), 0),
    "support vector regression": (
        LinearSVR(
            loss="squared_epsilon_insensitive", epsilon=0.1, C=0.1, fit_intercept=False, tol=1e-10, max_iter=200_000
        ),
        0,
    ),
    "lasso": (Lasso(alpha=0.1, tol=1e-12), 0),
    "elastic net": (ElasticNet(alpha=0.1, l1_ratio=0.3, tol=1e-12), 0),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_the_optimum_of_scikit_learn_is_a_fixed_point(name):
    """The gradient of what is minimised here vanishes where scikit-learn's own solver ended."""
    estimator, k = SMOOTH[name]
    batch = rows(k)
    native = estimator.fit(batch.x, batch.y)
    problem, now = problem_of(native, batch, Recipe()), wrap(native).weights()

    def objective(coef, intercept):
        return problem.error(coef, intercept) + problem.l2 / 2 * (coef**2).sum() + problem.l1 * abs(coef).sum()

    for part in ("coef", "intercept") if problem.intercept else ("coef",):
        for at in np.ndindex(now[part].shape):
            up, down = ({key: value.copy() for key, value in now.items()} for _ in range(2))
            up[part][at] += 1e-5
            down[part][at] -= 1e-5
            assert abs(objective(**up) - objective(**down)) / 2e-5 < 2e-5


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("optimizer", ["momentum", "adam"])
def test_many_epochs_reach_the_optimum_of_scikit_learn_on_new_rows(k, optimizer):
    old, new = rows(k, seed=1), rows(k, n=400, seed=2)
    new = new.replace(x=new.x * [1.0, -1.0, 1.0])  # another rule
    champion = wrap(LogisticRegression().fit(old.x, old.y))
    lr = {"momentum": 0.3, "adam": 0.3}[optimizer]
    recipe = CHAMPION.replace(optimizer=optimizer, lr=lr, epochs=250, batch_size=100)
    made, own = follow(champion, recipe, new).native, LogisticRegression(tol=1e-8).fit(new.x, new.y)

    def objective(native):
        return log_loss(new.y, native.predict_proba(new.x)) + (native.coef_**2).sum() / (2 * len(new))

    assert objective(champion.native) > objective(own) + 0.2
    assert objective(made) < objective(own) + 1e-3


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adagrad", "rmsprop", "adam"])
def test_every_optimiser_finds_its_rate_and_learns_a_new_rule(optimizer):
    old, new = rows(seed=1), rows(n=600, seed=2)
    new = new.replace(x=new.x * [1.0, -1.0, 1.0])
    champion = wrap(LogisticRegression().fit(old.x, old.y))
    made = follow(
        champion, CHAMPION.replace(optimizer=optimizer, epochs=5, batch_size=16), new, select=new.take(range(100))
    )
    assert made.native.score(new.x, new.y) > champion.native.score(new.x, new.y) + 0.2


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix], ids=["dense", "sparse"])
@pytest.mark.parametrize("k", [2, 3])
def test_the_fisher_information_is_that_of_a_loop_over_rows_and_labels(kind, k):
    batch = rows(k, n=40)
    native = LogisticRegression().fit(batch.x, batch.y)
    model = wrap(native)

    def log_likelihood(theta, row, label):
        coef, intercept = theta[:-1], theta[-1]
        score = row @ coef + intercept
        if k == 2:
            return np.log(expit(score[0] if label else -score[0]))
        return np.log(softmax(score)[label])

    now = model.weights()
    theta = np.vstack([now["coef"].T, now["intercept"]])  # (d + 1, k)
    fisher = np.zeros_like(theta)
    for row, p in zip(batch.x, native.predict_proba(batch.x), strict=True):
        for label, share in enumerate(p):
            slope = np.zeros_like(theta)
            for at in np.ndindex(theta.shape):
                step = np.zeros_like(theta)
                step[at] = 1e-5
                up, down = (log_likelihood(theta + sign * step, row, label) for sign in (1, -1))
                slope[at] = (up - down) / 2e-5
            fisher += share * slope**2 / len(batch)
    found = model.weight_importance(batch.replace(x=kind(batch.x)))
    assert np.allclose(found["coef"], fisher[:-1].T, rtol=1e-4, atol=1e-8)
    assert np.allclose(found["intercept"], fisher[-1], rtol=1e-4, atol=1e-8)


def test_the_fisher_information_of_least_squares_is_the_mean_square_of_the_columns():
    batch = rows(0)
    found = wrap(LinearRegression().fit(batch.x, batch.y)).weight_importance(batch)
    assert np.allclose(found["coef"], (batch.x**2).mean(axis=0))
    assert np.allclose(found["intercept"], 1.0)


def test_a_hinge_has_no_fisher_information_and_says_what_to_do():
    batch = rows()
    model = wrap(SGDClassifier(random_state=0).fit(batch.x, batch.y))
    with pytest.raises(ModelError, match=r"SGDClassifier\(loss='hinge'\) has none. L2SP\(0.1, l2_new_weights=0\)"):
        model.weight_importance(batch)


def test_ewc_reaches_the_minimum_of_the_loss_and_the_weighted_pull():
    """Old optimum, exact Fisher, squared loss: the closed form of Kirkpatrick et al. (2017), eq. 3."""
    old, new = rows(0, seed=1), rows(0, seed=2)
    new = new.replace(y=new.y + 2 * new.x[:, 0])
    champion = wrap(LinearRegression().fit(old.x, old.y))
    recipe = CHAMPION.replace(
        optimizer="momentum", lr=0.05, epochs=1500, batch_size=300, pull=Pull(2.0, importance="fisher")
    )
    made = follow(champion, recipe, new, memory=Memory(old, seen=len(old)))
    a = np.hstack([new.x, np.ones((300, 1))])
    start = np.append(champion.native.coef_, champion.native.intercept_)
    fisher = np.append((old.x**2).mean(axis=0), 1.0)
    wanted = np.linalg.solve(a.T @ a / 300 + 2 * np.diag(fisher), a.T @ new.y / 300 + 2 * fisher * start)
    assert np.allclose(np.append(made.native.coef_, made.native.intercept_), wanted, atol=1e-5)


def test_importance_that_is_carried_is_used_instead_of_the_remembered_rows():
    old, new = rows(0, seed=1), rows(0, seed=2)
    new = new.replace(y=new.y + 5)
    champion = wrap(LinearRegression().fit(old.x, old.y))
    recipe = CHAMPION.replace(optimizer="adam", lr=0.05, epochs=50, pull=Pull(1.0, importance="fisher"))
    heavy = {"coef": np.full((1, 3), 1e4), "intercept": np.full(1, 1e4)}
    held = follow(champion, recipe, new, memory=Memory(old, importance=heavy))
    free = follow(champion, recipe, new, memory=Memory(old))
    assert abs(held.native.intercept_ - champion.native.intercept_) < 0.1
    assert abs(free.native.intercept_ - champion.native.intercept_) > 1.0


def test_ewc_without_anything_remembered_says_so():
    batch = rows()
    champion = wrap(LogisticRegression().fit(batch.x, batch.y))
    with pytest.raises(ModelError, match="none are in memory"):
        follow(champion, CHAMPION.replace(pull=Pull(1.0, importance="fisher")), batch)


def test_importance_follows_its_class_when_a_new_one_is_sorted_before_it():
    old = rows()  # classes 0 and 1
    champion = wrap(LogisticRegression().fit(old.x, np.where(old.y, "m", "z")))
    train = Batch(old.x, np.where(old.x[:, 1] > 4, "a", np.where(old.y, "m", "z")))
    recipe = CHAMPION.replace(pull=Pull(1.0, importance="fisher")).bind(train=train, memory=Memory(old))
    grown = wrap(champion._with_classes(recipe, np.array(["a"])))
    found = champion._importance_for(grown, recipe, recipe.loss.pull)
    assert grown.classes.tolist() == ["a", "m", "z"]
    assert (found["coef"][0] == 0).all() and found["intercept"][0] == 0
    assert np.allclose(found["coef"][1:], champion.weight_importance(old)["coef"])


@pytest.mark.parametrize("shift", ["a new class first", "a new class between", "a new class last"])
@pytest.mark.parametrize(
    "estimator", [LogisticRegression(), SGDClassifier(loss="log_loss", random_state=0), SGDClassifier(random_state=0)]
)
def test_a_model_that_grew_predicts_old_and_new_classes(estimator, shift):
    new = {"a new class first": 0, "a new class between": 2, "a new class last": 4}[shift]
    old = rows(n=600, seed=1)
    champion = wrap(estimator.fit(old.x, np.where(old.y, 3, 1)))
    train = rows(n=600, seed=2)
    far = train.x[:, 1] > 4
    train = train.replace(x=train.x + np.outer(far, [0, 6, 0]), y=np.where(far, new, np.where(train.y, 3, 1)))
    made = follow(champion, CHAMPION.replace(optimizer="adam", epochs=20, batch_size=32), train)
    assert made.classes.tolist() == sorted([1, 3, new])
    assert champion.classes.tolist() == [1, 3]
    assert np.mean(made.predict(train.x).label[far] == new) > 0.9
    assert np.mean((made.predict(train.x).label == train.y)[~far]) > 0.75
    assert made.notes == (f"grew by 1 new class: {new}",)


def test_a_grown_liblinear_model_can_be_fitted_again():
    old = rows()
    champion = wrap(LogisticRegression(solver="liblinear").fit(old.x, old.y))
    made = follow(champion, CHAMPION, old.replace(y=np.where(old.x[:, 1] > 4, 2, old.y)))
    assert made.native.solver == "lbfgs" and champion.native.solver == "liblinear"
    again = follow(made, Recipe().replace(start="scratch"), rows(3))
    assert again.classes.tolist() == [0, 1, 2]


@pytest.mark.parametrize("estimator", [SGDClassifier(random_state=0), SGDClassifier(loss="log_loss", average=True)])
def test_its_own_rule_is_partial_fit_by_hand(estimator):
    old, new = rows(3, seed=1), rows(3, n=250, seed=2)
    champion = wrap(estimator.set_params(random_state=4).fit(old.x, old.y))
    made = follow(champion, CHAMPION.replace(batch_size=100, epochs=2, ordered=True), new)
    by_hand = estimator.fit(old.x, old.y)
    for _ in range(2):
        for part in (slice(0, 100), slice(100, 200), slice(200, 300)):
            by_hand.partial_fit(new.x[part], new.y[part])
    assert np.array_equal(made.native.coef_, by_hand.coef_)
    assert np.array_equal(made.native.intercept_, by_hand.intercept_)


def test_where_partial_fit_refuses_balanced_classes_gradient_steps_are_taken():
    batch = rows(3)
    champion = wrap(SGDClassifier(class_weight="balanced", loss="log_loss", random_state=0).fit(batch.x, batch.y))
    made = follow(champion, CHAMPION.replace(epochs=3), batch)
    assert not np.array_equal(made.native.coef_, champion.native.coef_)


def test_averaged_sgd_goes_on_from_the_weights_that_were_set():
    batch = rows(0)
    native = SGDRegressor(average=True, random_state=0, eta0=1e-9, learning_rate="constant").fit(batch.x, batch.y)
    moved = wrap(native).with_weights({"coef": np.full((1, 3), 7.0), "intercept": np.zeros(1)})
    made = follow(moved, CHAMPION, batch)
    assert np.allclose(made.native.coef_, 7.0, atol=1e-3)


@pytest.mark.parametrize("estimator", [LogisticRegression(), Ridge()])
def test_single_precision_stays_single_precision(estimator):
    batch = rows()
    native = estimator.fit(batch.x.astype(np.float32), batch.y)
    model = wrap(native)
    same = model.with_weights(model.weights()).native
    assert same.coef_.dtype == native.coef_.dtype
    assert np.array_equal(same.predict(batch.x.astype(np.float32)), native.predict(batch.x.astype(np.float32)))


def test_a_strong_pull_holds_and_none_lets_go():
    old, new = rows(seed=1), rows(seed=2)
    new = new.replace(y=1 - new.y)
    champion = wrap(LogisticRegression().fit(old.x, old.y))
    recipe = CHAMPION.replace(optimizer="adam", lr=0.03, epochs=30)

    def distance(pull):
        made = follow(champion, recipe.replace(pull=Pull(pull)), new)
        return np.linalg.norm(made.native.coef_ - champion.native.coef_)

    assert distance(100.0) < 0.05 < distance(1.0) < distance(0.0)


def test_row_weights_count_like_copies_of_the_rows():
    batch = rows(0, n=50)
    twice = np.arange(50) % 2 == 0
    champion = wrap(Ridge(alpha=2.0).fit(batch.x, batch.y - batch.x[:, 0]))
    recipe = CHAMPION.replace(optimizer="momentum", lr=0.05, epochs=800, batch_size=100)
    weighed = follow(champion, recipe, batch.replace(weight=1.0 + twice))
    copied = follow(champion, recipe, Batch.join([batch, batch.take(twice)]))
    assert np.allclose(weighed.native.coef_, copied.native.coef_, atol=1e-5)


def test_a_frame_is_read_by_name_whatever_its_order():
    batch = rows()
    frame = pd.DataFrame(batch.x, columns=["a", "b", "c"])
    model = wrap(LogisticRegression().fit(frame, batch.y))
    assert np.array_equal(model.predict(frame[["c", "a", "b"]]).proba, model.predict(frame).proba)


def test_sparsified_and_one_against_all_models_are_left_to_the_general_adapter():
    batch = rows()
    assert "gradient" in wrap(LogisticRegression().fit(batch.x, batch.y)).abilities
    sparse = SGDClassifier(random_state=0).fit(batch.x, batch.y).sparsify()
    assert "gradient" not in wrap(sparse).abilities


def test_every_loss_of_sgd_takes_gradient_steps():
    batch = rows()
    for loss in ("hinge", "log_loss", "modified_huber", "squared_hinge", "perceptron", "squared_error", "huber",
                 "epsilon_insensitive", "squared_epsilon_insensitive"):  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # the squared losses do not converge at SGD's own rate; nothing is asked of that
            native = SGDClassifier(loss=loss, random_state=0).fit(batch.x[:20], batch.y[:20])
        start = {"coef": np.zeros((1, 3)), "intercept": np.zeros(1)}
        made = follow(wrap(native).with_weights(start), CHAMPION.replace(optimizer="adam", epochs=30), batch)
        assert made.native.score(batch.x, batch.y) > 0.8, loss
