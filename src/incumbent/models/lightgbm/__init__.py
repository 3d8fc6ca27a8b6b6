"""LightGBM: classifiers, regressors and boosters."""
