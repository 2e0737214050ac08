"""Addresses of the pages."""

from django.urls import path

from keepwell.interfaces.workspace.pages import account, audit, home, links, people

urlpatterns = [
    path("", home.home, name="home"),
    path("search", home.search, name="search"),
    path("theme", home.theme, name="theme"),
    path("start/<str:secret>", links.start, name="start"),
    path("account", account.account, name="account"),
    path("account/tokens", account.token_make, name="token_make"),
    path("account/tokens/<int:pk>/revoke", account.token_revoke, name="token_revoke"),
    path("people", people.people, name="people"),
    path("people/invite", people.people_invite, name="people_invite"),
    path("people/<int:pk>", people.person, name="person"),
    path("people/<int:pk>/password", people.person_password, name="person_password"),
    path("audit", audit.audit, name="audit"),
]
