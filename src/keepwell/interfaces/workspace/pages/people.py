"""People: who there is, invitations, roles, teams."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from keepwell.interfaces.workspace.pages.shared import PageRequest, acting, page
from keepwell.services.team.access import Action
from keepwell.services.team.links import LinkError, invite, password_link
from keepwell.services.team.people import PeopleError, change_person
from keepwell.store.models import OneTimeLink, Person, Role, Team

_TEXT = {"class": "form-control"}


class InviteForm(forms.Form):
    """Whom to invite, as what."""

    email = forms.EmailField(label="E-mail", widget=forms.EmailInput(attrs=_TEXT))
    name = forms.CharField(label="Name", max_length=120, required=False, widget=forms.TextInput(attrs=_TEXT))
    role = forms.ChoiceField(
        label="Role", choices=Role.choices, initial=Role.CSM, widget=forms.Select(attrs={"class": "form-select"})
    )
    team = forms.CharField(
        label="Team", max_length=120, required=False, widget=forms.TextInput(attrs=_TEXT | {"list": "teams"})
    )


class PersonForm(forms.Form):
    """What can be changed of a person."""

    name = forms.CharField(label="Name", max_length=120, required=False, widget=forms.TextInput(attrs=_TEXT))
    role = forms.ChoiceField(label="Role", choices=Role.choices, widget=forms.Select(attrs={"class": "form-select"}))
    team = forms.CharField(
        label="Team",
        max_length=120,
        required=False,
        help_text="A manager sees the customers of the team. A new name makes a new team.",
        widget=forms.TextInput(attrs=_TEXT | {"list": "teams"}),
    )
    aliases = forms.CharField(
        label="Owns customers as",
        required=False,
        help_text="Further e-mail addresses under which the CRM knows this person, one per line.",
        widget=forms.Textarea(attrs=_TEXT | {"rows": 2}),
    )
    active = forms.BooleanField(
        label="May sign in", required=False, widget=forms.CheckboxInput(attrs={"class": "form-check-input d-block"})
    )


@require_GET
@page(Action.MANAGE_PEOPLE)
def people(request: PageRequest) -> HttpResponse:
    """Everybody, with role and team; invitations that wait."""
    return render(request, "workspace/people/list.html", _listed(request, InviteForm()))


@require_POST
@never_cache
@page(Action.MANAGE_PEOPLE)
def people_invite(request: PageRequest) -> HttpResponse:
    """Invite somebody; the link is shown once, to be sent by hand."""
    form = InviteForm(request.POST)
    if form.is_valid():
        team_name = form.cleaned_data["team"].strip()
        team = Team.objects.get_or_create(name=team_name)[0] if team_name else None
        given = {key: form.cleaned_data[key] for key in ("email", "name", "role")}
        try:
            secret = invite(acting(request), team=team, now=request.now, **given)
        except LinkError as error:
            form.add_error("email", str(error))
        else:
            return _link_shown(request, secret, f"Invitation for {given['email']}", "7 days")
    return render(request, "workspace/people/list.html", _listed(request, form), status=422)


@page(Action.MANAGE_PEOPLE)
def person(request: PageRequest, pk: int) -> HttpResponse:
    """One person's role, team and addresses."""
    shown = get_object_or_404(Person, pk=pk)
    form = PersonForm(request.POST or None, initial=_initial(shown))
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            change_person(
                acting(request),
                pk,
                name=given["name"],
                role=given["role"],
                team_name=given["team"],
                aliases=given["aliases"].splitlines(),
                active=given["active"],
                now=request.now,
            )
        except PeopleError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{shown.email} was changed.")
            return redirect("people")
    known = {"shown": shown, "form": form, "teams": Team.objects.order_by("name")}
    return render(request, "workspace/people/person.html", known, status=422 if form.errors else 200)


@require_POST
@never_cache
@page(Action.MANAGE_PEOPLE)
def person_password(request: PageRequest, pk: int) -> HttpResponse:
    """A link with which a person sets a new password."""
    shown = get_object_or_404(Person, pk=pk)
    secret = password_link(acting(request), person=shown, now=request.now)
    return _link_shown(request, secret, f"New password for {shown.email}", "24 hours")


def _link_shown(request: PageRequest, secret: str, title: str, holds: str) -> HttpResponse:
    address = settings.WEB.url + reverse("start", args=[secret])
    return render(request, "workspace/people/link.html", {"address": address, "title": title, "holds": holds})


def _listed(request: PageRequest, form: InviteForm) -> dict[str, Any]:
    waiting = OneTimeLink.objects.filter(kind=OneTimeLink.Kind.INVITATION, used_at=None, expires_at__gt=request.now)
    return {
        "people": Person.objects.select_related("team").order_by("-is_active", "name", "email"),
        "waiting": waiting.order_by("email"),
        "form": form,
        "teams": Team.objects.order_by("name"),
    }


def _initial(shown: Person) -> dict[str, Any]:
    return {
        "name": shown.name,
        "role": shown.role,
        "team": shown.team.name if shown.team else "",
        "aliases": "\n".join(shown.owner_aliases),
        "active": shown.is_active,
    }
