"""Settings, read from the environment (see .env.example). Tests override a few in settings_test."""

from pathlib import Path
from urllib.parse import urlsplit

from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from config import env
from config.unfold import ADMIN_CONTENT_SECURITY_POLICY, ADMIN_ROUTES, UNFOLD  # noqa: F401 (settings by being here)

BASE_DIR = Path(__file__).resolve().parent.parent
env.read_dotenv(BASE_DIR / ".env")

DEBUG = env.flag("DEBUG", default=False)
SECRET_KEY = env.secret("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")
# Signs the magic links of bookings; changing it ends every link that was ever sent.
LINK_KEY = env.secret("LINK_KEY")
# Fernet keys of the encrypted columns: the first encrypts, all decrypt.
FIELD_KEYS = env.words("FIELD_KEYS")

SITE_URL = env.web_address("SITE_URL", "http://localhost:8000")
_site = urlsplit(SITE_URL)
IS_HTTPS = _site.scheme == "https"
# Raise for an address without a row in config/access.py, also without DEBUG; off, it answers 404.
FAIL_WITHOUT_ROW = False
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", _site.hostname or "localhost")
CSRF_TRUSTED_ORIGINS = [SITE_URL]
# How many reverse proxies in front of us add to X-Forwarded-For; 0 trusts none.
TRUSTED_PROXY_COUNT = env.number("TRUSTED_PROXY_COUNT", 0, high=5)

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.inlines",
    "config.apps.AdminConfig",
    "core",  # before Django's, because its createsuperuser does more
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "csp",
    "django_htmx",
    "accounts",
    "services",
    "staff",
    "payments",
    "notifications",
    "bookings",
    "storefront",
    "dashboard",
    "demo",
]

MIDDLEWARE = [
    "core.middleware.database_outage",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "core.middleware.compress_pages",
    "core.middleware.request_context",
    "core.middleware.refuse_nul",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.guard.guard_addresses",
    "core.middleware.locked_by_others",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

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
                "storefront.context_processors.frame",
            ],
            "builtins": ["django.templatetags.i18n", "django.templatetags.static", "core.templatetags.ui"],
        },
    }
]

