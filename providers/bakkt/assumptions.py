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
