"""Two-factor sign-in, password mails, and single sign-on with a provider that speaks OpenID Connect."""

import re
from collections.abc import Iterator
from smtplib import SMTPException

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.conf import settings
from django.core import mail
from django.core.mail.backends import locmem
from django.test import Client

from keepwell.interfaces.site.configuration import SingleSignOn
from keepwell.store.models import AuditEntry, Person
from tests.interfaces.site.oidc import CLIENT, SECRET, Provider, provider
from tests.web import PASSWORD, MakeClient, MakePerson

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("published")]


def code_of(secret: str) -> str:
    """What an authenticator app shows now."""
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def test_two_factors_are_asked_for_once_they_are_set_up(client: Client, person: MakePerson) -> None:
    csm = person("csm")
    client.post("/accounts/login/", {"login": csm.email, "password": PASSWORD})
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    page = client.get("/accounts/2fa/totp/activate/")
    assert page.status_code == 200
    secret = page.context["form"].secret
    assert client.post("/accounts/2fa/totp/activate/", {"code": "000000"}).status_code == 200
    assert client.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)}).status_code == 302
    assert AuditEntry.objects.filter(action="person.second_factor_added", actor=csm).exists()
    assert client.get("/accounts/2fa/recovery-codes/").status_code == 200
    again = Client()
    assert again.post("/accounts/login/", {"login": csm.email, "password": PASSWORD})["Location"].startswith(
        "/accounts/2fa/authenticate/"
    )
    assert again.get("/account").status_code == 302
    assert again.post("/accounts/2fa/authenticate/", {"code": "000000"}).status_code == 200
    assert again.get("/account").status_code == 302


def test_a_forgotten_password_is_set_through_a_mail(client: Client, person: MakePerson) -> None:
    csm = person("csm")
    client.post("/accounts/password/reset/", {"email": csm.email})
    link = re.search(r"http://\S+(/accounts/password/reset/key/\S+)", str(mail.outbox[0].body))
    assert link is not None
    assert mail.outbox[0].subject.startswith("[Keepwell] Set a new password for ")
    page = client.get(link.group(1), follow=True)
    assert page.status_code == 200
    new = "an entirely new password"
    client.post(page.request["PATH_INFO"], {"password1": new, "password2": new})
    csm.refresh_from_db()
    assert csm.check_password(new)
    entry = AuditEntry.objects.get(action="person.password_changed")
    assert entry.actor == csm
    assert new not in f"{entry.summary} {entry.before} {entry.after}"


def test_an_unknown_address_is_answered_the_same(client: Client) -> None:
    answer = client.post("/accounts/password/reset/", {"email": "nobody@example.com"})
    assert answer["Location"] == "/accounts/password/reset/done/"
    assert mail.outbox == [], "nobody is written to who has no account here"


@pytest.fixture
def sso(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """Single sign-on configured with the fake provider; people are not created."""
    with provider() as server:
        configured(monkeypatch, server, create_people=False)
        yield server


def configured(monkeypatch: pytest.MonkeyPatch, server: Provider, *, create_people: bool) -> None:
    single = SingleSignOn("Company", server.url, CLIENT, create_people)
    monkeypatch.setattr(settings, "WEB", settings.WEB.__class__(**{**vars(settings.WEB), "sso": single}))
    app = {"provider_id": "sso", "name": "Company", "client_id": CLIENT, "secret": SECRET}
    app["settings"] = {"server_url": server.url}  # type: ignore[assignment]
    monkeypatch.setattr(
        settings, "SOCIALACCOUNT_PROVIDERS", {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}}
    )


def sign_in(server: Provider, email: str, *, verified: bool = True) -> Client:
    server.claims = {"sub": f"id of {email}", "email": email, "email_verified": verified, "name": "Somebody"}
    browser = Client()
    page = browser.get("/accounts/login/")
    assert b"Sign in with Company" in page.content
    there = browser.post("/accounts/oidc/sso/login/")["Location"]
    assert there.startswith(f"{server.url}/authorize")
    browser.get(server.authorize(there).replace("http://testserver", ""), follow=True)
    return browser


def test_who_has_an_account_signs_in(sso: Provider, person: MakePerson) -> None:
    csm = person("csm")
    browser = sign_in(sso, csm.email)
    assert browser.get("/account").context["user"] == csm
    assert sign_in(sso, csm.email).get("/account").status_code == 200
    assert Person.objects.count() == 1
    assert not sso.refused


def test_strangers_and_unproven_addresses_stay_outside(sso: Provider, person: MakePerson) -> None:
    csm = person("csm")
    assert sign_in(sso, "stranger@example.com").get("/account").status_code == 302
    assert sign_in(sso, csm.email, verified=False).get("/account").status_code == 302
    assert Person.objects.count() == 1


def test_where_it_is_wanted_strangers_join_as_viewers(sso: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    configured(monkeypatch, sso, create_people=True)
    browser = sign_in(sso, "new@example.com")
    assert browser.get("/account").status_code == 200
    assert Person.objects.get().role == "viewer"
    assert AuditEntry.objects.get(action="person.joined")


def test_a_forged_answer_is_refused(sso: Provider, person: MakePerson, client_of: MakeClient) -> None:
    person("csm")
    forged = Client()
    forged.get("/accounts/oidc/sso/login/callback/?code=x&state=y")
    assert forged.get("/account").status_code == 302


def test_a_workspace_without_mail_says_whom_to_ask(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert b"Look into your mail" in client.get("/accounts/password/reset/done/").content
    assert b"Send the link" in client.get("/accounts/password/reset/").content
    monkeypatch.setattr(settings, "EMAIL_BACKEND", "django.core.mail.backends.console.EmailBackend")
    for page in ("done/", ""):
        assert b"Ask an admin" in client.get(f"/accounts/password/reset/{page}").content


def test_a_mail_server_that_fails_does_not_say_who_has_an_account(
    client: Client, person: MakePerson, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    csm = person("csm")

    def fail(*_: object, **__: object) -> None:
        raise SMTPException("no STARTTLS")

    monkeypatch.setattr(locmem.EmailBackend, "send_messages", fail)
    answer = client.post("/accounts/password/reset/", {"email": csm.email})
    assert answer["Location"] == "/accounts/password/reset/done/"
    assert f"keepwell people link {csm.email}" in caplog.text
