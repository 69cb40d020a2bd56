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
# Signs the magic links of bookings. A new value invalidates every link that was sent.
LINK_KEY = env.secret("LINK_KEY")
# Fernet keys of the encrypted columns: the first encrypts, all decrypt.
FIELD_KEYS = env.words("FIELD_KEYS")

SITE_URL = env.web_address("SITE_URL", "http://localhost:8000")
_site = urlsplit(SITE_URL)
IS_HTTPS = _site.scheme == "https"
# Raise an error for an address without a row in config/access.py, even without DEBUG. If off, it gives 404.
FAIL_WITHOUT_ROW = False
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", _site.hostname or "localhost")
CSRF_TRUSTED_ORIGINS = [SITE_URL]
# How many reverse proxies in front of the site add to X-Forwarded-For; 0 trusts none.
TRUSTED_PROXY_COUNT = env.number("TRUSTED_PROXY_COUNT", 0, high=5)

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.inlines",
    "config.apps.AdminConfig",
    "core",  # before django.contrib.auth, because core overrides createsuperuser
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "csp",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "accounts",  # after allauth's apps, because it removes their models from the admin
    "services",
    "staff",
    "payments",
    "notifications",
    "bookings",
    "privacy",
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
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.keep_customers",
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
        # PgBouncer in transaction mode may give each transaction another server connection.
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "OPTIONS": {
            "connect_timeout": 3,
            "server_side_binding": True,
            # A statement is prepared on the server after this many runs. Set it to none for PgBouncer before 1.22.
            "prepare_threshold": env.number_or_none("DATABASE_PREPARE_THRESHOLD", 3, high=1000),
        },
    }
}
# The role that erases may change history and receipts, which the application may not. Only workers connect as it, for
# the time of a task. Without its address they erase as the application's role, which has to be the owner then.
_retention = env.text("DATABASE_RETENTION_URL", "")
if _retention:
    DATABASES["retention"] = {**DATABASES["default"], **env.database("DATABASE_RETENTION_URL"), "CONN_MAX_AGE": 0}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# The application may only insert rows here and update the named columns. manage.py grants enforces it.
APPEND_ONLY_TABLES: dict[str, list[str]] = {
    "bookings_bookingevent": [],
    "accounts_consent": ["withdrawn_at", "customer_id"],
    "django_admin_log": [],
    "payments_billline": [],
    "payments_receipt": [],
    # Deleting a user clears the reference; the name stays in the row.
    "services_settingschange": ["actor_id"],
    "accounts_accesslog": ["user_id"],
    "staff_teamevent": ["user_id", "actor_id"],
    # What was proposed, by whom and when stays; the decision is added.
    "services_proposedchange": [
        *("service_id", "location_id", "proposed_by_id"),
        *("decision", "decided_at", "decided_by_id", "decided_by_name", "reason", "replaced"),
    ],
    "payments_receiptdocument": [],
}

# --- broker and cache: they hold no data that must survive --------------------------------------------------------
REDIS_URL = env.text("REDIS_URL")
# In the memory of each process, so no page waits for Redis and no process shares a cache. core.limits counts limits.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
# A frozen broker must never hang a request: hence the socket time-outs, and no retry of a failed publish.
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
# Seconds. Less than a claim of core.outbox lasts, and less than the broker's visibility time-out, after which it
# delivers the task to another worker.
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
    "erase-again": {"task": "privacy.tasks.erase_again", "schedule": crontab(hour="4", minute="0")},
    "delete-what-is-due": {"task": "privacy.tasks.delete_what_is_due", "schedule": crontab(hour="4", minute="45")},
    "delete-old-effects": {"task": "core.tasks.delete_old_effects", "schedule": crontab(hour="4", minute="5")},
    "delete-old-notices": {"task": "payments.tasks.delete_old_notices", "schedule": crontab(hour="4", minute="15")},
    "delete-old-messages": {"task": "notifications.tasks.delete_old", "schedule": crontab(hour="4", minute="25")},
    "forget-visitors": {"task": "bookings.tasks.forget_visitors", "schedule": crontab(hour="4", minute="30")},
    "clear-sessions": {"task": "core.tasks.clear_sessions", "schedule": crontab(hour="4", minute="35")},
    "delete-old-access": {"task": "accounts.tasks.delete_old_access", "schedule": crontab(hour="4", minute="45")},
    "forget-sessions": {"task": "accounts.tasks.forget_ended_sessions", "schedule": crontab(hour="4", minute="38")},
    "delete-old-counts": {"task": "core.tasks.delete_old_limit_counts", "schedule": crontab(hour="4", minute="40")},
    "forget-cards": {"task": "payments.tasks.forget_cards", "schedule": crontab(minute="35")},
    "draw-receipts": {"task": "payments.tasks.draw_receipts", "schedule": crontab(minute="*/10")},
    "expire-holds": {"task": "bookings.tasks.expire_holds", "schedule": 15.0, "options": {"expires": 30}},
    "agendas": {"task": "bookings.tasks.enqueue_agendas", "schedule": 300.0, "options": {"expires": 300}},
    "find-unusual-reading": {
        "task": "privacy.tasks.find_unusual_reading",
        "schedule": crontab(minute="*/10"),
    },
    "settle-fees": {"task": "bookings.tasks.settle_fees", "schedule": 60.0, "options": {"expires": 120}},
}

