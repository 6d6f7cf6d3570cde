#!/bin/sh
# GATEWAY: default route, if set. MARSHLIGHT_PUBLIC_HOST: the address agents reach this controller at.
# /run/marshlight/config.json: settings laid over those of `init`, if there.
set -eu
if [ -n "${GATEWAY:-}" ]; then ip route replace default via "$GATEWAY"; fi
case "${1:-serve}" in
  serve)
    config=${MARSHLIGHT_DATA:-/var/lib/marshlight}/config.json
    if [ ! -f "$config" ]; then
      marshlight init --host "$MARSHLIGHT_PUBLIC_HOST"
      [ ! -f /run/marshlight/config.json ] || node /opt/marshlight/lay-over.mjs "$config" /run/marshlight/config.json
    fi
    exec marshlight serve
    ;;
  *) exec "$@" ;;
esac
