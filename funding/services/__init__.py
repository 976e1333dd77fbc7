"""Every write of funding that a person causes."""

from funding.services.banks import (
    Way,
    account_choose,
    bank_unlink,
    link_bring,
    link_end,
    link_start,
    login_drop,
    why_not_link,
    why_not_unlink,
)
from funding.services.drafts import draft_accept, draft_start
from funding.services.limits import limit_remove, limit_save
from funding.services.stuck import transfer_found, transfer_give_up, transfer_send_again
from funding.services.stuck_banks import bank_call_again, bank_call_done, bank_call_give_up
from funding.services.transfers import (
    FROM_CASE,
    Accepted,
    authorisation_text,
    transfer_approve,
    transfer_cancel,
    transfer_request,
    wire_recipient_add,
    wire_recipient_remove,
)

__all__ = [
    "FROM_CASE",
    "Accepted",
    "Way",
    "account_choose",
    "authorisation_text",
    "bank_call_again",
    "bank_call_done",
    "bank_call_give_up",
    "bank_unlink",
    "draft_accept",
    "draft_start",
    "limit_remove",
    "limit_save",
    "link_bring",
    "link_end",
    "link_start",
    "login_drop",
    "transfer_approve",
    "transfer_cancel",
    "transfer_found",
    "transfer_give_up",
    "transfer_request",
    "transfer_send_again",
    "why_not_link",
    "why_not_unlink",
    "wire_recipient_add",
    "wire_recipient_remove",
]
