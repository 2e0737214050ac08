"""A whole model: settings, metrics, scores, segments, signals and playbooks, as its files say together."""

from typing import Annotated, Final, Literal

from pydantic import Field

from keepwell.model.alert_definitions import AlertRule
from keepwell.model.base import ExpressionText, Scalar, Strict
from keepwell.model.checklist_definitions import Checklist
from keepwell.model.condition_definitions import Condition
from keepwell.model.message_definitions import Calendar, Message
from keepwell.model.metric_definitions import Metric
from keepwell.model.playbook_definitions import Playbook
from keepwell.model.score_definitions import Score
from keepwell.model.survey_definitions import Survey


class About(Strict):
    """Who the model is."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    version: str
    title: str = ""
    description: str = ""


class Settings(Strict):
    """What a company tunes without touching formulas."""

    minimum_coverage: float = Field(0.5, ge=0, le=1)
    active_statuses: tuple[str, ...] = ("active", "trial")
    stale_after_days: dict[str, int] = Field(default_factory=dict, description="Per table; after it a feed is stale.")
    values: dict[str, Scalar | tuple[Scalar, ...]] = Field(
        default_factory=dict, description="Constants and lists, read in expressions as setting.NAME."
    )


class Task(Strict):
    """What a person should do about it."""

    play: str
    title: str = Field(description="With {company} and metric names in braces.")
    due_hours: int | None = Field(None, ge=0)
    at_most_once_per_days: int | None = Field(None, ge=1)


class Segment(Strict):
    """A named group of customers; the first match in file order is a customer's primary segment."""

    label: str = ""
    description: str = ""
    dimension: str = Field("primary", description="Segments of one dimension are alternatives: tier, size, tenure …")
    parent: str | None = None
    when: Condition | None = None
    by: str | None = Field(None, description="One segment per value of this text metric, named NAME: value.")
    catch_all: bool = False
    priority: int | None = None
    color: Literal["green", "lime", "yellow", "orange", "red", "gray"] = "gray"
    action: str = ""
    task: Task | None = None
    strategy: tuple[str, ...] = ()


class Signal(Strict):
    """A detected condition: something went wrong (risk, alert) or could grow (expansion)."""

    label: str = ""
    description: str = ""
    kind: Literal["risk", "alert", "expansion"] = "risk"
    severity: Literal["info", "low", "medium", "high", "critical"] = "medium"
    urgency: Literal["LOW", "MEDIUM", "HIGH"] | None = None
    when: Condition
    value: ExpressionText | None = Field(None, description="Money at stake, or to gain.")
    value_period: Literal["once", "month", "year"] = "year"
    action: str = ""
    respond_within_hours: float | Literal["next_business_day"] | None = None
    reason: str = ""


Identifier = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class Model(Strict):
    """All definitions of one model."""

    model: About
    settings: Settings = Settings()
    metrics: dict[Identifier, Metric] = Field(default_factory=dict)
    scores: dict[Identifier, Score] = Field(default_factory=dict)
    segments: dict[str, Segment] = Field(default_factory=dict)
    signals: dict[str, Signal] = Field(default_factory=dict)
    playbooks: dict[Identifier, Playbook] = Field(default_factory=dict)
    messages: dict[Identifier, Message] = Field(default_factory=dict)
    calendar: Calendar = Calendar()
    alerts: dict[Identifier, AlertRule] = Field(default_factory=dict)
    surveys: dict[Identifier, Survey] = Field(default_factory=dict)
    checklists: dict[Identifier, Checklist] = Field(default_factory=dict)


ACTIONS: Final = frozenset({"playbooks", "messages", "calendar", "alerts", "surveys", "checklists"})
"""What a model does, and not what it computes: no figure depends on it."""
