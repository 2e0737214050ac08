"""Checklists: what is done today, this week and this month."""

from datetime import date, datetime
from typing import Any, Literal

from ninja import Router, Schema
from pydantic import Field

from keepwell.interfaces.api.fields import KEYED, Word
from keepwell.interfaces.api.idempotency import idempotent
from keepwell.interfaces.api.problems import PROBLEMS
from keepwell.interfaces.api.security import READ, WORK, ApiRequest, acting
from keepwell.services.team.checklists import ItemShown, ListShown, checklists_shown, tick, untick

router = Router(tags=["Checklists"])


class ChecklistItemBody(Schema):
    """One item in this period."""

    name: str
    text: str
    done: bool
    by: str | None = Field(description="Who ticked it; null while nobody has, and where the data did.")
    at: datetime | None
    note: str
    data: str | None = Field(description="What the data say of it now, where they can tell.")


class ChecklistPastBody(Schema):
    """How an earlier period went."""

    period: str
    done: int
    of: int


class ChecklistBody(Schema):
    """A list in the period that today is in."""

    name: str
    label: str
    every: Literal["day", "week", "month"]
    period: str = Field(description="2026-11-21, 2026-W47 or 2026-11.")
    first: date
    last: date
    items: list[ChecklistItemBody]
    past: list[ChecklistPastBody]


class ChecklistTickBody(Schema):
    """Whether it is done."""

    done: bool
    note: Word = ""


@router.get("", response={200: list[ChecklistBody], **PROBLEMS}, auth=READ)
def list_checklists(request: ApiRequest) -> Any:
    """Every checklist of the model as it stands, and how the six periods before went."""
    return [_body(one) for one in checklists_shown(request.workspace, request.today, request.now)]


@router.post("/{str:name}/{str:item}", response={200: list[ChecklistBody], **PROBLEMS}, auth=WORK, openapi_extra=KEYED)
@idempotent
def tick_checklist_item(request: ApiRequest, name: Word, item: Word, body: ChecklistTickBody) -> Any:
    """Tick an item of the current period, or take the tick back."""
    who, here = acting(request), request.workspace
    if body.done:
        tick(who, here, name, item, request.today, request.now, body.note)
    else:
        untick(who, here, name, item, request.today, request.now)
    return [_body(one) for one in checklists_shown(here, request.today, request.now)]


def _body(one: ListShown) -> dict[str, Any]:
    return {
        "name": one.name,
        "label": one.label,
        "every": one.checklist.every,
        "period": one.period.name,
        "first": one.period.first,
        "last": one.period.last,
        "items": [_item(item) for item in one.items],
        "past": [{"period": went.name, "done": went.done, "of": went.of} for went in one.past],
    }


def _item(shown: ItemShown) -> dict[str, Any]:
    row = shown.tick
    return {
        "name": shown.name,
        "text": shown.item.text,
        "done": shown.done,
        "by": row.person.email if row and row.person else None,
        "at": row.at if row else None,
        "note": row.note if row else "",
        "data": shown.data.words if shown.data else None,
    }
