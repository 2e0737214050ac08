"""Pages behind one-time links: the first admin, an invitation, a new password."""

from django import forms
from django.contrib.auth import login
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from keepwell.interfaces.site import clock
from keepwell.services.team.links import LinkError, open_link, use_link
from keepwell.store.models import OneTimeLink


class JoinForm(forms.Form):
    """Who one is, and a password."""

    email = forms.EmailField(
        label="E-mail", widget=forms.EmailInput(attrs={"class": "form-control", "autocomplete": "username"})
    )
    name = forms.CharField(
        label="Your name",
        max_length=120,
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "name"}),
    )
    password = forms.CharField(
        label="Password",
        help_text="At least 10 characters.",
        widget=forms.PasswordInput(attrs={"class": "form-control", "autocomplete": "new-password"}),
    )


@never_cache
@sensitive_post_parameters("password")
def start(request: HttpRequest, secret: str) -> HttpResponse:
    """Set a password through a one-time link, then be signed in."""
    moment = clock.now()
    try:
        link = open_link(secret, moment)
    except LinkError as error:
        return render(
            request, "workspace/error.html", {"title": "This link does not work", "message": str(error)}, status=410
        )
    form = _form(link, request)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            person = use_link(
                secret, email=given.get("email", ""), name=given.get("name", ""), password=given["password"], now=moment
            )
        except LinkError as error:
            form.add_error(None, str(error))
        except ValidationError as error:
            form.add_error("password", error)
        else:
            login(request, person, backend="allauth.account.auth_backends.AuthenticationBackend")
            return redirect("home")
    return render(request, "workspace/start.html", {"form": form, "link": link}, status=422 if form.errors else 200)


def _form(link: OneTimeLink, request: HttpRequest) -> JoinForm:
    form = JoinForm(request.POST or None, initial={"email": link.email, "name": link.name})
    if link.person is not None:
        del form.fields["email"], form.fields["name"]
    elif link.email:
        form.fields["email"].disabled = True
    return form
