"""Addresses of mail: what its readers come to, what its provider calls, and whom nothing is sent to."""

from django.urls import path, re_path

from keepwell.interfaces.workspace.pages import mail, mail_hooks, suppressed

urlpatterns = [
    path("m/u/<str:token>", mail.unsubscribe, name="mail_unsubscribe"),
    path("m/c/<str:token>", mail.follow, name="mail_click"),
    path("m/o/<str:token>.gif", mail.opened, name="mail_open"),
    path("hooks/email/<str:provider>", mail_hooks.hook, name="hook_email"),
    # A provider may send whole mails as they are where the address says so.
    re_path(
        r"^hooks/email/(?P<provider>\w+)/inbound(?:_mime)?$", mail_hooks.hook, {"what": "inbound"}, name="hook_inbound"
    ),
    path("outbox/suppressed", suppressed.suppressed, name="suppressed"),
    path("outbox/suppressed/add", suppressed.suppressed_add, name="suppressed_add"),
    path("outbox/suppressed/<int:pk>/remove", suppressed.suppressed_remove, name="suppressed_remove"),
]
