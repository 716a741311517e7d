"""Settings of the reference system. Every name is explained in docs/reference/settings.md.

With no database and no broker named in the environment, both are embedded servers in ``.local/``.
"""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from django_seams.embedded import Servers
from django_seams.modules import load_modules
from monolith.environment import Environment, database_variables, is_external, local_servers

BASE_DIR = Path(__file__).resolve().parent.parent
MODULES = load_modules(BASE_DIR / "pyproject.toml")
DATABASE_VARIABLES = database_variables(MODULES)  # alias → the variable that holds its URL

LOCAL_FOLDER = Path(os.environ.get("SEAMS_EMBEDDED") or BASE_DIR / ".local" / "dev").absolute()
EMBEDDED: Servers | None = None if is_external(DATABASE_VARIABLES) else local_servers(LOCAL_FOLDER, DATABASE_VARIABLES)

env = Environment(local=EMBEDDED.environ if EMBEDDED else {})

DEBUG = env.bool("DEBUG", EMBEDDED is not None)
SECRET_KEY = env.server("SECRET_KEY")  # Django refuses an empty one where it is needed
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", [])

# --- What the system is made of -------------------------------------------------------------------

INSTALLED_APPS = [
    "monolith",  # before staticfiles: its runserver is the one that counts
    "monolith.accounts",
    "modules.inventory",
    "modules.orders",
    "modules.payments",
    "django_seams",
    "django_outbox_pattern",
    "rest_framework",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "monolith.body_limit.BodyLimitMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

ROOT_URLCONF = "monolith.urls"
WSGI_APPLICATION = "monolith.wsgi.application"
ASGI_APPLICATION = "monolith.asgi.application"
AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Modules, databases, broker -------------------------------------------------------------------

DATABASES = {alias: env.database(variable) for alias, variable in DATABASE_VARIABLES.items()}
DATABASE_ROUTERS = ["django_seams.modules.Router"]
REDIS_URL = env.server("REDIS_URL")

SEAMS: dict[str, Any] = {
    "MODULES": MODULES,
    "EMBEDDED": EMBEDDED,
    "PROVISION_DATABASE_URL": env.server("PROVISION_DATABASE_URL"),
    "RELAY_USER": env.server("RELAY_USER"),
    "RELAY_PASSWORD": env.server("RELAY_PASSWORD"),
    "CONTRACTS": BASE_DIR / "contracts",
}

ORDER_DEADLINE = timedelta(seconds=env.float("ORDER_DEADLINE", 120.0))
PSP_URL = env.server("PSP_URL")

CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # Redis comes back when it comes back
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_TIME_LIMIT = 900  # well under Redis' visibility timeout of an hour: nothing is delivered twice

# --- HTTP -----------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["monolith.parsers.BoundedJSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["monolith.accounts.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PAGINATION_CLASS": "monolith.pages.NewestFirst",
    "EXCEPTION_HANDLER": "monolith.problems.problem_response",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
API_BODY_LIMIT = 256 * 1024  # bytes; 1,000 order lines are 60 KiB
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000

SECURE_COOKIES = env.bool("SECURE_COOKIES", not DEBUG)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_COOKIES
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True  # only the admin has static files: no collectstatic step

# --- Time, language, log --------------------------------------------------------------------------

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"
USE_I18N = False

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname:<7} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
    "loggers": {
        "django": {"handlers": ["console"], "level": "INFO", "propagate": False},
        "httpx": {"level": "WARNING"},
        "httpx2": {"level": "WARNING"},
    },
}
