"""Addresses of reconciliation, below /staff/transfers/reconciliation/."""

from django.urls import path

from funding.views import reconciliation as views

app_name = "money_reconciliation"
urlpatterns = [
    path("", views.home, name="home"),
    path("run/", views.now, name="now"),
    path("upload/", views.upload, name="upload"),
    path("runs/<uuid:run_id>/", views.run, name="run"),
    path("runs/<uuid:run_id>/progress/", views.progress, name="progress"),
    path("runs/<uuid:run_id>/compare/", views.compare, name="compare"),
    path("runs/<uuid:run_id>/drop/", views.drop, name="drop"),
    path("items/", views.items, name="items"),
    path("items/export.csv", views.export, name="export"),
    path("items/<uuid:item_id>/", views.item, name="item"),
    path("items/<uuid:item_id>/<slug:step>/", views.resolve, name="resolve"),
]
