"""The customer's addresses of agreements."""

from django.urls import path

from onboarding.views import agreements_customer

app_name = "agreements"
urlpatterns = [
    path("", agreements_customer.agreements, name="home"),
    path("<uuid:agreement_id>/document.pdf", agreements_customer.document, name="document"),
    path(
        "acceptances/<uuid:acceptance_id>/certificate.pdf",
        agreements_customer.certificate_file,
        name="certificate",
    ),
]
