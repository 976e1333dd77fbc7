"""After the import: what may be missing and until when, what the cockpit says, and whom letters ask for what."""

import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from onboarding import completeness, payloads, updates
from onboarding import services as onboarding
from onboarding.imports import asking, cockpit, services
from onboarding.models import AccountUpdate, Application, ImportBatch, ImportTally
from portal import clock
from portal.errors import Conflict, Forbidden, Invalid
from portal.models import MailMessage, User
from tests.flow import publish_agreements
from tests.onboarding import answers
from tests.onboarding.imports_support import as_csv, checked, imported, person, upload
from tests.onboarding.journeys import accept
from tests.sandbox import contract

pytestmark = pytest.mark.usefixtures("agreements")
Staff = Callable[[str], User]
NOON = "2030-03-01 12:00Z"
UNTIL = date(2030, 4, 1)
BARE = {"Mobile": "", "Situation": "", "investment_objective": "", "annual_income_range": ""}


@pytest.fixture
def agreements(db: None) -> None:
    publish_agreements()


@pytest.fixture
def manager(staff: Staff) -> User:
    return staff("compliance_manager")


def bare(manager: User, number: int = 1, until: date | None = UNTIL) -> ImportBatch:
    """An import of people of whom only the needful is known."""
    content = as_csv([person(n, **BARE) for n in range(number)])
    return imported(manager, checked(manager, upload(manager, content), grace_until=until))


# --- Grace --------------------------------------------------------------------------------------------------


@time_machine.travel(NOON, tick=False)
def test_without_grace_everything_is_needed(manager: User) -> None:
    batch = checked(manager, upload(manager, as_csv([person(1, **BARE)])))
    assert set(batch.rows.get().errors) == {
        "phone",
        "situation",
        "investment_objective",
        "annual_income_range",
    }


@time_machine.travel(NOON, tick=False)
def test_what_is_begun_must_be_whole_even_in_grace(manager: User) -> None:
    row = person(1, **BARE) | {"investment_objective": "GROWTH"}
    batch = checked(manager, upload(manager, as_csv([row, person(2, **BARE, SSN="")])), grace_until=UNTIL)
    found = list(batch.rows.order_by("number"))
    assert set(found[0].errors) == {"annual_income_range"}
    assert set(found[1].errors) == {"tax_id"}


def test_in_grace_an_account_goes_without_and_the_payload_leaves_it_out(manager: User) -> None:
    with time_machine.travel(NOON, tick=False):
        batch = bare(manager)
        application = Application.objects.get(batch=batch)
        user = application.customer.user
        states = {state.step.name: state for state in completeness.step_states(application)}
        assert {name for name, state in states.items() if not state.done} == {
            "contact",
            "employment",
            "investment",
            "agreements",
        }
    with time_machine.travel("2030-04-02 12:00Z", tick=False):
        with pytest.raises(Invalid) as refusal:
            onboarding.application_submit(actor=user, application_id=application.pk, source="page")
        assert {name.partition(".")[0] for name in refusal.value.fields} == {
            "contact",
            "employment",
            "investment",
            "agreements",
        }
    with time_machine.travel("2030-04-01 12:00Z", tick=False):
        # Their agreements the contract requires of migrating customers too.
        with pytest.raises(Invalid) as refusal:
            onboarding.application_submit(actor=user, application_id=application.pk, source="page")
        assert {name.partition(".")[0] for name in refusal.value.fields} == {"agreements"}
        accept(user, application)
        application = onboarding.application_submit(actor=user, application_id=application.pk, source="page")
    assert application.status == "submitted"
    assert application.account.client_account_id == "OLD-000000"
    wire = payloads.account_request(application.account).to_wire()
    assert "investmentProfile" not in wire
    owner = wire["owners"][0]
    assert "phoneNumber" not in owner and "employment" not in owner["identity"]
    assert len(owner["agreements"]) == 2
    assert contract.violations({"$ref": "#/components/schemas/AccountRequest"}, wire) == []


def test_who_applies_alone_has_no_grace(manager: User, customer_user: User) -> None:
    application = onboarding.application_start(actor=customer_user, source="page")
    with pytest.raises(Invalid) as refusal:
        onboarding.application_submit(actor=customer_user, application_id=application.pk, source="page")
    assert {"employment", "investment", "contact"} <= set(refusal.value.fields)


