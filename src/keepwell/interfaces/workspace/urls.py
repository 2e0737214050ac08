"""Addresses of the pages."""

from django.urls import path, re_path

from keepwell.interfaces.workspace.pages import account, audit, home, links, people, portfolio

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
    path("portfolio", portfolio.portfolio, name="portfolio"),
    path("portfolio/overview", portfolio.overview, name="portfolio_overview"),
    re_path(r"^portfolio/export\.(?P<form>csv|xlsx)$", portfolio.export, name="portfolio_export"),
    path("portfolio/views", portfolio.view_save, name="portfolio_view_save"),
    path("portfolio/views/<int:pk>", portfolio.view_open, name="portfolio_view"),
    path("portfolio/views/<int:pk>/delete", portfolio.view_delete, name="portfolio_view_delete"),
    path("audit", audit.audit, name="audit"),
]
