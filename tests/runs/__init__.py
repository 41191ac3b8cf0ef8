"""Whole runs, on TuneDrops that are processes."""
