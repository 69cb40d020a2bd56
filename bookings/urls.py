"""Public addresses. /h/ is a hold by its token, /b/ a booking by its magic link."""

from typing import Any

urlpatterns: list[Any] = []
