"""Verdicts by the risk of a wrong one (JCGM 106), and the number of visits that they take."""
