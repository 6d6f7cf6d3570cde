#!/bin/sh
# A host of the simulated segments, with real services.
# GATEWAY   default route
# SERVICES  any of: ssh dropbear http apache http-app busybox-http telnet postgres mariadb redis ftp smb
# USERS     name:password, separated by spaces
set -eu
if [ -n "${GATEWAY:-}" ]; then ip route replace default via "$GATEWAY"; fi

for entry in ${USERS:-}; do
  name=${entry%%:*}
  id "$name" > /dev/null 2>&1 || useradd --create-home --shell /bin/bash "$name"
  printf '%s\n' "$entry" | chpasswd
done

for service in ${SERVICES:-ssh}; do
  "/opt/lab/services/$service" &
done
wait
