"""Pure functions on arrays and tables: documents, catalogs, separations, metrics, verdicts, results, reports."""

from skyaccept.lib.user_folders import ensure_home

ensure_home()
