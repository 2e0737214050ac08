"""Pages of people, accounts and the audit log."""

import re

import pytest
from django.test import Client

from keepwell.services.team.links import first_admin_link
from keepwell.services.workspace import Workspace
from keepwell.store.models import ApiToken, AuditEntry, Person
from tests.web import NOW, PASSWORD, MakeClient, MakePerson

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("published")]


def test_the_first_admin_signs_in_through_the_link(client: Client) -> None:
    secret = first_admin_link(NOW)
    assert client.get(f"/start/{secret}").status_code == 200
    weak = client.post(f"/start/{secret}", {"email": "a@example.com", "name": "A", "password": "short"})
    assert weak.status_code == 422
    done = client.post(f"/start/{secret}", {"email": "a@example.com", "name": "A", "password": PASSWORD})
    assert done["Location"] == "/"
    assert client.get("/people").status_code == 200
    assert Client().get(f"/start/{secret}").status_code == 410


def test_an_invitation_is_shown_once_and_works(client_of: MakeClient) -> None:
    admin = client_of("admin")
    answer = admin.post("/people/invite", {"email": "new@example.com", "role": "csm", "team": "North"})
    address = re.search(r"/start/[\w-]+", answer.content.decode())
    assert address is not None
    joined = Client()
    joined.post(address.group(), {"email": "evil@example.com", "name": "New", "password": PASSWORD})
    person = Person.objects.get(email="new@example.com")
    assert person.team is not None
    assert (person.role, person.team.name) == ("csm", "North")
    assert joined.get("/people").status_code == 403
    assert admin.post("/people/invite", {"email": "new@example.com", "role": "csm"}).status_code == 422


def test_an_admin_changes_a_person_and_it_is_written_down(client_of: MakeClient, person: MakePerson) -> None:
    admin, csm = client_of("admin"), person("csm")
    values = {"name": "Csm", "role": "manager", "team": "South", "aliases": "a@b.de\n", "active": "on"}
    assert admin.post(f"/people/{csm.pk}", values)["Location"] == "/people"
    csm.refresh_from_db()
    assert (csm.role, csm.owner_aliases) == ("manager", ["a@b.de"])
    assert admin.post(f"/people/{csm.pk}", values | {"aliases": "nonsense"}).status_code == 422
    assert b"Changed name, role" in admin.get("/audit?area=person").content
    assert admin.get("/audit?area=person&q=zzz&since=2026-01-01&until=nonsense").status_code == 200


@pytest.mark.parametrize("address", ["/people", "/audit"])
@pytest.mark.parametrize("role", ["viewer", "csm", "manager"])
def test_who_may_not_see_them(client_of: MakeClient, address: str, role: str) -> None:
    assert client_of(role).get(address).status_code == 403


def test_a_token_is_shown_once_and_revoked_by_its_person_alone(client_of: MakeClient) -> None:
    csm = client_of("csm")
    made = csm.post("/account/tokens", {"name": "script", "scopes": ["read"], "days": "30"})
    token = ApiToken.objects.get()
    assert f'value="{token.prefix}'.encode() in made.content
    assert f'value="{token.prefix}'.encode() not in csm.get("/account").content
    assert client_of("admin").post(f"/account/tokens/{token.pk}/revoke").status_code == 404
    csm.post(f"/account/tokens/{token.pk}/revoke")
    token.refresh_from_db()
    assert token.revoked_at
    assert csm.post("/account/tokens", {"name": "x", "days": "30"}).status_code == 422


def test_nobody_signs_up_or_changes_the_own_address(client: Client, client_of: MakeClient) -> None:
    for address in ("/accounts/signup/", "/accounts/email/"):
        assert client.get(address).status_code == 404
        assert client_of("csm").post(address, {"email": "boss@example.com"}).status_code == 404


def test_signing_in_and_out(client: Client, person: MakePerson) -> None:
    csm = person("csm")
    wrong = client.post("/accounts/login/", {"login": csm.email, "password": "nonsense"})
    assert b"not correct" in wrong.content
    assert client.post("/accounts/login/", {"login": csm.email.upper(), "password": PASSWORD})["Location"] == "/"
    assert client.post("/accounts/logout/").status_code == 302
    assert client.get("/account")["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("address", ["/accounts/password/change/", "/accounts/2fa/"])
def test_pages_of_the_sign_in_library_wear_our_clothes(client_of: MakeClient, address: str) -> None:
    answer = client_of("csm").get(address, follow=True)
    assert answer.status_code == 200
    assert b"keepwell.css" in answer.content


def test_the_theme_is_kept(client_of: MakeClient) -> None:
    csm = client_of("csm")
    csm.post("/theme", {"theme": "dark"})
    assert b'data-bs-theme="dark"' in csm.get("/account").content
    csm.post("/theme", {"theme": "pink"})
    assert b'data-bs-theme="dark"' in csm.get("/account").content


def test_reading_is_not_written_down(client_of: MakeClient, published: Workspace) -> None:
    client_of("csm").get("/account")
    assert not AuditEntry.objects.exists()
