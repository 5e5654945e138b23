"""The ``skyaccept`` command."""
