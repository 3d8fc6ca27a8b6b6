"""A user's model file is known by its content, and no code in it runs without leave."""

import gzip
import json
import os
import pickle
import shutil
import zipfile

import cloudpickle
import joblib
import lightgbm
import numpy as np
import pandas as pd
import pytest
import skops.io
import xgboost
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from incumbent.errors import ModelError, TrustError
from incumbent.models.files import names_in, open_model

rng = np.random.default_rng(0)
X = pd.DataFrame(rng.normal(size=(120, 3)), columns=["a", "b", "c"])
Y = (X["a"] > 0).astype(int).to_numpy()
FOREST = RandomForestClassifier(5, random_state=0).fit(X, Y)
PIPELINE = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y)


def doubled(x):
    return 2 * x


class Attack:
    """Leaves a mark if it is ever unpickled."""

    mark = None

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


# --------------------------------------------------------------------------------------------------- pickles

WAYS = {
    "joblib": lambda path: joblib.dump(FOREST, path),
    "joblib, zlib": lambda path: joblib.dump(FOREST, path, compress=3),
    "joblib, gzip": lambda path: joblib.dump(FOREST, path, compress=("gzip", 3)),
    "joblib, bz2": lambda path: joblib.dump(FOREST, path, compress=("bz2", 3)),
    "joblib, xz": lambda path: joblib.dump(FOREST, path, compress=("xz", 3)),
    "joblib, lzma": lambda path: joblib.dump(FOREST, path, compress=("lzma", 3)),
    "pickle 2": lambda path: path.write_bytes(pickle.dumps(FOREST, protocol=2)),
    "pickle 5": lambda path: path.write_bytes(pickle.dumps(FOREST, protocol=5)),
    "cloudpickle": lambda path: path.write_bytes(cloudpickle.dumps(FOREST)),
    "pickle, gzip": lambda path: path.write_bytes(gzip.compress(pickle.dumps(FOREST))),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_pickle_is_refused_with_what_it_would_load_and_read_with_leave(way, tmp_path):
    path = tmp_path / "model"  # without an extension: the content tells
    WAYS[way](path)
    with pytest.raises(TrustError) as refused:
        open_model(path)
    message = str(refused.value)
    assert "RandomForestClassifier" in message
    assert "--trust-pickle" in message and "trust_pickle=True" in message
    assert "incomplete" not in message
    np.testing.assert_array_equal(open_model(str(path), trust_pickle=True).predict_proba(X), FOREST.predict_proba(X))


def test_nothing_in_a_refused_pickle_runs(tmp_path):
    path, mark = tmp_path / "model.pkl", tmp_path / "ran"
    path.write_bytes(pickle.dumps(Attack(mark)))
    with pytest.raises(TrustError, match=r"mkdir"):
        open_model(path)
    assert not mark.exists()


@pytest.mark.parametrize("protocol", range(6))
def test_an_attack_among_the_arrays_of_a_joblib_file_is_seen(protocol, tmp_path):
    path, mark = tmp_path / "model.joblib", tmp_path / "ran"
    hidden = np.array([Attack(mark), None], dtype=object)
    joblib.dump([np.arange(1000.0), np.arange(24).reshape(2, 3, 4), hidden, np.arange(7)], path, protocol=protocol)
    with path.open("rb") as file:
        names, complete = names_in(file)
    assert complete
    assert any(name.endswith(".mkdir") for name in names)
    assert not mark.exists()


def test_the_unfamiliar_is_named_first(tmp_path):
    path = tmp_path / "model.joblib"
    joblib.dump(make_pipeline(StandardScaler(), FunctionTransformer(doubled), FOREST), path)
    with pytest.raises(TrustError, match=rf"It would load: {__name__.split('.')[-1]}\.doubled, "):
        open_model(path)


def test_a_cut_off_pickle_says_that_its_list_may_be_incomplete(tmp_path):
    path = tmp_path / "model.joblib"
    joblib.dump(FOREST, path)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(TrustError, match="list may be incomplete"):
        open_model(path)
    with pytest.raises(ModelError, match="damaged"):
        open_model(path, trust_pickle=True)


def test_a_pickle_whose_module_is_missing_names_it(tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(b"cno_such_module\nThing\n.")
    with pytest.raises(ModelError, match="needs the module 'no_such_module'"):
        open_model(path, trust_pickle=True)


def test_a_pickle_of_a_script_says_that_its_functions_are_missing(tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(b"csklearn.linear_model\nNoSuchModel\n.")
    with pytest.raises(ModelError, match=r"needs something that is not there .*NoSuchModel"):
        open_model(path, trust_pickle=True)


def test_another_version_of_scikit_learn_is_one_warning(tmp_path):
    path = tmp_path / "model.pkl"
    import sklearn

    data = pickle.dumps(make_pipeline(StandardScaler(), FOREST), protocol=2)
    here = sklearn.__version__.encode()
    path.write_bytes(data.replace(here, b"0" * (len(here) - 2) + b".1"))
    with pytest.warns(UserWarning, match=r"model\.pkl was made with scikit-learn 0+\.1 and is read with") as caught:
        open_model(path, trust_pickle=True)
    assert len(caught) == 1


# ----------------------------------------------------------------------------------------------------- skops


@pytest.mark.parametrize(
    "native",
    [
        FOREST,
        PIPELINE,
        HistGradientBoostingClassifier(max_iter=5).fit(X, Y),
        make_pipeline(SelectKBest(k=1), LogisticRegression()).fit(X, Y),
        lightgbm.LGBMClassifier(n_estimators=3, verbosity=-1).fit(X, Y),
        make_pipeline(StandardScaler(), xgboost.XGBClassifier(n_estimators=3)).fit(X, Y),
    ],
    ids=lambda native: type(native).__name__,
)
def test_a_skops_file_of_known_libraries_needs_no_leave(native, tmp_path):
    path = tmp_path / "model.bin"
    skops.io.dump(native, path)
    np.testing.assert_array_equal(open_model(path).predict_proba(X), native.predict_proba(X))


def test_a_skops_file_with_a_type_of_ones_own_names_it(tmp_path):
    path = tmp_path / "model.skops"
    skops.io.dump(make_pipeline(FunctionTransformer(doubled), LogisticRegression()).fit(X, Y), path)
    with pytest.raises(TrustError, match=r"doubled.*--trust-pickle"):
        open_model(path)
    open_model(path, trust_pickle=True).predict(X)


@pytest.mark.parametrize(
    "function", ["numpy.testing._private.utils.runstring", "numpy.load", "pandas.io.pickle.read_pickle", "os.mkdir"]
)
def test_a_function_that_could_run_code_is_not_trusted_for_its_library(function, tmp_path):
    path = tmp_path / "model.skops"
    skops.io.dump(Ridge().fit(X, Y), path)
    module, _, name = function.rpartition(".")
    with zipfile.ZipFile(path) as archive:
        schema = json.loads(archive.read("schema.json"))
        rest = {n: archive.read(n) for n in archive.namelist() if n != "schema.json"}
    call = {"__class__": name, "__module__": module, "__loader__": "ConstructorFromReduceNode"}
    schema["content"]["content"]["alpha"] = call | {"content": schema["content"]["content"]["alpha"]}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("schema.json", json.dumps(schema))
        for member, content in rest.items():
            archive.writestr(member, content)
    with pytest.raises(TrustError, match=function.rpartition(".")[2]):
        open_model(path)


# -------------------------------------------------------------------------------------------------- boosters


@pytest.mark.parametrize("name", ["model.txt", "model.lgb", "model.model", "model"])
def test_a_lightgbm_file_is_known_by_its_content(name, tmp_path):
    booster = lightgbm.train({"objective": "binary", "verbosity": -1}, lightgbm.Dataset(X, Y), 3)
    booster.save_model(tmp_path / name)
    opened = open_model(tmp_path / name)
    assert isinstance(opened, lightgbm.Booster)
    np.testing.assert_array_equal(opened.predict(X), booster.predict(X))


@pytest.mark.parametrize(
    ("kind", "name"), [("json", "m.json"), ("ubj", "m.ubj"), ("ubj", "m.xgb"), ("json", "m"), ("ubj", "m")]
)
def test_an_xgboost_file_is_known_by_its_content(kind, name, tmp_path):
    booster = xgboost.train({"objective": "binary:logistic"}, xgboost.DMatrix(X, Y), 3)
    (tmp_path / name).write_bytes(booster.save_raw(kind))
    opened = open_model(tmp_path / name)
    assert isinstance(opened, xgboost.Booster)
    np.testing.assert_array_equal(opened.predict(xgboost.DMatrix(X)), booster.predict(xgboost.DMatrix(X)))


# ---------------------------------------------------------------------------------------------------- MLflow

# MLflow warns of its own type hints, SQLAlchemy of MLflow's queries, when these tests write with it
MLFLOW_WRITES = pytest.mark.filterwarnings("ignore")


@MLFLOW_WRITES
def test_folders_of_mlflow_are_opened_by_their_flavour(tmp_path):
    import mlflow.lightgbm
    import mlflow.sklearn
    import mlflow.xgboost

    classifier = xgboost.XGBClassifier(n_estimators=3).fit(X, Y)
    booster = lightgbm.train({"objective": "binary", "verbosity": -1}, lightgbm.Dataset(X, Y), 3)
    mlflow.sklearn.save_model(
        PIPELINE, tmp_path / "sk", pip_requirements=["scikit-learn"], serialization_format="cloudpickle"
    )
    mlflow.lightgbm.save_model(booster, tmp_path / "lgb", pip_requirements=["lightgbm"])
    mlflow.xgboost.save_model(classifier, tmp_path / "xgb", pip_requirements=["xgboost"])
    with pytest.raises(TrustError, match="trust-pickle"):
        open_model(tmp_path / "sk")
    assert repr(open_model(tmp_path / "sk", trust_pickle=True)) == repr(PIPELINE)
    np.testing.assert_array_equal(open_model(tmp_path / "lgb").predict(X), booster.predict(X))
    opened = open_model(tmp_path / "xgb")
    assert isinstance(opened, xgboost.XGBClassifier)
    np.testing.assert_array_equal(opened.predict_proba(X), classifier.predict_proba(X))


@MLFLOW_WRITES
@pytest.mark.slow
def test_a_registered_model_is_opened_by_alias_version_and_run(tmp_path, monkeypatch):
    import mlflow
    import mlflow.sklearn

    monkeypatch.chdir(tmp_path)
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    try:
        mlflow.create_experiment("e", artifact_location=(tmp_path / "artifacts").as_uri())
        mlflow.set_experiment("e")
        with mlflow.start_run() as run:
            mlflow.sklearn.log_model(
                FOREST,
                name="model",
                registered_model_name="fraud",
                pip_requirements=["scikit-learn"],
                serialization_format="cloudpickle",
            )
        mlflow.MlflowClient().set_registered_model_alias("fraud", "live", "1")
        for uri in ("models:/fraud@live", "models:/fraud/1", f"runs:/{run.info.run_id}/model"):
            opened = open_model(uri, trust_pickle=True)
            np.testing.assert_array_equal(opened.predict_proba(X), FOREST.predict_proba(X))
        with pytest.raises(TrustError, match="models:/fraud@live"):
            open_model("models:/fraud@live")
        with pytest.raises(
            ModelError, match=r"models:/nothing@live cannot be fetched from MLflow .*MLFLOW_TRACKING_URI"
        ):
            open_model("models:/nothing@live")
    finally:
        mlflow.set_tracking_uri(before)


# ------------------------------------------------------------------------------------------------ not a model


def torch_like(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"")


NOT_MODELS = {
    "empty": (lambda p: p.write_bytes(b""), "is empty"),
    "a table": (lambda p: p.write_text("a,b,c\n1,2,3\n"), "no known kind of model file"),
    "a compressed table": (lambda p: p.write_bytes(gzip.compress(b"a,b\n1,2\n")), "no known kind of model file"),
    "Parquet": (lambda p: X.to_parquet(p), "Parquet"),
    "JSON": (lambda p: p.write_text('{"a": 1}'), "no known kind of model file"),
    "an array": (lambda p: np.save(p.open("wb"), Y), "NumPy array"),
    "a zip": (lambda p: zipfile.ZipFile(p, "w").writestr("a", "b"), "zip archive|damaged"),
    "PyTorch": (torch_like, "looks like a PyTorch file but cannot be read"),
    "a broken LightGBM file": (lambda p: p.write_text("tree\nversion=v4\n"), "looks like a LightGBM model"),
    "a broken XGBoost file": (lambda p: p.write_text('{"learner": 3}'), "looks like an XGBoost model"),
    "an old binary of XGBoost": (lambda p: p.write_bytes(b"binf" + bytes(100)), "looks like an XGBoost model"),
    "a pickled dict": (lambda p: joblib.dump({"model": 1, "scaler": 2}, p), "dict with the keys 'model', 'scaler'"),
    "a pickled frame": (lambda p: joblib.dump(X, p), "DataFrame, which cannot predict"),
    "a pickled scaler": (lambda p: joblib.dump(StandardScaler(), p), "StandardScaler, which cannot predict"),
    "damaged pickle": (lambda p: p.write_bytes(b"\x80\x04nonsense"), "damaged"),
    "damaged skops": (lambda p: p.write_bytes(b"PK\x03\x04nonsense"), "damaged"),
}


@pytest.mark.parametrize("kind", NOT_MODELS)
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # of the one-liners that write the files above
def test_what_is_no_model_gets_one_clear_sentence(kind, tmp_path):
    write, expected = NOT_MODELS[kind]
    path = tmp_path / "model"
    write(path)
    with pytest.raises(ModelError, match=expected) as error:
        open_model(path, trust_pickle=True)
    assert "\n" not in str(error.value)


def test_a_missing_file_and_a_folder_say_so(tmp_path):
    with pytest.raises(ModelError, match="There is no file"):
        open_model(tmp_path / "absent.joblib")
    with pytest.raises(ModelError, match="is a folder"):
        open_model(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read_says_so(tmp_path):
    path = tmp_path / "model.joblib"
    joblib.dump(FOREST, path)
    path.chmod(0)
    with pytest.raises(ModelError, match="cannot be read"):
        open_model(path)


@MLFLOW_WRITES
def test_an_mlflow_folder_cannot_point_outside_of_itself(tmp_path):
    import mlflow.lightgbm

    booster = lightgbm.train({"objective": "binary", "verbosity": -1}, lightgbm.Dataset(X, Y), 3)
    mlflow.lightgbm.save_model(booster, tmp_path / "m", pip_requirements=["lightgbm"])
    shutil.move(tmp_path / "m" / "model.lgb", tmp_path / "model.lgb")
    described = (tmp_path / "m" / "MLmodel").read_text().replace("data: model.lgb", "data: ../model.lgb")
    (tmp_path / "m" / "MLmodel").write_text(described)
    with pytest.raises(ModelError, match="which is not in it"):
        open_model(tmp_path / "m")
