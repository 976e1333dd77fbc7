"""A stand-in for the providers, spoken to over HTTP alone. It is nobody's real system and imports nothing of
the portal."""
