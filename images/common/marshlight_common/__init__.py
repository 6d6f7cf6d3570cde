"""What the processes of a decoy have in common, whichever service they play: see images/common/README.md."""
