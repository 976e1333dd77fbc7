"""Every address: the providers' families, their links, and the controls. A new family adds a line."""

from django.urls import URLPattern, URLResolver, include, path

from sandbox.control import api, pages

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("sandbox.bakkt.crypto")),
    path("", include("sandbox.bakkt.partner")),
    path("sandbox/api/", include(api.urlpatterns)),
    path("", include(pages.urlpatterns)),
]
handler404 = "sandbox.control.pages.not_found"
