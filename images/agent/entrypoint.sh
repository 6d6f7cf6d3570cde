#!/bin/sh
# appliance: engine and agent. gateway: agent in the enforcer's role, and routing. engine: the engine alone.
# GATEWAY              default route, if set
# MARSHLIGHT_CONTROLLER  host:port for enrolment
# MARSHLIGHT_TOKEN_FILE  file with the enrolment token; waited for
set -eu
state=${MARSHLIGHT_AGENT_STATE:-/var/lib/marshlight-agent}
token=${MARSHLIGHT_TOKEN_FILE:-/run/marshlight/token}

if [ -n "${GATEWAY:-}" ]; then ip route replace default via "$GATEWAY"; fi

enrolled() { [ -n "$(ls "$state/identity" 2> /dev/null)" ]; }

run_agent() {
  until enrolled; do
    until [ -s "$token" ]; do sleep 0.2; done
    marshlight-agent enrol --controller "$MARSHLIGHT_CONTROLLER" --token-file "$token" --role "$1" || sleep 2
  done
  exec marshlight-agent run
}

case "${1:-appliance}" in
  appliance)
    start-engine.sh
    run_agent decoys
    ;;
  gateway)
    run_agent enforcer
    ;;
  engine)
    start-engine.sh
    exec sleep infinity
    ;;
  *) exec "$@" ;;
esac
