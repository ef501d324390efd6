"""Hooks. Import a new one in `mmpod/engine/__init__.py`: that registers it."""
