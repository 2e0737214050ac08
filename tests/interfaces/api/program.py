"""A program that speaks to the API, and the API's document."""

import json
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote

from django.test import Client

from keepwell.interfaces.api.api import api
from keepwell.store.models import Person

ROOT: Final = "/api/v1"
PROBLEM: Final = "application/problem+json"


class Program:
    """A client with a token; a stranger to sessions and cookies."""

    def __init__(self, secret: str, person: Person) -> None:
        self.client, self.secret, self.person = Client(enforce_csrf_checks=True), secret, person

    def send(self, method: str, path: str, body: Any = None, *, key: str = "", **query: Any) -> Any:
        """Send a request; returns Django's answer."""
        headers = {"Authorization": f"Bearer {self.secret}", **({"Idempotency-Key": key} if key else {})}
        data = "" if body is None else json.dumps(body)
        about: dict[str, Any] = {"content_type": "application/json", "query_params": query, "headers": headers}
        return self.client.generic(method, ROOT + path, data, **about)

    def get(self, path: str, **query: Any) -> Any:
        """What a working GET answers."""
        return told(self.send("GET", path, **query))

    def post(self, path: str, body: Any, **more: Any) -> Any:
        """Send a body; returns Django's answer."""
        return self.send("POST", path, body, **more)


def told(answer: Any, status: int = 200) -> Any:
    """The body of an answer with this status."""
    assert answer.status_code == status, (answer.status_code, answer.content)
    return answer.json() if answer.content else None


def problem(answer: Any, status: int) -> dict[str, Any]:
    """The problem that an answer is."""
    body: dict[str, Any] = told(answer, status)
    assert answer["Content-Type"] == PROBLEM
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    return body


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every operation of the document: method, path, description."""
    for path, methods in api.get_openapi_schema()["paths"].items():
        for method, described in methods.items():
            yield method.upper(), path, described


def address(path: str, **values: Any) -> str:
    """A documented path with values put in, below the root."""
    for name, value in values.items():
        path = path.replace("{" + name + "}", quote(str(value), safe=""))
    return path.removeprefix(ROOT)
