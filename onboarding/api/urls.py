"""The customer's REST addresses, below /api/v1/."""

from django.urls import path

from onboarding.api import (
    agreements,
    availability,
    details,
    document_requests,
    documents,
    files,
    identity,
    owners,
    requests,
    uploads,
    views,
)

app_name = "api"
urlpatterns = [
    path("applications", views.ApplicationsView.as_view(), name="applications"),
    path("applications/<uuid:application_id>", views.ApplicationView.as_view(), name="application"),
    path("applications/<uuid:application_id>/steps/<slug:step>", views.StepView.as_view(), name="step"),
    path("applications/<uuid:application_id>/owners", owners.OwnersView.as_view(), name="owners"),
    path(
        "applications/<uuid:application_id>/owners/<uuid:owner_id>", owners.OwnerView.as_view(), name="owner"
    ),
    path(
        "applications/<uuid:application_id>/owners/<uuid:owner_id>/steps/<slug:step>",
        owners.OwnerStepView.as_view(),
        name="owner_step",
    ),
    path(
        "applications/<uuid:application_id>/owners/<uuid:owner_id>/invitation",
        owners.InvitationView.as_view(),
        name="owner_invite",
    ),
    path("invitations/accept", owners.InvitationAcceptView.as_view(), name="invitation_accept"),
    path("parts", owners.PartsView.as_view(), name="parts"),
    path("applications/<uuid:application_id>/agreements", views.AcceptView.as_view(), name="accept"),
    path(
        "applications/<uuid:application_id>/availability",
        availability.AvailabilityView.as_view(),
        name="availability",
    ),
    path("applications/<uuid:application_id>/submit", views.SubmitView.as_view(), name="submit"),
    path(
        "applications/<uuid:application_id>/shared-identity",
        views.SharedIdentityView.as_view(),
        name="shared_identity",
    ),
    path("applications/<uuid:application_id>/documents", documents.DocumentsView.as_view(), name="documents"),
    path("applications/<uuid:application_id>/uploads", uploads.UploadsView.as_view(), name="uploads"),
    path(
        "applications/<uuid:application_id>/uploads/<uuid:upload_id>",
        uploads.UploadView.as_view(),
        name="upload",
    ),
    path(
        "applications/<uuid:application_id>/identity-check",
        identity.IdentityCheckView.as_view(),
        name="identity_check",
    ),
    path(
        "applications/<uuid:application_id>/identity-check/link",
        identity.IdentityLinkView.as_view(),
        name="identity_check_link",
    ),
    path(
        "applications/<uuid:application_id>/identity-check/renewal",
        identity.IdentityRenewalView.as_view(),
        name="identity_check_renewal",
    ),
    path(
        "applications/<uuid:application_id>/documents/<uuid:document_id>/links",
        files.DocumentLinksView.as_view(),
        name="document_links",
    ),
    path("files/<str:token>", files.FileView.as_view(), name="file"),
    path(
        "applications/<uuid:application_id>/document-requests",
        document_requests.DocumentRequestsView.as_view(),
        name="document_requests",
    ),
    path(
        "applications/<uuid:application_id>/document-requests/<uuid:request_id>/answer",
        document_requests.AnswerView.as_view(),
        name="document_request_answer",
    ),
    path("applications/<uuid:application_id>/details", details.DetailsView.as_view(), name="details"),
    path(
        "applications/<uuid:application_id>/details/<slug:step>", details.DetailView.as_view(), name="detail"
    ),
    path(
        "applications/<uuid:application_id>/owners/<uuid:owner_id>/details/<slug:step>",
        details.PersonDetailView.as_view(),
        name="person_detail",
    ),
    path(
        "applications/<uuid:application_id>/change-requests",
        requests.ChangeRequestsView.as_view(),
        name="change_requests",
    ),
    path("applications/<uuid:application_id>/closure", requests.ClosureView.as_view(), name="closure"),
    path("agreements", views.AgreementsView.as_view(), name="agreements"),
    path("agreements/pending", agreements.PendingView.as_view(), name="agreements_pending"),
    path("agreements/acceptances", agreements.AcceptPendingView.as_view(), name="agreements_accept"),
    path(
        "agreements/acceptances/<uuid:acceptance_id>/certificate",
        agreements.CertificateView.as_view(),
        name="certificate",
    ),
    path("agreements/<uuid:agreement_id>/document", agreements.DocumentView.as_view(), name="document"),
]