def test_a_grace_that_ends_before_the_import_leaves_the_rows_out(manager: User) -> None:
    with time_machine.travel(NOON, tick=False):
        batch = checked(manager, upload(manager, as_csv([person(1, **BARE), person(2)])), grace_until=UNTIL)
        assert batch.rows_right == 2
    with time_machine.travel("2030-04-02 12:00Z", tick=False):
        batch = imported(manager, batch)
    assert (batch.rows_imported, batch.rows_wrong) == (1, 1)


# --- Cockpit ------------------------------------------------------------------------------------------------


@time_machine.travel(NOON, tick=False)
def test_the_cockpit_counts_by_field_and_wave(manager: User, signed_in: Callable[[User], Client]) -> None:
    batch = bare(manager, 3)
    imported(manager, checked(manager, upload(manager, as_csv([person(10)]), name="Wave 2")))
    application = Application.objects.filter(batch=batch).first()
    assert application is not None
    user = application.customer.user
    onboarding.step_save(
        actor=user,
        application_id=application.pk,
        step="investment",
        answers=answers.INVESTMENT,
        source="page",
    )
    found = cockpit.standing(cockpit.one(batch))
    assert (found.total, found.lacking, found.complete) == (3, 3, 0)
    assert found.by_item == {"investment": 2, "employment": 3, "phone": 3, "agreements": 3}
    assert cockpit.standing(cockpit.waves()).by_item["agreements"] == 4
    page = signed_in(manager)
    shown = page.get(f"/staff/imports/{batch.pk}/migration/").content.decode()
    assert "31 days of grace left" in shown and "Employment, Phone number, Agreements" in shown
    assert "Wave 2" in page.get("/staff/imports/migration/").content.decode()


def complete(user: User, application: Application) -> None:
    for step, given in (
        ("contact", answers.CONTACT),
        ("employment", answers.EMPLOYMENT),
        ("investment", answers.INVESTMENT),
    ):
        onboarding.step_save(
            actor=user, application_id=application.pk, step=step, answers=given, source="page"
        )
    accept(user, application)


def test_the_burn_down_says_who_will_miss_the_date(manager: User) -> None:
    with time_machine.travel(NOON, tick=False):
        batch = bare(manager, 10, until=date(2030, 3, 6))
        cockpit.tally_keep()
        assert "The pace is known after a day" in cockpit.forecast(batch, 10)
    with time_machine.travel("2030-03-03 12:00Z", tick=False):
        for application in Application.objects.filter(batch=batch)[:2]:
            complete(application.customer.user, application)
        number = cockpit.standing(cockpit.one(batch)).lacking
        assert number == 8
        # One a day, three days left.
        assert cockpit.forecast(batch, number) == "At this pace 5 will miss the date."
        assert cockpit.forecast(batch, 0) == "Everybody is complete."
        cockpit.tally_keep()
        cockpit.tally_keep()
        assert cockpit.burn_down(batch) == [("Mar 1", 10), ("Mar 3", 8)]
        assert ImportTally.objects.count() == 2
    with time_machine.travel("2030-03-07 12:00Z", tick=False):
        assert cockpit.forecast(batch, 8) == "8 customers missed the date."
        assert cockpit.countdown(batch) == "The grace period is over"


# --- Letters ------------------------------------------------------------------------------------------------


def letters() -> list[str]:
    return [str(row.content.reveal()["text"]) for row in MailMessage.objects.order_by("pk")]


def test_a_letter_asks_for_what_is_missing_and_its_link_leads_there(
    manager: User, signed_in: Callable[[User], Client]
) -> None:
    with time_machine.travel(NOON, tick=False):
        batch = bare(manager, 2)
        first, second = Application.objects.filter(batch=batch).order_by("pk")
        complete(second.customer.user, second)
        asking.batch_ask(actor=manager, batch_id=batch.pk, source="page")
        assert asking.letters_write(batch.pk) is False
        asking.letters_write(batch.pk)
        [letter] = letters()
        for item in ("Investment profile", "Employment", "Phone number", "Agreements"):
            assert f"- {item}" in letter
        assert f"/{first.pk}/missing/" in letter and "April 1, 2030" in letter

        found = re.search(r"http\S+/account/password/reset/key/\S+", letter)
        assert found is not None
        client = Client()
        path = "/" + found.group().split("/", 3)[3]
        form = client.get(path, follow=True)
        client.post(
            form.redirect_chain[-1][0],
            {"password1": "a long and new passphrase", "password2": "a long and new passphrase"},
        )
        user = User.objects.get(pk=first.customer.user_id)
        assert user.check_password("a long and new passphrase")
        # The link works once.
        again = Client().get(path, follow=True).content.decode()
        assert 'name="password1"' not in again

        page = signed_in(user).get(reverse("customer:missing", args=[first.pk])).content.decode()
        assert "Your investment profile" in page and "Your work" in page
        assert "Who you are" not in page and "Where you live" not in page
        # The agreements cannot follow later, the rest may.
        assert "Hand in now" not in page
        accept(user, first)
        page = signed_in(user).get(reverse("customer:missing", args=[first.pk])).content.decode()
        assert "Hand in now, add the rest later" in page


