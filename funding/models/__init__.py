"""Rows of the funding domain, constraints and allowed moves."""

from funding.models.authorisations import Authorisation
from funding.models.balances import ProviderBalance
from funding.models.banks import LinkedBank
from funding.models.drafts import TransferDraft
from funding.models.ledger import Book, LedgerBalance, LedgerEntry, LedgerLine
from funding.models.limits import TransferLimit
from funding.models.links import BankLogin, LinkSession
from funding.models.notices import ALWAYS, Notice, NoticeChoice, NoticeKind
from funding.models.reconciliation import AccountReading, MoneyRun, ReconciliationItem, StatedMovement
from funding.models.transfers import Transfer, WireRecipient

__all__ = [
    "ALWAYS",
    "AccountReading",
    "Authorisation",
    "BankLogin",
    "Book",
    "LedgerBalance",
    "LedgerEntry",
    "LedgerLine",
    "LinkSession",
    "LinkedBank",
    "MoneyRun",
    "Notice",
    "NoticeChoice",
    "NoticeKind",
    "ProviderBalance",
    "ReconciliationItem",
    "StatedMovement",
    "Transfer",
    "TransferDraft",
    "TransferLimit",
    "WireRecipient",
]
