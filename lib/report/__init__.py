"""Reports, all of them made from results alone."""
