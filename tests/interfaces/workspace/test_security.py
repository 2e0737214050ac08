"""Every address there is: closed to strangers, quiet about other people's customers, and safe to render."""

from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import pytest
from django.conf import settings
from django.test import Client
from django.urls import resolve, reverse

from keepwell.services.team.audit import actor
from keepwell.services.team.people import SCOPES, make_token
from keepwell.services.workspace import Workspace
from tests.web import NOW, PASSWORD, MakeClient, make_person

from .addresses import Address, addresses
from .data_world import faulty_workspace
from .page_world import OF_DATA, OF_MODEL, faults_of, faulty_things, published_things, someones

pytestmark = pytest.mark.django_db
ALL: Final = addresses()
OPEN: Final = frozenset({
    "healthz", "in-app-script", "start", "openapi-json", "account_login", "account_inactive", "account_reset_password",
    "account_reset_password_done", "account_reset_password_from_key", "account_reset_password_from_key_done",
    "socialaccount_login_cancelled", "socialaccount_login_error", "mail_unsubscribe", "mail_click", "mail_open",
    "offer_answer", "survey_answer",
})  # fmt: skip
"""What people see before they have signed in."""
FRAMED: Final = frozenset({"outgoing_html", "playbook_message_html"})
"""Not pages but the looks of messages, shown in a frame in which nothing is allowed."""
SIGNED: Final = frozenset({"mail_unsubscribe", "offer_answer", "survey_answer"})
"""Pages whose address is signed and says all that may be done: they set no cookie, so their forms need no token."""
NO_TOKEN: Final = "a form without its token"  # noqa: S105 - a fault, no secret
LOGIN: Final = "/accounts/login/"
METHODS: Final = ("get", "post", "put", "patch", "delete")
CHANGES: Final = ("post", "put", "patch", "delete")


def called(client: Client, address: Address, method: str, path: str = "", **headers: str) -> Any:
    return getattr(client, method)(path or address.path(), headers=headers)


def where(answer: Any) -> str:
    return str(answer.headers.get("Location", ""))


def test_the_walk_knows_the_pages() -> None:
    names = {address.name for address in ALL}
    assert len(ALL) > 100
    assert {"today", "customer", "portfolio_export", "model_apply", "data_upload", "account_login"} <= names
    assert names >= OPEN, "an address that is open to all is gone: take it off the list"


@pytest.mark.parametrize("address", [one for one in ALL if one.name not in OPEN], ids=lambda one: one.path())
def test_nobody_comes_in_without_signing_in(published: Workspace, address: Address) -> None:
    for method in METHODS:
        answer = called(Client(), address, method)
        if address.api:
            assert answer.status_code in (401, 404, 405)
        elif address.name == "home":
            assert where(answer) == reverse("today")
        elif answer.status_code == 301:
            assert where(answer).startswith("/accounts/3rdparty/"), "an old address of allauth"
        else:
            assert answer.status_code in (404, 405) or where(answer).startswith(LOGIN), (method, answer.status_code)


def test_a_stranger_learns_nothing_about_a_customer(client_of: MakeClient, published: Workspace) -> None:
    one = someones(published)
    stranger = client_of("csm", email="stranger@example.com")
    owner = client_of("csm", email="owner@example.com", owner_aliases=[one.owner_email])
    of_customers = [address for address in ALL if "customer_id" in address.arguments]
    assert len(of_customers) > 20
    found = set()
    for address in of_customers:
        path, unknown = (address.path({"customer_id": name}) for name in (one.customer_id, "nobody"))
        for method in METHODS:
            answer = answered(stranger, address, method, path)
            refused = (400, 403, 404, 405, 422) if address.api else (404, 405)
            assert answer.status_code in refused, (method, path, answer.status_code)
            same = answered(stranger, address, method, unknown)
            assert same.status_code == answer.status_code, f"{method} {path}: it tells that there is such a customer"
            assert one.name not in answer.content.decode()
        if answered(owner, address, "get", path).status_code == 200:
            found.add(address.name)
    assert {"customer", "customer_timeline", "customer_notes", "get_customer"} <= found, "the owner sees it"


def answered(client: Client, address: Address, method: str, path: str) -> Any:
    """What a person is answered: by a page when signed in, by the API with a token that may everything."""
    if not address.api:
        return called(client, address, method, path)
    person = client.person  # type: ignore[attr-defined]
    if not hasattr(client, "secret"):
        client.secret = make_token(  # type: ignore[attr-defined]
            actor(person), person, name="all", scopes=list(SCOPES), days=None, now=NOW
        )[1]
    return called(Client(), address, method, path, authorization=f"Bearer {client.secret}")  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["a/b", "a b", "ä?&#", "50%", "/"])
def test_a_customer_may_have_any_id(name: str) -> None:
    for address in ALL:
        if "customer_id" in address.arguments and not address.api:
            others: dict[str, Any] = {argument: 1 for argument in address.arguments if argument != "customer_id"}
            found = resolve(unquote(reverse(address.name, kwargs={**others, "customer_id": name})))
            assert (found.url_name, found.kwargs["customer_id"]) == (address.name, name)


