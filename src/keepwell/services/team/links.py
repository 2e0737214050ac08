"""One-time links: the first admin, invitations and passwords set by hand. The secret is in the link alone."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from django.db.models import Q

from keepwell.services.team.audit import Actor, actor, record
from keepwell.store.models import OneTimeLink, Person, Role, Team

HOLDS: Final = {
    OneTimeLink.Kind.FIRST_ADMIN: timedelta(days=7),
    OneTimeLink.Kind.INVITATION: timedelta(days=7),
    OneTimeLink.Kind.PASSWORD: timedelta(days=1),
}


class LinkError(Exception):
    """A link that cannot be used; the message says what to do."""


def digest_of(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def first_admin_link(now: datetime) -> str | None:
    """The secret of a link for the first admin, None when there is one already. Earlier links stop working."""
    if Person.objects.filter(role=Role.ADMIN, is_active=True).exists():
        return None
    OneTimeLink.objects.filter(kind=OneTimeLink.Kind.FIRST_ADMIN, used_at=None).delete()
    return _made(OneTimeLink(kind=OneTimeLink.Kind.FIRST_ADMIN, role=Role.ADMIN), now)


@transaction.atomic
def invite(who: Actor, *, email: str, name: str, role: str, team: Team | None, now: datetime) -> str:
    """The secret of an invitation; one that still waits for the same address is replaced."""
    address = email.strip().lower()
    if Person.objects.filter(email=address).exists():
        raise LinkError(f"{address} has an account already; change its role on the people page")
    OneTimeLink.objects.filter(kind=OneTimeLink.Kind.INVITATION, email=address, used_at=None).delete()
    link = OneTimeLink(
        kind=OneTimeLink.Kind.INVITATION, email=address, name=name.strip(), role=role, team=team, made_by=who.person
    )
    secret = _made(link, now)
    record(
        who,
        at=now,
        action="person.invited",
        kind="invitation",
        object_id=link.pk,
        summary=f"Invited {address} as {Role(role).label}",
        after={"email": address, "role": role, "team": team.name if team else None},
    )
    return secret


@transaction.atomic
def password_link(who: Actor, *, person: Person, now: datetime) -> str:
    """The secret of a link with which a person sets a new password: for workspaces that send no e-mail."""
    person.links.filter(kind=OneTimeLink.Kind.PASSWORD, used_at=None).delete()
    secret = _made(OneTimeLink(kind=OneTimeLink.Kind.PASSWORD, person=person, made_by=who.person), now)
    record(
        who,
        at=now,
        action="person.password_link",
        kind="person",
        object_id=person.pk,
        summary=f"Made a link for {person.email} to set a password",
    )
    return secret


def open_link(secret: str, now: datetime) -> OneTimeLink:
    """The link behind a secret; raises LinkError when it is unknown, used or expired."""
    link = OneTimeLink.objects.filter(digest=digest_of(secret)).select_related("person").first()
    if link is None:
        raise LinkError("This link is not known. Ask for a new one.")
    if link.used_at is not None:
        raise LinkError("This link was used already. Sign in, or ask for a new one.")
    if link.expires_at <= now:
        raise LinkError("This link has expired. Ask for a new one.")
    return link


@transaction.atomic
def use_link(secret: str, *, email: str, name: str, password: str, now: datetime) -> Person:
    """Set the password behind a link, making the person where needed; raises LinkError or ValidationError."""
    link = open_link(secret, now)
    taken = OneTimeLink.objects.filter(pk=link.pk, used_at=None).filter(Q(expires_at__gt=now)).update(used_at=now)
    if not taken:
        raise LinkError("This link was used already. Sign in, or ask for a new one.")
    person = link.person or _new_person(link, email, name)
    validate_password(password, person)
    person.set_password(password)
    person.save()
    record(
        actor(person),
        at=now,
        action="person.joined" if link.person is None else "person.password_set",
        kind="person",
        object_id=person.pk,
        summary=f"{person.email} set a password"
        + ("" if link.person else f" and joined as {person.get_role_display()}"),
    )
    return person


def _new_person(link: OneTimeLink, email: str, name: str) -> Person:
    if link.kind == OneTimeLink.Kind.FIRST_ADMIN and Person.objects.filter(role=Role.ADMIN, is_active=True).exists():
        raise LinkError("There is an admin already. Ask them for an invitation.")
    address = (link.email or email).strip().lower()
    if Person.objects.filter(email=address).exists():
        raise LinkError(f"{address} has an account already. Sign in instead.")
    return Person(email=address, name=(name or link.name).strip(), role=link.role, team=link.team)


def _made(link: OneTimeLink, now: datetime) -> str:
    secret = secrets.token_urlsafe(32)
    link.digest, link.made_at = digest_of(secret), now
    link.expires_at = now + HOLDS[OneTimeLink.Kind(link.kind)]
    link.save()
    return secret
