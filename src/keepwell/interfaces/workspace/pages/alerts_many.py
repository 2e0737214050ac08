"""Several alerts at once: taken up, put away, resolved, given to somebody; what could not be done is said."""

from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from keepwell.interfaces.workspace.alerts_shown import address_of, query_from, quick_moments, until_from
from keepwell.interfaces.workspace.pages.shared import PageRequest, acting, page
from keepwell.services.team.access import Action
from keepwell.services.team.alerting.alerts import Seen, acknowledge, assign, resolve, snooze
from keepwell.services.team.alerting.many import ManyChanged, NotDone, change_many
from keepwell.services.team.alerting.shown import visible_alerts
from keepwell.services.team.queue import assignable
from keepwell.store.models import Alert, Person

MOST: Final = 500
SAID: Final = 5
"""Of so many alerts that were left it is said one by one why."""
GONE: Final = "It is not there any more, or you may not see it."
Change = Callable[[list[Seen]], list[Alert]]


@require_POST
@page(Action.WORK)
def many_take(request: PageRequest) -> HttpResponse:
    """Take alerts up."""
    return _changed(request, lambda seen: acknowledge(acting(request), seen, now=request.now), "taken up", {})


@require_http_methods(["GET", "POST"])
@page(Action.WORK)
def many_snooze(request: PageRequest) -> HttpResponse:
    """Put alerts away until a moment."""
    said = {name: request.POST.get(name, "") for name in ("until", "reason")}
    asked = {"form": "snooze", "quick": quick_moments(request.now), **said}
    until = until_from(said["until"])

    def change(seen: list[Seen]) -> list[Alert]:
        return snooze(acting(request), seen, until=until, reason=said["reason"], now=request.now)

    return _dialog(request, asked) if request.method == "GET" else _changed(request, change, "put away", asked)


@require_http_methods(["GET", "POST"])
@page(Action.WORK)
def many_resolve(request: PageRequest) -> HttpResponse:
    """Close alerts, with what was done."""
    why = request.POST.get("why", "")
    asked = {"form": "resolve", "why": why}

    def change(seen: list[Seen]) -> list[Alert]:
        return resolve(acting(request), seen, why=why, now=request.now)

    return _dialog(request, asked) if request.method == "GET" else _changed(request, change, "resolved", asked)


@require_http_methods(["GET", "POST"])
@page(Action.WORK)
def many_assign(request: PageRequest) -> HttpResponse:
    """Give alerts to somebody, or back to the owners of their customers."""
    people, chosen = assignable(request.user), request.POST.get("to", "")
    asked = {"form": "assign", "people": people, "to": chosen or str(request.user.pk)}
    if request.method == "GET":
        return _dialog(request, asked)
    to: Person | None = next((one for one in people if str(one.pk) == chosen), None)
    if to is None and chosen:
        return _dialog(request, asked | {"problem": "Choose somebody from the list."}, status=422)
    words = f"given to {to.shown_name}" if to else "given back to the customer's owner"
    return _changed(request, lambda seen: assign(acting(request), seen, to=to, now=request.now), words, asked)


def _changed(request: PageRequest, change: Change, words: str, asked: dict[str, Any]) -> HttpResponse:
    """Do it and go back to the list; what is wrong with the form itself is said in it."""
    seen = _seen(request)
    there = {one.pk: one for one in visible_alerts(request.user).filter(pk__in=[one.pk for one in seen])}
    found = change_many([one for one in seen if one.pk in there], change)
    if asked and found.problem and len(there) == len(seen):
        return _dialog(request, asked | {"problem": found.problem}, status=422)
    gone = [NotDone(one.pk, "", GONE) for one in seen if one.pk not in there]
    _say(request, ManyChanged(found.done, [*found.not_done, *gone]), words)
    back = address_of(query_from(QueryDict(request.POST.get("back", ""))))
    address = reverse("alerts") + (f"?{back}" if back else "")
    return HttpResponse(status=204, headers={"HX-Redirect": address}) if request.htmx else redirect(address)


def _say(request: PageRequest, found: ManyChanged, words: str) -> None:
    """How many were changed, and which were not and why."""
    if found.done:
        number = len(found.done)
        subject = found.done[0].title if number == 1 else f"{number} alerts"
        messages.success(request, f"{subject}: {words}.")
    if left := found.not_done:
        reasons = " ".join(_reason(one) for one in left[:SAID])
        more = f" And {len(left) - SAID} more." if len(left) > SAID else ""
        subject = "1 alert was" if len(left) == 1 else f"{len(left)} alerts were"
        messages.warning(request, f"{subject} left as before. {reasons}{more}")


def _reason(one: NotDone) -> str:
    return one.why if not one.title or one.title in one.why else f"“{one.title}”: {one.why}"


def _seen(request: PageRequest) -> list[Seen]:
    """The alerts that are named, each with the version in which the person saw it."""
    named = (request.GET if request.method == "GET" else request.POST).getlist("seen")
    found: dict[int, Seen] = {}
    for text in named[:MOST]:
        number, _, version = text.partition(":")
        if number.isdecimal() and len(number) < 19:
            known = int(version) if version.isdecimal() and len(version) < 10 else None
            found[int(number)] = Seen(int(number), known)
    if not found:
        raise Http404
    return list(found.values())


def _dialog(request: PageRequest, asked: dict[str, Any], status: int = 200) -> HttpResponse:
    """The questions there are, as a dialog or as a page of its own."""
    values = request.GET if request.method == "GET" else request.POST
    seen = _seen(request)
    numbers = [one.pk for one in seen]
    titles = list(visible_alerts(request.user).filter(pk__in=numbers).values_list("title", flat=True)[:2])
    marks = [f"{one.pk}:{one.version}" if one.version else str(one.pk) for one in seen]
    context = asked | {"seen": marks, "title": titles[0] if titles else "", "back": values.get("back", "")}
    if not request.htmx:
        return render(request, "workspace/alerts/dialog_page.html", context, status=status)
    if request.method == "GET":
        return render(request, "workspace/alerts/dialog.html", context)
    answer = render(request, "workspace/alerts/dialog_content.html", context, status=status)
    answer["HX-Retarget"], answer["HX-Reswap"] = "#dialog .modal-content", "innerHTML"
    return answer
