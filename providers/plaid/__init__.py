"""Plaid: linking a customer's bank. A thin adapter over the official client (docs/decisions/0031)."""
