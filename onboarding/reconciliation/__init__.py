"""Whether our accounts and the provider's are the same (docs/decisions/0017-reconciling-accounts.md)."""
