"""Rows of the providers app; one import line per module."""

from providers.models.calls import CallLog, HostCircuit, ProviderToken
from providers.models.expected import ExpectedEvent, ProviderOutage
from providers.models.inbound import InboundEvent

__all__ = ["CallLog", "ExpectedEvent", "HostCircuit", "InboundEvent", "ProviderOutage", "ProviderToken"]
