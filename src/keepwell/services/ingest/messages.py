"""Messages: what a program sent, checked, as one line of the journal, and read back from it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from keepwell.services.ingest.values import moment, sound, text

EVENT_BYTES: Final = 32 * 1024
BATCH_BYTES: Final = 500 * 1024
KINDS: Final = ("track", "identify", "group", "page", "screen", "alias")
STRIPE: Final = "stripe"
_ID_LENGTH: Final = 255
_DEPTH: Final = 32
_OBJECTS: Final = ("properties", "traits", "context", "integrations")


class Rejected(Exception):  # noqa: N818 - a message is rejected, nothing failed
    """A message that is not taken; the text says what is wrong with it."""

    def __init__(self, said: str, where: str = "", *, too_large: bool = False) -> None:
        super().__init__(said)
        self.said, self.where, self.too_large = said, where, too_large


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message that may be written: what names it, and its line."""

    id: str
    line: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the journal."""

    id: str
    kind: str
    received_at: datetime
    body: dict[str, Any]


def parsed(raw: bytes) -> Any:
    """The JSON of a request; raises Rejected for what is none."""
    try:
        return json.loads(raw.decode("utf-8-sig"), parse_constant=_no_constant)
    except UnicodeDecodeError:
        raise Rejected("The body is not UTF-8.") from None
    except RecursionError:
        raise Rejected("The body is nested too deeply.") from None
    except ValueError as error:
        raise Rejected(f"The body is not JSON: {error}") from None


def checked(body: Any, kind: str | None, *, received_at: datetime, fallback_id: str) -> Accepted:
    """A message of one of Segment's kinds; `kind` is None where the message names it itself. Raises Rejected."""
    if not isinstance(body, dict):
        raise Rejected("must be an object")
    kind = _kind(body, kind)
    for name in _OBJECTS:
        if not isinstance(body.get(name) or {}, dict):
            raise Rejected("must be an object", name)
    identity = _name(body, "messageId") or fallback_id
    if _name(body, "userId") is None and _name(body, "anonymousId") is None:
        raise Rejected("one of userId and anonymousId is needed", "userId")
    _needed(body, kind)
    if body.get("timestamp") is not None and moment(body["timestamp"]) is None:
        raise Rejected("must be a moment such as 2026-06-30T09:15:00Z", "timestamp")
    return _line(identity, kind, received_at, body)


def checked_stripe(body: Any, *, received_at: datetime) -> Accepted:
    """An event of Stripe. Raises Rejected."""
    if not isinstance(body, dict) or not isinstance(body.get("data"), dict):
        raise Rejected("is no event of Stripe: it has no data")
    for name in ("id", "type"):
        if not isinstance(body.get(name), str) or not 0 < len(body[name]) <= _ID_LENGTH:
            raise Rejected("must be a text", name)
    if not isinstance(body["data"].get("object"), dict):
        raise Rejected("must be an object", "data.object")
    return _line(sound(body["id"]), STRIPE, received_at, body, limit=None)


def messages_of(path: Path) -> Iterator[Message]:
    """The messages of a journal file; a line that is none was torn by a kill before it was answered for."""
    with path.open("rb") as handle:
        for line in handle:
            found = message_of(line)
            if found is not None:
                yield found


def message_of(line: bytes) -> Message | None:
    """The message that a line of the journal holds, None when it is no whole one."""
    try:
        if not line.endswith(b"\n"):
            return None
        read = json.loads(line)
        return Message(read["id"], read["kind"], datetime.fromisoformat(read["received_at"]), read["body"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _kind(body: dict[str, Any], kind: str | None) -> str:
    given = body.get("type")
    if kind is None:
        if not isinstance(given, str) or given not in KINDS:
            raise Rejected(f"must be one of {', '.join(KINDS)}", "type")
        return given
    if given is not None and given != kind:
        raise Rejected(f"is {json.dumps(given)[:40]}, but it was sent to /v1/{kind}", "type")
    return kind


def _needed(body: dict[str, Any], kind: str) -> None:
    if kind == "track" and (not isinstance(body.get("event"), str) or text(body["event"]) is None):
        raise Rejected("must be the name of what happened", "event")
    if kind == "group" and _name(body, "groupId") is None:
        raise Rejected("must be the customer's id", "groupId")


def _name(body: dict[str, Any], key: str) -> str | None:
    """An id: a text or a number that is not empty, None when it is left out."""
    value = body.get(key)
    if value is None or value == "":
        return None
    found = text(value)
    if found is None or len(found) > _ID_LENGTH:
        raise Rejected(f"must be a text of at most {_ID_LENGTH} characters", key)
    return found


def _line(
    identity: str, kind: str, received_at: datetime, body: dict[str, Any], limit: int | None = EVENT_BYTES
) -> Accepted:
    try:
        content = json.dumps(body, separators=(",", ":"), allow_nan=False)
    except RecursionError:
        raise Rejected("is nested too deeply") from None
    except ValueError:
        raise Rejected("holds a number that is too large") from None
    if limit is not None and len(content) > limit and _bytes(body) > limit:
        raise Rejected(f"is larger than {limit // 1024} kB", too_large=True)
    if content.count("{") + content.count("[") > _DEPTH and not _shallow(body, _DEPTH):
        raise Rejected(f"is nested more than {_DEPTH} levels deep")
    start = f'{{"id":{json.dumps(identity)},"kind":"{kind}","received_at":"{received_at.isoformat()}","body":'
    return Accepted(identity, f"{start}{content}}}\n".encode("ascii"))


def _bytes(body: dict[str, Any]) -> int:
    """The size as it is sent: the line escapes what is not ASCII, and is longer."""
    return len(json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace"))


def _shallow(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return True
    inner = value.values() if isinstance(value, dict) else value
    return levels > 0 and all(_shallow(one, levels - 1) for one in inner)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")
