"""The practice server: a small, honest Realtime API on loopback, without key or network."""
