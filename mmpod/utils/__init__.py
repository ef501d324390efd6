"""Argument checks, collectives, user-facing errors and paths of shipped files, for use in all other packages."""