def test_reminders_go_to_those_who_still_lack_something_and_once(manager: User) -> None:
    with time_machine.travel(NOON, tick=False):
        batch = bare(manager, 2)
        asking.batch_ask(actor=manager, batch_id=batch.pk, source="page")
        asking.letters_write(batch.pk)
        assert len(letters()) == 2
        with pytest.raises(Conflict):
            asking.batch_ask(actor=manager, batch_id=batch.pk, source="page")
    with time_machine.travel("2030-03-18 12:00Z", tick=False):
        application = Application.objects.filter(batch=batch).first()
        assert application is not None
        complete(application.customer.user, application)
        asking.letters_write(batch.pk)
        asking.letters_write(batch.pk)
        assert len(letters()) == 3
    with time_machine.travel("2030-03-30 12:00Z", tick=False):
        asking.letters_write(batch.pk)
        asking.letters_write(batch.pk)
        assert len(letters()) == 4
    with time_machine.travel("2030-04-05 12:00Z", tick=False):
        asking.letters_write(batch.pk)
        assert len(letters()) == 4


def test_who_may_ask_and_move_the_grace(
    manager: User, staff: Staff, signed_in: Callable[[User], Client]
) -> None:
    batch = imported(manager, checked(manager, upload(manager, as_csv([person(1)]))))
    for role in ("auditor", "compliance_analyst", "onboarding_agent", "funding_operator"):
        with pytest.raises(Forbidden):
            asking.batch_ask(actor=staff(role), batch_id=batch.pk, source="page")
        with pytest.raises(Forbidden):
            services.grace_change(actor=staff(role), batch_id=batch.pk, grace_until=None, source="page")
    auditor = signed_in(staff("auditor"))
    assert auditor.get(f"/staff/imports/{batch.pk}/migration/").status_code == 200
    assert auditor.post(f"/staff/imports/{batch.pk}/ask/").status_code == 403
    assert auditor.post(f"/staff/imports/{batch.pk}/grace/", {"grace_until": "x"}).status_code == 403
    assert signed_in(staff("funding_operator")).get("/staff/imports/migration/").status_code == 403
    page = signed_in(manager)
    until = clock.today() + timedelta(days=30)
    page.post(f"/staff/imports/{batch.pk}/grace/", {"grace_until": until.isoformat()})
    batch.refresh_from_db()
    assert batch.grace_until == until
    assert page.post(f"/staff/imports/{batch.pk}/grace/", {"grace_until": "soon"}).status_code == 302
    page.post(f"/staff/imports/{batch.pk}/ask/")
    batch.refresh_from_db()
    assert batch.asked_at is not None


def test_the_page_of_what_is_missing_is_the_customers_own(
    manager: User, customer_user: User, signed_in: Callable[[User], Client]
) -> None:
    batch = imported(manager, checked(manager, upload(manager, as_csv([person(1)]))))
    application = Application.objects.get(batch=batch)
    path = reverse("customer:missing", args=[application.pk])
    assert signed_in(customer_user).get(path).status_code == 404
    assert Client().get(path).status_code == 302
    assert signed_in(application.customer.user).get(path).status_code == 200


@time_machine.travel(NOON, tick=False)
def test_what_an_open_account_lacked_counts_once_its_change_is_done(manager: User) -> None:
    batch = bare(manager)
    application = Application.objects.get(batch=batch)
    user = application.customer.user
    accept(user, application)
    application = onboarding.application_submit(actor=user, application_id=application.pk, source="page")
    change = {"owner": None, "step": "investment", "answers": answers.INVESTMENT}
    update = AccountUpdate.objects.create(
        account=application.account, changes=[change], labels=["Main goal"], requested_by=user
    )
    updates.apply_changes(update)
    states = {state.step.name: state for state in completeness.step_states(application)}
    assert states["investment"].done
    assert cockpit.standing(cockpit.one(batch)).by_item["investment"] == 0
