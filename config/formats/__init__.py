"""Date formats of Django's own widgets and columns in the admin. Pages for customers use ``core.formats``."""
