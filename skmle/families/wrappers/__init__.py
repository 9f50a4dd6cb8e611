"""Families around families."""
