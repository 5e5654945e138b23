"""Survey profiles, one YAML file each."""
