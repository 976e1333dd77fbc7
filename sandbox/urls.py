"""Every address: the providers' families, their links, and the controls. A new family adds a line."""

from django.urls import URLPattern, URLResolver, include, path

from sandbox.control import api, pages
from sandbox.plaid import calls as plaid_calls
from sandbox.plaid import pages as plaid_pages

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("sandbox.bakkt.crypto")),
    path("", include("sandbox.bakkt.partner")),
    path("", include("sandbox.bakkt.funding")),
    path("", include(plaid_calls.urlpatterns)),
    path("", include(plaid_pages.urlpatterns)),
    path("sandbox/api/", include(api.urlpatterns)),
    path("", include(pages.urlpatterns)),
]
handler404 = "sandbox.control.pages.not_found"
