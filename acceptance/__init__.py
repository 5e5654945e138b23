"""The requirement tests: one function per metric, one case per clause and band."""
