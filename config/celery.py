"""The Celery application: broker and schedule come from settings, tasks from each app's tasks.py."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("openhours")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
