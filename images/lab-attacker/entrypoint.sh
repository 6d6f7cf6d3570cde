#!/bin/sh
# attacker: waits for commands. payload-server: serves /srv/payloads on port 80. GATEWAY: default route.
set -eu
if [ -n "${GATEWAY:-}" ]; then ip route replace default via "$GATEWAY"; fi
case "${1:-attacker}" in
  attacker) exec sleep infinity ;;
  payload-server) exec python3 /opt/lab/payload-server.py ;;
  *) exec "$@" ;;
esac