# --- database ---------------------------------------------------------------------------------------------------
DATABASES = {
    "default": {
        **env.database("DATABASE_URL"),
        "CONN_MAX_AGE": env.number("DATABASE_CONN_MAX_AGE", 600),
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
        # PgBouncer in transaction mode gives each transaction another server connection.
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "OPTIONS": {
            "connect_timeout": 3,
            "server_side_binding": True,
            # Statements are prepared on the server when they are run this often; none for PgBouncer before 1.22.
            "prepare_threshold": env.number_or_none("DATABASE_PREPARE_THRESHOLD", 3, high=1000),
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# The application may only add rows to these (manage.py grants sees to it), and change just the columns named.
APPEND_ONLY_TABLES: dict[str, list[str]] = {
    "bookings_bookingevent": [],
    "accounts_consent": ["withdrawn_at", "customer_id"],
    "django_admin_log": [],
    "payments_billline": [],
    "payments_receipt": [],
    # Only who did it may go with the person; the name stays.
    "services_settingschange": ["actor_id"],
    "payments_receiptdocument": [],
}

# --- broker and cache: losing them loses nothing ------------------------------------------------------------------
REDIS_URL = env.text("REDIS_URL")
# In the memory of each process: no page waits for Redis, and nothing in a cache is shared. Limits count in core.limits.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
# A frozen broker must never hang a request (socket time-outs), and no request repeats a publish that was refused.
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 10,
    "socket_timeout": 30,
    "socket_connect_timeout": 3,
}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
# Before the claim of an effect runs out (core.outbox), and before the broker hands the task to somebody else.
CELERY_TASK_TIME_LIMIT = 285
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "drain-outbox": {"task": "core.tasks.drain_outbox", "schedule": 5.0, "options": {"expires": 10}},
    "send-notifications": {"task": "notifications.tasks.send_due", "schedule": 5.0, "options": {"expires": 10}},
    "look-after-payments": {
        "task": "payments.tasks.look_after_payments",
        "schedule": 30.0,
        "options": {"expires": 60},
    },
    "reconcile-payments": {"task": "payments.tasks.reconcile_payments", "schedule": crontab(hour="3", minute="20")},
    "delete-old-effects": {"task": "core.tasks.delete_old_effects", "schedule": crontab(hour="4", minute="5")},
    "delete-old-notices": {"task": "payments.tasks.delete_old_notices", "schedule": crontab(hour="4", minute="15")},
    "delete-old-messages": {"task": "notifications.tasks.delete_old", "schedule": crontab(hour="4", minute="25")},
    "forget-visitors": {"task": "bookings.tasks.forget_visitors", "schedule": crontab(hour="4", minute="30")},
    "clear-sessions": {"task": "core.tasks.clear_sessions", "schedule": crontab(hour="4", minute="35")},
    "delete-old-counts": {"task": "core.tasks.delete_old_limit_counts", "schedule": crontab(hour="4", minute="40")},
    "forget-cards": {"task": "payments.tasks.forget_cards", "schedule": crontab(minute="35")},
    "draw-receipts": {"task": "payments.tasks.draw_receipts", "schedule": crontab(minute="*/10")},
    "expire-holds": {"task": "bookings.tasks.expire_holds", "schedule": 15.0, "options": {"expires": 30}},
    "agendas": {"task": "bookings.tasks.enqueue_agendas", "schedule": 300.0, "options": {"expires": 300}},
    "settle-fees": {"task": "bookings.tasks.settle_fees", "schedule": 60.0, "options": {"expires": 120}},
}

# --- outbox and message routes (named here so that lower apps need not import upper ones) -------------------------
# topic -> name of the route (a key counts once per route) -> who is told
OUTBOX_ROUTES: dict[str, dict[str, str]] = {
    "stripe.event": {"stripe-event": "payments.handlers.stripe_event"},
    "payment.charge": {"payment-charge": "payments.handlers.charge"},
    "payment.check": {"payment-check": "payments.handlers.check"},
    "payment.call_off": {"payment-call-off": "payments.handlers.call_off"},
    "payment.succeeded": {"booking-paid": "bookings.handlers.payment_succeeded"},
    "payment.failed": {"booking-fee": "bookings.handlers.payment_failed"},
    "fee.waived": {"fee-waived": "bookings.handlers.fee_waived"},
    "card.saved": {"booking-card": "bookings.handlers.card_saved"},
    "card.unwanted": {"card-unwanted": "payments.handlers.forget_card"},
    "refund.submit": {"refund-submit": "payments.handlers.submit_refund"},
    "refund.found": {"booking-refund-found": "bookings.handlers.refund_found"},
    "refund.settled": {
        "refund-receipt": "payments.handlers.refund_receipt",
        "booking-refund": "bookings.handlers.refund_settled",
    },
    "sign_in.guessed": {"sign-in-guessed": "bookings.handlers.sign_in_guessed"},
    "staff.left": {"staff-left": "bookings.handlers.staff_left"},
    "receipt.issued": {"receipt-document": "payments.handlers.receipt_document"},
    "message.reported": {"message-reported": "notifications.handlers.message_reported"},
}
# What an installation needs before its owner can work with it. Each does nothing where it is there already.
AFTER_FIRST_SUPERUSER = ["services.operations.make_first_rows", "staff.operations.welcome_owner"]
# subject kind -> function(subject reference) -> ReceiptSubject, or None when it is gone
RECEIPT_SUBJECTS = {"booking": "bookings.wording.receipts.receipt_subject"}
# subject kind -> function(ContextRequest) -> MessageContext, or None when the message is no longer wanted
NOTIFICATION_CONTEXTS = {
    "booking": "bookings.messages.visits.notification_context",
    "staff": "bookings.messages.agenda.agenda_context",
    "user": "bookings.messages.sign_ins.guessing_context",
    "sample": "bookings.messages.samples.sample_context",
}
# subject kind -> function(subject references, instant) -> those of them that were not over at the instant
NOTIFICATION_SUBJECTS = {"booking": "bookings.messages.visits.not_over"}
DOCTOR_CHECKS = [
    "core.doctor.CHECKS",
    "services.doctor.CHECKS",
    "payments.doctor.CHECKS",
    "notifications.doctor.CHECKS",
    "bookings.doctor.visits.CHECKS",
]

# --- e-mail -------------------------------------------------------------------------------------------------------
EMAIL_TIMEOUT = 10
# Proves that what is reported to /mail/events comes from the mail provider.
MAIL_EVENTS_SECRET = env.text("MAIL_EVENTS_SECRET", "")
_mail = env.email("EMAIL_URL", "smtp://localhost:1025", timeout=EMAIL_TIMEOUT, events_secret=MAIL_EVENTS_SECRET)
vars().update(_mail)
# The class that reads those reports; empty without such a provider.
MAIL_EVENTS_WEBHOOK = str(_mail.get("MAIL_EVENTS_WEBHOOK", ""))
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "Openhours <bookings@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# --- payments: without keys everything is paid at the visit -------------------------------------------------------
STRIPE_SECRET_KEY = env.text("STRIPE_SECRET_KEY", "")
STRIPE_PUBLISHABLE_KEY = env.text("STRIPE_PUBLISHABLE_KEY", "")
# Two while one is being replaced.
STRIPE_WEBHOOK_SECRETS = env.words("STRIPE_WEBHOOK_SECRET")
STRIPE_API_BASE = env.text("STRIPE_API_BASE", "https://api.stripe.com")
STRIPE_JS_URL = env.text("STRIPE_JS_URL", "https://js.stripe.com/endive/stripe.js")

# --- texts and web push -------------------------------------------------------------------------------------------
TWILIO_ACCOUNT_SID = env.text("TWILIO_ACCOUNT_SID", "")
TWILIO_AUTH_TOKEN = env.text("TWILIO_AUTH_TOKEN", "")
# Another address than Twilio's own, for a stand-in.
TWILIO_API_BASE = env.text("TWILIO_API_BASE", "").rstrip("/")
TWILIO_SMS_FROM = env.text("TWILIO_SMS_FROM", "")
TWILIO_MESSAGING_SERVICE_SID = env.text("TWILIO_MESSAGING_SERVICE_SID", "")
TWILIO_WHATSAPP_FROM = env.text("TWILIO_WHATSAPP_FROM", "")
SMS_COUNTRIES = env.words("SMS_COUNTRIES")
SMS_PER_NUMBER_PER_DAY = env.number("SMS_PER_NUMBER_PER_DAY", 5, low=1)
SMS_PER_DAY = env.number("SMS_PER_DAY", 500)
VAPID_PRIVATE_KEY = env.text("VAPID_PRIVATE_KEY", "")
VAPID_SUBJECT = env.text("VAPID_SUBJECT", "")
# Push services we send to: the address comes from a browser, and must not lead us to a machine of our own network.
PUSH_HOSTS = env.words(
    "PUSH_HOSTS",
    "fcm.googleapis.com,push.services.mozilla.com,push.apple.com,notify.windows.com",
)
# How long a process keeps the rules of messages before it reads them again.
MESSAGE_RULES_KEPT_SECONDS = 15.0

# --- people -------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
# The admin has a sign-in of its own; the desk says itself where it leads.
LOGIN_URL = "desk_sign_in"
LOGIN_REDIRECT_URL = "admin:index"
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_NAME = "__Host-session" if IS_HTTPS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if IS_HTTPS else "csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "storefront.views.forgery.csrf_failure"
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"

# --- limits of one visitor (reliability: denial of inventory) -----------------------------------------------------
# Pages that one address reads in one web process.
READS_PER_MINUTE = env.number("READS_PER_MINUTE", 1200)
HOLDS_PER_VISITOR = env.number("HOLDS_PER_VISITOR", 3, low=1)
HOLDS_PER_ADDRESS = env.number("HOLDS_PER_ADDRESS", 30, low=1)
# Bookings ahead that may stand before anybody acted from the mailbox or paid.
UNPROVEN_BOOKINGS_PER_EMAIL = env.number("UNPROVEN_BOOKINGS_PER_EMAIL", 3, low=1)
UNPROVEN_BOOKINGS_PER_PHONE = env.number("UNPROVEN_BOOKINGS_PER_PHONE", 3, low=1)
UNPROVEN_BOOKINGS_PER_VISITOR = env.number("UNPROVEN_BOOKINGS_PER_VISITOR", 5, low=1)
UNPROVEN_BOOKINGS_PER_ADDRESS = env.number("UNPROVEN_BOOKINGS_PER_ADDRESS", 30, low=1)
UNPROVEN_BOOKINGS_OF_KNOWN = env.number("UNPROVEN_BOOKINGS_OF_KNOWN", 10, low=1)
MAILS_PER_ADDRESS_PER_HOUR = env.number("MAILS_PER_ADDRESS_PER_HOUR", 10, low=1)
MOVES_PER_HOUR = env.number("MOVES_PER_HOUR", 3, low=1)
LINK_GUESSES_PER_MINUTE = env.number("LINK_GUESSES_PER_MINUTE", 30, low=1)
# Wrong passwords, of one address and of one account (of one browser, where that is known to the account).
SIGN_INS_PER_MINUTE = env.number("SIGN_INS_PER_MINUTE", 10, low=1)
SIGN_INS_PER_DAY = env.number("SIGN_INS_PER_DAY", 100, low=1)
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
# Files are pictures of services and staff, sent to the admin.
FILE_UPLOAD_HANDLERS = [
    "core.uploads.RefuseFiles",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
FILE_UPLOAD_PATHS = ("/admin/services/", "/admin/staff/")
# Requests that one web process answers at the same time; each thread keeps one database connection. More threads answer
# fewer pages: one computes at a time, and each has statements of its own for PostgreSQL to plan.
WEB_THREADS = env.number("WEB_THREADS", 2, low=1, high=64)
# Only requests below these wait for Stripe, on threads of their own (core.front).
STRIPE_PATHS = ("/pay/",)
# The largest body (bytes) of addresses that begin so; core.front bounds every other one at 1 MB. Beyond that it reads
# only what a signed-in session that may open the admin sends.
BODY_LIMITS = {
    "/stripe/webhook": 512 * 1024,
    "/twilio/": 64 * 1024,
    **dict.fromkeys(FILE_UPLOAD_PATHS, 6_000_000),
}

# --- what is kept for how long --------------------------------------------------------------------------------------
# Effects that ran, reports of providers, texts that came in. Stripe sends a notice for three days, and three more are
# compared each night; a week is the least that covers both.
EVENTS_KEPT_DAYS = env.number("EVENTS_KEPT_DAYS", 30, low=7, high=400)
# Messages, from the end of the visit on.
MESSAGES_KEPT_DAYS = env.number("MESSAGES_KEPT_DAYS", 365, low=30, high=3650)

# --- languages and time -------------------------------------------------------------------------------------------
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
FORMAT_MODULE_PATH = ["config.formats"]
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_NAME = "language"

# --- static files -------------------------------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = env.text("STATIC_ROOT", BASE_DIR / ".data" / "static")
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_URL = "media/"
MEDIA_ROOT = env.text("MEDIA_ROOT", BASE_DIR / ".data" / "media")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "core.static.StaticFiles"},
}

