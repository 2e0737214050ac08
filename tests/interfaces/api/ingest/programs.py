"""Programs that send events over HTTP."""

import base64
import json
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.test import Client

from keepwell.services.ingest import journal_of
from keepwell.services.ingest.messages import messages_of
from keepwell.services.workspace import workspace_open

PROBLEM: Final = "application/problem+json"


class Sender:
    """A program with a write key, as Segment's libraries send it."""

    def __init__(self, secret: str) -> None:
        self.client, self.secret = Client(enforce_csrf_checks=True), secret

    def send(self, address: str, body: Any, **headers: str) -> Any:
        """Send a body, as JSON unless it is bytes; returns Django's answer."""
        basic = base64.b64encode(f"{self.secret}:".encode()).decode()
        given = {"Authorization": f"Basic {basic}", **{name.replace("_", "-"): text for name, text in headers.items()}}
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.generic("POST", f"/v1/{address}", raw, content_type="application/json", headers=given)


def problem(answer: Any, status: int) -> dict[str, Any]:
    assert (answer.status_code, answer["Content-Type"]) == (status, PROBLEM), answer.content
    found: dict[str, Any] = answer.json()
    assert found["detail"]
    return found


def written() -> list[str]:
    """The ids of all messages in the journal of the tests' workspace."""
    places = journal_of(workspace_open(Path(settings.KEEPWELL_WORKSPACE)))
    return [message.id for path in places.open_files() for message in messages_of(path)]
