"""A service that misbehaves by bytes, and every call that the app makes of one."""
