"""The domain of TuneDrop and its adapters: what triggers, orchestrators and activities share."""
