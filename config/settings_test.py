"""Settings of the test run: the real ones with a few overrides that make tests quick and strict."""

from config.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
ALLOW_CRASH_POINTS = True
FAIL_WITHOUT_ROW = True
# Nothing is collected for tests in one process; the folder of collected files may not even exist.
WHITENOISE_AUTOREFRESH = True
# Kept rules would make the number of statements depend on the clock.
MESSAGE_RULES_KEPT_SECONDS = 0.0
# Most tests book for the same few people; those about these limits set their own.
UNPROVEN_BOOKINGS_PER_EMAIL = UNPROVEN_BOOKINGS_PER_PHONE = UNPROVEN_BOOKINGS_PER_VISITOR = 100_000
UNPROVEN_BOOKINGS_PER_ADDRESS = UNPROVEN_BOOKINGS_OF_KNOWN = MAILS_PER_ADDRESS_PER_HOUR = MOVES_PER_HOUR = 100_000
# Redis leads nowhere, so these are counted in PostgreSQL, and tests of other things open many links that do not exist.
LINK_GUESSES_PER_MINUTE = 10_000
