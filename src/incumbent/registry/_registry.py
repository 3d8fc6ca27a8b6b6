"""The registry: models by name in one store, with a verb for each event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from incumbent.core import Metric, Outcome, Progress, Task, silent
from incumbent.gate import Gate
from incumbent.policy import Choice
from incumbent.registry import _approve, _deploy, _forget, _gate, _init, _purge, _shadow, _update
from incumbent.registry._forget import Forgotten
from incumbent.registry._init import Registered
from incumbent.registry._purge import Purged
from incumbent.registry._reader import RegistryReader

if TYPE_CHECKING:
    from incumbent.registry._live_evidence import LiveEvidence, Shadow


class Registry(RegistryReader):
    """Models by name, kept in MLflow: every version, its memory, its evidence and its history.

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

    def init(
        self,
        name: str,
        model: Any,
        data: Any,
        *,
        target: str = "target",
        anchor: Any = None,
        time: str | None = None,
        group: str | None = None,
        task: Task | None = None,
        gate: Gate | None = None,
        trust_pickle: bool = False,
        factory: Any = None,
        arguments: Mapping[str, Any] | None = None,
        prepare: Any = None,
        size: int | str | tuple[int, int] | None = None,
        seed: int = 0,
        user: str | None = None,
    ) -> Registered:
        """Bring in the model that is live today as version 1 of `name`.

        Parameters
        ----------
        name : str
            Letters, digits, ``. _ -``.
        model : native model, or path
            A fitted model, a file that holds one, or ``models:/NAME@ALIAS`` or ``runs:/ID/PATH`` in MLflow.
        data : frame, array, (x, y) pair, or path
            The rows it was trained on: they give the schema and the first memory.
        target : str
            The column to predict.
        anchor : frame, array, (x, y) pair, or path, optional
            Old rows that it was *not* trained on, for the old-data condition of the gate.
        time, group : str, optional
            Columns that order the rows, and that say which belong together.
        task : {"classification", "regression"}, optional
            What the model does, where it does not say so itself.
        gate : Gate, optional
            The rule of promotion of all its updates.
        trust_pickle : bool
            Open a pickled model file, which can run any code.
        factory, arguments : callable or "package.module:name", and mapping, optional
            What builds a PyTorch module, and what it is called with, where the file holds its weights only.
        prepare : callable or "package.module:name", optional
            What makes of rows what a PyTorch module sees; it is stored by name with every version. For images
            `incumbent.data` has `scale_0_1`, `scale_minus1_1` and `normalize_imagenet`.
        size : (int, int), int or str, optional
            Height and width that a folder of images is resized to, such as (224, 320), "224x320", or 224 for a square.
            Later folders are read in the size of this one by themselves.
        seed : int
            Where randomness comes from.
        user : str, optional
            Who does it; default the user of this process.

        Raises
        ------
        RegistryError
            The name is taken.
        DataError, ModelError, TrustError
            The rows or the model cannot be used.
        """
        return _init.init(
            self.store,
            name,
            model,
            data,
            target=target,
            anchor=anchor,
            time=time,
            group=group,
            task=task,
            gate=gate,
            trust_pickle=trust_pickle,
            factory=factory,
            arguments=arguments,
            prepare=prepare,
            size=size,
            seed=seed,
            user=user,
        )

    def update(
        self,
        name: str,
        new: Any,
        *,
        strategies: Choice = "auto",
        budget: str | float | None = "5m",
        metric: str | Metric | None = None,
        gate: Gate | None = None,
        weight: str | None = None,
        seed: int = 0,
        approve: bool = False,
        dry_run: bool = False,
        why: str = "",
        user: str | None = None,
        progress: Progress = silent,
    ) -> Outcome:
        """Update a model with new rows: promote a challenger in one step, or keep the champion, and record why.

        Parameters
        ----------
        name : str
            Which model.
        new : frame, array, (x, y) pair, or path
            New labelled rows.
        strategies, budget, metric, seed, progress
            As in `incumbent.update`.
        gate : Gate, optional
            The rule of promotion this time; None is the one stored with the champion.
        weight : str, optional
            A column of the new rows that says how much each counts, as `label` wrote it; scaled to a mean of one.
        approve : bool
            Leave a challenger that passes as the alias ``candidate`` until a person approves or refuses it. It takes
            the place of one that waits already; a challenger that does not pass leaves that one waiting.
        dry_run : bool
            Do everything but record and promote.
        why : str
            The occasion, for the record.
        user : str, optional
            Who does it; default the user of this process.

        Raises
        ------
        RegistryError
            There is no such model.
        LockError
            Another process is changing it.
        DataError, AbilityError, UsageError
            The rows, a strategy or an argument cannot be used. Nothing is recorded then.
        """
        return _update.update(
            self._models,
            name,
            new,
            strategies=strategies,
            budget=budget,
            metric=metric,
            gate=gate,
            weight=weight,
            seed=seed,
            approve=approve,
            dry_run=dry_run,
            why=why,
            user=user,
            progress=progress,
        )

    def rollback(
        self, name: str, *, to: int | None = None, why: str, bring_back: bool = False, user: str | None = None
    ) -> int:
        """Make the version that was live before live again, with the memory it had; return its number.

        Parameters
        ----------
        name : str
            Which model.
        to : int, optional
            A version that was live once; None is the one before the present.
        why : str
            The reason, for the record.
        bring_back : bool
            Go back to a version from before rows were deleted (`forget`), which brings them back with its memory.
        user : str, optional
            Who does it.

        Raises
        ------
        RegistryError
            There is no such version, it was never live, its files were purged, none was live before, or rows were
            deleted since and `bring_back` is not given.
        UsageError
            No reason was given.
        """
        return _deploy.rollback(self._models, name, to=to, why=why, bring_back=bring_back, user=user)

    def promote(self, name: str, version: int, *, why: str, bring_back: bool = False, user: str | None = None) -> int:
        """Make a version live without asking the gate: an override, recorded as such.

        Raises
        ------
        RegistryError
            There is no such version, its files were purged, it is live already, or it is from before rows were deleted
            and `bring_back` is not given.
        UsageError
            No reason was given.
        """
        return _deploy.promote(self._models, name, version, why=why, bring_back=bring_back, user=user)

    def approve(self, name: str, *, why: str, user: str | None = None) -> int:
        """Make the candidate live, the version that passed the gate and waits; return its number.

        Parameters
        ----------
        name : str
            Which model.
        why : str
            The reason, for the record.
        user : str, optional
            Who approves; default the user of this process.

        Raises
        ------
        RegistryError
            Nothing waits, or the champion that it was judged against is not live any more.
        UsageError
            No reason was given.
        """
        return _approve.approve(self._models, name, why=why, user=user)

    def refuse(self, name: str, *, why: str, user: str | None = None) -> int:
        """Refuse the candidate, which then neither waits nor stands again; return its number.

        The parameters and errors are those of `approve`.
        """
        return _approve.refuse(self.store, name, why=why, user=user)

    def forget(
        self,
        name: str,
        rows: Any,
        *,
        retrain: bool = False,
        keep_model: bool = False,
        learned: bool = False,
        why: str,
        seed: int = 0,
        user: str | None = None,
    ) -> Forgotten:
        """Delete rows: a version takes over, in one step, whose memory, anchor set and sums no longer hold them.

        A model with an analytic head (`incumbent.strategies.Analytic`) is solved without them from its sums alone, and
        then equals one that never learned them. Others cannot forget, and nothing happens until somebody says what
        should. Every copy of a row goes. Standing challengers and lines go too; nobody waits for approval any more.
        Versions of before still hold what they held, until `purge`.

        Parameters
        ----------
        name : str
            Which model.
        rows : frame, array, (x, y) pair, or path
            The rows with their labels, as they were learned: they are found by content.
        retrain : bool
            Train the live model's settings anew on all else that is remembered. No gate judges what comes out.
        keep_model : bool
            Leave a model that cannot forget as it is, and take the rows out of memory and anchor set alone.
        learned : bool
            Rows that memory has let go of were learned: it is a sample once there are more than it keeps, and cannot
            tell. They are then taken out of the sums. Give each as often as it was learned.
        why : str
            The reason, for the record, which holds nothing of the rows but their number.
        seed : int
            Where randomness comes from in training.
        user : str, optional
            Who does it; default the user of this process.

        Returns
        -------
        Forgotten
            What was done, and which versions may still hold the rows.

        Raises
        ------
        DataError
            Some of the rows were never learned, or that cannot be told; nothing is changed.
        ModelError
            The model cannot forget exactly, and neither `retrain` nor `keep_model` was given.
        UsageError
            No reason was given, or options that do not go together.

        Examples
        --------
        >>> import tempfile
        >>> import numpy as np
        >>> from sklearn.linear_model import LogisticRegression
        >>> x = np.random.default_rng(0).normal(size=(200, 2))
        >>> y = (x[:, 0] > 0).astype(int)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     registry = Registry(folder)
        ...     came = registry.init("demo", LogisticRegression().fit(x, y), (x, y))
        ...     done = registry.forget("demo", (x[:3], y[:3]), retrain=True, why="request 17")
        >>> done.how, done.learned, done.remembered, done.still_held
        ('retrain', 3, 197, (1,))
        """
        return _forget.forget(
            self._models,
            name,
            rows,
            retrain=retrain,
            keep_model=keep_model,
            learned=learned,
            why=why,
            seed=seed,
            user=user,
        )

    def purge(self, name: str, *, why: str, user: str | None = None) -> Purged:
        """Delete for good whatever may hold rows that were deleted: versions, memories, pages and outcomes of before.

        What the live version came from since the last deletion stays, and so does the history. Nobody can go back to
        what is gone. A purge that was interrupted is ended by another.

        Parameters
        ----------
        name : str
            Which model.
        why : str
            The reason, for the record.
        user : str, optional
            Who does it; default the user of this process.

        Raises
        ------
        RegistryError
            No row was deleted, or the version that is live is from before that.
        UsageError
            No reason was given.
        """
        return _purge.purge(self._models, name, why=why, user=user)

    def set_gate(self, name: str, gate: Gate, *, why: str, user: str | None = None) -> Gate:
        """Put a model under another gate from now on, whichever of its versions is live; return the gate as it is kept.

        Parameters
        ----------
        name : str
            Which model.
        gate : Gate
            The rule of promotion. Slices that are columns become conditions, by the values of remembered rows. With
            another `error_control` or `alpha`, what was spent under the old one is no longer counted.
        why : str
            The reason, for the record.
        user : str, optional
            Who does it; default the user of this process.

        Raises
        ------
        UsageError
            No reason was given, a slice does not fit the rows, or this is the gate already.
        """
        return _gate.set_gate(self._models, name, gate, why=why, user=user)

    def shadow_start(
        self,
        name: str,
        version: int,
        *,
        bound: float | None = None,
        min_gain: float = 0.0,
        alpha: float = 0.05,
        goal: Literal["promote", "rollback"] = "promote",
        metric: str | None = None,
        columns: dict[str, str] | None = None,
        why: str = "",
        user: str | None = None,
    ) -> Shadow:
        """Compare a version with the champion on live labels from now on, by rules that are fixed and recorded first.

        Parameters
        ----------
        name, version : str, int
            Which model, and which of its versions beside the one that is live.
        bound : float, optional
            The largest loss of a row; what is above is cut off. None is the metric's own or, where it has none, the
            99 % quantile of the champion's losses on old rows.
        min_gain : float
            The gain in mean loss that must be exceeded.
        alpha : float
            The chance of ever deciding wrongly, however often one looks.
        goal : {"promote", "rollback"}
            What is decided once `version` is shown to be better: that it takes the champion's place, or that it comes
            back, having been live before.
        metric : str, optional
            Whose losses; one with a loss for each row. None is accuracy, or RMSE for a regression.
        columns : mapping, optional
            What the log calls "id", "champion", "challenger", "label" and "time", where it is anything else. For a
            metric on probabilities "champion" is the beginning of ``champion_CLASS``.
        why, user : str, optional
            The occasion, and who does it, for the record.

        Raises
        ------
        RegistryError
            There is no such version, it is live, or it is to come back and never was.
        UsageError
            A setting means nothing.
        """
        return _shadow.start(
            self._models,
            name,
            version,
            bound=bound,
            min_gain=min_gain,
            alpha=alpha,
            goal=goal,
            metric=metric,
            columns=columns,
            why=why,
            user=user,
        )

    def shadow_decide(
        self, name: str, logs: Any, *, before: Any = None, why: str = "", user: str | None = None
    ) -> LiveEvidence:
        """Promote, go back, or end the shadow, if the labels show it; record that with the evidence.

        Undecided, nothing changes and nothing is recorded. `logs` and `before` are as in `shadow_status`.

        Raises
        ------
        RegistryError
            No shadow runs.
        LockError
            Another process is changing the model.
        """
        return _shadow.decide(self.store, name, logs, before=before, why=why, user=user)
