"""Pages of funding, for customers and for staff."""
