"""Linking and unlinking a bank under every fault of the call: both sides end with the same, and never is a bank linked
that its customer unlinked."""

import os
from typing import Any

import pytest
from django.db import transaction

from compliance.models import Case
from funding import bank_flow, bank_given_up, operations, services
from funding.bank_standing import State, standing
from funding.models import LinkedBank
from onboarding.models import ProviderAccount
from portal import ids, outbox
from portal.models import MailMessage, OutboundCall, User
from providers import expected
from sandbox.testing import SandboxProcess
from tests.deciding import decide
from tests.faults.killing import deaths
from tests.faults.matrix import FAULTS, Row, table_of, until_finished
from tests.faults.way import deliver, exchanges, later
from tests.flow import drain
from tests.funding.linking import known_account, user_of
from tests.funding.people import link_bank
from tests.people import make_staff

Status = LinkedBank.Status
Call = OutboundCall.Status
#: No status, a 5xx, or a 2xx that nobody can read: it may have taken effect, and is repeated.
UNKNOWN = frozenset({"time-out", "reset", "500", "502 HTML", "200 nonsense"})
#: The full cross by `make faults` and in the gate's pass on the servers; else what differs.
ALL = os.environ.get("FAULTS") == "all"
FEW = {("link", "409"), ("link", "500"), ("unlink", "409")}
CROSS = [(what, name) for what in ("link", "unlink") for name in FAULTS if ALL or (what, name) in FEW]
OPERATION = {"link": operations.LINK, "unlink": operations.UNLINK}
CALLED = {"link": "link_plaid", "unlink": "unlink_bank"}
table = table_of("call", "fault", "effect", "asked", "done", "lost", "doubled", "tries", "refs", "person")


def being_linked(box: SandboxProcess) -> LinkedBank:
    """A bank whose processor token is made and not handed over yet."""
    account = known_account(box)
    bank = link_bank(account, status="linking", linked_at=None)
    with transaction.atomic():
        bank_flow.hand_over(bank, f"processor-sandbox-{ids.new_id()}", actor=None)
    return bank


def linked(box: SandboxProcess) -> LinkedBank:
    bank = being_linked(box)
    outbox.perform(call_of(bank, "link").pk)
    deliver(box)
    assert now(bank).status == Status.ACTIVE
    return bank


def unlink(bank: LinkedBank) -> None:
    services.bank_unlink(actor=user_of(bank.account), account_id=bank.account_id, source="page")


def now(bank: LinkedBank) -> LinkedBank:
    return LinkedBank.objects.get(pk=bank.pk)


def call_of(bank: LinkedBank, what: str) -> OutboundCall:
    return OutboundCall.objects.get(subject_id=bank.pk, operation=OPERATION[what])


def at_sandbox(box: SandboxProcess, account: ProviderAccount) -> list[dict[str, Any]]:
    """The sandbox's list of the account's linked instruments."""
    banks = box.account(account.client_account_id)["banks"]
    return [bank for bank in banks if bank["status"] in {"PENDING", "LINKED"}]


