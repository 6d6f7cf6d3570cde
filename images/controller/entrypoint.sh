#!/bin/sh
# GATEWAY: default route, if set. MARSHLIGHT_PUBLIC_HOST: the address agents reach this controller at.
set -eu
if [ -n "${GATEWAY:-}" ]; then ip route replace default via "$GATEWAY"; fi
case "${1:-serve}" in
  serve)
    [ -f "${MARSHLIGHT_DATA:-/var/lib/marshlight}/config.json" ] || marshlight init --host "$MARSHLIGHT_PUBLIC_HOST"
    exec marshlight serve
    ;;
  *) exec "$@" ;;
esac
