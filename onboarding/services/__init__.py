"""Every write a customer or a staff member causes on an application."""

from onboarding.operations import COMPARE, PARTY_STATUS, SAVE_ACCOUNT, UPDATE
from onboarding.services.applications import (
    VERDICT_WITHIN,
    application_start,
    application_submit,
    application_withdraw,
    customer_of,
    hand_in,
    pass_on,
)
from onboarding.services.assisted import (
    application_hand_over,
    application_start_for,
    step_entries_keep_for,
    step_save_for,
)
from onboarding.services.invitations import (
    invitation_accept,
    may_be_invited,
    owner_invite,
    wrong_person,
)
from onboarding.services.people import owner_add, owner_change, owner_remove
from onboarding.services.steps import agreements_accept, step_entries_keep, step_save
from onboarding.services.updates import (
    complete_set_send,
    theirs_take,
    update_request,
    update_resend,
    update_withdraw,
    why_not_update,
)

__all__ = [
    "COMPARE",
    "PARTY_STATUS",
    "SAVE_ACCOUNT",
    "UPDATE",
    "VERDICT_WITHIN",
    "agreements_accept",
    "application_hand_over",
    "application_start",
    "application_start_for",
    "application_submit",
    "application_withdraw",
    "complete_set_send",
    "customer_of",
    "hand_in",
    "invitation_accept",
    "may_be_invited",
    "owner_add",
    "owner_change",
    "owner_invite",
    "owner_remove",
    "pass_on",
    "step_entries_keep",
    "step_entries_keep_for",
    "step_save",
    "step_save_for",
    "theirs_take",
    "update_request",
    "update_resend",
    "update_withdraw",
    "why_not_update",
    "wrong_person",
]
