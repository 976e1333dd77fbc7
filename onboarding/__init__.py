"""Customers, their applications and their accounts at the provider."""
