"""The switches of the channels: rehearsed until an admin who tried a channel makes it live."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from django.db import transaction

from keepwell.connectors.channels.chat import place_of, trouble_of, variable_of
from keepwell.model.problems import DefinitionError
from keepwell.services.team.audit import Actor, record
from keepwell.services.team.here import workspace
from keepwell.services.team.outbox.email import mail_problem
from keepwell.services.team.outbox.in_app import KEY, SHORTEST_KEY, in_app_key
from keepwell.services.team.outbox.trying import TEST
from keepwell.services.workspace import WorkspaceError
from keepwell.store.models import Channel, Outgoing, WebhookTarget

CUSTOMER, INTERNAL = Channel.Audience.CUSTOMER, Channel.Audience.INTERNAL
TRIED: Final = timedelta(hours=24)
"""How long a test counts."""
MADE_UP: Final = ("Our product", "Alex Morgan")
"""Whose product it is and who signs, in the packs: every letter has them."""
_MOST_ORIGINS: Final = 20


class ChannelError(Exception):
    """A switch that is not moved; the message says what to do."""


@dataclass(frozen=True)
class Way:
    """A channel for an audience; `missing` says what its configuration lacks."""

    name: str
    audience: str
    label: str
    about: str
    missing: Callable[[], Sequence[str]]

    @property
    def key(self) -> str:
        """Its name in addresses."""
        return f"{self.name}-{self.audience}"


def _mail_missing() -> Sequence[str]:
    problem = mail_problem()
    return (problem,) if problem else ()


def _letters_missing() -> Sequence[str]:
    """What e-mail lacks, and what letters would say that no customer should read."""
    try:
        known = workspace().model().model.settings.values
    except (WorkspaceError, DefinitionError):
        return (*_mail_missing(), "The model has to be readable: 'keepwell validate' says what is wrong.")
    left = [f"{name} ({value})" for name, value in known.items() if _made_up(value)]
    said = f"The model's settings still have made-up values that letters use: put yours in for {', '.join(left)}."
    return (*_mail_missing(), *([said] if left else []))


def _made_up(value: object) -> bool:
    """Whether a setting is as the packs have it: their names, and addresses that lead nowhere (RFC 2606)."""
    host = urlsplit(value).hostname if isinstance(value, str) and "://" in value else None
    return value in MADE_UP or bool(host and host.split(".")[-1] == "example")


def _chat_missing(name: str) -> Sequence[str]:
    place = place_of(name)
    if place is None:
        return (f"Set {variable_of(name)} in the environment of the server.",)
    trouble = trouble_of(place)
    return (f"{variable_of(name)} cannot be used: {trouble}.",) if trouble else ()


def _in_app_missing() -> Sequence[str]:
    said = [] if in_app_key() else [f"Set {KEY} in the environment: a secret of at least {SHORTEST_KEY} letters."]
    if not _settings("in_app", CUSTOMER).get("origins"):
        said.append("Say below on which pages messages are shown.")
    return said


def _webhook_missing() -> Sequence[str]:
    return () if WebhookTarget.objects.filter(on=True).exists() else ("Add a target on the webhooks page.",)


WAYS: Final = (
    Way("email", CUSTOMER, "E-mail to customers", "Messages of playbooks, offers and surveys.", _letters_missing),
    Way("in_app", CUSTOMER, "Inside the product", "Messages that your product's pages show.", _in_app_missing),
    Way("email", INTERNAL, "E-mail to colleagues", "Words of playbooks, alerts and escalations.", _mail_missing),
    Way("slack", INTERNAL, "Slack", "Words of playbooks, alerts and escalations.", lambda: _chat_missing("slack")),
    Way("teams", INTERNAL, "Teams", "Words of playbooks, alerts and escalations.", lambda: _chat_missing("teams")),
    Way("webhook", INTERNAL, "Webhooks", "Signed events for other programs.", _webhook_missing),
)


@dataclass(frozen=True)
class Switch:
    """A channel as its page shows it."""

    way: Way
    live: bool
    missing: tuple[str, ...]
    settings: dict[str, Any]
    changed_at: datetime | None
    changed_by: str
    tried: Outgoing | None
    can_go_live: bool


def way_of(name: str, audience: str) -> Way:
    """A channel by name; raises ChannelError."""
    found = next((way for way in WAYS if (way.name, way.audience) == (name, audience)), None)
    if found is None:
        raise ChannelError("There is no such channel.")
    return found


def switches(person_id: int, now: datetime) -> list[Switch]:
    """All channels, with what this person has tried of them."""
    kept = {(one.name, one.audience): one for one in Channel.objects.select_related("changed_by")}
    tests = Outgoing.objects.filter(purpose=TEST, payload__by=person_id).order_by("pk")
    tried = {(row.channel, row.audience): row for row in tests.filter(made_at__gte=now - TRIED)}
    return [_switch(way, kept.get((way.name, way.audience)), tried.get((way.name, way.audience))) for way in WAYS]


def _switch(way: Way, kept: Channel | None, tried: Outgoing | None) -> Switch:
    missing = tuple(way.missing())
    worked = tried is not None and tried.state == Outgoing.State.SENT
    return Switch(
        way=way,
        live=bool(kept and kept.live),
        missing=missing,
        settings=kept.settings if kept else {},
        changed_at=kept.changed_at if kept else None,
        changed_by=kept.changed_by.shown_name if kept and kept.changed_by else "",
        tried=tried,
        can_go_live=worked and not missing,
    )


@transaction.atomic
def go_live(who: Actor, name: str, audience: str, now: datetime) -> None:
    """Let a channel really send, from now on; what was rehearsed stays so. Raises ChannelError."""
    way = way_of(name, audience)
    if missing := way.missing():
        raise ChannelError(f"{way.label} cannot go live yet. {' '.join(missing)}")
    by = who.person.pk if who.person else None
    tests = Outgoing.objects.filter(channel=name, audience=audience, purpose=TEST, payload__by=by)
    if not tests.filter(state=Outgoing.State.SENT, made_at__gte=now - TRIED).exists():
        raise ChannelError(f"Send yourself a test through {way.label} first; it counts for a day.")
    _set(who, way, now, live=True)


@transaction.atomic
def go_dry(who: Actor, name: str, audience: str, now: datetime) -> None:
    """Rehearse from now on: nothing more leaves through this channel. Raises ChannelError."""
    _set(who, way_of(name, audience), now, live=False)


def _set(who: Actor, way: Way, now: datetime, *, live: bool) -> None:
    row = _row(way.name, way.audience, now)
    if row.live == live:
        return
    row.live, row.changed_by, row.changed_at = live, who.person, now
    row.save()
    record(
        who,
        at=now,
        action="channel.live" if live else "channel.dry_run",
        kind="channel",
        object_id=way.key,
        summary=f"{way.label}: {'live from now on' if live else 'dry run from now on'}",
        before={"live": not live},
        after={"live": live},
    )


@transaction.atomic
def origins_change(who: Actor, lines: Sequence[str], now: datetime) -> list[str]:
    """Say on which pages messages inside the product are shown. Raises ChannelError."""
    found = list(dict.fromkeys(_origin(line) for line in lines if line.strip()))
    if len(found) > _MOST_ORIGINS:
        raise ChannelError(f"At most {_MOST_ORIGINS} addresses.")
    way = way_of("in_app", CUSTOMER)
    row = _row(way.name, way.audience, now)
    before = row.settings.get("origins", [])
    if found == before:
        return found
    row.settings = {**row.settings, "origins": found}
    row.changed_by, row.changed_at = who.person, now
    row.save()
    record(
        who,
        at=now,
        action="channel.changed",
        kind="channel",
        object_id=way.key,
        summary=f"{way.label}: shown on {', '.join(found) or 'no page'}",
        before={"origins": before},
        after={"origins": found},
    )
    return found


def _origin(line: str) -> str:
    """An origin as browsers send it: scheme, host, and a port that is not the usual one."""
    text = line.strip().lower().rstrip("/")
    parts = urlsplit(text)
    local = parts.hostname in ("localhost", "127.0.0.1")
    wrong = parts.scheme not in ("https", "http") or not parts.hostname or f"{parts.scheme}://{parts.netloc}" != text
    if wrong or "@" in text or "*" in text or (parts.scheme == "http" and not local):
        raise ChannelError(
            f"“{line.strip()}” is not the beginning of a page's address, such as https://app.example.com."
        )
    return text.removesuffix(":443") if parts.scheme == "https" else text.removesuffix(":80")


def _row(name: str, audience: str, now: datetime) -> Channel:
    row, _ = Channel.objects.select_for_update().get_or_create(
        name=name, audience=audience, defaults={"changed_at": now}
    )
    return row


def _settings(name: str, audience: str) -> dict[str, Any]:
    found = Channel.objects.filter(name=name, audience=audience).first()
    return found.settings if found else {}
