"""Django's settings, from the workspace folder that KEEPWELL_WORKSPACE names."""

import os
from pathlib import Path
from typing import Any

import dj_database_url

from keepwell.interfaces.site.configuration import secret_key, web_config
from keepwell.interfaces.site.mail import mail_config, mail_settings
from keepwell.services.workspace import workspace_open

KEEPWELL_WORKSPACE = os.environ.get("KEEPWELL_WORKSPACE", ".")
_WORKSPACE = workspace_open(Path(KEEPWELL_WORKSPACE))
WEB = web_config(_WORKSPACE.root)
_WEB_DATA = _WORKSPACE.data_dir / "web"
_WEB_DATA.mkdir(parents=True, exist_ok=True)

SECRET_KEY = secret_key(_WORKSPACE.data_dir)
DEBUG = False
ALLOWED_HOSTS = list(WEB.hosts)
ROOT_URLCONF = "keepwell.interfaces.site.urls"
WSGI_APPLICATION = "keepwell.interfaces.site.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "store.Person"

INSTALLED_APPS = [
    "keepwell.store",
    "keepwell.interfaces.workspace",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "keepwell.interfaces.site.middleware.WorkspaceMiddleware",
    "keepwell.interfaces.site.guards.ApiAddressMiddleware",
    "keepwell.interfaces.site.guards.GuardMiddleware",
]
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent.parent / "workspace" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "keepwell.interfaces.workspace.context.workspace_context",
            ],
        },
    }
]

# One setting moves everything to PostgreSQL. SQLite begins its transactions as writers, so that none gives up midway.
_SQLITE = {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": _WEB_DATA / "keepwell.sqlite3",
    "OPTIONS": {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
    },
}
DATABASES: dict[str, Any] = {
    "default": dj_database_url.parse(WEB.database, conn_max_age=60, conn_health_checks=True)
    if WEB.database
    else _SQLITE
}

LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = _WORKSPACE.zone
STATIC_URL = "/static/"
# What browsers ask for at the root, whatever the pages say.
WHITENOISE_ROOT = Path(__file__).parent.parent / "workspace" / "root"
STATIC_ROOT = _WEB_DATA / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- Signing in -------------------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "keepwell.interfaces.site.accounts.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,5/5m/key", "reset_password": "20/m/ip,5/m/key"}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Keepwell"
SOCIALACCOUNT_ADAPTER = "keepwell.interfaces.site.accounts.SocialAdapter"
SOCIALACCOUNT_ONLY = False
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
SOCIALACCOUNT_PROVIDERS: dict[str, Any] = {}
if WEB.sso:
    SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {
            "OAUTH_PKCE_ENABLED": True,
            "APPS": [
                {
                    "provider_id": "sso",
                    "name": WEB.sso.name,
                    "client_id": WEB.sso.client_id,
                    "secret": os.environ.get("KEEPWELL_SSO_SECRET", ""),
                    "settings": {"server_url": WEB.sso.server_url},
                }
            ],
        }
    }

# --- E-mail: without KEEPWELL_EMAIL_URL (smtp://user:password@host:587/?tls=1) messages are printed, not sent --------
MAIL = mail_config(_WORKSPACE.root, WEB.email_from)
globals().update(mail_settings(MAIL))
DEFAULT_FROM_EMAIL = MAIL.sender
EMAIL_SUBJECT_PREFIX = "[Keepwell] "

# --- Safe by default ----------------------------------------------------------------------------------------------
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = WEB.https
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 14 * 24 * 3600
CSRF_TRUSTED_ORIGINS = [WEB.url]
CSRF_FAILURE_VIEW = "keepwell.interfaces.workspace.pages.errors.csrf_failure"
SECURE_SSL_REDIRECT = WEB.https
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = 31_536_000 if WEB.https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = WEB.https
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if WEB.trusted_proxies else None
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        # Tabler's style sheet and the two-factor code carry small pictures as data.
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'", *([WEB.sso.origin] if WEB.sso else [])],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "manifest-src": ["'self'"],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024
FILE_UPLOAD_HANDLERS = ["keepwell.interfaces.site.uploads.NoUploads"]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "filters": {"refusals": {"()": "keepwell.interfaces.site.logs.Refusals"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain", "filters": ["refusals"]}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {"keepwell": {"level": "INFO"}},
}
