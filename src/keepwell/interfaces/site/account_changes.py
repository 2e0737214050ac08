"""What people change about how they sign in, as rows of the audit log in the transaction of the change."""

from typing import Final

from allauth.mfa.models import Authenticator
from django.db.models.signals import post_delete, post_save

from keepwell.interfaces.site import clock
from keepwell.services.team.audit import actor, record
from keepwell.store.models import Person

_NAMES: Final = {"totp": "an authenticator app", "recovery_codes": "recovery codes"}


def listen() -> None:
    """Write down every second factor that comes or goes from now on."""
    post_save.connect(_came, sender=Authenticator, dispatch_uid="keepwell.second_factor")
    post_delete.connect(_went, sender=Authenticator, dispatch_uid="keepwell.second_factor")


def _came(instance: Authenticator, created: bool, **_: object) -> None:
    # It is saved again whenever it is used.
    if created:
        sign_in_changed(instance.user, "person.second_factor_added", f"Set up {_name(instance)} to sign in with")


def _went(instance: Authenticator, **_: object) -> None:
    sign_in_changed(instance.user, "person.second_factor_removed", f"Removed {_name(instance)} from signing in")


def _name(factor: Authenticator) -> str:
    return _NAMES.get(factor.type, str(factor.type))


def sign_in_changed(person: Person, action: str, said: str) -> None:
    """Write down what somebody changed about the own sign-in; what is secret stays out of it."""
    record(
        actor(person),
        at=clock.now(),
        action=action,
        kind="person",
        object_id=person.pk,
        summary=f"{said} ({person.email})",
    )
