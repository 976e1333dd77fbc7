"""Workers and web processes killed at every step of a transfer: in the end it moved once, or was never asked for."""

from collections.abc import Callable

import pytest

from funding.models import LinkedBank, Transfer
from onboarding.models import ProviderAccount
from portal import outbox
from portal.models import User
from providers import inbox
from sandbox.testing import SandboxProcess
from tests.faults.killing import deaths
from tests.faults.money import ask, assert_books_agree, call_of, funded, settle
from tests.faults.way import later
from tests.flow import drain

Step = Callable[[SandboxProcess, ProviderAccount], Callable[[], object]]


def asks(box: SandboxProcess, account: ProviderAccount) -> Callable[[], object]:
    return lambda: ask(account)


def sends(box: SandboxProcess, account: ProviderAccount) -> Callable[[], object]:
    call = call_of(ask(account)).pk
    return lambda: outbox.perform(call)


def looks_up_and_sends(box: SandboxProcess, account: ProviderAccount) -> Callable[[], object]:
    """After an answer that spent the key."""
    call = call_of(ask(account)).pk
    box.fault("401", "transfer")
    outbox.perform(call)

    def work() -> None:
        with later(minutes=20):
            outbox.perform(call)

    return work


def hears(box: SandboxProcess, account: ProviderAccount) -> Callable[[], object]:
    """On its way, done and returned, told in one go."""
    # The playbook stops a bank that returned a deposit; a person has allowed it again.
    LinkedBank.objects.update(stopped_for="")
    ask(account, cents=10_010)
    drain()
    for _ in range(3):
        box.flush()
    return inbox.process_due


@pytest.mark.parametrize("step", [asks, sends, looks_up_and_sends, hears])
def test_killed_at_every_point(box: SandboxProcess, customer_user: User, step: Step) -> None:
    account = funded(box, customer_user)
    box.api("POST", "settings", {"max_ach_returns": 0})
    died = 0
    for died in deaths(lambda: step(box, account)):
        with later(minutes=20 * died):
            drain()
        settle(box)
        assert_books_agree(box, account)
    assert died >= 2, "nothing was killed"
    with later(hours=24):
        drain()
    settle(box)
    assert_books_agree(box, account)
    asked = Transfer.objects.filter(account=account).exclude(origin="provider")
    movements = [
        row["reference"] for row in box.account(account.client_account_id)["movements"] if row["reference"]
    ]
    assert sorted(movements) == sorted(asked.values_list("reference", flat=True))
    assert set(asked.values_list("status", flat=True)) <= {"completed", "returned"}
