"""Controlled deviations of what this decoy answers, as control/drift.json says: see README.md."""
