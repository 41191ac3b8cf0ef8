"""The deterministic stories: run, scan and train."""

from orchestrators import run, scan, train

blueprints = (run.bp, scan.bp, train.bp)
