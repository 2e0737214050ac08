"""The [email] part of keepwell.toml: through whom messages leave. Secrets are in the environment alone."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from pathlib import Path
from typing import Any, Final

from keepwell.interfaces.site.configuration import email_settings
from keepwell.model.problems import did_you_mean
from keepwell.services.workspace import CONFIG, WorkspaceError

SMTP: Final = "smtp"
PROVIDERS: Final = (
    SMTP, "amazon_ses", "brevo", "mailersend", "mailgun", "mailjet", "mailtrap", "mandrill", "postal", "postmark",
    "resend", "scaleway", "sendgrid", "sparkpost", "unisender_go",
)  # fmt: skip
_KEYS: Final = {"provider", "from", "reply_domain", "track", "options"}
_SECONDS: Final = 20


@dataclass(frozen=True)
class MailConfig:
    """How e-mail leaves. `reply_domain` is one whose mail the provider hands to /hooks/email/PROVIDER/inbound."""

    provider: str
    sender: str
    reply_domain: str = ""
    track: bool = False
    options: Mapping[str, object] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """The address that messages come from."""
        return parseaddr(self.sender)[1]

    @property
    def name(self) -> str:
        """The name beside it, for messages that no person signs."""
        return parseaddr(self.sender)[0]


def mail_config(root: Path, default_from: str) -> MailConfig:
    """Read [email]; raises WorkspaceError naming the key and what is expected."""
    path = root / CONFIG
    # What is wrong with the file as a whole was said when [web] was read.
    content = tomllib.loads(path.read_text(encoding="utf-8")).get("email", {})
    if not isinstance(content, dict):
        raise WorkspaceError(f'{path}: [email] is a section with lines such as provider = "postmark"')
    for key in content:
        if key not in _KEYS:
            raise WorkspaceError(f"{path}: unknown key '{key}' in [email]{did_you_mean(key, _KEYS)}")
    return _config(path, content, default_from)


def _config(path: Path, content: Mapping[str, Any], default_from: str) -> MailConfig:
    provider = str(content.get("provider", SMTP))
    if provider not in PROVIDERS:
        known = ", ".join(PROVIDERS)
        raise WorkspaceError(
            f"{path}: [email] provider '{provider}' is not known{did_you_mean(provider, PROVIDERS)}; there are: {known}"
        )
    sender = str(content.get("from", default_from))
    if "@" not in parseaddr(sender)[1] or any(ord(c) < 32 for c in sender):
        raise WorkspaceError(f"{path}: [email] from '{sender}' is not like Acme <hello@acme.example>")
    track, options = content.get("track", False), content.get("options", {})
    if not isinstance(track, bool) or not isinstance(options, dict):
        raise WorkspaceError(f"{path}: [email] track is true or false, and [email.options] is a section")
    return MailConfig(provider, sender, str(content.get("reply_domain", "")).strip("@ "), track, options)


def mail_settings(mail: MailConfig, environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Django's settings for the provider, and anymail's: `[email.options]` and KEEPWELL_PROVIDER_… together."""
    backend = (
        email_settings(environment.get("KEEPWELL_EMAIL_URL", ""))
        if mail.provider == SMTP
        else {"EMAIL_BACKEND": f"anymail.backends.{mail.provider}.EmailBackend"}
    )
    prefix = f"{mail.provider.upper()}_"
    secret = f"KEEPWELL_{prefix}"
    said: dict[str, Any] = {f"{prefix}{name.upper()}": value for name, value in mail.options.items()}
    said |= {f"{prefix}{n.removeprefix(secret)}": v for n, v in environment.items() if n.startswith(secret) and v}
    if hooks := environment.get("KEEPWELL_EMAIL_WEBHOOK_SECRET", "").replace(",", " ").split():
        said["WEBHOOK_SECRET"] = hooks
    # Not every provider knows tags and the like, and a message is worth more than they are.
    return {**backend, "ANYMAIL": {"IGNORE_UNSUPPORTED_FEATURES": True, "REQUESTS_TIMEOUT": _SECONDS, **said}}
