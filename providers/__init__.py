"""Typed clients of the outside APIs, and the inbox their webhooks land in."""
