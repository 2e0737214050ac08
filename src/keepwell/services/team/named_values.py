"""Named values that the workspace keeps in its database: what people set, and how far something came."""

from datetime import datetime
from typing import Any, Final

from django.db import transaction

from keepwell.services.team.audit import Actor, record
from keepwell.services.team.prepared import Prepared
from keepwell.store.models import WorkspaceSetting

_OF_NAME: Final = Prepared(lambda name: WorkspaceSetting.objects.filter(name=name), name=str)


def remembered(name: str) -> dict[str, Any]:
    """What is kept under a name; empty when nothing is. One query."""
    found = _OF_NAME.first(name=name)
    return dict(found.value or {}) if found else {}


def remember(name: str, value: dict[str, Any]) -> None:
    """Keep a value under a name, in place of what was there."""
    WorkspaceSetting.objects.update_or_create(name=name, defaults={"value": value})


@transaction.atomic
def choose(who: Actor, name: str, value: dict[str, Any], *, action: str, summary: str, now: datetime) -> None:
    """Keep what a person chose, with its audit row; the same once more leaves no trace."""
    before = remembered(name)
    if value == before:
        return
    remember(name, value)
    record(who, at=now, action=action, kind="setting", object_id=name, summary=summary, before=before, after=value)
