"""What a model can do, in words: an adapter claims them, and a recipe needs them."""

from __future__ import annotations

ABILITIES: dict[str, str] = {
    "retrain": "can be fitted from scratch with its own settings",
    "weight": "takes row weights when it is fitted from scratch",
    "incremental": "continues to learn by its own rule, such as partial_fit",
    "gradient": "continues to learn by gradient steps on its weights, with any optimizer",
    "add_trees": "appends trees or boosting rounds",
    "refit_leaves": "estimates the values in the leaves of its trees again",
    "proba": "predicts class probabilities",
    "add_classes": "learns a class that it has not seen",
    "hyperparameter_search": "has hyper-parameters that can be searched",
    "features": "exposes the input of its last layer, for an exact head on top of it",
    "layers": "has layers that can be frozen, replaced or adapted one by one",
    "loss": "takes another task loss, class weights or label smoothing",
    "soft_targets": "learns from soft targets: the outputs of an older model",
    "batch_sampling": "draws rows for each mini-batch or epoch",
    "training_hooks": "lets its training steps be scheduled, recorded and averaged",
}

ABILITIES_0_1 = {
    "append": "add_trees",
    "releaf": "refit_leaves",
    "grow": "add_classes",
    "tune": "hyperparameter_search",
    "soft": "soft_targets",
    "draw": "batch_sampling",
    "steps": "training_hooks",
}
"""The words that 0.1 had for abilities."""