# --- security headers ---------------------------------------------------------------------------------------------
SECURE_SSL_REDIRECT = IS_HTTPS and env.flag("SECURE_SSL_REDIRECT", default=True)
SECURE_REDIRECT_EXEMPT = [r"^health/"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXY_COUNT else None
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# --- logs: ids only, tokens masked --------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"mask_tokens": {"()": "core.logs.MaskTokens"}, "request_id": {"()": "core.logs.AddRequestId"}},
    "formatters": {
        "line": {
            "format": "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s",
            "()": "core.logs.UtcFormatter",
        }
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "filters": ["mask_tokens", "request_id"],
            "formatter": "line",
        }
    },
    "root": {"handlers": ["stderr"], "level": env.text("LOG_LEVEL", "INFO")},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.server": {"handlers": [], "level": "INFO", "propagate": True},
        # A line for each look at the queue would bury the lines that matter.
        "celery": {"handlers": [], "level": "WARNING", "propagate": True},
        # Its lines repeat what we log ourselves, with addresses in them.
        "stripe": {"handlers": [], "level": "WARNING", "propagate": True},
        "celery.apps.worker": {"handlers": [], "level": "INFO", "propagate": True},
        # The letters of a receipt are nobody's business.
        "fontTools": {"handlers": [], "level": "WARNING", "propagate": True},
        # It would write the numbers that it asks about.
        "twilio.http_client": {"handlers": [], "level": "WARNING", "propagate": True},
        # The web server would write every address as it came, tokens included.
        "granian.access": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
    },
}

# Whether other names below this host speak https is the owner's to say: SECURE_HSTS_INCLUDE_SUBDOMAINS and preload.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
