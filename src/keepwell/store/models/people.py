"""People, their teams and roles, one-time links and API tokens."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models


class Role(models.TextChoices):
    """What a person may do; each includes what those before it may, but for the customers it sees."""

    VIEWER = "viewer", "Viewer"
    CSM = "csm", "CSM"
    MANAGER = "manager", "Manager"
    OPS = "ops", "CS-ops"
    ADMIN = "admin", "Admin"


class Team(models.Model):
    """People who see each other's customers when they manage the team."""

    name = models.CharField(max_length=120, unique=True)

    def __str__(self) -> str:
        return self.name


class PersonManager(BaseUserManager["Person"]):
    """Makes people; e-mail addresses are compared in lower case."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "Person":
        """A person who can sign in; without a password only through a link or single sign-on."""
        person = self.model(email=email.strip().lower(), **fields)
        person.set_password(password)
        person.save(using=self._db)
        return person

    def get_by_natural_key(self, username: str | None) -> "Person":
        """Who signs in with this e-mail address."""
        return self.get(email=(username or "").strip().lower())


class Person(AbstractUser):
    """Somebody who uses the workspace."""

    username = None  # type: ignore[assignment]
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    email = models.EmailField("e-mail", unique=True)
    name = models.CharField(max_length=120, blank=True)
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.VIEWER)
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.SET_NULL, related_name="people")
    # Under which e-mail addresses the CRM knows this person as an owner, beside the one they sign in with.
    owner_aliases: "models.JSONField[list[str], list[str]]" = models.JSONField(default=list, blank=True)
    theme = models.CharField(max_length=8, default="auto", choices=[(v, v) for v in ("auto", "light", "dark")])

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[PersonManager] = PersonManager()  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.shown_name

    @property
    def shown_name(self) -> str:
        """The name people see."""
        return self.name or self.email

    @property
    def owner_emails(self) -> frozenset[str]:
        """All addresses under which this person owns customers."""
        return frozenset({self.email.lower(), *(alias.lower() for alias in self.owner_aliases)})

    def get_full_name(self) -> str:
        """The name, as libraries ask for it."""
        return self.shown_name


class OneTimeLink(models.Model):
    """A link that works once: the first admin, an invitation, a password to be set. Only its hash is kept."""

    class Kind(models.TextChoices):
        """What the link is for."""

        FIRST_ADMIN = "first_admin"
        INVITATION = "invitation"
        PASSWORD = "password"  # noqa: S105 - the kind of a link, no secret

    kind = models.CharField(max_length=16, choices=Kind.choices)
    digest = models.CharField(max_length=64, unique=True)
    email = models.EmailField(blank=True)
    name = models.CharField(max_length=120, blank=True)
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.VIEWER)
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.SET_NULL)
    person = models.ForeignKey(Person, null=True, blank=True, on_delete=models.CASCADE, related_name="links")
    made_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="links_made")
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)


class ApiToken(models.Model):
    """A key for programs. It acts as its person, within its scopes; only its hash is kept."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=120)
    prefix = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    scopes: "models.JSONField[list[str], list[str]]" = models.JSONField(default=list)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)


class IdempotentAnswer(models.Model):
    """What a request with an Idempotency-Key was answered: the same key again gets the same answer, once."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    request_digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    body: "models.JSONField[Any, Any]" = models.JSONField(null=True)
    made_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["person", "key"], name="one_answer_per_key"),)
