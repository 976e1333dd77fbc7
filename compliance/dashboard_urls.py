"""Staff addresses of the dashboard."""

from django.urls import path

from compliance.views import dashboard

app_name = "dashboard"
urlpatterns = [
    path("", dashboard.home, name="home"),
    path("print/", dashboard.sheet, name="print"),
    path("list/", dashboard.list_behind, name="behind"),
    path("tables/<slug:name>.csv", dashboard.table, name="table"),
]
