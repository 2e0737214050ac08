"""Surveys: questions that are sent after what happened, answered with one click, and what follows from answers."""
