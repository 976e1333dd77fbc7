"""A stand-in for Plaid: its calls, its page, its signed webhooks. It is not Plaid and talks to no bank."""
