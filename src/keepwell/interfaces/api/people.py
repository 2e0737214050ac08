"""People, invitations, teams, and one's own tokens. Answers with a secret are not kept, so they take no key."""

from datetime import date, datetime
from typing import Annotated, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.urls import reverse
from ninja import Router, Schema, Status
from pydantic import AfterValidator, BeforeValidator, Field

from keepwell.interfaces.api.fields import KEYED, Number, Pk, Word
from keepwell.interfaces.api.idempotency import idempotent
from keepwell.interfaces.api.paging import Limit, Offset, Page, page_of
from keepwell.interfaces.api.problems import PROBLEMS, Problem
from keepwell.interfaces.api.security import PEOPLE, READ, ApiRequest, acting
from keepwell.services.published import copies_current
from keepwell.services.team.links import invite, password_link
from keepwell.services.team.people import SCOPES, change_person, make_token, revoke_token
from keepwell.store.models import ApiToken, OneTimeLink, Person, Role, Team

router = Router(tags=["People"], auth=PEOPLE)
mine = Router(tags=["Me"], auth=READ)


def _address_checked(text: str) -> str:
    try:
        validate_email(text.strip())
    except ValidationError:
        raise ValueError("this is not an e-mail address") from None
    return text


Address = Annotated[Word, Field(json_schema_extra={"format": "email"}), AfterValidator(_address_checked)]
TeamName = Annotated[str | None, BeforeValidator(lambda team: getattr(team, "name", team))]
Called = Annotated[str, Field(max_length=120, pattern=r"^[^\u0000]*$")]


class PersonBody(Schema):
    """Somebody who uses the workspace."""

    id: int
    email: str
    name: str
    role: Role
    team: TeamName
    owner_aliases: list[str] = Field(description="Further addresses under which customers are owned.")
    is_active: bool


class PersonChange(Schema):
    """What a person is and may do."""

    name: Called
    role: Role
    team: Called = Field("", description="A new name makes a new team; empty takes the person out of its team.")
    owner_aliases: Annotated[list[Word], Field(max_length=50)]
    is_active: bool


class InvitationNew(Schema):
    """Whom to invite, as what."""

    email: Address
    name: Called = ""
    role: Role = Role.CSM
    team: Called = ""


class InvitationBody(Schema):
    """An invitation that waits."""

    id: int
    email: str
    name: str
    role: Role
    team: TeamName
    made_at: datetime
    expires_at: datetime


class LinkBody(Schema):
    """A link that works once; it is shown here and nowhere else."""

    link: str


class TeamBody(Schema):
    """A team."""

    id: int
    name: str


class TokenBody(Schema):
    """A token, without its secret."""

    id: int
    name: str
    prefix: str
    scopes: list[str]
    made_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class TokenNew(Schema):
    """A token to be made; it can have no scope that the one you send lacks."""

    name: Annotated[Called, Field(min_length=1)]
    scopes: Annotated[list[Word], Field(min_length=1, max_length=20, description=f"Any of: {', '.join(SCOPES)}.")]
    days: Annotated[int, Field(ge=1, le=3650)] | None = Field(90, description="Null works until it is revoked.")


class TokenMade(TokenBody):
    """A token with its secret, which is shown here and nowhere else."""

    secret: str


class MeBody(Schema):
    """Whose token it is, where, and what is published there."""

    person: PersonBody
    scopes: list[str]
    workspace: str
    currency: str
    zone: str
    today: date
    as_of: date | None = Field(description="The published day; null before the first run.")


@mine.get("", response={200: MeBody, **PROBLEMS})
def get_me(request: ApiRequest) -> Any:
    """Whose token it is, where, and what is published there."""
    here = request.workspace
    copies = copies_current(here)
    return MeBody(
        person=PersonBody.from_orm(request.user),
        scopes=request.auth.scopes,
        workspace=here.name,
        currency=here.currency,
        zone=here.zone,
        today=request.today,
        as_of=copies.as_of if copies else None,
    )


@mine.get("/tokens", response={200: Page[TokenBody], **PROBLEMS})
def list_tokens(request: ApiRequest, limit: Limit, offset: Offset) -> Any:
    """One's own tokens that work."""
    found = request.user.tokens.filter(revoked_at=None).order_by("name", "pk")
    shown = [TokenBody.from_orm(token) for token in found[offset : offset + limit]]
    return page_of(shown, found.count(), limit, offset)


