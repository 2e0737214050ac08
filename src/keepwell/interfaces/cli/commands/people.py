"""`keepwell people`: the way back in for somebody who lost it, from the machine that serves the workspace."""

from typing import Annotated

import typer

from keepwell.interfaces.cli.app import app
from keepwell.interfaces.cli.commands.serve import first_admin
from keepwell.interfaces.cli.failures import BadInputError
from keepwell.interfaces.cli.opened import At, Form
from keepwell.interfaces.cli.output import Format, note, print_rows
from keepwell.interfaces.cli.site import launched

people = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.add_typer(people, name="people", help="List people, and make links with which they get in.")


@people.command("list")
def people_list(context: typer.Context, form: Form = Format.TABLE, at: At = None) -> None:
    """Everybody with an account: e-mail, name, role, team, whether they may sign in."""
    launch = launched(context, at)
    found = launch.late("keepwell.store.models").Person.objects.select_related("team").order_by("email")
    rows = [
        [p.email, p.name, p.get_role_display(), p.team.name if p.team else "", "yes" if p.is_active else "no"]
        for p in found
    ]
    print_rows(("email", "name", "role", "team", "active"), rows, form)
    if not rows:
        note("there is nobody yet; 'keepwell people first-admin' prints the link for the first admin")


@people.command("link")
def people_link(
    context: typer.Context,
    email: Annotated[str, typer.Argument(help="Whose password is to be set.")],
    at: At = None,
) -> None:
    """Print a link with which a person sets a new password; it works once, for 24 hours."""
    launch = launched(context, at)
    person = launch.late("keepwell.store.models").Person.objects.filter(email=email.strip().lower()).first()
    if person is None:
        raise BadInputError(f"nobody has the address {email}; 'keepwell people list' shows who there is")
    who = launch.late("keepwell.services.team.audit").Actor("command line")
    moment = launch.late("keepwell.interfaces.site.clock").now()
    secret = launch.late("keepwell.services.team.links").password_link(who, person=person, now=moment)
    typer.echo(f"{launch.settings.WEB.url}/start/{secret}")


@people.command("first-admin")
def people_first_admin(context: typer.Context, at: At = None) -> None:
    """Print a new link for the first admin; earlier ones stop working."""
    link = first_admin(launched(context, at))
    if link is None:
        raise BadInputError("there is an admin already; 'keepwell people link EMAIL' lets one set a new password")
    typer.echo(link)
