"""The customer's REST API: open an account and follow it."""
