"""The root of all addresses."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from portal import health
from portal.api.errors import not_found
from portal.views import finding, problems
from portal.views.gallery import GalleryView
from providers.staff_urls import inbox_urls, operations_urls

to_staff = RedirectView.as_view(pattern_name="staff:applications", http_method_names=["get", "head"])
urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("", include("portal.auth.urls")),
    path("applications/", include("onboarding.urls")),
    path("applications/", include("onboarding.request_urls")),
    path("applications/", include("onboarding.identity_urls")),
    path("agreements/", include("onboarding.agreement_urls")),
    path("staff/", to_staff, name="staff"),
    path("staff/reveal/", include("portal.reveal_urls")),
    path("staff/audit/", include("portal.audit_urls")),
    path("staff/roles/", include("compliance.roles_urls")),
    path("staff/", include("onboarding.staff_urls")),
    path("staff/", include("onboarding.request_staff_urls")),
    path("staff/", include("onboarding.identity_staff_urls")),
    path("staff/", include("onboarding.document_staff_urls")),
    path(".well-known/", include("compliance.public_urls")),
    path("staff/find/", finding.find, name="find"),
    path("staff/", include("onboarding.privacy_staff_urls")),
    path("privacy/", include("onboarding.privacy_urls")),
    path("money/", include("funding.urls")),
    path("staff/transfers/reconciliation/", include("funding.reconciliation.urls")),
    path("staff/", include("funding.staff_urls")),
    path("staff/cases/", include("compliance.staff_urls")),
    path("staff/dashboard/", include("compliance.dashboard_urls")),
    path("staff/reviews/", include("compliance.review_urls")),
    path("staff/webhooks/", include(inbox_urls)),
    path("staff/operations/", include(operations_urls)),
    path("webhooks/", include("providers.urls")),
    path("docs/problems/", problems.problem_types, name="problem_types"),
    path("docs/problems/<slug:code>", problems.problem_type, name="problem_type"),
    path("api/v1/", include("onboarding.api.urls")),
    path("api/v1/", include("funding.api.urls")),
    path("api/schema", SpectacularAPIView.as_view(), name="api_schema"),
    path("api/docs", SpectacularSwaggerSplitView.as_view(url_name="api_schema"), name="api_docs"),
    re_path(r"^api/v1/", not_found),
]

handler500 = "portal.api.errors.server_error"

if settings.ENVIRONMENT == "development":
    urlpatterns.append(path("dev/components/", GalleryView.as_view(), name="dev_components"))
