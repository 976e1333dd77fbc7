"""Bakkt's account-opening family and the part of the partner family that identity checks need."""
