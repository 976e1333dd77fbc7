"""Linked banks, transfers, the ledger, and reconciling it with the provider."""
