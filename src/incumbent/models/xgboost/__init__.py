"""XGBoost: classifiers, regressors and boosters."""

from incumbent._on_demand import on_demand

__getattr__, __dir__ = on_demand(__name__, {"XGBoostModel": "_model"})
