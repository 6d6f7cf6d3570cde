"""Cowrie as a decoy of Marshlight: personas that can change while it runs, one JSON line an event."""
