"""Locks around money, always in one order: the account, then the transfer or the bank, then the login at it."""

from uuid import UUID

from funding.models import BankLogin, LinkedBank, Transfer
from onboarding.jobs import lock_account
from portal.errors import NotFound


def lock_transfer(transfer_id: UUID) -> Transfer:
    """The transfer with its account, both locked. Raises NotFound."""
    account_id = Transfer.objects.filter(pk=transfer_id).values_list("account", flat=True).first()
    if account_id is None:
        raise NotFound("There is no such transfer.")
    account = lock_account(account_id)
    rows = Transfer.objects.select_for_update(of=("self",)).select_related(
        "bank", "recipient", "requested_by"
    )
    transfer = rows.get(pk=transfer_id)
    transfer.account = account
    return transfer


def lock_bank(bank_id: UUID) -> LinkedBank:
    """The linked bank with its account, both locked. Raises NotFound."""
    account_id = LinkedBank.objects.filter(pk=bank_id).values_list("account", flat=True).first()
    if account_id is None:
        raise NotFound("There is no such bank.")
    account = lock_account(account_id)
    bank = LinkedBank.objects.select_for_update(of=("self",)).get(pk=bank_id)
    bank.account = account
    return bank


def lock_login(login_id: UUID) -> BankLogin:
    """The login at a bank with its account, both locked. Raises NotFound."""
    account_id = BankLogin.objects.filter(pk=login_id).values_list("account", flat=True).first()
    if account_id is None:
        raise NotFound("There is no such bank.")
    account = lock_account(account_id)
    login = BankLogin.objects.select_for_update(of=("self",)).get(pk=login_id)
    login.account = account
    return login
