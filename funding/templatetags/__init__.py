"""Tags of funding for pages of other apps."""
