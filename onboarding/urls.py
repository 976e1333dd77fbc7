"""The customer's addresses."""

from django.urls import path

from onboarding.views import (
    customer,
    details,
    documents,
    invitations,
    missing,
    people,
    questions,
    steps,
    typed,
)

app_name = "customer"
urlpatterns = [
    path("", customer.home, name="home"),
    path("start/", customer.start, name="start"),
    # The logs leave out what follows "invite/" (portal/logs.py).
    path("invite/<str:token>/", invitations.invitation, name="invitation"),
    path("<uuid:application_id>/part/", invitations.part, name="part"),
    path("<uuid:application_id>/people/<uuid:owner_id>/invite/", invitations.invite, name="person_invite"),
    path("<uuid:application_id>/", customer.application, name="application"),
    path("<uuid:application_id>/resume/", steps.resume, name="resume"),
    path("<uuid:application_id>/status/", customer.status_part, name="status_part"),
    path("<uuid:application_id>/missing/", missing.missing, name="missing"),
    path("<uuid:application_id>/review/", steps.review, name="review"),
    path("<uuid:application_id>/withdraw/", customer.withdraw, name="withdraw"),
    path("<uuid:application_id>/steps/<slug:name>/", steps.step, name="step"),
    path("<uuid:application_id>/steps/<slug:name>/typed/", typed.by_customer, name="step_typed"),
    path("<uuid:application_id>/papers/", documents.documents, name="documents"),
    path("<uuid:application_id>/questions/<uuid:request_id>/", questions.question, name="question"),
    path("<uuid:application_id>/details/", details.details, name="details"),
    path("<uuid:application_id>/details/withdraw/", details.withdraw_change, name="detail_withdraw"),
    path("<uuid:application_id>/details/<slug:name>/", details.detail, name="detail"),
    path(
        "<uuid:application_id>/details/people/<uuid:owner_id>/<slug:name>/",
        details.detail,
        name="person_detail",
    ),
    path("<uuid:application_id>/country/", people.change, name="applicant"),
    path("<uuid:application_id>/people/add/", people.add, name="person_add"),
    path("<uuid:application_id>/people/<uuid:owner_id>/", people.change, name="person"),
    path("<uuid:application_id>/people/<uuid:owner_id>/remove/", people.remove, name="person_remove"),
    path("<uuid:application_id>/people/<uuid:owner_id>/steps/<slug:name>/", steps.step, name="person_step"),
    path(
        "<uuid:application_id>/people/<uuid:owner_id>/steps/<slug:name>/typed/",
        typed.by_customer,
        name="person_step_typed",
    ),
]