def test_every_page_keeps_to_the_policy(
    client_of: MakeClient, published: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = client_of("admin")
    things = published_things(published, admin.person)  # type: ignore[attr-defined]
    seen = _policy_kept(admin, [one for one in ALL if one.name not in OF_DATA | OF_MODEL], things)
    workspace = faulty_workspace(tmp_path)
    monkeypatch.setattr(settings, "KEEPWELL_WORKSPACE", str(workspace.root))
    seen |= _policy_kept(admin, [one for one in ALL if one.name in OF_DATA | OF_MODEL], faulty_things(workspace))
    forgotten = _pages() - seen
    assert not forgotten, f"these pages were not rendered; teach page_world their things: {sorted(forgotten)}"


@pytest.mark.parametrize(
    "html",
    [
        '<p style="color:red">',
        "<style>p {}</style>",
        "<script>alert(1)</script>",
        '<button onclick="x()">',
        '<a href=" JavaScript:alert(1)">',
        '<form method="post"><button></form>',
        "<iframe>",
        '<iframe src="/x">',
        '<iframe sandbox="allow-scripts" src="/x">',
        '<iframe sandbox="" src="https://evil.example">',
    ],
)
def test_the_policy_can_be_broken(html: str) -> None:
    assert list(faults_of(html))
    assert not list(faults_of('<script type="application/json">{}</script><script src="x.js"></script>'))


def _pages() -> set[str]:
    """Addresses that are pages to look at: they answer a GET, to people."""
    closed = {
        address.name
        for address in ALL
        if address.name not in OPEN and called(Client(), address, "get").status_code == 405
    }
    no_pages = {"home", "healthz", "portfolio_export", "segment_export", "segment_values", "portfolio_view", ""}
    no_pages |= {"mail_click", "mail_open"}
    return {one.name for one in ALL if not one.api and not one.path().startswith("/accounts/")} - closed - no_pages


def _policy_kept(client: Client, wanted: list[Address], things: dict[str, dict[str, Any]]) -> set[str]:
    seen = set()
    for address in wanted:
        if address.api or address.name == "account_logout":
            continue
        given = {**things[""], **things.get(address.name, things.get(address.name.split("_")[0], {}))}
        path = f"{address.path(given)}?{given.get('?', '')}"
        for headers in ({}, {"hx-request": "true"}):
            answer = client.get(path, headers=headers)
            assert answer.status_code < 500, path
            if address.name in FRAMED and answer.status_code == 200:
                _sealed(answer, path)
                seen.add(address.name)
                continue
            _headers_kept(answer, path)
            if answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/html"):
                seen.add(address.name)
                faults = list(faults_of(answer.content.decode()))
                if address.name in SIGNED:
                    assert not answer.cookies, path
                    faults = [fault for fault in faults if not fault.startswith(NO_TOKEN)]
                assert not faults, f"{path}: {faults[:5]}"
    return seen


def _sealed(answer: Any, path: str) -> None:
    """What a message looks like may have its own styles, as it can neither run, nor load, nor send anything."""
    policy = {part.strip() for part in answer.headers["Content-Security-Policy"].split(";")}
    assert {"sandbox", "default-src 'none'", "img-src data:", "form-action 'none'", "base-uri 'none'"} <= policy, path
    assert not any(part.startswith(("script-src", "sandbox allow")) for part in policy), path
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"


def _headers_kept(answer: Any, path: str) -> None:
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy, path
    assert {"default-src 'none'", "script-src 'self'", "style-src 'self'", "base-uri 'none'"} <= {
        part.strip() for part in policy.split(";")
    }, path
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == "same-origin"


def test_every_change_wants_its_token(client_of: MakeClient, published: Workspace) -> None:
    person = client_of("admin").person  # type: ignore[attr-defined]
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(person)
    for address in (one for one in ALL if one.name != "openapi-json"):
        for method in CHANGES:
            code = called(strict, address, method).status_code
            assert code in (301, 401, 403, 404, 405), (method, address.path(), code)


def test_cookies_are_for_this_site_and_not_for_scripts(published: Workspace) -> None:
    person, client = make_person("csm"), Client()
    client.post(reverse("account_login"), {"login": person.email, "password": PASSWORD})
    session = client.cookies["sessionid"]
    assert session["httponly"]
    assert session["samesite"] == "Lax"
    assert client.cookies["csrftoken"]["samesite"] == "Lax"


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_nobody_is_sent_elsewhere(published: Workspace, target: str) -> None:
    person, client = make_person("csm"), Client()
    given = {"login": person.email, "password": PASSWORD, "next": target}
    signed_in = client.post(f"{reverse('account_login')}?next={target}", given)
    assert where(signed_in) in (reverse("home"), reverse("today"))
    stays(client.get(reverse("account_login"), {"next": target}))
    themed = client.post(reverse("theme"), {"theme": "dark", "next": target}, headers={"referer": target})
    assert where(themed) == reverse("today")
    for address in ALL:
        if not address.api and not address.arguments:
            stays(client.get(address.path(), {"next": target}))


def stays(answer: Any) -> None:
    """Whether the next page is one of ours."""
    there = urlsplit(where(answer))
    assert there.scheme in ("", "http")
    assert there.netloc in ("", "testserver")
    assert there.path[:1] in ("", "/")
    assert there.path[1:2] not in ("/", "\\")


def test_a_host_that_is_not_ours_is_refused(published: Workspace) -> None:
    assert Client().get("/accounts/login/", headers={"host": "evil.example"}).status_code == 400
