"""Movement: kinds of moves, and amounts that add up to the cent."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepwell.model.loader import LoadedModel
from keepwell.reporting.groups import NO_SEGMENT, grouping
from keepwell.reporting.movement import Movement, movement_between, movement_days
from keepwell.reporting.reading import ReportError, read_day
from keepwell.warehouse.snapshots import Snapshots

from .days import LATER, START, day_of, publish

TIERS = ("SMB", "Mid-Market", "Enterprise", "Tier unknown")


def _row(customer: str, tier: str, arr: float | None, status: str = "active") -> dict[str, Any]:
    return {"customer_id": customer, "segment": tier, "segments": (tier,), "arr": arr, "status": status}


def _moved(snapshots: Snapshots, model: LoadedModel, first: list[Any], last: list[Any], by: str = "tier") -> Movement:
    publish(snapshots, START, first, model)
    publish(snapshots, LATER, last, model)
    return movement_between(snapshots, model, START, LATER, by)


@pytest.mark.parametrize(
    ("source", "target", "kind"),
    [
        ("SMB", "Mid-Market", "upgrade"),
        ("Mid-Market", "Enterprise", "upgrade"),
        ("Enterprise", "SMB", "downgrade"),
        ("SMB", "SMB", "stayed"),
        ("SMB", "Tier unknown", "lateral"),
    ],
)
def test_tiers_rise_by_threshold(snapshots: Snapshots, tiers: LoadedModel, source: str, target: str, kind: str) -> None:
    found = _moved(snapshots, tiers, [_row("a", source, 10.0)], [_row("a", target, 20.0)])
    assert [(m.source, m.target, m.kind, m.arr_before, m.arr_after) for m in found.moves] == [
        (source, target, kind, 10.0, 20.0)
    ]


def test_joined_and_left(snapshots: Snapshots, tiers: LoadedModel) -> None:
    first = [_row("gone", "SMB", 100.0), _row("before", "SMB", 5.0, "churned")]
    last = [_row("gone", "SMB", 100.0, "churned"), _row("new", "SMB", 70.0), _row("before", "SMB", 6.0)]
    found = _moved(snapshots, tiers, first, last)
    kinds = {mover.customer_id: mover.kind for mover in found.movers}
    assert kinds == {"gone": "left", "new": "joined", "before": "joined"}
    totals = found.totals
    assert (totals.customers_start, totals.customers_joined, totals.customers_left, totals.customers_end) == (
        1,
        2,
        1,
        2,
    )
    assert (totals.arr_start, totals.arr_joined, totals.arr_left, totals.arr_end) == (100.0, 76.0, 100.0, 76.0)


def test_risk_segments_rise_by_colour(snapshots: Snapshots, agency: LoadedModel) -> None:
    first = [_row("a", "healthy_stable", 1.0), _row("b", "revenue_at_risk", 1.0), _row("c", "monitor", 1.0)]
    last = [_row("a", "revenue_at_risk", 1.0), _row("b", "monitor", 1.0), _row("c", "healthy_stable", 1.0)]
    found = _moved(snapshots, agency, first, last, "primary")
    assert {m.customer_id: m.kind for m in found.movers} == {"a": "downgrade", "b": "upgrade", "c": "upgrade"}


def test_room_to_grow_is_no_step_down(snapshots: Snapshots, agency: LoadedModel) -> None:
    first = [_row("a", "healthy_stable", 1.0), _row("b", "expansion_opportunity", 1.0)]
    last = [_row("a", "expansion_opportunity", 1.0), _row("b", "engagement_drop", 1.0)]
    found = _moved(snapshots, agency, first, last, "primary")
    assert {m.customer_id: m.kind for m in found.movers} == {"a": "lateral", "b": "downgrade"}


def test_bands_rise_by_score_and_not_enough_data_is_neither(snapshots: Snapshots, tiers: LoadedModel) -> None:
    def banded(customer: str, band: str) -> dict[str, Any]:
        return {**_row(customer, "SMB", 1.0), "health_band": band}

    first = [banded("a", "At risk"), banded("b", "Healthy"), banded("c", "Healthy")]
    last = [banded("a", "Needs attention"), banded("b", "At risk"), banded("c", "Not enough data")]
    found = _moved(snapshots, tiers, first, last, "bands")
    assert {m.customer_id: m.kind for m in found.movers} == {"a": "upgrade", "b": "downgrade", "c": "lateral"}


def test_overlays_and_values_have_a_group_for_the_rest(snapshots: Snapshots, tiers: LoadedModel) -> None:
    rows = [{**_row("a", "SMB", 1.0), "segments": ("SMB", "Industry: Legal")}, _row("b", "SMB", 1.0)]
    publish(snapshots, START, rows, tiers)
    day = read_day(snapshots, START)
    assert grouping(tiers, "industry", (day,)).of(day).tolist() == ["Industry: Legal", NO_SEGMENT]
    assert grouping(tiers, "growth", (day,)).of(day).tolist() == [NO_SEGMENT, NO_SEGMENT]


def test_an_unknown_division_is_named(snapshots: Snapshots, tiers: LoadedModel) -> None:
    with pytest.raises(ValueError, match="choose one of tier, growth, size, tenure, engagement, industry, bands"):
        grouping(tiers, "shoe size", ())


def test_a_date_without_snapshot_says_which_there_are(snapshots: Snapshots, tiers: LoadedModel) -> None:
    publish(snapshots, START, [_row("a", "SMB", 1.0)], tiers)
    with pytest.raises(ReportError, match="there are 1, from 2026-01-01 to 2026-01-01"):
        movement_between(snapshots, tiers, START, LATER, "tier")


BOOK = st.dictionaries(
    st.sampled_from("abcdefghij"),
    st.tuples(
        st.sampled_from(TIERS),
        st.none() | st.floats(0, 1e7).map(lambda amount: round(amount, 2)),
        st.sampled_from(["active", "trial", "churned"]),
    ),
    min_size=1,
)


@settings(deadline=None)
@given(first=BOOK, last=BOOK)
def test_everything_adds_up(tiers: LoadedModel, first: Any, last: Any) -> None:
    days = [
        day_of(as_of, [_row(name, *said) | {"name": name, "owner_email": None} for name, said in book.items()])
        for as_of, book in ((START, first), (LATER, last))
    ]
    found = movement_days(tiers, *days, "tier")
    t = found.totals
    assert t.customers_start + t.customers_joined - t.customers_left == t.customers_end
    assert sum(m.customers for m in found.moves) == len(found.movers)
    known = t.arr_expansion - t.arr_contraction + t.arr_became_known - t.arr_became_unknown
    assert round(t.arr_start + t.arr_joined - t.arr_left + known, 2) == t.arr_end
    assert round(sum(m.arr_before for m in found.moves), 2) == t.arr_start
    assert round(sum(m.arr_after for m in found.moves), 2) == t.arr_end
    here = [arr or 0.0 for _, arr, status in last.values() if status != "churned"]
    assert t.arr_end == pytest.approx(sum(here), abs=0.005)