def assert_never_linked_again(box: SandboxProcess, bank: LinkedBank) -> None:
    """Whatever is still on its way or repeated: what its customer unlinked stays unlinked on both sides."""
    if now(bank).status == Status.ACTIVE:
        unlink(bank)
    with later(hours=2):
        drain()
    deliver(box)
    for call in OutboundCall.objects.filter(subject_id=bank.pk):
        outbox.perform(call.pk)
    deliver(box)
    assert now(bank).status == Status.UNLINKED and at_sandbox(box, bank.account) == []


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("what", "name"), CROSS)
def test_a_fault_of_the_call(box: SandboxProcess, table: list[Row], what: str, name: str, when: str) -> None:
    bank = being_linked(box) if what == "link" else linked(box)
    if what == "unlink":
        unlink(bank)
    took_effect, is_link = when == "after", what == "link"
    # After a 401 the client asks once more by itself, with a new token.
    box.fault(operation=CALLED[what], after_effect=took_effect, count=1 + (name == "401"), **FAULTS[name])
    outbox.perform(call_of(bank, what).pk)

    assert len(at_sandbox(box, bank.account)) == (took_effect == is_link)
    call = call_of(bank, what)
    assert now(bank).status == (Status.LINKING if is_link else Status.UNLINKING)
    assert call.status == (Call.UNKNOWN if name in UNKNOWN else Call.QUEUED)
    assert call.key_spent == (name == "409"), "a used reference is no refusal: it may have had its effect"
    until_finished(lambda: call_of(bank, what))
    deliver(box)

    assert now(bank).status == (Status.ACTIVE if is_link else Status.UNLINKED)
    there = at_sandbox(box, bank.account)
    assert len(there) == is_link and all(one["reference"] == now(bank).reference for one in there)
    banks = box.account(bank.account.client_account_id)["banks"]
    done = len(banks) if is_link else len([one for one in banks if one["unlink_reference"]])
    said = [entry["body"]["partnerTransactionRef"] for entry in exchanges(box, CALLED[what])]
    assert len(set(said)) == 1 + (name == "409" and not took_effect), "a new reference only after a look-up"
    assert not Case.objects.filter(kind=bank_given_up.KIND).exists()
    tries = call_of(bank, what).attempts
    table.append((what, name, when, 1, done, 1 - done, done - 1, tries, len(set(said)), "no"))
    assert done == 1
    assert_never_linked_again(box, bank)


def stuck(
    box: SandboxProcess, settings: Any, what: str, *, took_effect: bool, told: bool = True
) -> LinkedBank:
    """The provider says that the reference was used, and its record cannot be read; `told`: its webhook comes."""
    settings.BAKKT_LINK_READS = False
    bank = being_linked(box) if what == "link" else linked(box)
    if what == "unlink":
        unlink(bank)
    box.fault("409", CALLED[what], after_effect=took_effect)
    if not told:
        box.fault("webhook_lost", "BANK_ACCOUNT_LINK", count=None)
    outbox.perform(call_of(bank, what).pk)
    with later(minutes=1):
        outbox.perform(call_of(bank, what).pk)
    assert call_of(bank, what).status == Call.NEEDS_PERSON and now(bank).stuck_at is not None
    return now(bank)


def case_of(bank: LinkedBank) -> Case:
    """The open one, else the last."""
    rows = Case.objects.filter(kind=bank_given_up.KIND, subject_id=bank.pk)
    return rows.exclude(status="closed").first() or rows.latest("opened_at")


def test_without_a_record_to_read_the_word_by_webhook_settles_it(box: SandboxProcess, settings: Any) -> None:
    bank = stuck(box, settings, "link", took_effect=True)
    assert case_of(bank).status != "closed"
    deliver(box)
    bank_given_up.heard(bank.pk)
    assert (now(bank).status, now(bank).stuck_at, case_of(bank).status) == ("active", None, "closed")
    assert call_of(bank, "link").status == Call.SUCCEEDED
    assert_never_linked_again(box, bank)


@pytest.mark.parametrize(
    ("what", "decision", "took_effect", "ends"),
    [
        ("link", "again", False, "active"),
        ("link", "done", True, "active"),
        ("link", "drop", True, "unlinked"),
        ("link", "drop", False, "unlinked"),
        ("unlink", "again", False, "unlinked"),
        ("unlink", "done", True, "unlinked"),
        ("unlink", "drop", True, "unlinked"),
    ],
)
def test_a_person_decides(
    box: SandboxProcess, settings: Any, what: str, decision: str, took_effect: bool, ends: str
) -> None:
    bank = stuck(box, settings, what, took_effect=took_effect)
    decide(make_staff("compliance_manager"), case_of(bank), decision, text="Their team told us")
    drain()
    deliver(box)
    assert (now(bank).status, now(bank).stuck_at, case_of(bank).status) == (ends, None, "closed")
    assert len(at_sandbox(box, bank.account)) == (ends == "active")
    assert call_of(bank, what).status in OutboundCall.FINAL
    if (what, decision) == ("link", "drop"):
        told = standing(bank.account)
        assert told.state == State.FAILED and "took it back" in told.why
        assert MailMessage.objects.latest("pk").subject == "Your bank was not linked"
    assert_never_linked_again(box, bank)


