"""One's own account: password, two-factor, tokens for programs."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from keepwell.interfaces.workspace.pages.shared import PageRequest, acting, page
from keepwell.services.team.access import Action
from keepwell.services.team.people import SCOPES, make_token, revoke_token
from keepwell.store.models import ApiToken


class TokenForm(forms.Form):
    """A token to be made."""

    name = forms.CharField(
        label="Name", max_length=120, help_text="What uses it.", widget=forms.TextInput(attrs={"class": "form-control"})
    )
    scopes = forms.MultipleChoiceField(
        label="May",
        choices=list(SCOPES.items()),
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
    )
    days = forms.TypedChoiceField(
        label="Works for",
        coerce=int,
        choices=[(30, "30 days"), (90, "90 days"), (365, "a year"), (0, "until revoked")],
        initial=90,
        widget=forms.Select(attrs={"class": "form-select"}),
    )


@require_GET
@page(Action.SEE)
def account(request: PageRequest) -> HttpResponse:
    """What there is to know and to change about oneself."""
    return render(request, "workspace/account/account.html", _known(request, TokenForm(initial={"scopes": ["read"]})))


@require_POST
@never_cache
@page(Action.SEE)
def token_make(request: PageRequest) -> HttpResponse:
    """Make a token; its secret is shown once."""
    form = TokenForm(request.POST)
    if not form.is_valid():
        return render(request, "workspace/account/account.html", _known(request, form), status=422)
    given = form.cleaned_data
    _, secret = make_token(
        acting(request), request.user, name=given["name"], scopes=given["scopes"], days=given["days"], now=request.now
    )
    known = _known(request, TokenForm(initial={"scopes": ["read"]})) | {"secret": secret}
    return render(request, "workspace/account/account.html", known)


@require_POST
@page(Action.SEE)
def token_revoke(request: PageRequest, pk: int) -> HttpResponse:
    """Stop one of one's own tokens."""
    token = get_object_or_404(ApiToken, pk=pk, person=request.user)
    revoke_token(acting(request), token, now=request.now)
    messages.success(request, f"The token “{token.name}” does not work any more.")
    return redirect("account")


def _known(request: PageRequest, form: TokenForm) -> dict[str, Any]:
    return {"form": form, "tokens": request.user.tokens.filter(revoked_at=None).order_by("name"), "scopes": SCOPES}
