"""Acceptance tests for multi-visit sky catalogs, driven by requirement documents.

PYTEST_DONT_REWRITE: there is nothing to rewrite here, and pytest would warn where this was imported before it started.
"""

__version__ = "0.1.0"
