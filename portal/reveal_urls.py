"""Staff addresses of revealing what is masked."""

from django.urls import path

from portal.views import reveals

app_name = "reveals"
urlpatterns = [
    path("<str:name>/<uuid:row_id>/", reveals.reveal, name="reveal"),
    path("<str:name>/<uuid:row_id>/hide/", reveals.hide, name="hide"),
]
