"""The people of a demo: everybody knows their password, so they are for a demo alone."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction

from keepwell.services.team.audit import Actor, record
from keepwell.store.models import Person, Role, Team

DEMO_DOMAIN: Final = "demo.keepwell.example"
DEMO_PASSWORD: Final = "keepwell-demo"  # noqa: S105 - printed by the demo, good for nothing else
TEAM: Final = "Customer success"
BUILDER: Final = Actor("demo")


@dataclass(frozen=True)
class DemoPerson:
    """Somebody of the demo; `owner` is the address under which the simulated world knows the CSM."""

    email: str
    name: str
    role: str
    owner: str = ""


def demo_cast(owners: list[str]) -> tuple[DemoPerson, ...]:
    """Whom a demo has: one of each role, and a CSM for each owner of the simulated world."""
    staff = (("Ada Admin", Role.ADMIN), ("Oskar Ops", Role.OPS), ("Mara Manager", Role.MANAGER))
    people = [DemoPerson(f"{role}@{DEMO_DOMAIN}", name, role) for name, role in staff]
    people += [DemoPerson(_address(owner), _name(owner), Role.CSM, owner) for owner in owners]
    return (*people, DemoPerson(f"{Role.VIEWER}@{DEMO_DOMAIN}", "Vera Viewer", Role.VIEWER))


@transaction.atomic
def demo_people_make(owners: list[str], *, now: datetime) -> tuple[DemoPerson, ...]:
    """Make the demo's people; those that are there already get their password back."""
    cast = demo_cast(owners)
    team, _ = Team.objects.get_or_create(name=TEAM)
    for one in cast:
        person = Person.objects.filter(email=one.email).first() or Person(email=one.email)
        person.name, person.role, person.is_active = f"{one.name} (demo)", one.role, True
        person.team = team if one.role in (Role.MANAGER, Role.CSM) else None
        person.owner_aliases = [one.owner] if one.owner else []
        person.set_password(DEMO_PASSWORD)
        person.save()
        record(
            BUILDER,
            at=now,
            action="person.joined",
            kind="person",
            object_id=person.pk,
            summary=f"{one.email} joined the demo as {person.get_role_display()}",
        )
    return cast


def _address(owner: str) -> str:
    return f"{owner.split('@')[0].split('.')[0]}@{DEMO_DOMAIN}"


def _name(owner: str) -> str:
    return " ".join(part.capitalize() for part in owner.split("@")[0].split("."))
