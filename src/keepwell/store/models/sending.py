"""What leaves the house: the outbox, what is known of its delivery, channels, and who must not be written to."""

from typing import Any

from django.db import models

from keepwell.store.models.people import Person
from keepwell.store.models.playing import PlaybookRun


class Channel(models.Model):
    """One way out; a channel that is not live is rehearsed: everything but the sending itself.

    Messages to customers and words to colleagues have switches of their own. Secrets are in the environment alone.
    """

    class Audience(models.TextChoices):
        """Who reads it."""

        CUSTOMER = "customer", "Customers"
        INTERNAL = "internal", "Colleagues"

    name = models.CharField(max_length=24, help_text="email, in_app, slack, teams, webhook")
    audience = models.CharField(max_length=8, choices=Audience.choices)
    live = models.BooleanField(default=False)
    settings: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField(default=dict)
    changed_by = models.ForeignKey(Person, null=True, on_delete=models.SET_NULL, related_name="+")
    changed_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["name", "audience"], name="a_channel_has_one_switch"),)


class Outgoing(models.Model):
    """One message on its way to one address, in the words in which it leaves; `key` makes it one and the same."""

    class State(models.TextChoices):
        """Where it stands."""

        WAITING = "waiting", "Waiting"
        SENDING = "sending", "Being sent"
        SENT = "sent", "Sent"
        REHEARSED = "rehearsed", "Dry run"
        FAILED = "failed", "Failed, will be tried again"
        DEAD = "dead", "Given up"
        SUPPRESSED = "suppressed", "Address must not be written to"
        CANCELLED = "cancelled", "Cancelled"

    key = models.CharField(max_length=160, unique=True)
    channel = models.CharField(max_length=24)
    audience = models.CharField(max_length=8, choices=Channel.Audience.choices)
    purpose = models.CharField(max_length=16, blank=True, help_text="personal, service, marketing; alert, escalation …")
    customer_id = models.CharField(max_length=255, blank=True, db_index=True)
    company = models.CharField(max_length=255, blank=True)
    run = models.ForeignKey(PlaybookRun, null=True, blank=True, on_delete=models.SET_NULL, related_name="outgoing")
    step = models.CharField(max_length=120, blank=True)
    message = models.CharField(max_length=120, blank=True, help_text="The message's name in the model.")
    address = models.CharField(max_length=320, blank=True)
    to_name = models.CharField(max_length=255, blank=True)
    person_id = models.CharField(max_length=255, blank=True, help_text="The customer's person, in canonical data.")
    sender: "models.JSONField[dict[str, str], dict[str, str]]" = models.JSONField(default=dict)
    subject = models.CharField(max_length=500, blank=True)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)
    payload: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField(default=dict)
    state = models.CharField(max_length=12, choices=State.choices, default=State.WAITING)
    made_at = models.DateTimeField()
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    claimed_by = models.CharField(max_length=120, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    provider_id = models.CharField(max_length=255, blank=True, db_index=True)
    error = models.TextField(blank=True)

    class Meta:
        indexes = (
            # Not for some states alone: SQLite takes no such index for a question with parameters.
            models.Index(fields=["state", "due_at"], name="outgoing_due"),
            models.Index(fields=["-made_at"], name="outgoing_made"),
        )

    def __str__(self) -> str:
        return self.subject or self.text[:80]


class OutgoingEvent(models.Model):
    """What became of it: delivered, opened, clicked, replied, bounced, complained, unsubscribed, seen, dismissed."""

    key = models.CharField(max_length=160, unique=True)
    outgoing = models.ForeignKey(Outgoing, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=16)
    at = models.DateTimeField()
    data: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField(default=dict)


class Suppression(models.Model):
    """An address that nothing is sent to; `scope` marketing leaves what belongs to the service."""

    class Why(models.TextChoices):
        """How it came here."""

        UNSUBSCRIBED = "unsubscribed", "Unsubscribed"
        BOUNCED = "bounced", "Bounced"
        COMPLAINED = "complained", "Complained"
        BY_HAND = "by_hand", "Added by hand"

    address = models.CharField(max_length=320, unique=True, help_text="In small letters.")
    why = models.CharField(max_length=16, choices=Why.choices)
    scope = models.CharField(max_length=12, default="all", help_text="all or marketing")
    at = models.DateTimeField()
    note = models.CharField(max_length=255, blank=True)
    added_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")


class WebhookTarget(models.Model):
    """Where signed webhooks go; the secret is made here, shown once, and kept to sign with."""

    name = models.CharField(max_length=80, unique=True)
    url = models.CharField(max_length=500)
    secret = models.CharField(max_length=120)
    events: "models.JSONField[list[str], list[str]]" = models.JSONField(default=list)
    on = models.BooleanField(default=True)
    made_by = models.ForeignKey(Person, null=True, on_delete=models.SET_NULL, related_name="+")
    made_at = models.DateTimeField()
