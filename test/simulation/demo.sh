#!/bin/sh
# Runs the demo after its set-up. What only removes or explains sets nothing up: it has to work without a network too,
# and must not build what it is about to remove.
set -eu
cd "$(dirname "$0")/../.."
lab='--lab --quiet'
for arg in "$@"; do
  case $arg in --down | --help) lab= ;; esac
done
PATH=$(pwd -P)/node_modules/.bin:$PATH
export PATH
if [ -n "$lab" ]; then
  # shellcheck disable=SC2086 # a list of words
  sh provisioning/setup/dev.sh $lab
elif [ ! -f node_modules/.package-lock.json ]; then
  sh provisioning/setup/dev.sh --quiet
fi
exec node test/simulation/main.ts "$@"
