"""Estimators come back from a skops file exactly as they were, and nothing comes back that was not put in."""

import functools
import json
import subprocess
import sys
import textwrap
import zipfile

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingRegressor,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectKBest, f_regression
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    OneHotEncoder,
    OrdinalEncoder,
    QuantileTransformer,
    StandardScaler,
    TargetEncoder,
)
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from incumbent.errors import ModelError, TrustError
from incumbent.models.files import load_native, load_skops, save_native

rng = np.random.default_rng(0)
N = 200
X = pd.DataFrame(
    {
        "a": rng.normal(size=N),
        "b": rng.normal(size=N),
        "c": rng.choice(["u", "v", "w"], N),
        "t": rng.choice(["red car", "blue bus", "green bike"], N),
    }
)
Y = np.where(X["a"] + (X["c"] == "u") > 0.3, "yes", "no")
Z = 2 * X["a"].to_numpy() + rng.normal(size=N)
NUMBERS, CATEGORY = X[["a", "b"]], X[["a", "c"]].astype({"c": "category"})


def clipped(x):
    return np.clip(x, -1, 1)


def test_arrays_of_any_size_are_stored(tmp_path):
    wide = Ridge().fit(rng.normal(size=(20, 30_000)), rng.normal(size=20))  # its weights take 240 kB
    save_native(wide, tmp_path / "model.skops")
    assert np.array_equal(load_native(tmp_path / "model.skops").coef_, wide.coef_)


class Shift(TransformerMixin, BaseEstimator):
    def __init__(self, by=1.0):
        self.by = by

    def fit(self, x, y=None):
        self.fitted_ = True
        return self

    def transform(self, x):
        return np.asarray(x) + self.by


def columns():
    return ColumnTransformer(
        [
            ("n", StandardScaler(), ["a", "b"]),
            ("c", OneHotEncoder(handle_unknown="ignore"), ["c"]),
            ("t", TfidfVectorizer(), "t"),
        ]
    )


def boosters():
    import lightgbm
    import xgboost

    return {
        "LightGBM in a pipeline": (
            make_pipeline(StandardScaler(), lightgbm.LGBMRegressor(n_estimators=5, verbosity=-1)).set_output(
                transform="pandas"
            ),
            NUMBERS,
            Z,
        ),
        "LightGBM with categories": (lightgbm.LGBMClassifier(n_estimators=5, verbosity=-1), CATEGORY, Y),
        "XGBoost in a pipeline": (
            make_pipeline(StandardScaler(), xgboost.XGBClassifier(n_estimators=5)),
            NUMBERS,
            (Y == "yes").astype(int),
        ),
    }


MODELS = {
    "logistic": (LogisticRegression(), NUMBERS, Y),
    "SGD": (SGDClassifier(loss="log_loss", random_state=0), NUMBERS, Y),
    "forest": (RandomForestClassifier(10, random_state=0), NUMBERS, Y),
    "extra trees": (ExtraTreesRegressor(5, random_state=0), NUMBERS, Z),
    "hist boosting with categories": (
        HistGradientBoostingClassifier(max_iter=10, categorical_features="from_dtype"),
        CATEGORY,
        Y,
    ),
    "gradient boosting": (GradientBoostingClassifier(n_estimators=5), NUMBERS, Y),
    "neural net": (MLPClassifier((4,), max_iter=5, solver="lbfgs", random_state=0, tol=1e9), NUMBERS, Y),
    "support vectors": (SVC(), NUMBERS, Y),
    "neighbours": (KNeighborsClassifier(), NUMBERS, Y),
    "text, categories and numbers": (make_pipeline(columns(), LogisticRegression()), X, Y),
    "ordinal": (make_pipeline(OrdinalEncoder(), LogisticRegression()), X[["c", "t"]], Y),
    "target encoder": (make_pipeline(TargetEncoder(cv=2), LogisticRegression()), X[["c"]], Y),
    "bins": (make_pipeline(KBinsDiscretizer(quantile_method="averaged_inverted_cdf"), Ridge()), NUMBERS, Z),
    "transformed target": (
        TransformedTargetRegressor(Ridge(), transformer=QuantileTransformer(n_quantiles=20)),
        NUMBERS,
        Z,
    ),
    "calibrated": (CalibratedClassifierCV(GaussianNB(), cv=2), NUMBERS, Y),
    "stack": (StackingClassifier([("a", GaussianNB()), ("b", DecisionTreeClassifier(max_depth=3))]), NUMBERS, Y),
    "vote": (VotingClassifier([("a", GaussianNB()), ("b", LogisticRegression())]), NUMBERS, Y),
    "bagging": (BaggingRegressor(Ridge(), random_state=0), NUMBERS, Z),
    "AdaBoost": (AdaBoostClassifier(n_estimators=3, random_state=0), NUMBERS, Y),
    "grid search": (GridSearchCV(Ridge(), {"alpha": [0.1, 1.0]}, cv=2), NUMBERS, Z),
    "function by name": (make_pipeline(FunctionTransformer(clipped), Ridge()), NUMBERS, Z),
    "function of NumPy": (make_pipeline(FunctionTransformer(np.tanh), Ridge()), NUMBERS, Z),
    "partial": (make_pipeline(FunctionTransformer(functools.partial(np.clip, a_min=0, a_max=1)), Ridge()), NUMBERS, Z),
    "own class": (make_pipeline(Shift(2.0), Ridge()), NUMBERS, Z),
    "selection by score": (make_pipeline(SelectKBest(f_regression, k=1), Ridge()), NUMBERS, Z),
    "class weights": (LogisticRegression(class_weight={"yes": 2.0, "no": 1.0}), NUMBERS, Y),
    **boosters(),
}