@pytest.mark.parametrize(
    ("what", "took_effect", "ends"),
    [
        ("link", True, "active"),
        ("link", False, "linking"),
        ("unlink", True, "unlinked"),
        ("unlink", False, "unlinking"),
    ],
)
def test_a_person_has_it_looked_up(
    box: SandboxProcess, settings: Any, what: str, took_effect: bool, ends: str
) -> None:
    bank = stuck(box, settings, what, took_effect=took_effect, told=False)
    first = case_of(bank)
    settings.BAKKT_LINK_READS = True
    deliver(box)
    assert now(bank).stuck_at is not None, "no webhook tells"
    decide(make_staff("compliance_manager"), first, "look")
    drain()
    assert now(bank).status == ends
    first.refresh_from_db()
    assert first.status == "closed"
    is_open = now(bank).stuck_at is not None
    assert is_open != took_effect and (case_of(bank).status != "closed") == is_open


def test_a_customer_takes_a_stuck_link_back(box: SandboxProcess, settings: Any) -> None:
    """The provider has it, and nobody here knew: it is unlinked there all the same, and is not asked for again."""
    bank = stuck(box, settings, "link", took_effect=True)
    unlink(bank)
    assert case_of(bank).status == "closed"
    bank_given_up.heard(bank.pk)
    assert call_of(bank, "link").status == Call.SUCCEEDED
    drain()
    assert_never_linked_again(box, bank)


@pytest.mark.parametrize("reads", [True, False])
def test_a_word_that_stays_out(box: SandboxProcess, settings: Any, reads: bool) -> None:
    """Read where that is possible; else a person asks."""
    bank = being_linked(box)
    outbox.perform(call_of(bank, "link").pk)
    assert now(bank).status == Status.PENDING
    box.fault("webhook_lost", "BANK_ACCOUNT_LINK")
    deliver(box)
    settings.BAKKT_LINK_READS = reads
    with later(hours=2):
        expected.sweep()
    assert now(bank).status == ("active" if reads else "pending")
    assert (now(bank).stuck_at is None) == reads
    if not reads:
        decide(make_staff("compliance_manager"), case_of(bank), "done", text="Their team told us")
        assert now(bank).status == "active"


def test_taken_and_not_in_their_record(box: SandboxProcess) -> None:
    """They said that they have it, and have not: nothing is sent again by itself."""
    bank = being_linked(box)
    with transaction.atomic():
        bank_flow.pending(LinkedBank.objects.get(pk=bank.pk), source="provider")
    with later(hours=2):
        expected.sweep()
        expected.sweep()
    assert now(bank).stuck_at is not None
    decide(make_staff("compliance_manager"), case_of(bank), "drop", text="Not in their record")
    drain()
    assert now(bank).status == "unlinked"


@pytest.mark.skipif(not ALL, reason="by FAULTS=all")
@pytest.mark.parametrize("what", ["link", "unlink"])
def test_killed_at_every_point(box: SandboxProcess, customer_user: User, what: str) -> None:
    """A worker killed before and after each commit and each request of the call."""
    banks: list[LinkedBank] = []

    def prepare() -> Any:
        banks.append(being_linked(box) if what == "link" else linked(box))
        if what == "unlink":
            unlink(banks[-1])
        call = call_of(banks[-1], what).pk
        return lambda: outbox.perform(call)

    for died in deaths(prepare):
        bank = banks[-1]
        with later(minutes=20):
            drain()
        deliver(box)
        with later(minutes=40):
            drain()
        deliver(box)
        assert now(bank).status == ("active" if what == "link" else "unlinked"), died
        assert len(at_sandbox(box, bank.account)) == (what == "link")
    assert len(banks) > 3, "nothing was killed"
