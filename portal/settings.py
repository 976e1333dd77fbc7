"""Settings, all from the environment (.env is read when present). `.env.example` explains each name.

A missing production secret stops the start with one clear line; development gets its secrets from the launcher.
"""

from pathlib import Path
from typing import Any
from urllib.parse import unquote

import environ
from csp.constants import SELF
from django.core.exceptions import ImproperlyConfigured

from portal import logs
from portal.document_storage import documents_storage
from portal.env import read_dotenv, secret
from portal.run.broker import celery_broker_settings

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
read_dotenv(BASE_DIR)

ENVIRONMENT = env.str("ENVIRONMENT", default="development")
PRODUCTION = ENVIRONMENT == "production"
if ENVIRONMENT not in {"development", "production"}:
    raise ImproperlyConfigured(f"ENVIRONMENT is {ENVIRONMENT!r}; it must be development or production.")
DEBUG = env.bool("DEBUG", default=False)
if PRODUCTION and DEBUG:
    raise ImproperlyConfigured("DEBUG must be off when ENVIRONMENT=production.")

# --- Secrets ------------------------------------------------------------------------------------------------
SECRET_KEY = secret(env, "SECRET_KEY")
SEAL_KEYS = secret(env, "SEAL_KEYS")
BLIND_INDEX_KEY = secret(env, "BLIND_INDEX_KEY")
AUDIT_KEYS = secret(env, "AUDIT_KEYS")
AUDIT_KEY = secret(env, "AUDIT_KEY", required=False)
METRICS_TOKEN = secret(env, "METRICS_TOKEN", required=False)

# --- Where we are -------------------------------------------------------------------------------------------
PORTAL_URL = env.str("PORTAL_URL", default="http://localhost:8000").rstrip("/")
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if not PRODUCTION else []
)
CSRF_TRUSTED_ORIGINS = [PORTAL_URL]
#: How many reverse proxies stand before us; X-Forwarded-For is read only that far.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)
ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
PARTNER_NAME = env.str("PARTNER_NAME", default="Partner Portal")
SUPPORT_EMAIL = env.str("SUPPORT_EMAIL", default="support@partner.example")

INSTALLED_APPS = [
    "portal",
    "providers",
    "compliance",
    "onboarding",
    "funding",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.headless",
    "csp",
    "django_countries",
    "django_filters",
    "django_htmx",
    "django_structlog",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "phonenumber_field",
    "rest_framework",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "portal.metrics.MetricsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "portal.middleware.ContextMiddleware",
    "portal.middleware.RevealedMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "portal.auth.devices.DeviceMiddleware",
    "portal.auth.middleware.StaffSecondFactorMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "portal.middleware.DomainErrorMiddleware",
]

FORM_RENDERER = "portal.forms_ui.PortalFormRenderer"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.context_processors.shell",
            ],
            "builtins": [
                "portal.templatetags.ui",
                "portal.templatetags.ui_forms",
                "portal.templatetags.ui_sealed",
                "portal.templatetags.ui_shell",
            ],
        },
    }
]

# --- Database, cache, broker --------------------------------------------------------------------------------
DATABASES = {"default": env.db_url("DATABASE_URL")}
if "postgresql" not in DATABASES["default"]["ENGINE"]:
    raise ImproperlyConfigured("DATABASE_URL must be a postgres:// address; no other engine is supported.")
DATABASES["default"].update(
    # A Unix socket's directory comes percent-encoded in the place of the host.
    HOST=unquote(DATABASES["default"]["HOST"]),
    CONN_MAX_AGE=env.int("CONN_MAX_AGE", default=60),
    CONN_HEALTH_CHECKS=True,
)
# What is prepared (portal/composed.py) is planned once for any values, not for these.
_OPTIONS = DATABASES["default"].setdefault("OPTIONS", {})
_OPTIONS["options"] = f"{_OPTIONS.get('options', '')} -c plan_cache_mode=force_generic_plan".strip()
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

BROKER_URL = env.str("BROKER_URL", default="pgmq://")
CACHE_URL = env.str("CACHE_URL", default=BROKER_URL if BROKER_URL.startswith("redis") else "")
_TABLE = {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "portal_cache"}
CACHES: dict[str, dict[str, Any]] = (
    {
        "default": {
            "BACKEND": "portal.cache.RedisOrTableCache",
            "LOCATION": CACHE_URL,
            # A dead Redis must not hold a web request: what it does not answer at once, the table does.
            "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1, "health_check_interval": 30},
        },
        "table": _TABLE,
    }
    if CACHE_URL
    else {"default": _TABLE}
)

CELERY = {
    **celery_broker_settings(BROKER_URL, env.str("DATABASE_URL")),
    "task_default_queue": "default",
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "task_ignore_result": True,
    "task_time_limit": 240,
    "task_soft_time_limit": 200,
    "worker_prefetch_multiplier": 4,
    "broker_connection_retry_on_startup": True,
    "timezone": "UTC",
}
#: Of this process alone: for what every page asks and may be some seconds old.
CACHES["local"] = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}

