"""Saved views: filters, order and columns of a page under a name."""

from typing import Annotated, Any, Literal

from ninja import Router, Schema, Status
from pydantic import Field

from keepwell.interfaces.api.fields import KEYED, PersonBrief, Pk, Word
from keepwell.interfaces.api.idempotency import idempotent
from keepwell.interfaces.api.paging import Limit, Offset, Page, page_of
from keepwell.interfaces.api.problems import PROBLEMS
from keepwell.interfaces.api.security import READ, WRITE, ApiRequest, acting
from keepwell.services.team.saved import delete_view, save_view, views_of

router = Router(tags=["Saved views"])
Place = Literal["portfolio"]


class ViewBody(Schema):
    """A saved view; `query` holds parameters of the page's address."""

    id: int
    page: str
    name: str
    query: dict[str, Any]
    shared: bool
    person: PersonBrief


class ViewNew(Schema):
    """A view to be saved; one's own of the same name is replaced."""

    page: Place = "portfolio"
    name: Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[^\u0000]*$")]
    query: Annotated[dict[Word, Annotated[list[Word], Field(max_length=200)]], Field(max_length=40)]
    shared: bool = False


@router.get("", response={200: Page[ViewBody], **PROBLEMS}, auth=READ)
def list_views(request: ApiRequest, limit: Limit, offset: Offset, page: Place = "portfolio") -> Any:
    """One's own views of a page and those that are shared."""
    found = views_of(request.user, page)
    shown = [ViewBody.from_orm(view) for view in found[offset : offset + limit]]
    return page_of(shown, found.count(), limit, offset)


@router.post("", response={201: ViewBody, **PROBLEMS}, auth=WRITE, openapi_extra=KEYED)
@idempotent
def create_view(request: ApiRequest, body: ViewNew) -> Any:
    """Save a view, for oneself or for everybody."""
    view = save_view(acting(request), request.user, now=request.now, **body.model_dump())
    return Status(201, ViewBody.from_orm(view))


@router.delete("/{int:view_id}", response={204: None, **PROBLEMS}, auth=WRITE)
def remove_view(request: ApiRequest, view_id: Pk) -> Any:
    """Delete one's own view."""
    delete_view(acting(request), request.user, view_id, now=request.now)
    return Status(204, None)
