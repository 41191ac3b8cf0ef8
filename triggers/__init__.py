"""What starts runs and asks about them: blob events, HTTP and the sweep's timer."""

from triggers import drops, health, openapi, reports, runs, sweep

blueprints = (drops.bp, runs.bp, reports.bp, health.bp, openapi.bp, sweep.bp)
