"""Where errors come from: residuals of single measurements, groups, trends."""
