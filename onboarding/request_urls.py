"""The customer's addresses of what the provider's operations do by hand."""

from django.urls import path

from onboarding.views import closures, restricted

app_name = "requests"
urlpatterns = [
    path("<uuid:application_id>/restricted/", restricted.choose, name="restricted"),
    path("<uuid:application_id>/restricted/<slug:field>/", restricted.ask, name="restricted_ask"),
    path(
        "<uuid:application_id>/restricted/people/<uuid:owner_id>/<slug:field>/",
        restricted.ask,
        name="restricted_ask_person",
    ),
    path(
        "<uuid:application_id>/restricted/<uuid:request_id>/withdraw/",
        restricted.withdraw,
        name="restricted_withdraw",
    ),
    path("<uuid:application_id>/close/", closures.close, name="close"),
    path("<uuid:application_id>/close/withdraw/", closures.withdraw, name="close_withdraw"),
]
