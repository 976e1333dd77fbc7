"""Where webhooks land."""

from django.urls import path

from providers.views import webhooks

app_name = "webhooks"
urlpatterns = [
    path("<slug:provider>/", webhooks.receive, name="receive"),
    path("<slug:provider>/<str:secret>/", webhooks.receive, name="receive_at"),
]
