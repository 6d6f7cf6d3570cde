"""OpenSSH's server."""
