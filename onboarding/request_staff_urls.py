"""Staff addresses of what the provider's operations do by hand."""

from django.urls import path

from onboarding.views import provider_note, restricted_staff

app_name = "staff_requests"
urlpatterns = [
    path("applications/<uuid:application_id>/restricted/", restricted_staff.choose, name="restricted"),
    path(
        "applications/<uuid:application_id>/restricted/<slug:field>/",
        restricted_staff.ask,
        name="restricted_ask",
    ),
    path(
        "applications/<uuid:application_id>/restricted/people/<uuid:owner_id>/<slug:field>/",
        restricted_staff.ask,
        name="restricted_ask_person",
    ),
    path(
        "applications/<uuid:application_id>/for-provider/<uuid:case_id>/",
        provider_note.for_provider,
        name="for_provider",
    ),
    path("changes/<uuid:request_id>/", restricted_staff.change_request, name="request"),
    path("changes/<uuid:request_id>/export/", restricted_staff.export_file, name="export"),
    path("changes/<uuid:request_id>/answer/", restricted_staff.answer, name="answer"),
]
