"""The sample of a definition: cuts, the selection with its summary of rejected rows, subsampling."""
