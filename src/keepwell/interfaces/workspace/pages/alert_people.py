"""Who is told: the people behind the roles that alerts and playbooks name."""

from typing import Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from keepwell.interfaces.workspace.pages.shared import PageRequest, acting, page
from keepwell.services.team.access import Action
from keepwell.services.team.playing.roles import NAMED, name_people, people_named
from keepwell.store.models import Person, Role

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
    """One person for each role."""
    people = list(Person.objects.filter(is_active=True).exclude(role=Role.VIEWER).order_by("name", "email"))
    if request.method == "POST":
        known = {str(person.pk): person.pk for person in people}
        name_people(
            acting(request), {r: known[v] for r in NAMED if (v := request.POST.get(r, "")) in known}, request.now
        )
        messages.success(request, "Saved. From now on these people are told.")
        return redirect("alert_people")
    named = people_named()
    roles = [(role, role.replace("_", " ").capitalize(), ABOUT.get(role, ""), named.get(role)) for role in NAMED]
    return render(request, "workspace/alerts/people.html", {"roles": roles, "people": people})
