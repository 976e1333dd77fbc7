"""Addresses of the customer's identity check."""

from django.urls import path

from onboarding.views import identity

app_name = "identity"
urlpatterns = [
    path("<uuid:application_id>/identity-check/", identity.check, name="check"),
    path("<uuid:application_id>/identity-check/open/", identity.open_link, name="open"),
    path("<uuid:application_id>/identity-check/new/", identity.renew, name="renew"),
    path("<uuid:application_id>/identity-check/phone/", identity.phone, name="phone"),
    # The logs leave out what follows "continue-check/" (portal/logs.py).
    path("continue-check/<str:token>/", identity.handoff, name="handoff"),
]
