"""Detections, reference stars, colors, association into objects, and checks of all of these."""
