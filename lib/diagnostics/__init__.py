"""Residuals of single measurements, by group and against covariates: where errors come from."""
