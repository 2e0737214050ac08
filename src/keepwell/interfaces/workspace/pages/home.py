"""The way in, finding a customer, and one's own account."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from keepwell.interfaces.workspace.pages.shared import PageRequest, page
from keepwell.services.published import PortfolioQuery, portfolio_page
from keepwell.services.team.access import Action, scope_of
from keepwell.store.models import Person

FOUND = 8


def home(request: HttpRequest) -> HttpResponse:
    """The queue is where a day begins."""
    return redirect("today")


@require_GET
@page(Action.SEE)
def search(request: PageRequest) -> HttpResponse:
    """Customers by name, domain or id; a list under the field, or a page of its own."""
    text = request.GET.get("q", "").strip()
    query = PortfolioQuery(
        search=text, statuses=("active", "trial", "prospect", "churned"), limit=FOUND, scope=scope_of(request.user)
    )
    found = portfolio_page(request.workspace, query).rows if text else ()
    template = "workspace/parts/found.html" if request.htmx else "workspace/search.html"
    return render(request, template, {"found": found, "text": text})


@require_POST
@page(Action.SEE)
def theme(request: PageRequest) -> HttpResponse:
    """Light, dark, or as the system."""
    chosen = request.POST.get("theme", "auto")
    if chosen in dict(Person._meta.get_field("theme").choices or ()):
        Person.objects.filter(pk=request.user.pk).update(theme=chosen)
    else:
        messages.error(request, "There is no such theme.")
    back = request.META.get("HTTP_REFERER", "")
    return redirect(back if back.startswith(request.build_absolute_uri("/")) else "today")