# --- outbox and message routes (named here so that lower apps need not import upper ones) -------------------------
# topic -> name of the route (a key counts once per route) -> handler
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
    "sign_in.changed": {"sign-in-changed": "bookings.handlers.sign_in_changed"},
    "reading.unusual": {"unusual-reading": "privacy.handlers.unusual_reading"},
    "customer.erase": {"customer-erase": "privacy.handlers.erase"},
    "staff.left": {"staff-left": "bookings.handlers.staff_left"},
    "staff.invited": {"staff-invited": "bookings.handlers.staff_invited"},
    "receipt.issued": {"receipt-document": "payments.handlers.receipt_document"},
    "message.reported": {"message-reported": "notifications.handlers.message_reported"},
}
# Functions that createsuperuser calls to prepare an installation for its owner. Each does nothing the second time.
AFTER_FIRST_SUPERUSER = ["services.operations.make_first_rows", "staff.operations.welcome_owner"]
# subject kind -> function(subject reference) -> ReceiptSubject, or None if the subject is gone
RECEIPT_SUBJECTS = {"booking": "bookings.wording.receipts.receipt_subject"}
# subject kind -> function(ContextRequest) -> MessageContext, or None if the message is not wanted any more
NOTIFICATION_CONTEXTS = {
    "booking": "bookings.messages.visits.notification_context",
    "staff": "bookings.messages.agenda.agenda_context",
    "user": "bookings.messages.sign_ins.sign_in_context",
    "sign_in": "bookings.messages.sign_in_codes.code_context",
    "proposal": "bookings.messages.proposals.proposal_context",
    "invitation": "bookings.messages.invitations.invitation_context",
    "reading": "privacy.reading_messages.reading_context",
    "sample": "bookings.messages.samples.sample_context",
}
# subject kind -> function(subject references, instant) -> the references whose subject was not over at the instant
NOTIFICATION_SUBJECTS = {"booking": "bookings.messages.visits.not_over"}
DOCTOR_CHECKS = [
    "core.doctor.CHECKS",
    "services.doctor.CHECKS",
    "payments.doctor.CHECKS",
    "notifications.doctor.CHECKS",
    "bookings.doctor.visits.CHECKS",
]

# Modules that declare the personal data of an app. Erasing runs them in this order: bookings find what is about a
# customer in the tables of payments and messages, so they come first.
PERSONAL_DATA = [
    "privacy.privacy",
    "bookings.privacy",
    "notifications.privacy",
    "payments.privacy",
    "accounts.privacy",
    "staff.privacy",
    "services.privacy",
    "core.privacy",
]

# --- e-mail -------------------------------------------------------------------------------------------------------
EMAIL_TIMEOUT = 10
# Authenticates the mail provider's webhooks to /mail/events.
MAIL_EVENTS_SECRET = env.text("MAIL_EVENTS_SECRET", "")
_mail = env.email("EMAIL_URL", "smtp://localhost:1025", timeout=EMAIL_TIMEOUT, events_secret=MAIL_EVENTS_SECRET)
vars().update(_mail)
# The view class that reads these webhooks; empty without a mail provider.
MAIL_EVENTS_WEBHOOK = str(_mail.get("MAIL_EVENTS_WEBHOOK", ""))
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "Openhours <bookings@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# --- payments: without Stripe keys customers pay at the visit -----------------------------------------------------
STRIPE_SECRET_KEY = env.text("STRIPE_SECRET_KEY", "")
STRIPE_PUBLISHABLE_KEY = env.text("STRIPE_PUBLISHABLE_KEY", "")
# A list, so that an old and a new secret are both valid while the owner replaces one.
STRIPE_WEBHOOK_SECRETS = env.words("STRIPE_WEBHOOK_SECRET")
STRIPE_API_BASE = env.text("STRIPE_API_BASE", "https://api.stripe.com")
STRIPE_JS_URL = env.text("STRIPE_JS_URL", "https://js.stripe.com/endive/stripe.js")

