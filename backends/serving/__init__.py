"""What pages, model servers and the gateway use to serve requests: sockets, limits of bodies, counters in Redis."""
