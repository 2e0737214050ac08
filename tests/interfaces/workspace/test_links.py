"""No page offers a way that ends before a locked door."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import Resolver404, resolve

from keepwell.services.workspace import Workspace
from tests.web import MakeClient

pytestmark = pytest.mark.django_db
LINK = re.compile(r'href="(/[^"#]*)"')


def kind_of(address: str) -> str:
    """The page that an address leads to, whatever it is about."""
    try:
        return resolve(urlsplit(address).path).view_name
    except Resolver404:
        return ""


def walked(client: Client) -> Iterator[tuple[str, str, int]]:
    """One address of every page that is linked from another, where it is linked, and what it answers."""
    waiting, seen = [("/today", "")], set[str]()
    while waiting:
        address, source = waiting.pop(0)
        kind = kind_of(address)
        if kind in seen or kind.startswith(("account_", "mfa_", "static")) or not kind:
            continue
        seen.add(kind)
        answer = client.get(address.replace("&amp;", "&"))
        yield address, source, answer.status_code
        if answer.status_code == 200 and "text/html" in answer.get("Content-Type", "") and not answer.streaming:
            waiting += [(found, address) for found in LINK.findall(answer.content.decode())]


@pytest.mark.parametrize("role", ["viewer", "csm", "manager", "ops"])
def test_every_link_of_a_role_may_be_followed(published: Workspace, client_of: MakeClient, role: str) -> None:
    ways = list(walked(client_of(role)))
    assert len(ways) > 15
    assert [way for way in ways if way[2] in (403, 404, 405)] == []
