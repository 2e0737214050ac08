"""The learning itself: TF-IDF and logistic regression with calibrated confidence. Needs the extra `ml`.

Read only through `classifier`, which knows whether the libraries are there. Models are kept with skops, which, unlike
pickle, runs nothing that a file says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import skops.io
from sklearn.calibration import CalibratedClassifierCV
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from threadpoolctl import threadpool_limits

HELD_OUT: Final = 0.25
_SEED: Final = 7
_FOLDS: Final = 3
# What a model of ours is made of; a file with anything else in it is not read.
_TRUSTED: Final = (
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._TemperatureScaling",
)


@dataclass(frozen=True)
class Measured:
    """How well a model does on tickets that it has not learned from: places and what it says of them."""

    places: list[int]
    said: list[str]
    confidence: list[float]


def trained(texts: Sequence[str], labels: Sequence[str]) -> tuple[Pipeline, Measured]:
    """A model of all labels, and how one of three quarters of them does on the rest; the same data, the same model."""
    places = np.arange(len(texts))
    learn, held = train_test_split(places, test_size=HELD_OUT, random_state=_SEED, stratify=labels)
    tried = _fitted([texts[i] for i in learn], [labels[i] for i in learn])
    said = predicted(tried, [texts[i] for i in held])
    measured = Measured([int(i) for i in held], [name for name, _ in said], [sure for _, sure in said])
    return _fitted(texts, labels), measured


def predicted(model: Pipeline, texts: Sequence[str]) -> list[tuple[str, float]]:
    """The likeliest label of each text, and how likely it is."""
    if not texts:
        return []
    chances = model.predict_proba(texts)
    best = chances.argmax(axis=1)
    return [(str(model.classes_[i]), float(row[i])) for i, row in zip(best, chances, strict=True)]


def kept(model: Pipeline, path: Path) -> None:
    """Write a model to a file."""
    skops.io.dump(model, path)


def read(path: Path) -> Pipeline:
    """Read a model; raises when the file holds anything but one of ours."""
    return skops.io.load(path, trusted=list(_TRUSTED))


def _fitted(texts: Sequence[str], labels: Sequence[str]) -> Any:
    # Pairs of words would be eight times slower and no better (docs/figures.md).
    words = TfidfVectorizer(sublinear_tf=True, min_df=2, max_features=8000)
    regression = LogisticRegression(C=4.0, max_iter=100, tol=1e-3)
    # One temperature for all categories says what chances there are; a curve for each is too timid with many.
    sure = CalibratedClassifierCV(regression, method="temperature", cv=_FOLDS, ensemble=False)
    # Threads that wait for each other on a busy machine make this five times slower, not faster.
    with threadpool_limits(1):
        return make_pipeline(words, sure).fit(list(texts), list(labels))
