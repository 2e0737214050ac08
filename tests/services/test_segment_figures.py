"""Segments as pages show them: hierarchy, periods, words with labels."""

from datetime import date, timedelta

from keepwell.model.definitions import Model
from keepwell.reporting.plain import Figure
from keepwell.reporting.segments import SegmentRow
from keepwell.services.published import EVERYONE
from keepwell.services.segment_fields import segment_fields, suggestions, with_labels
from keepwell.services.segment_figures import Line, Seen, movement, nested, period_of
from keepwell.services.segment_members import trend_dates
from keepwell.services.workspace import Workspace
from tests.web import LAST, published

__all__ = ["published"]


def line(name: str) -> Line:
    none = Figure(None)
    return Line(SegmentRow(name, name, "gray", 1, 1.0, None, None, none, none, none, none, 0, None, 0.0), None, None)


def test_children_stand_below_their_parent_one_step_in() -> None:
    parents = {"small": "europe", "europe": None, "tiny": "small", "asia": None, "key": "tier"}
    segments = {name: {"when": "arr > 1", "parent": parent} for name, parent in parents.items()}
    segments["tier"] = {"when": "arr > 1", "dimension": "tier", "label": "Big tier"}
    model = Model.model_validate({"model": {"name": "x", "version": "1"}, "segments": segments})
    shown = [(one.row.name, one.depth, one.parent) for one in nested(model, [line(name) for name in parents])]
    assert shown == [("europe", 0, ""), ("small", 1, ""), ("tiny", 2, ""), ("asia", 0, ""), ("key", 0, "Big tier")]


def test_periods_are_of_published_dates(published: Workspace) -> None:
    dates = published.snapshots.dates()
    usual = period_of(published, first=None, last=None, days=30)
    assert (usual.first, usual.last) == (LAST - timedelta(days=30), LAST)
    assert period_of(published, first=None, last=None, days=90).first == dates[0]
    early = period_of(published, first=None, last=date(1999, 1, 1), days=30)
    assert (early.first, early.last) == (None, dates[0])
    turned = period_of(published, first=LAST, last=LAST - timedelta(days=5), days=30)
    assert turned.first == LAST - timedelta(days=6)
    assert movement(Seen(published, early, EVERYONE), "bands") is None


def test_a_trend_has_its_last_date_and_not_too_many() -> None:
    dates = [LAST - timedelta(days=at) for at in range(400)][::-1]
    found = trend_dates(dates, LAST)
    assert found[-1] == LAST
    assert len(found) <= 31
    assert (LAST - found[0]).days < 180


def test_fields_have_labels_and_values(published: Workspace) -> None:
    groups = list(dict.fromkeys(field.group for field in segment_fields(published)))
    assert groups == ["Attributes", "Metrics", "Scores and bands", "Signals"]
    assert set(suggestions(published, "plan", EVERYONE).values) == {"basic", "standard", "enterprise"}
    assert suggestions(published, "no such field", EVERYONE).values == ()
    words = with_labels(published, "health_score is less than 60 and did 'health_score' and name is 'x'")
    assert words == "Health is less than 60 and did 'health_score' and name is 'x'"
