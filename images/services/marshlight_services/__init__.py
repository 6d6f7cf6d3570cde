"""Further services of a decoy, in one process: see images/services/README.md."""
