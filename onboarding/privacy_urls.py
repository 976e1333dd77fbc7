"""The customer's addresses of their data."""

from django.urls import path

from onboarding.views import privacy

app_name = "privacy"
urlpatterns = [
    path("", privacy.home, name="home"),
    path("ask/<slug:kind>/", privacy.ask, name="ask"),
    path("requests/<uuid:request_id>/withdraw/", privacy.withdraw, name="withdraw"),
    path("copy/<str:token>/", privacy.file, name="file"),
]
