"""Bakkt: account opening (apex-crypto v2) and the partner API (v1)."""
