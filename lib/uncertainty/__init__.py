"""Statistics of errors, the jackknife, bias corrections, and the distribution of an estimate."""
