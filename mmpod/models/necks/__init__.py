"""Modules between a backbone and a head that expects one vector per image."""
