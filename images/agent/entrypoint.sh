#!/bin/sh
# appliance: engine and agent. gateway: agent in the enforcer's role, and routing. engine: the engine alone.
# GATEWAY              default route, if set
# MARSHLIGHT_CONTROLLER  host:port for enrolment
# MARSHLIGHT_TOKEN_FILE  file with the enrolment token; waited for
# NAME_SERVER          where names are asked, if set
# NAME_RECORDS         gateway: "ip name" lines it answers for, forward and reverse
set -eu
state=${MARSHLIGHT_AGENT_STATE:-/var/lib/marshlight-agent}
token=${MARSHLIGHT_TOKEN_FILE:-/run/marshlight/token}

if [ -n "${GATEWAY:-}" ]; then ip route replace default via "$GATEWAY"; fi

if [ -n "${NAME_SERVER:-}" ]; then echo "nameserver $NAME_SERVER" > /etc/resolv.conf; fi

enrolled() { [ -s "$state/identity/identity.json" ]; }

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
    if [ -n "${NAME_RECORDS:-}" ]; then
      printf '%s\n' "$NAME_RECORDS" > /run/names
      dnsmasq --conf-file=/dev/null --no-resolv --no-hosts --addn-hosts=/run/names --user=root
    fi
    run_agent enforcer
    ;;
  engine)
    start-engine.sh
    exec sleep infinity
    ;;
  *) exec "$@" ;;
esac
