"""Dropbear's server, as routers, switches and cameras run it."""