# --- text messages and web push -----------------------------------------------------------------------------------
TWILIO_ACCOUNT_SID = env.text("TWILIO_ACCOUNT_SID", "")
TWILIO_AUTH_TOKEN = env.text("TWILIO_AUTH_TOKEN", "")
# Replaces Twilio's own address, for a local stand-in.
TWILIO_API_BASE = env.text("TWILIO_API_BASE", "").rstrip("/")
TWILIO_SMS_FROM = env.text("TWILIO_SMS_FROM", "")
TWILIO_MESSAGING_SERVICE_SID = env.text("TWILIO_MESSAGING_SERVICE_SID", "")
TWILIO_WHATSAPP_FROM = env.text("TWILIO_WHATSAPP_FROM", "")
SMS_COUNTRIES = env.words("SMS_COUNTRIES")
SMS_PER_NUMBER_PER_DAY = env.number("SMS_PER_NUMBER_PER_DAY", 5, low=1)
SMS_PER_DAY = env.number("SMS_PER_DAY", 500)
VAPID_PRIVATE_KEY = env.text("VAPID_PRIVATE_KEY", "")
VAPID_SUBJECT = env.text("VAPID_SUBJECT", "")
# Allowed push services. The address comes from a browser and must not point to a machine in our own network.
PUSH_HOSTS = env.words(
    "PUSH_HOSTS",
    "fcm.googleapis.com,push.services.mozilla.com,push.apple.com,notify.windows.com",
)
# How long a process caches the message rules.
MESSAGE_RULES_KEPT_SECONDS = 15.0

# --- people -------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.UserBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "desk"
# allauth runs the sign-in: password, then the second factor. Only the views in dashboard.urls are mounted.
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = "strict"
ACCOUNT_SESSION_REMEMBER = False
# accounts.sign_in counts wrong passwords and codes. allauth would count them in each process by itself.
ACCOUNT_RATE_LIMITS = False
MFA_RATE_LIMITS = False
MFA_ADAPTER = "accounts.adapters.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
# Steps of 30 seconds that the clock of a phone may be off.
MFA_TOTP_TOLERANCE = 1
# One provider of OpenID Connect for customers. It is trusted to know whose mailbox it is, so it has to be one that
# confirms addresses.
OIDC_ISSUER = env.text("OIDC_ISSUER", "").rstrip("/")
OIDC_NAME = env.text("OIDC_NAME", "OpenID Connect")
OIDC_CLIENT_ID = env.text("OIDC_CLIENT_ID", "")
OIDC_SECRET = env.text("OIDC_SECRET", "")
SOCIALACCOUNT_ADAPTER = "storefront.sign_in.oidc.Adapter"
# The state in the session and PKCE guard the answer.
SOCIALACCOUNT_LOGIN_ON_GET = True
SOCIALACCOUNT_REQUESTS_TIMEOUT = 5
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "SCOPE": ["openid", "email"],
        "APPS": [
            {
                "provider_id": "sso",
                "name": OIDC_NAME,
                "client_id": OIDC_CLIENT_ID,
                "secret": OIDC_SECRET,
                # The signed token has the address, so no further request is needed.
                "settings": {"server_url": OIDC_ISSUER, "fetch_userinfo": False},
            }
        ],
    }
}
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXY_COUNT
SESSION_ENGINE = "core.session_store"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_NAME = "__Host-session" if IS_HTTPS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if IS_HTTPS else "csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "storefront.views.forgery.csrf_failure"
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"

