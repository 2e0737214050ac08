"""The other weights make up for one that was changed; the sum stays, and so do proportions."""

from math import fsum

import pytest

from keepwell.model.packs import resolve_model as load_pack
from keepwell.services.planning.spreading import Spread, spread_weights


def weights(*path: str) -> tuple[str, ...]:
    return ("scores", "health", "components", *path, "weight")


def after(spread: Spread) -> dict[str, float]:
    return {line.path[-2]: line.after for line in spread.lines}


def test_the_difference_goes_to_the_others_in_proportion() -> None:
    loaded = load_pack("b2b-saas")
    before = {name: part.weight or 0 for name, part in loaded.model.scores["health"].components.items()}
    first, *rest = before
    (spread,) = spread_weights(loaded, {weights(first): before[first] + 10})
    new = after(spread)
    assert new[first] == before[first] + 10
    assert round(fsum(new.values()), 9) == spread.total == spread.before
    left = (spread.total - new[first]) / (spread.total - before[first])
    for name in rest:
        assert new[name] == pytest.approx(before[name] * left, abs=0.1)
    assert all(round(value, 1) == value for value in new.values())


def test_weights_that_add_up_need_nothing() -> None:
    loaded = load_pack("b2b-saas")
    before = {name: part.weight or 0 for name, part in loaded.model.scores["health"].components.items()}
    first, second, *_ = before
    assert spread_weights(loaded, {weights(first): before[first] + 5, weights(second): before[second] - 5}) == ()


@pytest.mark.parametrize("typed", [100, 140, -5, "much", None, True])
def test_what_leaves_nothing_for_the_others_is_not_spread(typed: object) -> None:
    loaded = load_pack("b2b-saas")
    first = next(iter(loaded.model.scores["health"].components))
    assert spread_weights(loaded, {weights(first): typed}) == ()


def test_all_changed_leaves_nobody_to_spread_over() -> None:
    loaded = load_pack("b2b-saas")
    parts = loaded.model.scores["health"].components
    assert spread_weights(loaded, {weights(name): 1.5 for name in parts}) == ()


def test_measures_that_add_up_to_their_component_follow_it() -> None:
    loaded = load_pack("saas-monitoring")
    parts = loaded.model.scores["health"].components
    first, other, *_ = parts
    own = parts[first].weight or 0
    spreads = spread_weights(loaded, {weights(first): own + 10})
    sums = {spread.label: spread.total for spread in spreads}
    outer, *inner = spreads
    new = after(outer)
    assert len(inner) == len(parts)
    assert sums[parts[first].label or first] == own + 10
    assert sums[parts[other].label or other] == new[other] < (parts[other].weight or 0)
    for spread in inner:
        assert fsum(line.after for line in spread.lines) == pytest.approx(spread.total, abs=1e-9)
