"""Staff addresses of second reviews."""

from django.urls import path

from compliance.views import reviews

app_name = "reviews"
urlpatterns = [
    path("", reviews.home, name="list"),
    path("next/", reviews.take, name="next"),
    path("quality/", reviews.quality, name="quality"),
    path("<uuid:review_id>/", reviews.review, name="detail"),
    path("<uuid:review_id>/put-back/", reviews.put_back, name="put_back"),
    path("<uuid:review_id>/decide/", reviews.decide, name="decide"),
    path("<uuid:review_id>/settle/", reviews.settle, name="settle"),
]
