"""What happens in a busy hour, and what it left in the database, without the numbers that rows happen to get."""

import random
from datetime import datetime
from typing import Any, Final

from django.apps import apps
from django.db import connection, transaction

from keepwell.playbooks.events import Happened
from keepwell.services.team.playing.approvals import approval_decide
from keepwell.services.team.playing.happenings import happened
from keepwell.services.team.playing.starts import start_from_event
from keepwell.store.models import (
    Approval,
    AuditEntry,
    CanonicalWrite,
    Happening,
    Offer,
    Outgoing,
    PlaybookEffect,
    PlaybookRun,
    PlaybookTimer,
    Task,
)
from tests.services.team.playing.killing import digest
from tests.services.team.playing.stage import WHO, Stage

KEPT: Final[dict[Any, tuple[str, ...]]] = {
    PlaybookRun: ("playbook", "version", "customer_id", "entry", "started_at", "state", "phase", "ended_at", "reason"),
    PlaybookTimer: ("run__playbook", "run__customer_id", "run__entry", "number", "due_at"),
    PlaybookEffect: ("key", "kind", "step", "at", "due", "details"),
    Outgoing: ("key", "channel", "audience", "message", "customer_id", "state", "made_at", "due_at", "text"),
    Task: ("customer_id", "play", "title", "state", "opened_at", "due_at"),
    Approval: ("key", "question", "state", "asked_at", "decided_at"),
    Offer: ("key", "title", "state", "made_at"),
    CanonicalWrite: ("table", "row", "made_at"),
    Happening: ("key", "kind", "name", "at", "heard_at"),
    AuditEntry: ("at", "actor_name", "action", "customer_id", "summary"),
}


def wipe() -> None:
    """Empty all tables."""
    tables = ", ".join(f'"{model._meta.db_table}"' for model in apps.get_app_config("store").get_models())
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")


def happen(stage: Stage, story: random.Random) -> None:
    """Events, answers and decisions of one minute."""
    with transaction.atomic():
        for customer in stage.customers:
            chance = story.random()
            key = f"{customer}:{stage.now.isoformat()}"
            if chance < 0.06:
                name = story.choice(["failed", "grown"])
                start_from_event(stage.workspace, customer, name, key, stage.now, stage.now)
            elif chance < 0.12:
                name = story.choice(["reply", "click", "login"])
                happened(customer, Happened.RESPONSE, name=name, key=key, at=stage.now)
        for question in Approval.objects.filter(state="open").order_by("key"):
            if digest(question.key + stage.now.isoformat()) % 8 == 0:
                approval_decide(WHO, question.pk, digest(question.key) % 2 == 0, "", stage.now)


def waits(now: datetime) -> bool:
    """Whether something is still to be heard or to be fired."""
    return Happening.objects.filter(heard_at=None).exists() or PlaybookTimer.objects.filter(due_at__lte=now).exists()


def left_behind() -> dict[str, list[str]]:
    """The rows of every table that playbooks write, as texts, sorted."""
    return {
        model.__name__: sorted(repr(row) for row in model.objects.values_list(*fields))
        for model, fields in KEPT.items()
    }
