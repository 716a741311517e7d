"""Every address of the system."""

from django.contrib import admin
from django.urls import include, path, re_path

from monolith import health, problems

urlpatterns = [
    path("livez", health.livez),
    path("readyz", health.readyz),
    path("api/v1/", include("modules.inventory.urls")),
    path("api/v1/", include("modules.orders.urls")),
    path("api/v1/", include("modules.payments.urls")),
    re_path(r"^api/", problems.not_found),  # with DEBUG on, Django would answer with a page
    path("admin/", admin.site.urls),
]

handler400 = problems.bad_request
handler403 = problems.permission_denied
handler404 = problems.not_found
handler500 = problems.server_error
