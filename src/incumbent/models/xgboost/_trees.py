"""Edit the trees of an XGBoost model in its own JSON form, where XGBoost itself has no way."""

from __future__ import annotations

import json
from typing import Any

import numpy as np


def cut(booster: Any, rounds: int) -> Any:
    """Return the model as it was after some rounds. A slice of a Booster would do, but forgets its categories."""
    import xgboost

    described = json.loads(bytes(booster.save_raw("json")))
    model = described["learner"]["gradient_booster"]["model"]
    starts = model["iteration_indptr"][: rounds + 1]
    model["iteration_indptr"] = starts
    for part in ("trees", "tree_info"):
        model[part] = model[part][: starts[-1]]
    model["gbtree_model_param"]["num_trees"] = str(starts[-1])
    return xgboost.Booster(model_file=bytearray(json.dumps(described).encode()))


def mixed(old: Any, fresh: Any, share: float) -> bytes:
    """Return the model whose leaves are ``share * old + (1 - share) * fresh``, where a new row falls into them."""
    before, after = (json.loads(bytes(booster.save_raw("json"))) for booster in (old, fresh))
    trees = (model["learner"]["gradient_booster"]["model"]["trees"] for model in (before, after))
    for kept, new in zip(*trees, strict=True):
        leaf = (np.asarray(kept["left_children"]) == -1) & (np.asarray(new["sum_hessian"]) > 0)
        for values in ("split_conditions", "base_weights"):
            was, now = np.asarray(kept[values]), np.asarray(new[values])
            kept[values] = np.where(leaf, share * was + (1.0 - share) * now, was).tolist()
    return json.dumps(before).encode()
