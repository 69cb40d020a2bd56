"""URL patterns: the admin first, the storefront last."""

from django.contrib import admin
from django.urls import include, path, re_path

from core import views

urlpatterns = [
    path("admin/", admin.site.urls),
    path("robots.txt", views.robots, name="robots"),
    path("health/live", views.live, name="live"),
    path("health/ready", views.ready, name="ready"),
    # The folders that pictures are uploaded to, and no others.
    re_path(r"^media/(?P<folder>services|staff)/(?P<name>[^/]+)$", views.picture, name="picture"),
    path("", include("payments.urls")),
    path("desk/", include("dashboard.urls")),
    path("", include("notifications.urls")),
    path("", include("storefront.urls")),
]

handler400 = "core.views.bad_request"
handler403 = "core.views.forbidden"
handler404 = "core.views.not_found"
handler500 = "core.views.server_error"
