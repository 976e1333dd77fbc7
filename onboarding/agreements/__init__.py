"""Agreements: their versions, whom they bind, who accepted them, and the letters and certificates about it."""

from onboarding.agreements.versions import agreement_publish

__all__ = ["agreement_publish"]
