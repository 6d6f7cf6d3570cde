#!/bin/sh
# GATEWAY: default route, if set. MARSHLIGHT_PUBLIC_HOST: the address agents reach this controller at.
# /run/marshlight/config.json: settings that replace those of `init`, if there.
set -eu
if [ -n "${GATEWAY:-}" ]; then ip route replace default via "$GATEWAY"; fi
case "${1:-serve}" in
  serve)
    config=${MARSHLIGHT_DATA:-/var/lib/marshlight}/config.json
    if [ ! -f "$config" ]; then
      marshlight init --host "$MARSHLIGHT_PUBLIC_HOST"
      [ ! -f /run/marshlight/config.json ] || cat /run/marshlight/config.json > "$config"
    fi
    exec marshlight serve
    ;;
  *) exec "$@" ;;
esac
