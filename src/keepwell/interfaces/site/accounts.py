"""How people get in: nobody signs up by themselves, invitations and single sign-on decide."""

import logging
from typing import Any, Final

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from anymail.exceptions import AnymailError
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest
from django.shortcuts import redirect

from keepwell.interfaces.site import account_changes, clock
from keepwell.services.team.audit import actor, record
from keepwell.services.team.here import workspace
from keepwell.store.models import Person, Role

LOG: Final = logging.getLogger("keepwell.accounts")


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Accounts come from invitations only."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody signs up."""
        return False

    @transaction.atomic
    def set_password(self, user: Person, password: str) -> None:
        """Set a new password, and write down that it was."""
        super().set_password(user, password)
        account_changes.sign_in_changed(user, "person.password_changed", "Set a new password")

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a message of accounts; addresses that nobody here has get none.

        A mail server that fails is the log's business: an error page would say that the address is known here.
        """
        if template_prefix == "account/email/unknown_account":
            return
        try:
            super().send_mail(template_prefix, email, {**context, "workspace_name": workspace().name})
        except (OSError, AnymailError):
            remedy = "check KEEPWELL_EMAIL_URL; 'keepwell people link %s' makes a link to hand over"
            LOG.exception(f"mail to %s was not sent: {remedy}", email, email)

    def format_email_subject(self, subject: str) -> str:
        """Which program a message is from, instead of the server's address."""
        return f"[Keepwell] {subject}"


class SocialAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Single sign-on lets in who has an account; others only where the configuration says so, as viewers."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Whether somebody without an account gets one."""
        return bool(settings.WEB.sso and settings.WEB.sso.create_people)

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Turn away people without an account in words."""
        if sociallogin.is_existing or self.is_open_for_signup(request, sociallogin):
            return
        messages.error(request, "There is no account for this address. Ask an admin for an invitation.")
        raise ImmediateHttpResponse(redirect("account_login"))

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> Person:
        """A new person through single sign-on sees, and changes nothing until given a role."""
        sociallogin.user.role = Role.VIEWER
        person: Person = super().save_user(request, sociallogin, form)
        record(
            actor(person),
            at=clock.now(),
            action="person.joined",
            kind="person",
            object_id=person.pk,
            summary=f"{person.email} joined through single sign-on as a viewer",
        )
        return person