# --- limits of one visitor, against abuse and blocked inventory ---------------------------------------------------
# Pages that one IP address may read in one web process.
READS_PER_MINUTE = env.number("READS_PER_MINUTE", 1200)
HOLDS_PER_VISITOR = env.number("HOLDS_PER_VISITOR", 3, low=1)
HOLDS_PER_ADDRESS = env.number("HOLDS_PER_ADDRESS", 30, low=1)
# Upcoming bookings that a visitor may have without a payment or an action from the mailbox.
UNPROVEN_BOOKINGS_PER_EMAIL = env.number("UNPROVEN_BOOKINGS_PER_EMAIL", 3, low=1)
UNPROVEN_BOOKINGS_PER_PHONE = env.number("UNPROVEN_BOOKINGS_PER_PHONE", 3, low=1)
UNPROVEN_BOOKINGS_PER_VISITOR = env.number("UNPROVEN_BOOKINGS_PER_VISITOR", 5, low=1)
UNPROVEN_BOOKINGS_PER_ADDRESS = env.number("UNPROVEN_BOOKINGS_PER_ADDRESS", 30, low=1)
UNPROVEN_BOOKINGS_OF_KNOWN = env.number("UNPROVEN_BOOKINGS_OF_KNOWN", 10, low=1)
MAILS_PER_ADDRESS_PER_HOUR = env.number("MAILS_PER_ADDRESS_PER_HOUR", 10, low=1)
MOVES_PER_HOUR = env.number("MOVES_PER_HOUR", 3, low=1)
LINK_GUESSES_PER_MINUTE = env.number("LINK_GUESSES_PER_MINUTE", 30, low=1)
# Wrong passwords per IP address and per account; a browser that the account knows has a limit of its own.
SIGN_INS_PER_MINUTE = env.number("SIGN_INS_PER_MINUTE", 10, low=1)
SIGN_INS_PER_DAY = env.number("SIGN_INS_PER_DAY", 100, low=1)
# Codes with which customers sign in that one IP address may ask for in an hour.
SIGN_IN_CODES_PER_ADDRESS = env.number("SIGN_IN_CODES_PER_ADDRESS", 30, low=1)
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
# The only uploads are pictures of services and staff members in the admin.
FILE_UPLOAD_HANDLERS = [
    "core.uploads.RefuseFiles",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
FILE_UPLOAD_PATHS = ("/admin/services/", "/admin/staff/")
# Requests that one web process answers at the same time; each thread keeps one database connection. More threads answer
# fewer pages: only one thread computes at a time, and PostgreSQL plans prepared statements for each connection.
WEB_THREADS = env.number("WEB_THREADS", 2, low=1, high=64)
# Only requests with these path prefixes wait for Stripe, or for the provider of OpenID Connect. They have threads of
# their own (core.front).
STRIPE_PATHS = ("/pay/", "/my/sign-in/with/")
# Path prefix -> largest body in bytes; core.front limits all other paths to 1 MB. It accepts more than 1 MB only from
# signed-in users who may open the admin.
BODY_LIMITS = {
    "/stripe/webhook": 512 * 1024,
    "/twilio/": 64 * 1024,
    **dict.fromkeys(FILE_UPLOAD_PATHS, 6_000_000),
}

# --- retention ------------------------------------------------------------------------------------------------------
# Done outbox messages, events of providers and received text messages. Stripe retries an event for three days, and the
# nightly comparison covers three more; a week is the minimum that covers both.
EVENTS_KEPT_DAYS = env.number("EVENTS_KEPT_DAYS", 30, low=7, high=400)
# The access log. The database function that deletes old rows keeps six months whatever this says.
ACCESS_LOG_KEPT_MONTHS = env.number("ACCESS_LOG_KEPT_MONTHS", 24, low=6, high=240)
# Messages, counted from the end of the booking, unless the business sets a number of months at the desk.
MESSAGES_KEPT_DAYS = env.number("MESSAGES_KEPT_DAYS", 365, low=30, high=3650)
# function(now) -> the moment before which messages are deleted
MESSAGES_KEPT_SINCE = "privacy.queries.messages_before"

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
        # At INFO it logs every poll of the queue.
        "celery": {"handlers": [], "level": "WARNING", "propagate": True},
        # Its lines repeat our own logs, with addresses in them.
        "stripe": {"handlers": [], "level": "WARNING", "propagate": True},
        "celery.apps.worker": {"handlers": [], "level": "INFO", "propagate": True},
        # At INFO it logs the characters of a receipt, which are personal data.
        "fontTools": {"handlers": [], "level": "WARNING", "propagate": True},
        # At INFO it logs phone numbers.
        "twilio.http_client": {"handlers": [], "level": "WARNING", "propagate": True},
        # Its lines contain full addresses with tokens, so they go through the filters of our handler.
        "granian.access": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
    },
}

# HSTS for subdomains and preload stay off: only the owner knows whether all subdomains support https.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
