"""Staff addresses of the audit trail."""

from django.urls import path

from portal.views import audit

app_name = "audit"
urlpatterns = [
    path("", audit.trail, name="list"),
    path("find/", audit.find, name="find"),
    path("entries.csv", audit.download, name="download"),
    path("checks/", audit.checks, name="checks"),
    path("checks/progress/", audit.progress, name="check_progress"),
    path("<uuid:entry_id>/", audit.entry, name="entry"),
]
