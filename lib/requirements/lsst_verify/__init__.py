"""Metrics and specifications of lsst.verify packages as requirement documents.

The format is that of SQR-017 and SQR-019: a folder with ``metrics/PACKAGE.yaml``, which define the metrics, and
``specs/PACKAGE/**.yaml``, whose documents state thresholds and inherit from one another.
"""
