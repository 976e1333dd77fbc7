"""Whether our books and the provider's record of money are the same (docs/decisions/0034-reconciling-money.md)."""
