"""Conversion of file columns to labels, numbers, flags, magnitudes and shapes."""
