"""Reports made from results alone."""
