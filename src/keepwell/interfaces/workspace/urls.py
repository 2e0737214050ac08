"""Addresses of the pages."""

from django.urls import path

from keepwell.interfaces.workspace.pages import home, links

urlpatterns = [
    path("", home.home, name="home"),
    path("search", home.search, name="search"),
    path("theme", home.theme, name="theme"),
    path("start/<str:secret>", links.start, name="start"),
]
