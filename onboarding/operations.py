"""The names under which onboarding's calls stand in the outbox, and its answers among the expected ones."""

#: Creates an account at Bakkt; handled by onboarding.jobs.AccountSave.
SAVE_ACCOUNT = "bakkt.account.save"
#: Reads the provider's copy before a change; and sends the change. Handled in onboarding.update_jobs.
COMPARE = "bakkt.account.compare"
UPDATE = "bakkt.account.update"
#: The kind of expected event every submission writes down.
PARTY_STATUS = "party_status"
#: Passes a paper on; and begins the screening of a company or trust. Handled in onboarding.document_jobs.
UPLOAD = "bakkt.document.upload"
KYB_TRIGGER = "bakkt.account.kyb_trigger"
#: Reads whether a call that was given up took effect. Handled in onboarding.look_up.
LOOK_UP = "bakkt.call.look_up"
#: Changes how an open account settles. Handled in onboarding.settlement_jobs.
SETTLEMENT = "bakkt.account.settlement"
#: Imports a shared identity check again. Handled in onboarding.shared_identity_jobs.
SHARED_IDENTITY = "bakkt.account.shared_identity"
