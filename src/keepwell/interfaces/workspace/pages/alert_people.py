"""Who is told and how: the people behind the roles that alerts and playbooks name, and the channels of alerts."""

from typing import Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from keepwell.interfaces.workspace.pages.shared import PageRequest, acting, page
from keepwell.model.definitions import Model
from keepwell.model.problems import DefinitionError
from keepwell.services.team.access import Action
from keepwell.services.team.alerting.rules import ruling_of
from keepwell.services.team.alerting.ways import CHANNELS, choose_channels, chosen_channels, known, listed
from keepwell.services.team.outbox.switches import live
from keepwell.services.team.playing.roles import NAMED, name_people, people_named
from keepwell.store.models import Channel, Person, Role

ABOUT: Final = {
    "manager": "Without anybody, the manager of the owner's team, else any manager.",
    "executive": "Whom “the CEO” means; without anybody, an administrator.",
    "support": "Answers tickets and payment problems.",
    "sales": "Takes expansion and commercial questions.",
    "product": "Hears of what customers miss.",
    "engineering": "Hears of what is broken.",
    "billing_team": "Hears of payments.",
}


@require_http_methods(["GET", "POST"])
@page(Action.CHANGE_SETTINGS)
def alert_people(request: PageRequest) -> HttpResponse:
    """One person for each role, and the channels of each rule."""
    people = list(Person.objects.filter(is_active=True).exclude(role=Role.VIEWER).order_by("name", "email"))
    model = _model(request)
    if request.method == "POST" and request.POST.get("form") == "channels":
        chosen = {rule: request.POST.getlist(f"notify-{rule}") for rule in (model.alerts if model else ())}
        if model is not None:
            choose_channels(acting(request), model, chosen, request.now)
        messages.success(request, "Saved. From now on alerts are told by these channels.")
        return redirect("alert_people")
    if request.method == "POST":
        there = {str(person.pk): person.pk for person in people}
        name_people(
            acting(request), {r: there[v] for r in NAMED if (v := request.POST.get(r, "")) in there}, request.now
        )
        messages.success(request, "Saved. From now on these people are told.")
        return redirect("alert_people")
    named = people_named()
    roles = [(role, role.replace("_", " ").capitalize(), ABOUT.get(role, ""), named.get(role)) for role in NAMED]
    context = {
        "roles": roles,
        "people": people,
        "channels": [(name, _label(name), live(name, Channel.Audience.INTERNAL)) for name in CHANNELS],
        "rules": _rules(model) if model else [],
    }
    return render(request, "workspace/alerts/people.html", context)


def _model(request: PageRequest) -> Model | None:
    try:
        return ruling_of(request.workspace).model
    except DefinitionError:
        return None


def _rules(model: Model) -> list[tuple[str, str, str, list[tuple[str, str, bool]]]]:
    """Each rule with its channels; the words say what the model names where the workspace chose others."""
    chosen, found = chosen_channels(), []
    for name, rule in model.alerts.items():
        own = known(rule.notify)
        ways = known(chosen.get(name) or ()) or own
        said = "" if ways == own else f"The model names {listed([CHANNELS[one] for one in own])}."
        boxes = [(one, _label(one), one in ways) for one in CHANNELS]
        found.append((name, rule.label or name.replace("_", " ").capitalize(), said, boxes))
    return found


def _label(channel: str) -> str:
    words = CHANNELS[channel]
    return words[:1].upper() + words[1:]
