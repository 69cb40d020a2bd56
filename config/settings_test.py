"""Settings of the tests: the real ones with overrides that make tests fast and strict."""

from config.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# Tests in one process erase on the connection of the owner, who may do everything. Processes of a stack are connected
# as the application, and erase as the role that may.
if DATABASES["default"]["USER"] != "openhours_app":  # noqa: F405
    DATABASES.pop("retention", None)  # noqa: F405
ALLOW_CRASH_POINTS = True
FAIL_WITHOUT_ROW = True
# Tests do not run collectstatic, so STATIC_ROOT may not exist.
WHITENOISE_AUTOREFRESH = True
# Cached message rules would make the number of queries depend on the clock.
MESSAGE_RULES_KEPT_SECONDS = 0.0
# Most tests book for the same few customers. Tests of these limits set their own values.
UNPROVEN_BOOKINGS_PER_EMAIL = UNPROVEN_BOOKINGS_PER_PHONE = UNPROVEN_BOOKINGS_PER_VISITOR = 100_000
UNPROVEN_BOOKINGS_PER_ADDRESS = UNPROVEN_BOOKINGS_OF_KNOWN = MAILS_PER_ADDRESS_PER_HOUR = MOVES_PER_HOUR = 100_000
# Tests have no Redis, so PostgreSQL keeps these counts, and many tests open links that do not exist.
LINK_GUESSES_PER_MINUTE = 10_000