@mine.post("/tokens", response={201: TokenMade, **PROBLEMS})
def create_token(request: ApiRequest, body: TokenNew) -> Any:
    """Make a token of one's own; its secret is in the answer and nowhere else."""
    if more := sorted(set(body.scopes) - set(request.auth.scopes)):
        raise Problem(403, "Scope is missing", f"A token makes none that may more than itself: {', '.join(more)}.")
    days = body.days
    token, secret = make_token(
        acting(request), request.user, name=body.name, scopes=body.scopes, days=days, now=request.now
    )
    return Status(201, TokenMade(**TokenBody.from_orm(token).model_dump(), secret=secret))


@mine.delete("/tokens/{int:token_id}", response={204: None, **PROBLEMS})
def delete_token(request: ApiRequest, token_id: Pk) -> Any:
    """Stop one of one's own tokens, at once."""
    token = ApiToken.objects.filter(pk=token_id, person=request.user, revoked_at=None).first()
    if token is None:
        raise Problem(404, "Not found", "You have no such token.")
    revoke_token(acting(request), token, now=request.now)
    return Status(204, None)


@router.get("/people", response={200: Page[PersonBody], **PROBLEMS})
def list_people(request: ApiRequest, limit: Limit, offset: Offset) -> Any:
    """Everybody, with role and team."""
    found = Person.objects.select_related("team").order_by("-is_active", "name", "email")
    return page_of([PersonBody.from_orm(one) for one in found[offset : offset + limit]], found.count(), limit, offset)


@router.get("/people/{int:person_id}", response={200: PersonBody, **PROBLEMS})
def get_person(request: ApiRequest, person_id: Pk) -> Any:
    """One person."""
    return _person(person_id)


@router.put("/people/{int:person_id}", response={200: PersonBody, **PROBLEMS}, openapi_extra=KEYED)
@idempotent
def update_person(request: ApiRequest, person_id: Pk, body: PersonChange) -> Any:
    """Change role, team and addresses; who is not active signs in no more, and its tokens stop."""
    changed = change_person(
        acting(request),
        _person(person_id).pk,
        name=body.name,
        role=body.role.value,
        team_name=body.team,
        aliases=body.owner_aliases,
        active=body.is_active,
        now=request.now,
    )
    return PersonBody.from_orm(changed)


@router.post("/people/{int:person_id}/password-link", response={201: LinkBody, **PROBLEMS})
def create_password_link(request: ApiRequest, person_id: Pk) -> Any:
    """A link with which a person sets a new password; it works once, for a day."""
    secret = password_link(acting(request), person=_person(person_id), now=request.now)
    return Status(201, LinkBody(link=_address(secret)))


@router.get("/invitations", response={200: Page[InvitationBody], **PROBLEMS})
def list_invitations(request: ApiRequest, limit: Limit, offset: Offset) -> Any:
    """Invitations that wait."""
    waiting = OneTimeLink.objects.filter(kind=OneTimeLink.Kind.INVITATION, used_at=None, expires_at__gt=request.now)
    found = waiting.select_related("team").order_by("email", "pk")
    shown = [InvitationBody.from_orm(link) for link in found[offset : offset + limit]]
    return page_of(shown, found.count(), limit, offset)


@router.post("/invitations", response={201: LinkBody, **PROBLEMS})
def create_invitation(request: ApiRequest, body: InvitationNew) -> Any:
    """Invite somebody; the link is sent by hand and works once, for a week."""
    team = Team.objects.get_or_create(name=body.team.strip())[0] if body.team.strip() else None
    secret = invite(acting(request), email=body.email, name=body.name, role=body.role.value, team=team, now=request.now)
    return Status(201, LinkBody(link=_address(secret)))


@router.get("/teams", response={200: Page[TeamBody], **PROBLEMS})
def list_teams(request: ApiRequest, limit: Limit, offset: Offset) -> Any:
    """The teams."""
    found = Team.objects.order_by("name")
    return page_of([TeamBody.from_orm(one) for one in found[offset : offset + limit]], found.count(), limit, offset)


def _person(person_id: Number) -> Person:
    found = Person.objects.select_related("team").filter(pk=person_id).first()
    if found is None:
        raise Problem(404, "Not found", "There is no such person.")
    return found


def _address(secret: str) -> str:
    return settings.WEB.url + reverse("start", args=[secret])
