"""Definitions of checklists: what a team goes through every day, week or month, and what the data tick."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from keepwell.model.base import Strict

ChecklistPage = Literal[
    "home",
    "today",
    "alerts",
    "portfolio",
    "portfolio_overview",
    "segments",
    "segment_movement",
    "segment_compare",
    "segment_overlap",
    "opportunities",
    "playbooks",
    "approvals",
    "outbox",
    "support",
    "escalations",
    "surveys",
    "model",
    "model_edit",
    "data",
    "data_quarantine",
    "jobs",
]
"""Pages of the workspace that an item can lead to."""
Check = Literal[
    "run_published",
    "no_overdue_tasks",
    "urgent_tasks_done",
    "alerts_taken",
    "quarantine_empty",
    "approvals_answered",
    "detractors_answered",
    "urgent_tickets_answered",
    "escalations_filed",
    "survey_sent",
    "contacts_logged",
    "playbooks_changed",
    "model_changed",
]


class ChecklistItem(Strict):
    """One thing to look at; where the data can tell that it was done, they tick it."""

    text: str = Field(min_length=1, max_length=255)
    page: ChecklistPage | None = Field(None, description="The page that answers it.")
    query: str = Field("", description="What stands behind the ? of that page's address.", pattern=r"^[^?#\s]*$")
    done_when: Check | None = Field(None, description="What has to be true for the data to tick it.")
    count: int | None = Field(None, ge=1, le=1000, description="How many, where done_when counts.")

    @model_validator(mode="after")
    def _whole(self) -> "ChecklistItem":
        if self.query and self.page is None:
            raise ValueError("'query' needs a 'page'")
        if (self.count is not None) != (self.done_when == "contacts_logged"):
            raise ValueError("'count' belongs to 'done_when: contacts_logged', and is needed there")
        return self


class Checklist(Strict):
    """A list that begins anew every day, week or month."""

    label: str = ""
    description: str = ""
    every: Literal["day", "week", "month"]
    items: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], ChecklistItem] = Field(min_length=1)
