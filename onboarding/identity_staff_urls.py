"""Staff addresses of identity checks."""

from django.urls import path

from onboarding.views import identity_staff

app_name = "identity_staff"
urlpatterns = [
    path("identity-check/delivery/", identity_staff.delivery, name="delivery"),
    path("applications/<uuid:application_id>/identity-check/", identity_staff.override, name="override"),
]
