#!/bin/sh
# Makes a Debian 12 or 13 (Raspberry Pi OS of these) machine an appliance. See --help.
set -eu
deb=
images=
token=
controller=
dry=no

usage() {
  echo 'usage: install.sh --deb FILE [--images DIR] [--token-file FILE] [--controller HOST:PORT] [--dry-run]
  --deb FILE         the agent’s package, as `marshlight image deb` makes it
  --images DIR       folder with decoys.tar and decoys.list, the decoys’ images
  --token-file FILE  invitation (`marshlight agents invite`): enrol, then start
  --controller H:P   instead of the address that the invitation names
  --dry-run          only say what would be done
Packages that it needs come by this machine’s own apt settings. Running it again
upgrades; an agent that is enrolled stays so.'
}

fail() { # what, how to mend it
  echo "install: $1" >&2
  echo "         $2" >&2
  exit 1
}

tell() { echo "install: $*"; }

# Runs a command, or says it.
run() {
  if [ "$dry" = yes ]; then echo "would run: $*"; else "$@"; fi
}

value() { [ "$#" -ge 2 ] && [ -n "$2" ] || { echo "install: $1 needs a value" >&2; usage >&2; exit 2; }; }

while [ "$#" -gt 0 ]; do
  case $1 in
    --deb) value "$@"; deb=$2; shift ;;
    --images) value "$@"; images=$2; shift ;;
    --token-file) value "$@"; token=$2; shift ;;
    --controller) value "$@"; controller=$2; shift ;;
    --dry-run) dry=yes ;;
    -h | --help) usage; exit 0 ;;
    *) echo "install: unknown option $1" >&2; usage >&2; exit 2 ;;
  esac
  shift
done

[ -n "$deb" ] || { echo 'install: --deb is missing' >&2; usage >&2; exit 2; }
command -v dpkg > /dev/null && command -v apt-get > /dev/null ||
  fail 'this is no Debian' 'The agent installs on Debian 12 and 13 and on Raspberry Pi OS of these.'
[ -f "$deb" ] || fail "$deb is not here" 'Copy the package to this machine, or build it: marshlight image deb.'
name=$(dpkg-deb --field "$deb" Package 2> /dev/null) ||
  fail "$deb is no Debian package, or not all of it" 'Copy it again; `marshlight image verify` tells whether it is whole.'
[ "$name" = marshlight-agent ] || fail "$deb is $name, not marshlight-agent" 'Name the agent’s package.'
theirs=$(dpkg-deb --field "$deb" Architecture)
ours=$(dpkg --print-architecture)
[ "$theirs" = "$ours" ] ||
  fail "the package is for $theirs, this machine is $ours" "Build it for this one: marshlight image deb --arch $ours (there are amd64 and arm64)."
[ -z "$token" ] || [ -s "$token" ] || fail "$token is not here, or empty" 'Make one at the centre: marshlight agents invite.'
if [ -n "$images" ]; then
  for file in decoys.tar decoys.list; do
    [ -s "$images/$file" ] || fail "$images/$file is not here" 'The build of the images saves both: npm run images.'
  done
fi
[ "$dry" = yes ] || [ "$(id -u)" -eq 0 ] || fail 'this needs root' 'Run it with sudo.'

# Debian's engine where there is none; another engine that is there satisfies the package as well.
path=$(realpath "$deb")
tell "installing $(basename "$path")"
export DEBIAN_FRONTEND=noninteractive
if [ "$dry" = no ] && ! apt-get install -y --no-install-recommends --simulate "$path" > /dev/null 2>&1; then
  apt-get update || fail 'apt-get update failed' 'Check the sources in /etc/apt and the network.'
fi
run apt-get install -y --no-install-recommends --allow-downgrades --reinstall "$path" ||
  fail 'the package or what it needs was not installed' 'Mend what apt says above, then run this again.'

if [ -n "$images" ]; then
  tell 'copying the decoys’ images'
  target=/usr/share/marshlight/images
  # The list comes last: it says which images the archive holds.
  run cp "$images/decoys.tar" "$target/.decoys.tar.new"
  run mv "$target/.decoys.tar.new" "$target/decoys.tar"
  run cp "$images/decoys.list" "$target/decoys.list"
fi

enrolled=no
[ ! -s /var/lib/marshlight-agent/identity/identity.json ] || enrolled=yes
if [ -n "$token" ] && [ "$enrolled" = no ]; then
  tell 'enrolling'
  run marshlight-agent enrol --token-file "$token" ${controller:+--controller "$controller"} ||
    fail 'this machine was not enrolled' 'Do what it says above, then run this again with the same options.'
  enrolled=yes
elif [ -n "$token" ]; then
  tell 'this machine is enrolled already and stays so'
fi

if [ "$enrolled" = no ]; then
  tell 'done. Next: marshlight-agent enrol --token-file FILE, then systemctl start marshlight-agent'
elif [ -d /run/systemd/system ]; then
  run systemctl restart marshlight-agent
  tell 'done. marshlight-agent doctor tells whether all is well'
else
  tell 'done. There is no systemd here: start `marshlight-agent run` by other means'
fi
