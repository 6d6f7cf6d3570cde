"""Drift of a decoy's every port but Cowrie's, by what its packets meet on their way: see images/pod/README.md."""
