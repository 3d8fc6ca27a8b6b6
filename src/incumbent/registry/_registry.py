"""The registry: models by name in one store, with a verb for each event."""

from __future__ import annotations

from incumbent.registry._approve import ApproveVerbs
from incumbent.registry._deploy import DeployVerbs
from incumbent.registry._forget import ForgetVerb
from incumbent.registry._gate import GateVerb
from incumbent.registry._init import InitVerb
from incumbent.registry._label import LabelVerb
from incumbent.registry._plan import PlanVerb
from incumbent.registry._purge import PurgeVerb
from incumbent.registry._read import ReadVerbs
from incumbent.registry._shadow import ShadowVerbs
from incumbent.registry._update import UpdateVerb


class Registry(
    InitVerb,
    UpdateVerb,
    DeployVerbs,
    ApproveVerbs,
    ForgetVerb,
    PurgeVerb,
    GateVerb,
    ShadowVerbs,
    PlanVerb,
    LabelVerb,
    ReadVerbs,
):
    """Models by name, kept in MLflow: every version, its memory, its evidence and its history.

    In every method, `name` is the name of a model, `why` the reason, for the record, and `user` who does it; the
    default is the user of this process.

    Parameters
    ----------
    url : str or Path, optional
        A folder, ``sqlite:///FILE``, or the address of an MLflow server. The default is INCUMBENT_STORE, then
        MLFLOW_TRACKING_URI, then the folder ``.incumbent``.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from incumbent import Gate
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(4000, 2))
    >>> y = (x[:, 0] + (np.arange(4000) > 1000) * x[:, 1] > 0).astype(int)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     registry = Registry(folder)
    ...     model = LogisticRegression().fit(x[:1000], y[:1000])
    ...     came = registry.init("demo", model, (x[:1000], y[:1000]), gate=Gate(tolerance=None))
    ...     outcome = registry.update("demo", (x[1000:], y[1000:]), strategies="retrain")
    ...     outcome.decision, registry.champion("demo"), registry.rollback("demo", why="for the example")
    ('promote', 2, 1)
    """
