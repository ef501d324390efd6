"""Shared by all other packages: argument checks, collectives, user-facing errors, paths of the shipped files."""
