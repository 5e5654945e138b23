"""Published requirements as data: one YAML file per document, and the named measurement definitions."""
