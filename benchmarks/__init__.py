"""Benchmarks of the kernels and of whole runs; see docs/performance.md."""