@pytest.mark.parametrize("name", MODELS)
def test_predictions_and_settings_come_back_exactly(name, tmp_path):
    native, x, y = MODELS[name]
    native.fit(x, y)
    save_native(native, tmp_path / "model.skops")
    again = load_native(tmp_path / "model.skops")
    assert type(again) is type(native)
    assert repr(again) == repr(native)
    np.testing.assert_array_equal(again.predict(x), native.predict(x))
    if hasattr(native, "predict_proba"):
        np.testing.assert_array_equal(again.predict_proba(x), native.predict_proba(x))


def test_types_beyond_those_of_the_stored_object_are_refused(tmp_path):
    native = make_pipeline(Shift(), Ridge()).fit(NUMBERS, Z)
    path = tmp_path / "model.skops"
    save_native(native, path)
    manifest = tmp_path / "model.skops.json"
    told = json.loads(manifest.read_text())
    assert [name for name in told["trusted"] if name.endswith("Shift")]
    manifest.write_text(json.dumps(told | {"trusted": []}))
    with pytest.raises(TrustError, match=r"Shift, which may not be loaded"):
        load_native(path)
    load_skops(path, trusted=[f"{__name__}.Shift"])


def test_a_file_exchanged_for_one_with_other_types_is_refused(tmp_path):
    path, other = tmp_path / "model.skops", tmp_path / "other.skops"
    save_native(Ridge().fit(NUMBERS, Z), path)
    save_native(RandomForestClassifier(2).fit(NUMBERS, Y), other)
    path.write_bytes(other.read_bytes())
    with pytest.raises(TrustError, match=r"sklearn\.tree\._tree\.Tree"):
        load_native(path)


def local_function():
    def inner(x):
        return x

    return inner


def local_class():
    class Inner(Shift):
        pass

    return Inner()


@pytest.mark.parametrize(
    ("step", "named"),
    [
        (FunctionTransformer(lambda x: x), "<lambda>"),
        (FunctionTransformer(local_function()), "inner"),
        (local_class(), "Inner"),
        (FunctionTransformer(functools.partial(lambda x, k: x * k, k=2)), "<lambda>"),
    ],
)
def test_what_has_no_name_to_import_it_by_is_refused_with_advice(step, named, tmp_path):
    native = make_pipeline(step, Ridge()).fit(NUMBERS, Z)
    with pytest.raises(ModelError, match=f"{named}.*top of a module that can be imported"):
        save_native(native, tmp_path / "model.skops")
    assert not list(tmp_path.iterdir())


def test_a_closure_is_not_mistaken_for_the_function_of_the_same_name(tmp_path):
    def clipped(x):
        return -np.asarray(x)

    native = make_pipeline(FunctionTransformer(clipped), Ridge()).fit(NUMBERS, Z)
    with pytest.raises(ModelError, match="clipped"):
        save_native(native, tmp_path / "model.skops")


def test_what_skops_would_bring_back_changed_is_refused(tmp_path):
    # skops writes keys as text and reads "False" back as True
    native = LogisticRegression(class_weight={True: 2.0, False: 1.0}).fit(NUMBERS, Y == "yes")
    with pytest.raises(ModelError, match="class_weight comes back changed"):
        save_native(native, tmp_path / "model.skops")


def test_what_cannot_be_taken_apart_is_refused(tmp_path):
    native = Ridge().fit(NUMBERS, Z)
    native.log_ = open(__file__)  # noqa: SIM115  # an open file is what cannot be stored
    with native.log_, pytest.raises(ModelError, match="Ridge cannot be stored"):
        save_native(native, tmp_path / "model.skops")


def test_a_damaged_or_missing_file_says_so(tmp_path):
    path = tmp_path / "model.skops"
    with pytest.raises(ModelError, match="list of types"):
        load_native(path)
    save_native(Ridge().fit(NUMBERS, Z), path)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(ModelError, match="cannot be read"):
        load_native(path)
    path.unlink()
    with pytest.raises(ModelError, match="no file"):
        load_native(path)


def test_another_version_of_scikit_learn_is_one_readable_warning(tmp_path):
    native = RandomForestClassifier(3).fit(NUMBERS, Y)
    path = tmp_path / "model.skops"
    save_native(native, path)
    older = tmp_path / "older.skops"
    with zipfile.ZipFile(path) as one, zipfile.ZipFile(older, "w") as two:
        for name in one.namelist():
            content = one.read(name)
            if name == "schema.json":
                import sklearn

                content = content.replace(f'\\"{sklearn.__version__}\\"'.encode(), b'\\"1.2.0\\"')
            two.writestr(name, content)
    trusted = json.loads((tmp_path / "model.skops.json").read_text())["trusted"]
    with pytest.warns(UserWarning, match=r"was made with scikit-learn 1\.2\.0 and is read with") as caught:
        load_skops(older, trusted=trusted)
    assert len(caught) == 1


def test_reading_and_writing_import_no_torch(tmp_path):
    (tmp_path / "torch.py").write_text("raise SystemExit('torch was imported')")
    code = """
        import sys
        from pathlib import Path
        from sklearn.linear_model import Ridge
        from incumbent.models.files import load_native, save_native
        path = Path(sys.argv[1])
        save_native(Ridge().fit([[0.0], [1.0]], [0.0, 1.0]), path)
        load_native(path)
        assert "torch" not in sys.modules
        assert not [name for name in sys.modules if sys.modules[name] is None and "torch" in name]
        print("fine")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(tmp_path / "model.skops")],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(tmp_path)},
    )
    assert done.stdout == "fine\n", done.stderr
