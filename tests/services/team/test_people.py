"""People, links and tokens."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from keepwell.services.team.access import Action, covers, may, scope_of
from keepwell.services.team.audit import actor
from keepwell.services.team.links import LinkError, first_admin_link, invite, open_link, password_link, use_link
from keepwell.services.team.people import PeopleError, change_person, make_token, revoke_token, token_of
from keepwell.store.models import AuditEntry, OneTimeLink, Person, Role, Team
from tests.web import NOW, PASSWORD, MakePerson

pytestmark = pytest.mark.django_db


def join(secret: str, email: str = "new@example.com", password: str = PASSWORD, *, days: int = 0) -> Person:
    return use_link(secret, email=email, name="New", password=password, now=NOW + timedelta(days=days))


def test_the_first_admin_comes_through_a_link_that_works_once() -> None:
    earlier = first_admin_link(NOW)
    secret = first_admin_link(NOW)
    assert earlier is not None
    assert secret is not None
    with pytest.raises(LinkError, match="not known"):
        join(earlier)
    admin = join(secret)
    assert (admin.role, admin.check_password(PASSWORD)) == (Role.ADMIN, True)
    with pytest.raises(LinkError, match="used already"):
        join(secret, "other@example.com")
    assert first_admin_link(NOW) is None
    assert not OneTimeLink.objects.filter(digest__contains=secret).exists()


def test_a_weak_password_uses_no_link_up() -> None:
    secret = first_admin_link(NOW) or ""
    with pytest.raises(ValidationError):
        join(secret, password="short")  # noqa: S106
    assert open_link(secret, NOW)
    assert not Person.objects.exists()


def test_an_invitation_fixes_address_and_role_and_expires(person: MakePerson) -> None:
    admin = person("admin")
    team = Team.objects.create(name="North")
    secret = invite(actor(admin), email=" Anna@Example.com ", name="Anna", role="csm", team=team, now=NOW)
    with pytest.raises(LinkError, match="expired"):
        join(secret, days=8)
    anna = join(secret, "somebody@else.com")
    assert (anna.email, anna.role, anna.team) == ("anna@example.com", "csm", team)
    with pytest.raises(LinkError, match="has an account"):
        invite(actor(admin), email="anna@example.com", name="", role="csm", team=None, now=NOW)


def test_a_password_link_sets_a_password_and_nothing_else(person: MakePerson) -> None:
    admin, csm = person("admin"), person("csm")
    secret = password_link(actor(admin), person=csm, now=NOW)
    changed = join(secret, "x@y.z", "another long password")
    assert (changed.pk, changed.email, changed.role) == (csm.pk, csm.email, "csm")


def test_the_last_admin_stays(person: MakePerson) -> None:
    admin = person("admin")
    values = {"name": "A", "team_name": "", "aliases": [], "now": NOW}
    with pytest.raises(PeopleError, match="last active admin"):
        change_person(actor(admin), admin.pk, role="viewer", active=True, **values)
    with pytest.raises(PeopleError, match="last active admin"):
        change_person(actor(admin), admin.pk, role="admin", active=False, **values)
    person("admin")
    assert change_person(actor(admin), admin.pk, role="viewer", active=True, **values).role == "viewer"
    assert AuditEntry.objects.get(action="person.changed").after["role"] == "viewer"


def test_addresses_are_checked(person: MakePerson) -> None:
    admin = person("admin")
    with pytest.raises(PeopleError, match="not an e-mail"):
        change_person(
            actor(admin), admin.pk, name="A", role="admin", team_name="", aliases=["nonsense"], active=True, now=NOW
        )


def test_who_sees_whose_customers(person: MakePerson) -> None:
    north = Team.objects.create(name="North")
    manager, csm = person("manager", team=north), person("csm", team=north, owner_aliases=["Old@Example.com"])
    stranger = person("csm")
    assert covers(scope_of(csm), "old@example.com")
    assert covers(scope_of(csm), csm.email.upper())
    assert covers(scope_of(manager), "OLD@example.com")
    assert not covers(scope_of(stranger), "old@example.com")
    assert not covers(scope_of(person("manager")), csm.email)
    for everybody in (stranger, manager, person("viewer", team=north)):
        assert covers(scope_of(everybody), None)
    assert covers(scope_of(person("viewer")), csm.email)
    assert covers(scope_of(person("ops")), csm.email)


@pytest.mark.parametrize(
    ("role", "action", "allowed"),
    [
        ("viewer", Action.WORK, False),
        ("csm", Action.WORK, True),
        ("csm", Action.ASSIGN, False),
        ("manager", Action.EDIT_MODEL, False),
        ("ops", Action.EDIT_MODEL, True),
        ("ops", Action.MANAGE_PEOPLE, False),
        ("admin", Action.MANAGE_PEOPLE, True),
    ],
)
def test_what_a_role_may(person: MakePerson, role: str, action: Action, allowed: bool) -> None:
    who = person(role)
    assert may(who, action) is allowed
    who.is_active = False
    assert not may(who, action)


def test_tokens_work_until_they_expire_or_are_revoked(person: MakePerson) -> None:
    csm = person("csm")
    token, secret = make_token(actor(csm), csm, name="script", scopes=["read"], days=30, now=NOW)
    assert token_of(secret, NOW) == token
    assert token_of(secret, NOW + timedelta(days=31)) is None
    assert token_of(secret + "x", NOW) is None
    assert secret not in str(vars(token))
    revoke_token(actor(csm), token, now=NOW)
    assert token_of(secret, NOW) is None
    with pytest.raises(PeopleError, match="scopes"):
        make_token(actor(csm), csm, name="", scopes=["everything"], days=None, now=NOW)


def test_nobody_inactive_acts_through_a_token(person: MakePerson) -> None:
    admin, csm = person("admin"), person("csm")
    _, secret = make_token(actor(csm), csm, name="script", scopes=["read"], days=None, now=NOW)
    change_person(actor(admin), csm.pk, name="", role="csm", team_name="", aliases=[], active=False, now=NOW)
    assert token_of(secret, NOW) is None
