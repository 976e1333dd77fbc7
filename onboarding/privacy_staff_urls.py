"""Staff addresses of customers' requests about their data, of legal holds, and of how long data is kept."""

from django.urls import path

from onboarding.views import privacy_staff

app_name = "privacy_staff"
urlpatterns = [
    path("privacy/<uuid:customer_id>/", privacy_staff.customer, name="customer"),
    path("privacy/<uuid:customer_id>/ask/", privacy_staff.ask, name="ask"),
    path("privacy/<uuid:customer_id>/hold/", privacy_staff.hold, name="hold"),
    path("retention/", privacy_staff.periods, name="retention"),
    path("retention/<slug:code>/", privacy_staff.period, name="period"),
]
