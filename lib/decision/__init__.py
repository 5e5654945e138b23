"""Verdicts at a stated risk (JCGM 106), and the samples that they need."""
