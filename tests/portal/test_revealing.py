"""Revealing what is masked: by whom, how long, how often, what is written down; refused and hidden again."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import UUID

import pytest
import time_machine
from django.template import Context, Template
from django.test import RequestFactory

from portal import clock, revealing
from portal.errors import Conflict, Forbidden, Invalid, NotFound
from portal.ids import new_id
from portal.models import AuditEntry, MailMessage, Reveal, User

pytestmark = pytest.mark.django_db
Staff = Callable[[str], User]
NAME = "tests.thing.secret"
WHY = "Compared with a letter"


@pytest.fixture
def whose(customer_user: User) -> Iterator[User]:
    """A field of a made-up row that belongs to this customer."""

    def find(row_id: UUID) -> revealing.Holder | None:
        names = (customer_user.name, customer_user.email)
        return revealing.Holder(
            customer_user, "PA-TEST", "/staff/thing/", names, lambda actor: actor.name == "busy"
        )

    revealing.register(revealing.Field(NAME, "Secret", find))
    yield customer_user
    revealing._fields.pop(NAME)


@pytest.fixture
def analyst(staff: Staff) -> User:
    return staff("compliance_analyst")


def grant(actor: User, row_id: UUID | None = None, reason: str = WHY) -> Reveal:
    return revealing.reveal_grant(actor=actor, name=NAME, row_id=row_id or new_id(), reason=reason)


def test_a_grant_is_one_row_until_it_ends(analyst: User, staff: Staff, whose: User) -> None:
    row = new_id()
    with time_machine.travel(clock.now(), tick=False) as moved:
        first = grant(analyst, row)
        assert (first.until - first.at, first.reason, first.subject_id) == (
            timedelta(minutes=10),
            WHY,
            whose.pk,
        )
        moved.shift(60)
        assert grant(analyst, row).pk == first.pk and Reveal.objects.count() == 1
        assert revealing.is_shown(analyst, NAME, row)
        # Nobody else, no other row, no other field; and not after a change of role.
        assert not revealing.is_shown(staff("compliance_manager"), NAME, row)
        assert not revealing.is_shown(analyst, NAME, new_id())
        assert not revealing.is_shown(analyst, "tests.thing.other", row)
        analyst.role = "onboarding_agent"
        assert not revealing.is_shown(analyst, NAME, row)
        analyst.role = "compliance_analyst"
        moved.shift(540)
        assert not revealing.is_shown(analyst, NAME, row) and revealing.live(analyst) == {}
        grant(analyst, row)
        revealing.reveal_end(actor=analyst, name=NAME, row_id=row)
        revealing.reveal_end(actor=analyst, name=NAME, row_id=row)
        assert not revealing.is_shown(analyst, NAME, row)
    assert [
        entry.action for entry in AuditEntry.objects.filter(subject_id=whose.pk).order_by("at", "pk")
    ] == [
        "pii.reveal",
        "pii.reveal",
        "pii.reveal_ended",
    ]


def test_who_may_not_and_what_is_not_there(staff: Staff, whose: User, analyst: User) -> None:
    for role in ("onboarding_agent", "funding_operator", "auditor", "administrator", "customer"):
        with pytest.raises(Forbidden):
            grant(staff(role))
    with pytest.raises(NotFound):
        revealing.reveal_grant(actor=analyst, name="tests.thing.other", row_id=new_id(), reason=WHY)
    for reason in ("", "abcd", "   a   ", "\x00" * 9, "r" * 301):
        with pytest.raises(Invalid) as refused:
            grant(analyst, reason=reason)
        assert refused.value.fields["reason"]
    assert not Reveal.objects.exists() and not AuditEntry.objects.filter(action__startswith="pii").exists()


def test_only_so_many_an_hour_and_that_is_written_down(
    analyst: User, staff: Staff, whose: User, settings: object
) -> None:
    settings.REVEALS_PER_HOUR = 2  # type: ignore[attr-defined]
    with time_machine.travel(clock.now(), tick=False) as moved:
        held = new_id()
        grant(analyst, held)
        moved.shift(1800)
        grant(analyst)
        with pytest.raises(Conflict, match="The next is possible at"):
            grant(analyst)
        assert Reveal.objects.count() == 2
        entry = AuditEntry.objects.get(action="pii.reveal_refused")
        assert (entry.actor, entry.reason) == (analyst, WHY)
        grant(staff("compliance_analyst"))  # each for themselves
        moved.shift(1801)
        grant(analyst)  # the first is an hour old


def test_what_is_known_of_reader_and_subject_is_kept(analyst: User, staff: Staff, whose: User) -> None:
    first = grant(analyst)
    assert (first.had_task, first.relation) == (False, "")
    analyst.name = "busy"
    assert grant(analyst).had_task
    other = staff("compliance_manager")
    other.name = f" {whose.name.upper()} "
    other.save()
    assert grant(analyst).relation == Reveal.Relation.COLLEAGUE
    assert grant(other).relation == Reveal.Relation.SELF


def test_a_reason_with_personal_data_is_kept_without_it(analyst: User, whose: User) -> None:
    assert "536-22-1234" not in grant(analyst, reason="Letter about 536-22-1234").reason


def test_a_value_of_an_unknown_field_prints_its_mask(analyst: User, customer_user: User) -> None:
    thing = MailMessage(content={"text": "536221234"})
    request = RequestFactory().get("/")
    request.user = analyst
    page = Template("{% sealed value %}|{% sealed text %}").render(
        Context({"value": thing.content, "text": "plain <b>", "request": request})
    )
    assert page == "••••|plain &lt;b&gt;"
