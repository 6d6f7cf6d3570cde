#!/bin/sh
# Starts one version of the agent, and goes back from one that does not do. Kept so small and plain that it need not be
# updated itself: it ships with the package, beside the version that is always there.
#
#   trial (at most 3 starts, until its deadline) -> confirmed -> previous -> the package's own
#
# In STATE/versions, each file one line, written whole or not at all:
#   trial      rollout name seconds    by the agent: start this; confirmed within so long, or go back
#   confirmed  name base rollout       by the agent: base is the sum of the package's program it was confirmed on
#   previous   name base               by the agent: what was confirmed before
#   tries      rollout number boot up  by the launcher: starts of the trial, the first one's boot and second
#   failed     rollout why             by the launcher: crashed, late, unusable, told
#   starts     number                  by the launcher: of what is confirmed; the agent removes it once it runs well
# A name is a folder beside them, or `package`. Another package than the one a version was confirmed on wins over it.
set -u
home=$(cd "$(dirname "$0")" && pwd -P)
state=${MARSHLIGHT_AGENT_STATE:-/var/lib/marshlight-agent}
mode=other
before=
for word in "$@"; do
  case $before in --state) state=$word ;; esac
  case $word in --state=*) state=${word#--state=} ;; run) [ "$mode" = other ] && [ -z "$before" ] && mode=run ;; esac
  before=$word
done
versions=$state/versions
most_tries=3
# Of the confirmed version, one after another that did not come to run well, before the next best is started.
most_starts=5
again=75
go_back=76
base=$(cksum < "$home/agent.mjs" | tr -d ' ')
boot=$(cat /proc/sys/kernel/random/boot_id)

say() { echo "marshlight-agent launcher: $*" >&2; }
up() { cut -d. -f1 /proc/uptime; }
# The words of the one line of a file; nothing where there is none.
words() { [ -f "$versions/$1" ] && head -c 512 "$versions/$1" | head -n 1; }
word() { set -f; set -- "$2" $1; set +f; shift "$1" 2> /dev/null && echo "${1-}"; }
put() {
  echo "$2" > "$versions/$1.new" && sync "$versions/$1.new" && mv "$versions/$1.new" "$versions/$1" && sync "$versions"
}
folder() {
  case $1 in
    package) echo "$home" ;;
    '' | .* | */*) return 1 ;;
    *) echo "$versions/$1" ;;
  esac
}
usable() {
  dir=$(folder "$1") && [ -x "$dir/node" ] && [ -s "$dir/agent.mjs" ] && [ -s "$dir/node-settings.sh" ]
}
# What the shell can count with; all else is 0.
number() { case $1 in '' | *[!0-9]* | 0?* | ??????????*) echo 0 ;; *) echo "$1" ;; esac }

fail_trial() {
  say "version $trial_name is given up: $1"
  # Should nothing be writable, the next start finds the same and decides the same.
  put failed "$rollout $1" && rm -f "$versions/trial" "$versions/tries"
}

# Whether the rollout is still to be decided.
undecided() {
  [ "$(word "$(words trial)" 1)" = "$rollout" ] && [ "$(word "$(words confirmed)" 3)" != "$rollout" ]
}

# Ends a version that is not confirmed in time, however it hangs.
watch() { # process, seconds
  trap 'kill "$nap" 2> /dev/null; exit' TERM
  sleep "$2" &
  nap=$!
  wait "$nap"
  if undecided; then kill -KILL "$1" 2> /dev/null; fi
}

# Whether there is a trial to start; sets rollout, trial_name, left.
pick_trial() {
  line=$(words trial) || return 1
  rollout=$(word "$line" 1) trial_name=$(word "$line" 2) seconds=$(number "$(word "$line" 3)")
  if [ "$(word "$(words confirmed)" 3)" = "$rollout" ] || [ "$(word "$(words failed)" 1)" = "$rollout" ]; then
    # It was decided, and power went before this file did.
    rm -f "$versions/trial" "$versions/tries"
    return 1
  fi
  tried=$(words tries) count=0 first=$(up)
  if [ "$(word "$tried" 1)" = "$rollout" ]; then
    count=$(number "$(word "$tried" 2)")
    # Another boot counts from its own beginning: there are only so many.
    [ "$(word "$tried" 3)" = "$boot" ] && first=$(number "$(word "$tried" 4)")
  fi
  left=$((seconds - $(up) + first))
  if ! usable "$trial_name"; then fail_trial unusable; return 1; fi
  if [ "$left" -le 0 ]; then fail_trial late; return 1; fi
  if [ "$count" -ge $most_tries ]; then fail_trial crashed; return 1; fi
  # A start that cannot be counted could be tried for ever.
  put tries "$rollout $((count + 1)) $boot $first" || { say "$versions cannot be written"; return 1; }
}

# The best of what was confirmed, as $name; each gets so many starts in a row before the next.
pick_settled() {
  candidates=
  for file in confirmed previous; do
    line=$(words $file) || continue
    [ "$(word "$line" 2)" = "$base" ] && usable "$(word "$line" 1)" && candidates="$candidates $(word "$line" 1)"
  done
  candidates="$candidates package"
  starts=$(number "$(words starts)")
  set -f
  set -- $candidates
  set +f
  shift $((starts / most_starts % $#))
  name=$1
  [ ! -d "$versions" ] || put starts "$((starts + 1))"
}

if [ "$mode" != run ]; then
  name=package
  line=$(words confirmed) && [ "$(word "$line" 2)" = "$base" ] && usable "$(word "$line" 1)" && name=$(word "$line" 1)
  dir=$(folder "$name")
  . "$dir/node-settings.sh"
  # shellcheck disable=SC2086,SC2154 # a list of words, from the file above
  exec "$dir/node" $flags "$dir/agent.mjs" "$@"
fi

child= stopping= watcher=
trap 'stopping=1; [ -z "$child" ] || kill -TERM "$child" 2> /dev/null' TERM INT HUP
while :; do
  if pick_trial; then
    name=$trial_name
    say "starts version $name on trial, for $left s"
  else
    rollout=
    pick_settled
  fi
  dir=$(folder "$name")
  (
    # The watchdog's signs come from the agent, not from this process.
    unset WATCHDOG_PID
    export MARSHLIGHT_LAUNCHER=1 MARSHLIGHT_BASE="$base" MARSHLIGHT_RUNS="$name" MARSHLIGHT_TRIAL="$rollout"
    . "$dir/node-settings.sh"
    # shellcheck disable=SC2086,SC2154
    exec "$dir/node" $flags "$dir/agent.mjs" "$@"
  ) &
  child=$!
  if [ -n "$rollout" ]; then
    watch "$child" "$left" &
    watcher=$!
  fi
  [ -z "$stopping" ] || kill -TERM "$child" 2> /dev/null
  while :; do
    wait "$child"
    code=$?
    kill -0 "$child" 2> /dev/null || break
  done
  child=
  [ -z "$watcher" ] || kill -TERM "$watcher" 2> /dev/null
  watcher=
  [ -z "$stopping" ] || exit "$code"
  if [ -n "$rollout" ] && undecided; then
    # The deadline is looked at when the next is picked.
    if [ "$code" -eq $go_back ]; then fail_trial told; else say "version $name ended with $code"; fi
    continue
  fi
  [ "$code" -eq $again ] || exit "$code"
done
