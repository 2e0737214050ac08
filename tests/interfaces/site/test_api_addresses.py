"""Ids of customers in addresses of the API: any text, in two ways of writing it, and never another customer's."""

from urllib.parse import quote

import pytest

from keepwell.interfaces.workspace.converters import NameConverter
from keepwell.services.workspace import Workspace
from tests.interfaces.api.conftest import MakeProgram
from tests.interfaces.api.program import ROOT, Program, told
from tests.interfaces.workspace.test_hostile_names import IDS

pytestmark = pytest.mark.django_db


def sent(program: Program, address: str) -> str:
    """The customer's id that an address answers with, as a server hands on what was sent."""
    path = f"{ROOT}/customers/{address}"
    headers = {"Authorization": f"Bearer {program.secret}"}
    answer = program.client.generic("GET", path, headers=headers, REQUEST_URI=f"{path}?")
    return str(told(answer)["row"]["customer_id"])


def test_every_id_is_found_as_pages_write_it(hostile: Workspace, program: MakeProgram) -> None:
    admin = program("admin")
    for customer in IDS:
        address = quote(NameConverter().to_url(customer), safe="~")
        assert told(admin.send("GET", f"/customers/{address}"))["row"]["customer_id"] == customer
        assert isinstance(told(admin.send("GET", f"/customers/{address}/history")), list)


def test_every_id_is_found_percent_encoded(hostile: Workspace, program: MakeProgram) -> None:
    admin = program("admin")
    for customer in IDS:
        if customer not in (".", ".."):  # what clients take out of addresses by themselves
            assert sent(admin, quote(customer, safe="").replace("~", "%7E")) == customer


def test_a_slash_that_is_sent_as_one_divides(hostile: Workspace, program: MakeProgram) -> None:
    admin = program("admin")
    assert sent(admin, "a%2Ftasks%2Fnew") == sent(admin, "a~2Ftasks~2Fnew") == sent(admin, "a/tasks/new")
    history = told(admin.send("GET", "/customers/a/history"))
    assert isinstance(history, list)
