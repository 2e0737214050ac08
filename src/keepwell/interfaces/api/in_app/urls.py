"""Addresses below /in-app/v1/."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from keepwell.interfaces.api.in_app.feed import feed, reaction, script
from keepwell.services.team.outbox.in_app import REACTIONS


class Reaction(StringConverter):
    """What a user can do with a message."""

    regex = "|".join(REACTIONS)


register_converter(Reaction, "reaction")

urlpatterns = [
    path("in-app.js", script, name="in-app-script"),
    path("feed", feed, name="in-app-feed"),
    path("messages/<int:pk>/<reaction:kind>", reaction, name="in-app-reaction"),
]
