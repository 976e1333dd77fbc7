"""Pages of cases, for staff alone."""
