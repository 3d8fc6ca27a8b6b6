"""XGBoost: classifiers, regressors and boosters."""