# --- People and sessions ------------------------------------------------------------------------------------
AUTH_USER_MODEL = "portal.User"
#: E-mail addresses are unique without regard to case, by a constraint the check does not see.
SILENCED_SYSTEM_CHECKS = ["auth.W004"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ["email", "name"]},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AUTHENTICATION_BACKENDS = ["portal.auth.backend.Backend"]
SESSION_ENGINE = "portal.auth.sessions"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "account_login"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SECURE = PRODUCTION
CSRF_COOKIE_SECURE = PRODUCTION
CSRF_COOKIE_HTTPONLY = True

# --- Security headers ---------------------------------------------------------------------------------------
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=PRODUCTION)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = 31536000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION
SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_REFERRER_POLICY = "same-origin"
if env.bool("BEHIND_TLS_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "form-action": [SELF],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
DATA_UPLOAD_MAX_NUMBER_FILES = 20
#: The largest paper that is taken.
DOCUMENT_MAX_BYTES = env.int("DOCUMENT_MAX_MB", default=10) * 1024 * 1024
#: The largest file of existing customers that is taken.
IMPORT_MAX_BYTES = 64 * 1024 * 1024
FILE_UPLOAD_HANDLERS = [
    "portal.uploads.BoundedUploadHandler",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "portal.uploads.SealedUploadHandler",
]

# --- Language, time, static files ---------------------------------------------------------------------------
LANGUAGE_CODE = "en-us"
TIME_ZONE = env.str("TIME_ZONE", default="America/New_York")
USE_TZ = True
USE_I18N = True
PHONENUMBER_DEFAULT_REGION = "US"
PHONENUMBER_DB_FORMAT = "E164"
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
    # Customers' papers, sealed before they come here; nothing is served from it.
    "documents": documents_storage(env, BASE_DIR / "var" / "documents"),
}
#: clamd, at tcp://host:port or unix:///path; files are not scanned, and marked so, where it is not set.
CLAMD_URL = env.str("CLAMD_URL", default="")
if CLAMD_URL and not CLAMD_URL.startswith(("tcp://", "unix:///")):
    raise ImproperlyConfigured("CLAMD_URL must be tcp://host:port or unix:///path/of/the/socket.")
WHITENOISE_USE_FINDERS = not PRODUCTION
# Looked for when asked for: otherwise each start, and each test client, would walk every static file there is.
WHITENOISE_AUTOREFRESH = not PRODUCTION

# --- Mail: every message is a row first; EMAIL_URL says who carries it --------------------------------------
EMAIL_BACKEND = "portal.mail.RowBackend"
EMAIL_URL = env.str("EMAIL_URL", default="")
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default=f"{PARTNER_NAME} <no-reply@partner.example>")
if PRODUCTION and not EMAIL_URL:
    raise ImproperlyConfigured(
        "EMAIL_URL is not set; production needs a mail server (smtp+tls://user:password@host:587)."
    )

# --- Providers ----------------------------------------------------------------------------------------------
SANDBOX_URL = env.str("SANDBOX_URL", default="")
if PRODUCTION and SANDBOX_URL:
    raise ImproperlyConfigured("SANDBOX_URL is set; the sandbox is a stand-in and never runs in production.")
BAKKT_CRYPTO_URL = env.str("BAKKT_CRYPTO_URL", default=SANDBOX_URL)
BAKKT_CRYPTO_LOGON_ID = env.str("BAKKT_CRYPTO_LOGON_ID", default="")
BAKKT_CRYPTO_PASSWORD = secret(env, "BAKKT_CRYPTO_PASSWORD", required=PRODUCTION)
BAKKT_CRYPTO_TOKEN_PREFIX = env.str("BAKKT_CRYPTO_TOKEN_PREFIX", default="Bearer ")
BAKKT_SETTLEMENT_METHOD = env.str("BAKKT_SETTLEMENT_METHOD", default="")
if BAKKT_SETTLEMENT_METHOD not in {"", "BAKKT_TPJ", "NET_SETTLEMENT"}:
    raise ImproperlyConfigured("BAKKT_SETTLEMENT_METHOD must be BAKKT_TPJ, NET_SETTLEMENT or empty.")
