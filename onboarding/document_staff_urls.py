"""Staff addresses of papers: those of one application, requests for them, the provider's copies, what expires."""

from django.urls import path

from onboarding.views import document_provider, document_staff

app_name = "staff_documents"
urlpatterns = [
    path("papers/expiring/", document_staff.expiring, name="expiring"),
    path("applications/<uuid:application_id>/papers/", document_staff.papers, name="papers"),
    path("applications/<uuid:application_id>/papers/ask/", document_staff.ask, name="ask"),
    path(
        "applications/<uuid:application_id>/papers/requests/<uuid:request_id>/withdraw/",
        document_staff.withdraw,
        name="withdraw",
    ),
    path(
        "applications/<uuid:application_id>/papers/<uuid:document_id>/accept/",
        document_staff.accept,
        name="accept",
    ),
    path(
        "applications/<uuid:application_id>/papers/<uuid:document_id>/reject/",
        document_staff.reject,
        name="reject",
    ),
    path("applications/<uuid:application_id>/papers/provider/", document_provider.compare, name="provider"),
    path(
        "applications/<uuid:application_id>/papers/provider/<uuid:document_id>/",
        document_provider.download,
        name="provider_file",
    ),
]
