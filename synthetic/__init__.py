"""Simulated surveys with known truth."""
