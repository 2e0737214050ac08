"""Settings of the workspace: when it runs, the week's capacity, uploads; and what stands in keepwell.toml."""

from typing import Any

from django import forms
from django.conf import settings as site
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from keepwell.interfaces.workspace.pages.shared import PageRequest, acting, page
from keepwell.services.team.access import Action
from keepwell.services.team.schedule import next_run
from keepwell.services.team.settings import (
    LARGER_FILES,
    MOST_TOUCHPOINTS,
    MOST_UPLOAD_MB,
    SettingError,
    TeamSettings,
    capacity_of_model,
    settings_change,
    team_settings,
)
from keepwell.services.team.sync import inbox_of

_NUMBER = {"class": "form-control", "inputmode": "numeric"}


class SettingsForm(forms.Form):
    """What can be set here."""

    run_time = forms.TimeField(
        label="Daily run at",
        input_formats=["%H:%M"],
        widget=forms.TimeInput(attrs={"class": "form-control", "type": "time"}, format="%H:%M"),
    )
    daily_runs = forms.BooleanField(
        label="Run every day", required=False, widget=forms.CheckboxInput(attrs={"class": "form-check-input d-block"})
    )
    weekly_touchpoints = forms.IntegerField(
        label="Touchpoints a week",
        min_value=1,
        max_value=MOST_TOUCHPOINTS,
        help_text="Calls, e-mails and meetings that the whole team can do in a week. The queue marks what exceeds it.",
        widget=forms.NumberInput(attrs=_NUMBER),
    )
    upload_mb = forms.IntegerField(
        label="Largest upload (MB)",
        min_value=1,
        max_value=MOST_UPLOAD_MB,
        error_messages={
            "max_value": f"The web takes at most %(limit_value)s MB at once; {LARGER_FILES}",
        },
        help_text=f"At most {MOST_UPLOAD_MB:,}; {LARGER_FILES}",
        widget=forms.NumberInput(attrs=_NUMBER),
    )


@page(Action.CHANGE_SETTINGS)
def settings(request: PageRequest) -> HttpResponse:
    """See and change settings."""
    now_set = team_settings(request.workspace)
    form = SettingsForm(request.POST or None, initial=vars(now_set))
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data | {"run_time": f"{form.cleaned_data['run_time']:%H:%M}"}
        try:
            settings_change(acting(request), request.workspace, now=request.now, **given)
        except SettingError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Saved.")
            return redirect("settings")
    known = _around(request, now_set) | {"form": form}
    return render(request, "workspace/settings/settings.html", known, status=422 if form.errors else 200)


def _around(request: PageRequest, now_set: TeamSettings) -> dict[str, Any]:
    here = request.workspace
    return {
        "settings": now_set,
        "next_run": next_run(now_set.run_time, here.zone, request.now),
        "capacity_of_model": capacity_of_model(here),
        "fixed": (
            ("Name", here.name),
            ("Time zone", here.zone),
            ("Currency", here.currency),
            ("Address", site.WEB.url),
            ("Inbox", inbox_of(here)),
            ("Model", here.model_dir),
            ("Data", here.data_dir),
            ("Single sign-on", site.WEB.sso.name if site.WEB.sso else "not set up"),
        ),
    }
