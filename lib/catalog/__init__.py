"""Detections, reference stars, colours, association into objects, and their checks."""
