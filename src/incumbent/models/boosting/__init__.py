"""Adapters for LightGBM and XGBoost."""
