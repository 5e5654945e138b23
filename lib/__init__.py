"""Pure functions on arrays and tables: documents, catalogs, separations, metrics, verdicts, results, reports."""
