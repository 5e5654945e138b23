"""Scenarios of simulated surveys, one YAML file each."""
