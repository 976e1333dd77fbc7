"""The life of the identity check's links: counted by the clock, fetched when asked for, and what comes at the end."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from compliance.models import Case
from onboarding import selectors, standing
from onboarding.identity import checks, renewal, services
from onboarding.identity.delivery import Ways, delivery_change
from onboarding.models import Application, IdentityCheck, IdentityLink
from portal import clock
from portal.errors import Conflict, Forbidden, Invalid, NotFound
from portal.models import AuditEntry, MailMessage, User
from providers.models import InboundEvent
from sandbox.testing import SandboxProcess
from tests.deciding import decide as decide_case
from tests.faults.way import at_once, deliver, later
from tests.flow import submitted
from tests.onboarding.identity_support import (
    actions,
    after,
    ask,
    asked_times,
    check_of,
    facts,
    flagged,
    living,
    tick,
    told,
    url_of,
)
from tests.people import make_customer_user

Status = IdentityCheck.Status
Staff = Callable[[str], User]
EVENT = {"partyStatus": "UNDER_REVIEW", "reasonCode": "DOCUMENT_VERIFICATION"}


def stands(application: Application) -> tuple[str, str, str]:
    """The next action, who has the ball, and the heading."""
    fresh = selectors.application_for_customer(application.customer.user, application.pk)
    found = standing.standing(fresh)
    return found.next_kind, standing.ball(fresh).holder, found.title


def test_three_links_run_out_and_a_person_takes_over(box: SandboxProcess, customer_user: User) -> None:
    application = flagged(box, customer_user)
    seen = {url_of(application)}
    for number in (1, 2):
        with after(box, application, hours=73 * number):
            tick()
            check = check_of(application)
            assert (check.status, check.expirations, check.expires_at) == (Status.EXPIRED, number, None)
            assert stands(application)[:2] == ("renew_identity_link", "customer")
            assert ask(application).status == Status.AWAITING
            assert living(application).number == number + 1
            seen.add(url_of(application))
            # It waits for the customer until the last link is out: then somebody calls them.
            now = ["waiting_customer", "open"][number - 1]
            assert [row["case__status"] for row in facts(checks.CALL)] == [now] * (number + 1)
    assert len(seen) == 3
    with after(box, application, hours=73 * 3):
        tick()
        assert check_of(application).expirations == 3
        assert [row["title"] for row in facts(checks.CALL)][2:] == [
            "The last link of the identity check was given out",
            "All links of the identity check ran out",
        ]
        assert "last of three" in standing_words(application)
        assert ask(application).status == Status.EXHAUSTED
        kind, holder, title = stands(application)
        assert (kind, holder) == ("wait", "us")
        assert title == "A person of ours takes over your identity check"
        assert [row["case__status"] for row in facts(checks.EXHAUSTED)] == ["open"]
        assert {row["case__status"] for row in facts(checks.CALL)} == {"closed"}
        with pytest.raises(Conflict, match="no more links"):
            ask(application)
    assert asked_times(box) == 3
    assert not IdentityLink.objects.filter(url__isnull=False).exists()


def standing_words(application: Application) -> str:
    fresh = selectors.application_for_customer(application.customer.user, application.pk)
    return " ".join(standing.standing(fresh).body)


def test_a_living_link_is_never_fetched_again(box: SandboxProcess, customer_user: User) -> None:
    application = flagged(box, customer_user)
    first = url_of(application)
    for _ in range(3):
        ask(application)
    with later(hours=71):
        tick()
        ask(application)
    assert (url_of(application), asked_times(box)) == (first, 0)


def test_the_clock_counts_once_and_a_page_never(box: SandboxProcess, customer_user: User) -> None:
    application = flagged(box, customer_user)
    with later(hours=73):
        assert stands(application)[0] == "renew_identity_link"
        assert check_of(application).expirations == 0, "looking writes nothing"
        at_once(tick, tick)
        tick()
        assert check_of(application).expirations == 1


def test_two_tabs_fetch_once(box: SandboxProcess, customer_user: User) -> None:
    application = flagged(box, customer_user)
    box.fault("delay", "document_verification_details", seconds=0.6)

    def tab() -> str:
        try:
            return ask(application).status
        except Conflict as error:
            return error.message

    with after(box, application, hours=73):
        answers = sorted(at_once(tab, tab))
    assert answers in (
        sorted([renewal.FETCHING, str(Status.AWAITING)]),
        [str(Status.AWAITING), str(Status.AWAITING)],
    )
    assert asked_times(box) == 1
    assert (check_of(application).expirations, living(application).number) == (1, 2)


def test_a_webhook_that_comes_twice_or_late_changes_nothing(box: SandboxProcess, customer_user: User) -> None:
    application = flagged(box, customer_user)
    body = InboundEvent.objects.get().body.reveal()
    first = url_of(application)
    box.api("POST", f"accounts/{application.reference}/event", {**EVENT, "verificationURL": first})
    deliver(box)
    assert IdentityLink.objects.count() == 1
    with after(box, application, hours=73):
        tick()
        ask(application)
        second = url_of(application)
        # The first link once more, in a message of its own, a day late.
        import json

        old = json.loads(body)["verificationURLExpiry"]
        box.api(
            "POST",
            f"accounts/{application.reference}/event",
            {**EVENT, "verificationURL": first, "verificationURLExpiry": old},
        )
        deliver(box)
        assert url_of(application) == second
        assert check_of(application).expirations == 1
    assert InboundEvent.objects.order_by("-received_at").first().outcome.startswith("This link")  # type: ignore[union-attr]


def test_a_newer_link_by_webhook_takes_the_place_and_spends_none(customer_user: User) -> None:
    application = submitted(customer_user)
    told(application, url="https://verify.example/a", life=timedelta(hours=10))
    told(application, url="https://verify.example/b", life=timedelta(hours=72))
    assert url_of(application) == "https://verify.example/b"
    assert (living(application).number, check_of(application).expirations) == (1, 0)
    assert [row.end for row in IdentityLink.objects.order_by("pk")] == ["replaced", ""]


def test_a_link_that_was_over_when_it_came_is_counted(customer_user: User) -> None:
    application = submitted(customer_user)
    told(application, url="https://verify.example/a", life=timedelta(hours=-1))
    assert (check_of(application).status, check_of(application).expirations) == (Status.EXPIRED, 1)


def test_asked_for_without_a_link_the_customer_can_fetch_it(box: SandboxProcess, customer_user: User) -> None:
    application = flagged(box, customer_user)
    first = url_of(application)
    IdentityLink.objects.all().delete()
    IdentityCheck.objects.all().delete()
    assert stands(application)[0] == "renew_identity_link", "as after the code of the release before"
    ask(application)
    assert (url_of(application), living(application).number) == (first, 1)


def test_an_outcome_ends_it_and_a_new_question_begins_anew(customer_user: User) -> None:
    application = submitted(customer_user)
    told(application, url="https://verify.example/a")
    told(application, reason="PENDING_REVIEW")
    check = check_of(application)
    assert check.status == Status.RESOLVED
    assert IdentityLink.objects.get().url is None
    with pytest.raises(NotFound):
        services.link_open(actor=customer_user, application_id=application.pk, source="page")
    told(application, url="https://verify.example/c")
    check = check_of(application)
    assert (check.status, check.round, living(application).number) == (Status.AWAITING, 2, 1)


def test_a_link_counts_whatever_status_stands_beside_it(customer_user: User) -> None:
    application = submitted(customer_user)
    told(application, reason="ENROLLMENT")
    told(application, reason="COMPLIANCE_LOCKED", url="https://verify.example/a")
    assert url_of(application) == "https://verify.example/a"


def test_an_answer_that_comes_after_the_end_is_late(
    box: SandboxProcess,
    customer_user: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    application = flagged(box, customer_user)
    lock = renewal.lock_account

    def ended_meanwhile(account_id: object) -> object:
        monkeypatch.setattr(renewal, "lock_account", lock)
        told(application, reason="PENDING_REVIEW")
        return lock(account_id)  # type: ignore[arg-type]

    with after(box, application, hours=73):
        tick()
        monkeypatch.setattr(renewal, "lock_account", ended_meanwhile)
        assert ask(application).status == Status.RESOLVED
    assert IdentityLink.objects.count() == 1


def test_the_provider_opens_it_anew_after_the_end_of_links(box: SandboxProcess, customer_user: User) -> None:
    application = flagged(box, customer_user)
    IdentityCheck.objects.update(expirations=2)
    with after(box, application, hours=73):
        tick()
        box.fault("409", "document_verification_details")
        assert ask(application).status == Status.EXHAUSTED
        told(application, url="https://verify.example/again")
        check = check_of(application)
        assert (check.status, check.round, check.expirations) == (Status.AWAITING, 2, 0)
        assert {row["case__status"] for row in facts(checks.EXHAUSTED)} == {"closed"}


def test_declined_consent_is_refused_until_staff_ask_all_the_same(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
) -> None:
    application = flagged(box, customer_user)
    from tests.sandbox.test_verification import press

    press(url_of(application), "decline")
    with after(box, application, hours=73):
        tick()
        with pytest.raises(Conflict, match="did not give a new link"):
            ask(application)
        check = check_of(application)
        assert (check.status, check.problem) == (Status.EXPIRED, "CUSTOMER_DECLINED_CONSENT (400)")
        assert stands(application)[:2] == ("wait", "us")
        assert [row["title"] for row in facts(checks.CALL)][1:] == [
            "The provider refused a new link for the identity check"
        ]
        manager = staff("compliance_manager")
        with pytest.raises(Forbidden):
            renewal.consent_override(
                actor=staff("compliance_analyst"),
                application_id=application.pk,
                reason="Spoke",
                source="page",
            )
        renewal.consent_override(
            actor=manager, application_id=application.pk, reason="Spoke with them", source="page"
        )
        assert living(application).asked_by == manager
        assert stands(application)[:2] == ("verify_identity", "customer")
    entry = AuditEntry.objects.get(action="identity_check.override")
    assert (entry.reason, entry.actor) == ("Spoke with them", manager)


@pytest.mark.parametrize(
    ("hours", "letters"), [(59, 0), (61, 1), (73, 0)], ids=["too early", "in time", "too late"]
)
def test_the_letter_before_the_end_is_written_once(customer_user: User, hours: int, letters: int) -> None:
    application = submitted(customer_user)
    told(application, url="https://verify.example/secret-word")
    with later(hours=hours):
        for _ in range(3):
            tick()
    found = [row for row in MailMessage.objects.all() if "ends soon" in row.subject]
    assert len(found) == letters
    for row in MailMessage.objects.all():
        assert "secret-word" not in row.content.reveal()["text"]
    if letters:
        assert f"/applications/{application.pk}/identity-check/" in found[0].content.reveal()["text"]


@pytest.mark.django_db(transaction=True)
def test_two_workers_write_one_letter_each_link() -> None:
    for number in range(4):
        application = submitted(make_customer_user())
        told(application, url=f"https://verify.example/{number}")
    with later(hours=61):
        at_once(tick, tick, tick)
    assert len([row for row in MailMessage.objects.all() if "ends soon" in row.subject]) == 4


def test_no_letters_where_the_partner_wants_none(customer_user: User, staff: Staff) -> None:
    ways = Ways(in_app=True, sms_by_vendor=True, mail_by_provider=False, mail_by_us=False)
    delivery_change(actor=staff("administrator"), ways=ways, source="page")
    application = submitted(customer_user)
    told(application, url="https://verify.example/a")
    with later(hours=61):
        tick()
    assert not [row for row in MailMessage.objects.all() if "identity" in row.subject]
    assert living(application).warned_at is None


def test_a_link_that_goes_out_elsewhere_is_not_opened_here_but_one_asked_for_is(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
) -> None:
    admin = staff("administrator")
    with pytest.raises(Invalid):
        delivery_change(actor=admin, ways=Ways(False, False, False, True), source="page")
    with pytest.raises(Forbidden):
        delivery_change(actor=staff("compliance_manager"), ways=Ways(True, True, True, True), source="page")
    delivery_change(actor=admin, ways=Ways(False, True, False, True), source="page")
    entry = AuditEntry.objects.get(action="identity_delivery.change")
    assert (entry.before["in_app"], entry.after["in_app"]) == (True, False)  # type: ignore[index]
    application = flagged(box, customer_user)
    with pytest.raises(Conflict, match="sent to you"):
        services.link_open(actor=customer_user, application_id=application.pk, source="page")
    with after(box, application, hours=73):
        tick()
        ask(application)
        assert (
            services.link_open(actor=customer_user, application_id=application.pk, source="page").number == 2
        )


def test_the_address_for_a_phone_works_once_and_for_minutes(customer_user: User) -> None:
    application = submitted(customer_user)
    told(application, url="https://verify.example/a")

    def made() -> str:
        return services.handoff_make(actor=customer_user, application_id=application.pk, source="page")

    replaced, token = made(), made()
    assert not services.handoff_works(replaced)
    for _ in range(2):
        assert services.handoff_works(token), "looking uses nothing up"
    assert services.handoff_follow(token).number == 1
    with pytest.raises(NotFound):
        services.handoff_follow(token)
    token = made()
    with later(minutes=11), pytest.raises(NotFound):
        services.handoff_follow(token)
    assert actions(application).count("opened") == 1
    assert token not in str(list(IdentityLink.objects.values())) + str(list(AuditEntry.objects.values()))


def test_another_customer_finds_nothing(customer_user: User) -> None:
    application = submitted(customer_user)
    told(application, url="https://verify.example/a")
    stranger = make_customer_user()
    for call in (services.link_open, services.handoff_make, renewal.link_renew):
        with pytest.raises(NotFound):
            call(actor=stranger, application_id=application.pk, source="page")
    assert actions(application) == ["begin", "link"]


@pytest.mark.parametrize(("decision", "text"), [("reached", ""), ("cannot", "No camera"), ("missed", "")])
def test_the_call_is_decided(customer_user: User, staff: Staff, decision: str, text: str) -> None:
    application = submitted(customer_user)
    told(application)
    IdentityCheck.objects.update(expirations=2)
    told(application, url="https://verify.example/c")
    analyst = staff("compliance_analyst")
    case = Case.objects.get(kind=checks.CALL)
    decide_case(analyst, case, decision, text=text)
    assert Case.objects.get(pk=case.pk).status == Case.Status.CLOSED
    wrote = [row for row in MailMessage.objects.all() if row.subject == "We tried to call you"]
    assert len(wrote) == (1 if decision == "missed" else 0)


def test_the_staff_list_knows_that_the_ball_is_ours(customer_user: User, staff: Staff) -> None:
    application = submitted(customer_user)
    told(application, url="https://verify.example/a")
    analyst = staff("compliance_analyst")

    def waiting(on: str) -> list[str]:
        chosen = selectors.ApplicationFilter(waiting_on=on)
        return [row.reference for row in selectors.applications_for_staff(analyst, chosen).rows]

    assert (waiting("customer"), waiting("us")) == ([application.reference], [])
    IdentityCheck.objects.update(refused_at=clock.now())
    assert (waiting("customer"), waiting("us")) == ([], [application.reference])
