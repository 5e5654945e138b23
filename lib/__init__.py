"""Documents, catalogs, metrics, verdicts, results and reports, without pytest."""

from skyaccept.lib.user_folders import ensure_home

ensure_home()
