"""Benchmarks, coverage simulations, mutation tests and fuzzers (not installed)."""
