"""People of the workspace: roles, teams, the addresses they own customers under, and keys for programs."""

import secrets
from datetime import datetime, timedelta
from typing import Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from keepwell.services.team.audit import Actor, record
from keepwell.services.team.links import digest_of
from keepwell.store.models import ApiToken, Person, Role, Team

SCOPES: Final = {
    "read": "See what its person sees",
    "work": "Tasks, outcomes and notes",
    "segments": "Make and change segments",
    "model": "Plan and apply model changes",
    "ingest": "Send events (a write key)",
    "data": "Retry quarantined rows, link identities, run jobs",
    "admin": "People, settings and the audit log",
}
_PREFIX: Final = "kw_"
_SHOWN: Final = 10
_LAST_USED_STEP: Final = timedelta(minutes=1)


class PeopleError(Exception):
    """A change of people that is refused; the message says why."""


@transaction.atomic
def change_person(
    who: Actor, person_id: int, *, name: str, role: str, team_name: str, aliases: list[str], active: bool, now: datetime
) -> Person:
    """Change what a person is and may do. The last active admin stays one."""
    person = Person.objects.select_for_update().get(pk=person_id)
    before = _values(person)
    if person.role == Role.ADMIN and (role != Role.ADMIN or not active) and not _other_admins(person):
        raise PeopleError("This is the last active admin. Make somebody else an admin first.")
    person.name, person.role, person.is_active = name.strip(), Role(role).value, active
    person.team = Team.objects.get_or_create(name=team_name.strip())[0] if team_name.strip() else None
    person.owner_aliases = _addresses(aliases)
    person.save()
    if not active:
        person.tokens.filter(revoked_at=None).update(revoked_at=now)
    after = _values(person)
    changed = ", ".join(key for key in after if after[key] != before[key]) or "nothing"
    record(
        who,
        at=now,
        action="person.changed",
        kind="person",
        object_id=person.pk,
        summary=f"Changed {changed} of {person.email}",
        before=before,
        after=after,
    )
    return person


@transaction.atomic
def make_token(
    who: Actor, person: Person, *, name: str, scopes: list[str], days: int | None, now: datetime
) -> tuple[ApiToken, str]:
    """A token and its secret, which is shown once and not kept."""
    unknown = set(scopes) - set(SCOPES)
    if unknown or not scopes:
        raise PeopleError(f"Choose at least one of the scopes: {', '.join(SCOPES)}")
    secret = _PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        person=person,
        name=name.strip() or "token",
        prefix=secret[:_SHOWN],
        digest=digest_of(secret),
        scopes=sorted(scopes),
        made_at=now,
        expires_at=now + timedelta(days=days) if days else None,
    )
    record(
        who,
        at=now,
        action="token.made",
        kind="token",
        object_id=token.pk,
        summary=f"Made the token “{token.name}” of {person.email} with {', '.join(token.scopes)}",
        after={"name": token.name, "scopes": token.scopes},
    )
    return token, secret


@transaction.atomic
def revoke_token(who: Actor, token: ApiToken, *, now: datetime) -> None:
    """A token that stops working at once."""
    if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now):
        record(
            who,
            at=now,
            action="token.revoked",
            kind="token",
            object_id=token.pk,
            summary=f"Revoked the token “{token.name}” of {token.person.email}",
        )


def token_of(secret: str, now: datetime) -> ApiToken | None:
    """The working token behind a secret, None when there is none."""
    token = ApiToken.objects.filter(digest=digest_of(secret)).select_related("person").first()
    if token is None or token.revoked_at or (token.expires_at and token.expires_at <= now):
        return None
    if not token.person.is_active:
        return None
    if token.last_used_at is None or now - token.last_used_at > _LAST_USED_STEP:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


def _other_admins(person: Person) -> bool:
    return Person.objects.filter(role=Role.ADMIN, is_active=True).exclude(pk=person.pk).exists()


def _addresses(given: list[str]) -> list[str]:
    found = list(dict.fromkeys(address.strip().lower() for address in given if address.strip()))
    for address in found:
        try:
            validate_email(address)
        except ValidationError:
            raise PeopleError(f"“{address}” is not an e-mail address") from None
    return found


def _values(person: Person) -> dict[str, object]:
    return {
        "name": person.name,
        "role": person.role,
        "team": person.team.name if person.team else None,
        "owner addresses": list(person.owner_aliases),
        "active": person.is_active,
    }
