"""The sample of a definition: cuts, selection, visit matrix, subsampling."""
