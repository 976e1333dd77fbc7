"""What people may ask of us about their data, how long data is kept, and how it is erased."""
