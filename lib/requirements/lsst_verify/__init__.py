"""Metrics and specifications packages of lsst.verify, read as requirement documents.

The format is that of SQR-017 and SQR-019: a folder with ``metrics/PACKAGE.yaml``, which define what is measured, and
``specs/PACKAGE/**.yaml``, whose documents state thresholds and inherit from one another.
"""
