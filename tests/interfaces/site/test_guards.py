"""NUL gets past no page and no operation; ids with slashes are told from what follows them in the API."""

from urllib.parse import urlencode

import pytest
from django.test import Client

from keepwell.interfaces.site.guards import told_apart
from keepwell.services.team.offering.sending import offer_token
from keepwell.services.workspace import Workspace
from tests.interfaces.api.conftest import MakeProgram
from tests.interfaces.api.program import ROOT, operations, problem
from tests.interfaces.workspace.addresses import addresses
from tests.interfaces.workspace.page_world import offer_open, someones
from tests.web import MakeClient

pytestmark = pytest.mark.django_db
NUL = "\0"


def test_no_page_takes_nul(published: Workspace, client_of: MakeClient) -> None:
    """In the query string and in each part of the address that is a text, of every page that there is."""
    client = client_of("admin")
    client.raise_request_exception = False
    found = {}
    for address in addresses():
        if not address.api:
            found[f"{address.route}?"] = client.get(address.path(), {"q": NUL, "page": NUL, "group": "x\0"}).status_code
            hidden = address.path(dict.fromkeys(address.arguments, "a~00b"))
            for path in (address.path(dict.fromkeys(address.arguments, "%00")), hidden):
                found[path] = client.get(path).status_code
    wrong = {path: status for path, status in found.items() if status >= 500}
    assert not wrong
    queries = {path: status for path, status in found.items() if path.endswith("?")}
    assert len(queries) > 150
    assert {path: status for path, status in queries.items() if status not in (400, 404)} == {}
    assert list(queries.values()).count(400) > 0.9 * len(queries)


def test_no_operation_takes_nul(published: Workspace, program: MakeProgram) -> None:
    admin, asked = program("admin"), 0
    for method, path, described in operations():
        for one in described.get("parameters", ()):
            if method == "GET" and one["in"] == "query":
                body = problem(admin.send("GET", _filled(path), **{one["name"]: f"x{NUL}"}), 400)
                assert "NUL" in body["detail"]
                asked += 1
    assert asked > 60
    problem(admin.send("GET", "/customers/%00"), 400)
    problem(admin.send("GET", "/customers/a~00b/history"), 400)


def test_no_form_takes_nul(published: Workspace, client_of: MakeClient) -> None:
    client = client_of("admin")
    for data in ({"name": NUL}, {f"x{NUL}": "name"}, {"a": "b", "to": f"x{NUL}y"}):
        answer = client.post("/alerts/people", data)
        assert (answer.status_code, "NUL" in answer.content.decode()) == (400, True), data
    assert client.post("/alerts/people", {"executive": "nonsense"}).status_code == 302


def test_no_form_of_a_public_page_takes_nul(published: Workspace) -> None:
    """However it is sent: strangers choose that themselves."""
    row = someones(published)
    offer = offer_open(row)
    address, said = f"/o/{offer_token(offer)}", {"answer": "yes", "name": f"A{NUL}"}
    assert Client().post(address, said).status_code == 400
    plain = "application/x-www-form-urlencoded"
    assert Client().post(address, urlencode(said), content_type=plain).status_code == 400
    offer.refresh_from_db()
    assert offer.state == "open"


@pytest.mark.parametrize(
    ("path", "sent", "wanted"),
    [
        ("/api/v1/customers/a/history", "/api/v1/customers/a/history", None),
        ("/api/v1/customers/a/history", "/api/v1/customers/a%2Fhistory?x=%2F", "/api/v1/customers/a~2Fhistory"),
        ("/api/v1/customers/a/b/history", "/api/v1/customers/a%2fb/history", "/api/v1/customers/a~2Fb/history"),
        ("/api/v1/customers/~2F", "/api/v1/customers/%7E2F", "/api/v1/customers/~7E2F"),
        ("/api/v1/customers/ä/", "/api/v1/customers/%C3%A4%2F", "/api/v1/customers/ä~2F"),
        ("/api/v1/customers/a", "/elsewhere%2F/a", None),
        ("/api/v1/customers/a", "", None),
    ],
)
def test_encoded_slashes_stay_parts_of_an_id(path: str, sent: str, wanted: str | None) -> None:
    assert told_apart(path, sent) == (wanted or path)


def _filled(path: str) -> str:
    """An operation's address with something in its gaps."""
    parts = ("1" if part.startswith("{") else part for part in path.removeprefix(ROOT).split("/"))
    return "/".join(parts)
