"""The template tags."""

import datetime as dt
import uuid
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import AnonymousUser
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import timezone
from pytest_django import Settings

from portal.context_processors import shell
from portal.models import OutboundCall, Role, User
from portal.ui import nav
from portal.ui.chart import bars, polyline

NOW = dt.datetime(2026, 11, 21, 15, 0, tzinfo=dt.UTC)


def draw(source: str, path: str = "/", user: Any = None, **context: Any) -> str:
    request = RequestFactory().get(path)
    request.user = user or AnonymousUser()
    return Template(source).render(Context({"request": request, **context}))


def test_block_tags_keep_markup_and_escape_values() -> None:
    html = draw(
        "{% card title=bad %}<p>{{ bad }}</p>{% endcard %}{% banner 'info' %} <b>x</b> {% endbanner %}",
        bad="<i>",
    )
    assert "<p>&lt;i&gt;</p>" in html and "<b>x</b>" in html and "<i>" not in html


def test_an_unknown_tone_is_neutral_and_text_is_escaped() -> None:
    assert (
        draw("{% badge text tone %}", text="<x>", tone='purple"')
        == '<span class="badge tone-neutral">&lt;x&gt;</span>'
    )


def test_sort_header_turns_round_and_drops_the_cursor() -> None:
    source = "{% sort_header 'Name' 'name' default='-at' %}{% sort_header 'At' 'at' default='-at' %}"
    html = draw(source, "/?status=open&after=abc")
    assert 'href="?status=open&amp;sort=name"' in html and "after" not in html
    assert html.count('aria-sort="descending"') == 1
    html = draw(source, "/?sort=name")
    assert 'aria-sort="ascending"><a href="?sort=-name"' in html


def test_json_is_coloured_and_escaped() -> None:
    html = draw("{% json_view data %}", data={'a"<b>': "</pre><script>", "n": -1.5, "t": "true", "z": None})
    assert "<script>" not in html and "<b>" not in html
    assert '<span class="json__other">-1.5</span>' in html and '<span class="json__other">null</span>' in html
    assert '<span class="json__string">&quot;true&quot;</span>' in html
    assert "&lt;broken" in draw("{% json_view data %}", data=b"<broken")


@time_machine.travel(NOW, tick=False)
@pytest.mark.parametrize(
    ("delta", "words"),
    [
        (dt.timedelta(seconds=10), "just now"),
        (dt.timedelta(seconds=60), "1 minute ago"),
        (dt.timedelta(minutes=12), "12 minutes ago"),
        (dt.timedelta(hours=5), "5 hours ago"),
        (dt.timedelta(days=3), "3 days ago"),
        (dt.timedelta(hours=-19), "in 19 hours"),
        (dt.timedelta(days=60), "Sep 22, 2026"),
    ],
)
def test_moments_in_words(delta: dt.timedelta, words: str) -> None:
    assert f">{words}</time>" in draw("{% when at %}", at=NOW - delta)


@time_machine.travel(NOW, tick=False)
def test_the_timeline_groups_by_the_readers_day_newest_first() -> None:
    def event(title: str, at: dt.datetime) -> SimpleNamespace:
        return SimpleNamespace(at=at, icon="", title=title, actor="", body="", tone="", details={"k": "v"})

    items = [
        event("late yesterday in New York", dt.datetime(2026, 11, 21, 4, 30, tzinfo=dt.UTC)),
        event("today", dt.datetime(2026, 11, 21, 14, 0, tzinfo=dt.UTC)),
        event("long ago", dt.datetime(2025, 3, 1, 14, 0, tzinfo=dt.UTC)),
    ]
    with timezone.override("America/New_York"):
        html = draw("{% timeline items %}", items=items)
    order = ["Today", ">today", "Yesterday", "late yesterday", "Saturday, March 1, 2025", "long ago"]
    assert [html.index(word) for word in order] == sorted(html.index(word) for word in order)
    assert "json__key" in html


def test_the_ball_names_its_holder() -> None:
    ball = SimpleNamespace(holder="customer", line="Upload a document", since=None, unblocks="", due=None)
    assert "With the customer" in draw("{% ball ball %}", ball=ball)
    assert 'aria-label="With the customer"' in draw("{% ball ball compact=True %}", ball=ball)


def test_staff_see_only_the_sections_of_their_role(settings: Settings) -> None:
    settings.ROOT_URLCONF = "tests.portal.ui_urls"
    seen = {
        role: [
            word
            for word in ("Applications", "Webhooks", "Outbound calls", "Audit", "Users")
            if f"</svg>{word}</a>" in html
        ]
        for role in Role.values
        for html in [draw("{% staff_nav %}", user=User(email="a@b.example", role=role))]
    }
    assert seen["customer"] == []
    assert seen["onboarding_agent"] == ["Applications", "Webhooks"]
    assert seen["administrator"] == ["Applications", "Webhooks", "Outbound calls", "Audit", "Users"]
    assert "<a" not in draw("{% staff_nav %}")
    off = User(email="a@b.example", role="administrator", is_active=False)
    assert "<a" not in draw("{% staff_nav %}", user=off)


def test_the_current_section_is_marked(settings: Settings) -> None:
    settings.ROOT_URLCONF = "tests.portal.ui_urls"
    html = draw("{% staff_nav %}", user=User(email="a@b.example", role="administrator"), nav_section="audit")
    assert html.count("aria-current") == 1
    assert 'href="/audit/list/" aria-current="page"' in html


def test_a_section_whose_address_does_not_exist_is_left_out(settings: Settings) -> None:
    settings.ROOT_URLCONF = type("Bare", (), {"urlpatterns": []})
    assert "<a" not in draw("{% staff_nav %}", user=User(email="a@b.example", role="administrator"))


