"""The names under which funding's calls stand in the outbox, and its answers among the expected ones."""

#: Asks the provider to move money. Handled in funding.transfer_jobs.
TRANSFER = "bakkt.fiat.transfer"
#: Reads whether a transfer whose call was given up took effect. Handled in funding.look_up.
LOOK_UP = "bakkt.fiat.look_up"
#: Link a bank by Plaid's processor token, and unlink it. Handled in funding.bank_jobs.
LINK = "bakkt.fiat.link"
UNLINK = "bakkt.fiat.unlink"
#: Reads whether a bank whose call was given up is linked. Handled in funding.bank_reading.
LINK_LOOK_UP = "bakkt.fiat.link_look_up"
#: Plaid's calls on the way to a link, and at its end. Handled in funding.login_jobs.
LOGIN_READ = "plaid.login_read"
OWNER_MATCH = "plaid.owner_match"
PROCESSOR_TOKEN = "plaid.processor_token"  # noqa: S105  (a name)
LOGIN_REMOVE = "plaid.login_remove"
#: The kind of expected event that every bank handed to the provider writes down.
BANK_LINK = "bank_account_link"
#: The kind of expected event that every transfer sent writes down.
FIAT_STATUS = "fiat_status"
