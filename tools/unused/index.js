"use strict";
// Empty on purpose: Azurite loads its telemetry library at start, and calls it only without --disableTelemetry.
