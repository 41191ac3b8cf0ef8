"""The deterministic stories: run, scan, gate and train."""

from orchestrators import gate, run, scan, train

blueprints = (run.bp, scan.bp, gate.bp, train.bp)
