"""Acceptance tests for multi-visit sky catalogs, driven by requirement documents."""

__version__ = "0.1.0"
