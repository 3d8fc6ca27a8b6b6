"""Shadows of a registered model: start one, read its log, decide by it."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np

from incumbent import metrics
from incumbent.core import Metric
from incumbent.errors import RegistryError, UsageError
from incumbent.evidence.live import Monitor
from incumbent.registry._lineage import check_deletions
from incumbent.registry._live_evidence import LiveEvidence, Shadow
from incumbent.registry._live_log import read_log
from incumbent.registry._stored import StoredModels
from incumbent.store import Store
from incumbent.updating import safe_predict

COLUMNS = {"id": "id", "champion": "champion", "challenger": "challenger", "label": "label", "time": ""}
"""The default names of the columns of a log."""


_ENOUGH = 100
"""The fewest rows for an estimate of the 99 % quantile."""


def start(
    models: StoredModels,
    name: str,
    version: int,
    *,
    bound: float | None,
    min_gain: float,
    alpha: float,
    goal: Any,
    metric: str | None,
    columns: dict[str, str] | None,
    why: str,
    user: str | None,
) -> Shadow:
    """Record who is compared and how, before the first label; see `Registry.shadow_start`."""
    store = models.store
    live = store.champion(name)
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
    with store.event(name, "shadow", why=why, user=user) as event:
        if event.version_before != live:
            raise RegistryError(
                f"Version {event.version_before} of {name!r} went live meanwhile; start the shadow again."
            )
        info = {"strategy": f"version {version} in the shadow", "challenger": version, "shadow": shadow.to_dict()}
        event.conclude(decision="start", deploy=None, info=info)
    return running(store, name)


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
            raise UsageError(
                f"{rule.name} has no loss for a single row, which a shadow bets on; name another --metric."
            )
        cut = float(np.quantile(losses, 0.99))
        if cut > 0.0:
            return cut, f"99 % of the champion's losses on {len(rows):,} {what} rows are below"
    raise UsageError(
        f"The losses of {rule.name} know no bound, and no old rows are kept to take one from; give --bound B."
    )


def running(store: Store, name: str) -> Shadow:
    """Return the shadow that runs.

    Raises
    ------
    RegistryError
        None does.
    """
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


def status(store: Store, name: str, logs: Any, *, before: Any) -> LiveEvidence:
    """Return what the whole log says; see `Registry.shadow_status`."""
    return read_log(running(store, name), logs, before=before)


def decide(store: Store, name: str, logs: Any, *, before: Any, why: str, user: str | None) -> LiveEvidence:
    """Act on what the whole log says; see `Registry.shadow_decide`."""
    found = status(store, name, logs, before=before)
    if found.decision == "undecided":
        return found
    kind = "shadow" if found.decision == "reject" else found.decision
    deploy = None if found.decision == "reject" else found.shadow.challenger
    with store.event(name, kind, why=why, user=user) as event:
        if running(store, name) != found.shadow:  # this event holds the lock, so it cannot change any more
            raise RegistryError(f"Another shadow of {name!r} was started meanwhile. Check its status first.")
        recorded = _recorded(found, event.number)
        event.metrics(
            {key: float(value) for key, value in recorded.to_dict().items() if key in _NUMBERS and value is not None}
        )
        event.file(json.dumps(recorded.to_dict(), indent=1), "shadow.json")
        event.conclude(decision=found.decision, deploy=deploy, info=_info(recorded))
    return recorded


_NUMBERS = ("e_value", "rows", "gain", "lower", "upper", "waiting", "overdue")


def _recorded(found: LiveEvidence, number: int) -> LiveEvidence:
    shadow, done = found.shadow, {"promote": "is live", "rollback": "is live again"}.get(found.decision)
    text = f"Version {shadow.champion} stays live; the shadow has ended (event {number})."
    if done is not None:
        text = f"Version {shadow.challenger} {done}; version {shadow.champion} was (event {number})."
    return dataclasses.replace(found, recorded=text)


def _info(found: LiveEvidence) -> dict[str, Any]:
    """Return what the history tells of a decision by live labels."""
    shadow, monitor = found.shadow, found.monitor
    evidence = f"{monitor.rows:,} live labels, e = {monitor.e_value:.3g}"
    told = {"source": evidence, "strategy": f"version {shadow.challenger} in the shadow", "metric": shadow.metric}
    interval = {"gain": monitor.interval.value, "lower": monitor.interval.lower, "upper": monitor.interval.upper}
    return {
        **told,
        **interval,
        "challenger": shadow.challenger,
        "evidence": found.to_dict(),
        "monitor": monitor.to_dict(),
    }
