"""What Bakkt's sources leave open, in one place. Each names its question in the wire contract
(bakkt-partner.md, section 12)."""

# Two more are habits and not values: countries travel as alpha-3 codes (question 23, types.Address), and
# phone and e-mail stand on the owner, not under identity (question 21, types.Owner).

# Question 2: whether account-opening calls want a prefix before the token is unpublished. Overridden by
# BAKKT_CRYPTO_TOKEN_PREFIX.
CRYPTO_TOKEN_PREFIX = "Bearer "  # noqa: S105  (the scheme, no secret)

# Question 3: the lifetime of the account-opening token is unpublished; it is used until a 401, then renewed
# once.
CRYPTO_TOKEN_LIFETIME_SECONDS: int | None = None

# Question 4: the guide sends the grant type in the form body, another source declares it as a query
# parameter.
GRANT_TYPE_IN_QUERY = False

# Question 19: the guide prints NATIONALID, the schema NATIONAL_ID.
NATIONAL_ID = "NATIONAL_ID"

# Contract, section 4.5: the guide prints IDENTIFICATION CARD with a space, the schema with an underscore.
IDENTIFICATION_CARD = "IDENTIFICATION_CARD"

# Question 22: the guide prints the update path with a trailing slash, the schema without.
ACCOUNTS_PATH = "/apex-crypto/api/v2/accounts"

# Question 15: reading transactions is named in the guide, without path, parameters or reply. Calls are off until
# BAKKT_TRANSACTION_READS says that Bakkt confirmed these; the stand-in answers them.
TRANSACTION_PATH = "/transactions/{partnerTransactionRef}"
TRANSACTIONS_PATH = "/transactions"
TRANSACTIONS_SINCE = "from"
TRANSACTIONS_UNTIL = "to"
TRANSACTIONS_CURSOR = "cursor"
# The reply is assumed to be the list itself; should it come in pages, as an object with these names.
TRANSACTIONS_LIST = "transactions"
TRANSACTIONS_NEXT_CURSOR = "nextCursor"
# No error is published for a transaction nobody knows: 404, or a 400 with this type.
TRANSACTION_NOT_FOUND = "TRANSACTION_NOT_FOUND"

# Question 15, for links: no source says whether a link is found by its reference too. Calls are off until
# BAKKT_LINK_READS says that Bakkt confirmed these; the reply is assumed to have the fields of BANK_ACCOUNT_LINK.
LINK_PATH = TRANSACTION_PATH
LINK_NOT_FOUND = TRANSACTION_NOT_FOUND

# Question 28: the kind of a bank account is free text.
BANK_ACCOUNT_TYPES = {"CHECKING": "CHECKING", "SAVINGS": "SAVINGS"}

# Question 17: what a 409 says when it answers our own key; an empty or unreadable body says the same, since the
# original reply may stand in its place and has none.
KEY_IN_USE = "IDEMPOTENCY_KEY_IN_USE"

# Contract, section 7.4: of these names only the instrument's is certain; for the others the first that is there
# counts.
FIAT_PROVIDER_IDS = ("transactionId", "fiatTransactionId", "bakktTransactionId", "id")
FIAT_MOMENTS = ("timestamp", "eventTime", "transactionTime", "createdAt")

# Contract, section 7.2: an account is suspended with MAX_ACH_RETURNS after so many returned deposits; how many is
# unpublished.
MOST_ACH_RETURNS = 3
