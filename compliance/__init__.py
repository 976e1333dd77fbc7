"""Cases: everything that needs a person's decision, whichever app found it."""
