"""The staff address of who may do what."""

from django.urls import path

from compliance.views import roles

app_name = "roles"
urlpatterns = [path("", roles.matrix, name="matrix")]
