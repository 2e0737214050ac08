"""Small tools the whole room uses: typed arrays, named random streams and a log that grows day by day."""

import zlib
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]
Columns: TypeAlias = dict[str, NDArray[Any]]

NEVER: Final = 1_000_000
"""A day that does not come."""


def stream(seed: int, chunk: int, name: str) -> np.random.Generator:
    """Random numbers of one part of the world: drawing more in one part leaves every other part as it was."""
    return np.random.default_rng([seed, chunk, zlib.crc32(name.encode())])


def sigmoid(x: Floats) -> Floats:
    """The logistic function."""
    return np.asarray(1.0 / (1.0 + np.exp(-x)), dtype=np.float64)


def pick(rng: np.random.Generator, shares: Sequence[float] | Floats, size: int) -> Ints:
    """Codes 0, 1, … drawn with the given shares, which need not sum to one."""
    edges = np.cumsum(np.asarray(shares, dtype=np.float64))
    codes = np.searchsorted(edges / edges[-1], rng.random(size), side="right")
    return np.minimum(codes, len(edges) - 1).astype(np.int64)


def pick_by_row(rng: np.random.Generator, shares: Floats) -> Ints:
    """One code per row of a matrix of shares."""
    edges = np.cumsum(shares, axis=1)
    draws = rng.random(len(shares))[:, None] * edges[:, -1:]
    return np.asarray((draws >= edges).sum(axis=1), dtype=np.int64)


def words(choices: Sequence[str | None], codes: NDArray[Any]) -> NDArray[Any]:
    """The words that codes stand for."""
    return np.asarray(np.array(choices, dtype=object)[codes])


def known(where: NDArray[Any], values: NDArray[Any]) -> NDArray[Any]:
    """The values where they are known, none elsewhere."""
    told = np.array(values, dtype=object)
    told[~np.asarray(where, dtype=np.bool_)] = None
    return told


def ids(pattern: str, numbers: NDArray[Any]) -> NDArray[Any]:
    """Keys such as `c-00001`; a negative number stands for none."""
    return np.array([pattern % n if n >= 0 else None for n in numbers.tolist()], dtype=object)


def customer_ids(numbers: NDArray[Any]) -> NDArray[Any]:
    """The customers' keys."""
    return ids("c-%05d", numbers)


class Log:
    """Rows noted during the days, kept as columns."""

    def __init__(self, **kinds: type) -> None:
        self._kinds = kinds
        self._parts: dict[str, list[NDArray[Any]]] = {name: [] for name in kinds}

    def add(self, who: Ints, **values: Any) -> None:
        """Note one row for each of `who`; a single value goes to all of them."""
        if not len(who):
            return
        for name, value in {"who": who, **values}.items():
            self._parts[name].append(np.broadcast_to(np.asarray(value), who.shape).astype(self._kinds[name]))

    def columns(self) -> Columns:
        """Everything noted so far, in the order it was noted."""
        return {
            name: np.concatenate(parts) if parts else np.empty(0, dtype=self._kinds[name])
            for name, parts in self._parts.items()
        }
