"""Statistics of errors, jackknife, bias, and the distribution of an estimate."""