def test_work_that_waits_stands_beside_its_section(settings: Settings) -> None:
    settings.ROOT_URLCONF = "tests.portal.ui_urls"
    admin = User(email="a@b.example", role="administrator")
    html = draw("{% staff_nav %}", user=admin, nav_counts=lambda: {"webhooks": 3, "outbox": 0})
    assert html.count('class="count"') == 1
    assert 'Webhooks<span class="count">3<span class="visually-hidden"> waiting</span></span>' in html
    assert "count" not in draw("{% staff_nav %}", user=admin)


def waiting_call() -> OutboundCall:
    call = OutboundCall(operation="bakkt.account.save", subject_type="x.y", subject_id=uuid.uuid4())
    call.status, call.body = "needs_person", {}
    call.save()
    return call


@pytest.mark.django_db
def test_only_what_the_role_may_open_is_counted() -> None:
    waiting_call()
    seen = {role: nav.waiting(User(email="a@b.example", role=role)) for role in Role.values}
    assert seen["funding_operator"] == {"applications": 0, "outbox": 1, "transfers": 0, "webhooks": 0}
    assert seen["onboarding_agent"] == {"applications": 0, "webhooks": 0}
    assert seen["customer"] == {} and nav.waiting(None) == {}


@pytest.mark.django_db
def test_the_counts_are_asked_once_and_only_when_drawn(django_assert_num_queries: Any) -> None:
    request = RequestFactory().get("/")
    request.user = User(email="a@b.example", role="administrator")
    with django_assert_num_queries(0):
        context = shell(request)
    with django_assert_num_queries(3):
        Template("{% staff_nav %}{% staff_nav %}").render(Context({"request": request, **context}))


@time_machine.travel(NOW, tick=False)
@pytest.mark.parametrize(("hours", "late"), [(-3, True), (3, False)])
def test_a_ball_past_its_time_says_so(hours: int, late: bool) -> None:
    due = NOW + dt.timedelta(hours=hours)
    ball = SimpleNamespace(holder="us", line="Decide", since=None, unblocks="", due=due)
    assert ("Overdue: it was due" in draw("{% ball ball %}", ball=ball)) is late
    assert ("(overdue)" in draw("{% ball ball compact=True %}", ball=ball)) is late


def test_bars_grow_from_the_ground_and_none_above_0_vanishes() -> None:
    chart = bars([("Mon", 0), ("Tue", 1000, "danger"), ("Wed", 1)])
    assert (chart.top, chart.width) == (1000, 30)
    assert [bar.height for bar in chart.bars] == [0, 100, 1.5]
    assert all(bar.y + bar.height == 100 for bar in chart.bars)
    assert [bar.tone for bar in chart.bars] == ["accent", "danger", "accent"]
    assert bars([]).bars == [] and [bar.height for bar in bars([("Mon", 0)]).bars] == [0]
    with pytest.raises(ValueError, match="from 0 up"):
        bars([("Mon", -1)])


@pytest.mark.parametrize("number", [1, 6, 7, 14, 31, 365])
def test_a_chart_never_has_more_words_than_a_phone_has_room_for(number: int) -> None:
    marks = [bar.mark for bar in bars([(f"d{n}", n) for n in range(number)]).bars]
    assert marks[0] == "d0" and 1 <= sum(map(bool, marks)) <= 6


def test_a_chart_says_the_same_as_a_table() -> None:
    html = draw(
        "{% bar_chart points 'Begun' measure='Applications' %}", points=[("<Mon>", 3), ("Tue", 4, "danger")]
    )
    assert '<th scope="row">&lt;Mon&gt;</th><td class="num">3</td>' in html and "<Mon>" not in html
    assert '<th scope="col">Day</th><th scope="col" class="num">Applications</th>' in html
    assert html.count("<rect") == 2 and 'class="tone-danger"' in html and "style=" not in html
    assert "Nothing to show" in draw("{% bar_chart points 'Begun' %}", points=[])


def test_a_line_goes_from_left_to_right_with_high_values_on_top() -> None:
    assert polyline([1, 3, 2], width=100, height=24) == "0,22 50,2 100,12"
    assert polyline([5, 5], width=100, height=24) == "0,12 100,12"
    assert polyline([5]) == ""
    assert 'aria-label="Rising"' in draw("{% sparkline values 'Rising' %}", values=[1, 2])
    assert "<polyline" in draw("{% stat 'Calls' 7 trend=values %}", values=[1, 2])
    assert "<svg" not in draw("{% stat 'Calls' 7 %}")


def test_a_search_shows_what_was_asked_for() -> None:
    html = draw("{% search_box 'Find' hint='Name' %}", path="/?q=%22%3Cb%3E")
    assert 'value="&quot;&lt;b&gt;"' in html and 'placeholder="Name"' in html
    assert '<label class="visually-hidden" for="search_q">Find</label>' in html and 'role="search"' in html


def test_a_confirmation_carries_the_token_and_a_way_back() -> None:
    html = draw(
        "{% confirm 'Reject' cancel_url='/back/' %}<p>{{ bad }}</p>{% endconfirm %}",
        csrf_token="t0k3n",
        bad="<i>",
    )
    assert 'name="csrfmiddlewaretoken" value="t0k3n"' in html and "data-once" in html
    assert "<p>&lt;i&gt;</p>" in html and 'href="/back/">Cancel</a>' in html
    assert '<button class="button button--danger" type="submit">Reject</button>' in html


def test_what_is_on_its_way_is_said_to_those_who_do_not_see_it() -> None:
    html = draw("{% skeleton 2 'Loading the calls' %}")
    assert 'role="status"' in html and "Loading the calls" in html and html.count("skeleton__row") == 2
