"""Lists in pages."""

from typing import Annotated, Generic, TypeVar

from ninja import Query, Schema
from pydantic import Field

Item = TypeVar("Item")
Limit = Annotated[int, Query(50, ge=1, le=500, description="How many at most.")]
Offset = Annotated[int, Query(0, ge=0, le=10_000_000, description="How many to skip.")]


class Page(Schema, Generic[Item]):
    """Some of a list, and where it goes on."""

    items: list[Item]
    total: int
    limit: int
    offset: int
    next_offset: int | None = Field(None, description="The offset of the following page; null on the last.")


def page_of(items: list[Item], total: int, limit: int, offset: int) -> "Page[Item]":
    """A page of a list."""
    following = offset + len(items)
    return Page(
        items=items,
        total=total,
        limit=limit,
        offset=offset,
        next_offset=following if following < total and items else None,
    )