BAKKT_PARTNER_URL = env.str("BAKKT_PARTNER_URL", default=SANDBOX_URL)
BAKKT_PARTNER_CLIENT_ID = env.str("BAKKT_PARTNER_CLIENT_ID", default="")
BAKKT_PARTNER_CLIENT_SECRET = secret(env, "BAKKT_PARTNER_CLIENT_SECRET", required=PRODUCTION)
BAKKT_PARTNER_ID = env.str("BAKKT_PARTNER_ID", default="")
BAKKT_TRANSACTION_READS = env.bool("BAKKT_TRANSACTION_READS", default=bool(SANDBOX_URL))
BAKKT_LINK_READS = env.bool("BAKKT_LINK_READS", default=bool(SANDBOX_URL))
BAKKT_WEBHOOK_SECRET = secret(env, "BAKKT_WEBHOOK_SECRET")
BAKKT_WEBHOOK_ALLOWED_IPS = env.list("BAKKT_WEBHOOK_ALLOWED_IPS", default=[])
if PRODUCTION and not (BAKKT_CRYPTO_URL.startswith("https://") and BAKKT_PARTNER_URL.startswith("https://")):
    raise ImproperlyConfigured(
        "BAKKT_CRYPTO_URL and BAKKT_PARTNER_URL must be https:// addresses in production."
    )
# Plaid: with keys its own host of that environment, without them the stand-in, and neither in production: no linking.
PLAID_CLIENT_ID = env.str("PLAID_CLIENT_ID", default="")
PLAID_SECRET = secret(env, "PLAID_SECRET", required=bool(PLAID_CLIENT_ID))
PLAID_ENVIRONMENT = env.str("PLAID_ENVIRONMENT", default="sandbox")
if PLAID_ENVIRONMENT not in {"sandbox", "production"}:
    raise ImproperlyConfigured("PLAID_ENVIRONMENT must be sandbox or production.")
PLAID_HOST = f"https://{PLAID_ENVIRONMENT}.plaid.com"
_PLAID_STAND_IN = f"{SANDBOX_URL}/plaid" if SANDBOX_URL else ""
PLAID_URL = env.str("PLAID_URL", default=PLAID_HOST if PLAID_CLIENT_ID else _PLAID_STAND_IN)
if PRODUCTION and PLAID_URL and not PLAID_URL.startswith("https://"):
    raise ImproperlyConfigured("PLAID_URL must be an https:// address in production.")

#: How long the log of provider calls is kept. A call may be repeated for nine days and asked about after that.
#: How long a revealed value is shown, and how many one person reveals within an hour (portal/revealing.py).
REVEAL_MINUTES = env.int("REVEAL_MINUTES", default=10)
REVEALS_PER_HOUR = env.int("REVEALS_PER_HOUR", default=30)
if not 1 <= REVEAL_MINUTES <= 60 or REVEALS_PER_HOUR < 1:
    raise ImproperlyConfigured("REVEAL_MINUTES must be 1 to 60, and REVEALS_PER_HOUR at least 1.")
#: How many times one person searches by a tax number, or the last four of it, within an hour (portal/finding.py).
NUMBER_SEARCHES_PER_HOUR = env.int("NUMBER_SEARCHES_PER_HOUR", default=30)
CALL_LOG_DAYS = env.int("CALL_LOG_DAYS", default=400)
if CALL_LOG_DAYS < 30:
    raise ImproperlyConfigured("CALL_LOG_DAYS must be at least 30: questions about a call come weeks later.")

# --- REST ---------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "portal.auth.tokens.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["portal.api.parsers.BoundedJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "portal.api.errors.handle",
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.UserRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"user": "600/min"},
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Partner Portal API",
    "DESCRIPTION": (
        "Open an account and follow it, for the partner's own mobile apps. Errors are `application/problem+json`; "
        "[every problem type](/docs/problems/) says what it means and what to do."
    ),
    "EXTERNAL_DOCS": {"url": "/docs/problems/", "description": "Problem types: what each means, what to do"},
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "ProblemType": "portal.api.schema.TYPE_CHOICES",
        "DocumentType": "onboarding.words_documents.DocumentType",
        "UsdRange": "onboarding.words.UsdRange",
        "EntityUsdRange": "onboarding.words.EntityUsdRange",
        "InvestmentExperience": "onboarding.words.InvestmentExperience",
        "InvestmentObjective": "onboarding.words.InvestmentObjective",
        "TransferKind": "funding.models.transfers.Transfer.Kind",
        "TransferRail": "funding.models.transfers.Transfer.Rail",
        "OrderRail": "funding.api.serializers.RAILS",
        "NoticeKind": "funding.models.notices.NoticeKind",
        "UsState": "onboarding.requirements.rules.STATE_CHOICES",
    },
}

# --- Accounts: django-allauth -------------------------------------------------------------------------------
from portal.auth.settings import *  # noqa: E402

# --- Logs ---------------------------------------------------------------------------------------------------
LOG_FORMAT = env.str("LOG_FORMAT", default="json" if PRODUCTION else "console")
LOGGING_CONFIG = None
LOGGING = logs.logging_config(LOG_FORMAT)
logs.configure(LOGGING)
DJANGO_STRUCTLOG_CELERY_ENABLED = True
# ContextMiddleware binds both: theirs wraps request.user, which breaks allauth's app sessions, and trusts any
# X-Forwarded-For.
DJANGO_STRUCTLOG_USER_ID_FIELD = ""
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
