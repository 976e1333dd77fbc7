"""Staff addresses of webhooks, outbound calls and operations."""

from django.urls import path

from providers.views import inspector, staff

inbox_urls = (
    [
        path("", inspector.events, name="list"),
        path("replay/", inspector.replay_many, name="replay_many"),
        path("<uuid:event_id>/", inspector.event, name="detail"),
        path("<uuid:event_id>/apply/", inspector.apply_held, name="apply"),
        path("<uuid:event_id>/replay/", inspector.replay, name="replay"),
        path("<uuid:event_id>/reveal/", inspector.reveal, name="reveal"),
    ],
    "inbox",
)
operations_urls = (
    [
        path("", staff.operations, name="home"),
        path("calls/", staff.calls, name="outbox"),
        path("calls/<uuid:call_id>/", staff.call, name="call"),
        path("outages/<uuid:outage_id>/", staff.outage_note, name="outage"),
    ],
    "operations",
)
