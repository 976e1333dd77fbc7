"""Every model of the site is thought of where people ask for their data: what the copy tells, and what erasure takes.

A model that stands in neither list fails here. Funding keeps its own lists beside its code (funding/privacy.py), which
tests/funding/test_privacy.py asks the same of.
"""

from django.apps import apps
from django.db.models import Model

from compliance import kinds
from funding.privacy import HOLDINGS
from funding.privacy import OF_NOBODY as FUNDING_OF_NOBODY
from onboarding.models import Customer
from portal.models import User

#: Told in the copy (onboarding/privacy/exporting.py).
COPIED = """
portal.User portal.MailMessage portal.StatusChange account.EmailAddress mfa.Authenticator
onboarding.Customer onboarding.Application onboarding.ProviderAccount onboarding.Owner onboarding.Entity
onboarding.Address onboarding.Employment onboarding.InvestmentProfile onboarding.TrustedContact
onboarding.AgreementAcceptance onboarding.Document onboarding.DocumentRequest onboarding.DataRequest
"""
NOT_COPIED = {
    "keys, sessions and answers given again: nothing but the means": """
        sessions.Session account.EmailConfirmation portal.IdempotentRequest onboarding.OwnerInvitation
        onboarding.Upload onboarding.UploadPart onboarding.DiscardedFile onboarding.IdentityLink""",
    "what passed between the provider and us: its facts are answers and statuses in the copy": """
        portal.OutboundCall providers.InboundEvent providers.CallLog providers.ExpectedEvent
        onboarding.DocumentCopy onboarding.AccountCheck onboarding.ListedAccount onboarding.UnknownAccount
        onboarding.IdentityCheck""",
    "the file an account was brought over from: its answers are in the copy": """
        onboarding.ImportBatch onboarding.ImportRow onboarding.HandIn""",
    "what is asked for and done stands in letters, statuses and answers of the copy": """
        onboarding.ChangeRequest onboarding.ClosureRequest onboarding.AccountUpdate onboarding.SettlementChange
        onboarding.ApplicationStep onboarding.StepEntries onboarding.DraftReminder
        onboarding.AgreementReminder""",
    "what colleagues think, and what customers may not be told of: holds, orders of courts, cases": """
        onboarding.AccountHold onboarding.LegalHold compliance.Case compliance.CaseFact compliance.CaseNote
        compliance.CaseTick compliance.CaseDecision compliance.CaseFile compliance.CaseMark
        compliance.CaseMention compliance.CaseExport compliance.CasePresence compliance.Proposal
        compliance.Review compliance.SeenEvidence""",
    "who did and saw what, masked": "portal.AuditEntry portal.AuditSealedEntry portal.Reveal",
}

#: Emptied or deleted, at once or when its time is over (onboarding/privacy/erasing.py and policy.py).
ERASED = """
portal.User portal.MailMessage portal.IdempotentRequest portal.OutboundCall portal.Reveal sessions.Session
account.EmailAddress account.EmailConfirmation mfa.Authenticator providers.InboundEvent
compliance.Case compliance.CaseFile compliance.SeenEvidence compliance.Proposal
onboarding.Application onboarding.Owner onboarding.Entity onboarding.Address onboarding.Employment
onboarding.InvestmentProfile onboarding.TrustedContact onboarding.AgreementAcceptance onboarding.OwnerInvitation
onboarding.StepEntries onboarding.ApplicationStep onboarding.ImportRow onboarding.Document onboarding.DocumentCopy
onboarding.DocumentRequest onboarding.ChangeRequest onboarding.Upload onboarding.UploadPart onboarding.DiscardedFile
onboarding.AccountHold onboarding.AccountUpdate onboarding.AccountCheck onboarding.IdentityLink
"""
NOT_ERASED = {
    "the trail and the record of cases: masks, and what people decided": """
        portal.AuditEntry portal.AuditSealedEntry portal.StatusChange compliance.CaseFact compliance.CaseNote
        compliance.CaseTick compliance.CaseDecision compliance.CaseMark
        compliance.CaseMention compliance.CaseExport compliance.CasePresence compliance.Review""",
    "keys, days and statuses: without the person they name nobody": """
        onboarding.Customer onboarding.ProviderAccount onboarding.ClosureRequest onboarding.SettlementChange
        onboarding.IdentityCheck onboarding.DraftReminder onboarding.AgreementReminder onboarding.HandIn
        onboarding.ImportBatch onboarding.ListedAccount onboarding.UnknownAccount providers.CallLog
        providers.ExpectedEvent""",
    "proves that the law was followed": "onboarding.DataRequest onboarding.LegalHold",
}

#: Nothing of a customer: rules, counts, and what the staff keep for their own work.
OF_NOBODY = """
portal.AuditSeal portal.AuditCheck portal.Heartbeat portal.WorkerHeartbeat portal.RevealDigest
providers.ProviderToken providers.HostCircuit providers.ProviderOutage
compliance.WorkCalendar compliance.DayOff compliance.Queue compliance.RuleBook compliance.Rule compliance.DayCounted
compliance.Figure compliance.ApprovalRule compliance.ListColumns compliance.SavedView compliance.ReviewPolicy
compliance.ReviewDraw compliance.Worker
onboarding.Agreement onboarding.AgreementDocument onboarding.RetentionPeriod onboarding.RetentionRun
onboarding.ReconciliationRun onboarding.JurisdictionReading onboarding.IdentityDelivery onboarding.ImportTally
auth.Permission auth.Group contenttypes.ContentType
"""


def names(*groups: str) -> list[str]:
    return [name for group in groups for name in group.split()]


def all_models() -> set[str]:
    return {model._meta.label for model in apps.get_models() if model._meta.app_label != "funding"}


def leads_to(model: type[Model], *targets: type[Model], seen: frozenset[type[Model]] = frozenset()) -> bool:
    """Whether a row of the model leads to one of the targets over any of its keys."""
    if model in targets:
        return True
    keys = {field.related_model for field in model._meta.concrete_fields if field.is_relation} - seen
    return any(leads_to(key, *targets, seen=seen | {model}) for key in keys if isinstance(key, type))


def test_every_model_is_told_or_has_a_reason_why_not() -> None:
    known = names(COPIED, *NOT_COPIED.values(), OF_NOBODY)
    assert sorted(known) == sorted(all_models())


def test_every_model_is_erased_or_has_a_reason_why_not() -> None:
    known = names(ERASED, *NOT_ERASED.values(), OF_NOBODY)
    assert sorted(known) == sorted(all_models())


def test_every_kind_of_case_says_whose_it_is_or_that_it_is_nobody_s() -> None:
    """By its anchor it is shut with its customer, and what was attached to it goes with the account."""
    nobody = {kind.name for kind in kinds.all_kinds() if kind.anchor is kinds.no_anchor}
    assert {name for name in nobody if not name.startswith("tests.")} == {"onboarding.unknown_account"}


def test_what_leads_to_a_customer_is_not_called_nobody_s() -> None:
    for name in names(OF_NOBODY):
        assert not leads_to(apps.get_model(name), Customer), name
    for one in HOLDINGS:
        assert leads_to(one.model, Customer, User), one.model
    assert not any(leads_to(model, Customer) for model in FUNDING_OF_NOBODY)
