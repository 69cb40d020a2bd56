"""Benchmarks: ratios to what PostgreSQL itself does with the same data in the same run. See docs/performance.md."""
