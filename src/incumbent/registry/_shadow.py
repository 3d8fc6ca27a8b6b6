"""Shadows of a registered model: start one, read its log, decide by it."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, Literal

import numpy as np

from incumbent import metrics
from incumbent.core import Metric
from incumbent.errors import RegistryError, UsageError
from incumbent.evidence.live import Monitor
from incumbent.registry._lineage import check_deletions
from incumbent.registry._live_evidence import LiveEvidence, Shadow
from incumbent.registry._live_log import read_log
from incumbent.registry._stored import RegistryBase, StoredModels
from incumbent.store import Store
from incumbent.updating import safe_predict

COLUMNS = {"id": "id", "champion": "champion", "challenger": "challenger", "label": "label", "time": ""}
"""The default names of the columns of a log."""


_ENOUGH = 100
"""The fewest rows for an estimate of the 99 % quantile."""


class ShadowVerbs(RegistryBase):
    """Compare a version with the champion on live labels."""

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
        """Compare a version with the champion on live labels from now on, by rules that are recorded first.

        Parameters
        ----------
        name, version : str, int
            Which model, and the version to compare with the live one.
        bound : float, optional
            The largest loss of a row; larger ones are cut off. The default is the metric's own bound, or else the 99 %
            quantile of the champion's losses on old rows.
        min_gain : float
            The gain in mean loss that must be exceeded.
        alpha : float
            The probability of ever deciding wrongly, however often you look.
        goal : {"promote", "rollback"}
            What follows once `version` is shown to be better: it replaces the champion, or it comes back, having been
            live before.
        metric : str, optional
            A metric with a loss for each row; the default is accuracy, or RMSE for a regression.
        columns : mapping, optional
            The names in the log of "id", "champion", "challenger", "label" and "time", if they differ from these. For
            a metric on probabilities, "champion" is the beginning of ``champion_CLASS``.

        Raises
        ------
        RegistryError
            There is no such version, it is live, or it should come back and was never live.
        UsageError
            A setting is not valid.
        """
        models, live = self._models, self.store.champion(name)
        _check_version(models, name, version, live, goal)
        champion, challenger = models.version(name, live), models.version(name, version)
        if champion.schema.labels > 1:
            raise UsageError(
                f"A shadow is judged by logs with one label for each row, and {name!r} has {champion.schema.labels} at "
                "once; judge its challengers by updates."
            )
        rule = metrics.metric(metric, task=champion.model.task, classes=champion.model.classes)
        largest, where = (bound, "as given") if bound is not None else _bound(models, name, rule)
        both = {"champion": champion.model, "challenger": challenger.model}
        shadow = Shadow(
            name,
            live,
            version,
            Monitor(alpha=alpha, min_gain=min_gain, bound=largest, goal=goal),
            metric or rule.name,
            champion.model.task,
            {who: [] if model.classes is None else np.asarray(model.classes).tolist() for who, model in both.items()},
            COLUMNS | _known(columns or {}),
            where,
        )
        with self.store.event(name, "shadow", why=why, user=user) as event:
            if event.version_before != live:
                raise RegistryError(
                    f"Version {event.version_before} of {name!r} went live meanwhile; start the shadow again."
                )
            info = {"strategy": f"version {version} in the shadow", "challenger": version, "shadow": shadow.to_dict()}
            event.conclude(decision="start", deploy=None, info=info)
        return _running(self.store, name)

    def shadow_status(self, name: str, logs: Any, *, before: Any = None) -> LiveEvidence:
        """Return what the labels show so far. Nothing is recorded, so look as often as you like.

        Parameters
        ----------
        logs : frame, path, or list of those
            The whole log: tables of predictions, of labels that came later, or of both.
        before : optional
            Count only rows predicted before this moment (see `incumbent.evidence.live.from_log`).

        Raises
        ------
        RegistryError
            No shadow runs.
        DataError
            A table does not belong to the log, or an id is there twice.
        """
        return read_log(_running(self.store, name), logs, before=before)

    def shadow_decide(
        self, name: str, logs: Any, *, before: Any = None, why: str = "", user: str | None = None
    ) -> LiveEvidence:
        """Promote, roll back, or end the shadow, if the labels show it, and record the evidence.

        While the result is undecided, nothing changes and nothing is recorded. `logs` and `before` are as in
        `shadow_status`.

        Raises
        ------
        RegistryError
            No shadow runs.
        LockError
            Another process is changing the model.
        """
        found = self.shadow_status(name, logs, before=before)
        if found.decision == "undecided":
            return found
        kind = "shadow" if found.decision == "reject" else found.decision
        deploy = None if found.decision == "reject" else found.shadow.challenger
        with self.store.event(name, kind, why=why, user=user) as event:
            if _running(self.store, name) != found.shadow:  # this event holds the lock, so it cannot change any more
                raise RegistryError(f"Another shadow of {name!r} was started meanwhile. Check its status first.")
            recorded = _recorded(found, event.number)
            facts = recorded.to_dict()
            event.metrics({key: float(facts[key]) for key in _NUMBERS if facts[key] is not None})
            event.file(json.dumps(facts, indent=1), "shadow.json")
            event.conclude(decision=found.decision, deploy=deploy, info=_info(recorded))
        return recorded


def _check_version(models: StoredModels, name: str, version: int, live: int, goal: str) -> None:
    if version == live:
        raise RegistryError(f"Version {version} of {name!r} is live; it cannot be compared with itself.")
    if goal == "rollback":
        models.check_was_live(name, version)
    models.check_exists(name, version)
    hint = "A shadow could make it live, so compare with a version from after that."
    check_deletions(models.store, name, live, version, bring_back=False, hint=hint)


def _known(columns: dict[str, str]) -> dict[str, str]:
    for role in columns:
        if role not in COLUMNS:
            raise UsageError(f"A log has no column for {role!r}; it has {', '.join(COLUMNS)}.")
    return columns


def _bound(models: StoredModels, name: str, rule: Metric) -> tuple[float, str]:
    """Return the largest loss that counts: the metric's own, else a quantile of the champion's on old rows."""
    if np.isfinite(rule.bound) and rule.name != "log_loss":
        return float(rule.bound), f"the largest {rule.name} loss"
    stored, state = models.version(name), models.state(name)
    kept = [(rows, what) for rows, what in ((state.anchor.rows, "anchor"), (state.memory.rows, "remembered")) if rows]
    enough = [each for each in kept if len(each[0]) >= _ENOUGH] or sorted(kept, key=lambda each: -len(each[0]))
    if enough:
        rows, what = enough[0]
        losses = rule.losses(rows.labels, safe_predict(stored.model, rows.x, f"the {what} rows"))
        if losses is None:
            raise UsageError(f"{rule.name} has no loss for a single row, which a shadow needs; name another --metric.")
        cut = float(np.quantile(losses, 0.99))
        if cut > 0.0:
            return cut, f"99 % of the champion's losses on {len(rows):,} {what} rows are below"
    raise UsageError(
        f"The losses of {rule.name} have no bound, and no old rows are kept to take one from; give --bound B."
    )


def _running(store: Store, name: str) -> Shadow:
    """Return the shadow that runs; raise an error if none does."""
    done = [record for record in store.history(name) if record.status == "done"]
    found = next((record for record in done if record.kind == "shadow"), None)
    begin = f"Start one: incumbent shadow start --name {name} --version N"
    if found is None:
        raise RegistryError(f"Nothing was ever compared with {name!r} in the shadow. {begin}")
    if found.decision != "start":
        raise RegistryError(f"The last shadow of {name!r} ended: {found.decision} at event {found.number}. {begin}")
    # also if the same champion is live again: its labels were used for another decision
    moved = next((record for record in done if record.number > found.number and record.deployed is not None), None)
    if moved is not None or store.champion(name) != found.version_before:
        why = "" if moved is None else f" by {moved.kind} {moved.number}"
        raise RegistryError(f"The last shadow of {name!r} ended: another version went live{why}. {begin}")
    since = found.time.isoformat(sep=" ", timespec="minutes").removesuffix("+00:00")
    return Shadow.from_dict(found.info["shadow"], name=name, since=f"{since} UTC")


_NUMBERS = ("e_value", "rows", "gain", "lower", "upper", "waiting", "overdue")


def _recorded(found: LiveEvidence, number: int) -> LiveEvidence:
    shadow, done = found.shadow, {"promote": "is live", "rollback": "is live again"}.get(found.decision)
    text = f"Version {shadow.champion} stays live; the shadow has ended (event {number})."
    if done is not None:
        text = f"Version {shadow.challenger} {done}; version {shadow.champion} was (event {number})."
    return dataclasses.replace(found, recorded=text)


def _info(found: LiveEvidence) -> dict[str, Any]:
    """Return what the history shows of a decision by live labels."""
    shadow, monitor = found.shadow, found.monitor
    source = f"{monitor.rows:,} live labels, e = {monitor.e_value:.3g}"
    what = {"source": source, "strategy": f"version {shadow.challenger} in the shadow", "metric": shadow.metric}
    interval = {"gain": monitor.interval.value, "lower": monitor.interval.lower, "upper": monitor.interval.upper}
    evidence = {"evidence": found.to_dict(), "monitor": monitor.to_dict()}
    return {**what, **interval, "challenger": shadow.challenger, **evidence}
