"""Profiles of reference catalogs, one YAML file each."""
