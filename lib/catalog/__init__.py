"""Detections, reference stars, colours, association, and their checks."""
