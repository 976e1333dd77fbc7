"""Rows of the onboarding domain, constraints and allowed moves."""

from onboarding.models.accounts import ProviderAccount
from onboarding.models.agreements import Agreement, AgreementAcceptance
from onboarding.models.applications import Application, ApplicationStep, Customer, DraftReminder
from onboarding.models.discarded import DiscardedFile
from onboarding.models.document_requests import DocumentRequest
from onboarding.models.documents import Document, DocumentCopy
from onboarding.models.entities import Entity, TrustedContact
from onboarding.models.entries import StepEntries
from onboarding.models.holds import AccountHold
from onboarding.models.identity import IdentityCheck, IdentityDelivery, IdentityLink
from onboarding.models.imports import HandIn, ImportBatch, ImportRow, ImportTally
from onboarding.models.invitations import InvitationState, OwnerInvitation
from onboarding.models.owners import Address, Employment, InvestmentProfile, Owner
from onboarding.models.privacy import (
    EXPORT_LASTS,
    DataRequest,
    LegalHold,
    RetentionPeriod,
    RetentionRun,
)
from onboarding.models.reconciliation import (
    AccountCheck,
    JurisdictionReading,
    ListedAccount,
    ReconciliationRun,
    UnknownAccount,
)
from onboarding.models.requests import ChangeRequest, ClosureRequest
from onboarding.models.settlement import SettlementChange
from onboarding.models.updates import AccountUpdate
from onboarding.models.uploads import Upload, UploadPart, UploadState

__all__ = [
    "EXPORT_LASTS",
    "AccountCheck",
    "AccountHold",
    "AccountUpdate",
    "Address",
    "Agreement",
    "AgreementAcceptance",
    "Application",
    "ApplicationStep",
    "ChangeRequest",
    "ClosureRequest",
    "Customer",
    "DataRequest",
    "DiscardedFile",
    "Document",
    "DocumentCopy",
    "DocumentRequest",
    "DraftReminder",
    "Employment",
    "Entity",
    "HandIn",
    "IdentityCheck",
    "IdentityDelivery",
    "IdentityLink",
    "ImportBatch",
    "ImportRow",
    "ImportTally",
    "InvestmentProfile",
    "InvitationState",
    "JurisdictionReading",
    "LegalHold",
    "ListedAccount",
    "Owner",
    "OwnerInvitation",
    "ProviderAccount",
    "ReconciliationRun",
    "RetentionPeriod",
    "RetentionRun",
    "SettlementChange",
    "StepEntries",
    "TrustedContact",
    "UnknownAccount",
    "Upload",
    "UploadPart",
    "UploadState",
]
