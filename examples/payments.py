"""Make a model and five files to try Incumbent on: payments, some of them fraud.

    python examples/payments.py

The model learns from one winter. In March a new country brings a new kind of fraud, and April is like March. The model
has never seen `held_out.csv`.
"""

from __future__ import annotations

from collections.abc import Sequence

import joblib
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder

OLD, NEW = ["de", "fr", "nl"], ["de", "fr", "nl", "lt"]


def main() -> None:
    """Write the model and the files to the working directory."""
    rng = np.random.default_rng(0)
    winter, held_out = payments(rng, 6000, OLD), payments(rng, 1500, OLD)
    joblib.dump(train(winter), "fraud.joblib")
    winter.to_csv("winter.csv", index=False)
    held_out.to_csv("held_out.csv", index=False)
    payments(rng, 3000, NEW).to_csv("march.csv", index=False)
    payments(rng, 1000, NEW).to_csv("april.csv", index=False)


def payments(rng: np.random.Generator, rows: int, countries: Sequence[str]) -> pd.DataFrame:
    """Return payments with the column `fraud`: large ones at night, and small ones from Lithuania."""
    x = pd.DataFrame(
        {
            "amount": rng.lognormal(4, 1, rows).round(2),
            "hour": rng.integers(0, 24, rows),
            "country": rng.choice(countries, rows),
        }
    )
    risky = ((x["amount"] > 100) & (x["hour"] < 6)) | ((x["amount"] < 60) & (x["country"] == "lt"))
    return x.assign(fraud=np.where(rng.random(rows) < np.where(risky, 0.9, 0.03), "yes", "no"))


def train(rows: pd.DataFrame) -> Pipeline:
    """Return a random forest behind a one-hot encoder, fitted."""
    encoder = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["country"]), remainder="passthrough")
    model = make_pipeline(encoder, RandomForestClassifier(min_samples_leaf=5, random_state=0))
    return model.fit(rows.drop(columns="fraud"), rows["fraud"])


if __name__ == "__main__":
    main()
