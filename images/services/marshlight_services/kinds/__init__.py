"""One module a kind of service: `talk` for a connection, `answer` for a datagram."""
