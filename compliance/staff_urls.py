"""Staff addresses of cases."""

from django.urls import path

from compliance.views import lists, people, queues, staff

app_name = "cases"
urlpatterns = [
    path("", lists.cases, name="list"),
    path("columns/", lists.columns, name="columns"),
    path("views/", lists.save_view, name="view_save"),
    path("views/<uuid:view_id>/remove/", lists.remove_view, name="view_remove"),
    path("bulk/", lists.bulk, name="bulk"),
    path("next/", staff.take_next, name="next"),
    path("away/", people.away, name="away"),
    path("people/", people.people, name="people"),
    path("people/<uuid:user_id>/", people.person, name="person"),
    path("queues/", queues.home, name="queues"),
    path("queues/new/", queues.queue, name="queue_new"),
    path("queues/<uuid:queue_id>/", queues.queue, name="queue"),
    path("queues/rules/new/", queues.rule, name="rule_new"),
    path("queues/rules/<uuid:rule_id>/", queues.rule, name="rule"),
    path("queues/rules/<uuid:rule_id>/remove/", queues.remove_rule, name="rule_remove"),
    path("queues/calendars/new/", queues.calendar, name="calendar_new"),
    path("queues/calendars/<uuid:calendar_id>/", queues.calendar, name="calendar"),
    path("<uuid:case_id>/", staff.case, name="detail"),
    path("<uuid:case_id>/assign/", staff.assign, name="assign"),
    path("<uuid:case_id>/note/", staff.note, name="note"),
    path("<uuid:case_id>/checklist/", staff.checklist, name="checklist"),
    path("<uuid:case_id>/wait/", staff.wait, name="wait"),
    path("<uuid:case_id>/resume/", staff.resume, name="resume"),
    path("<uuid:case_id>/escalate/", staff.escalate, name="escalate"),
    path("<uuid:case_id>/decide/", staff.decide, name="decide"),
    path("<uuid:case_id>/reopen/", staff.reopen, name="reopen"),
]
