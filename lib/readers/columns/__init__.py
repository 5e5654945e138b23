"""Columns of a file to columns of the detections: labels, numbers, flags, fluxes, moments."""
