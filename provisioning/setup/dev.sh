#!/bin/sh
# Makes a checkout ready for work on Debian or Ubuntu: dev.sh [--lab] [--images] [--quiet]
# Node modules with Node 24, the test runner; with --lab also Docker Engine, the lab's tools and the images; with --images
# what cards' images are made and booted with.
# What is there already is skipped. Mirrors, proxies and certificates are those of the machine's own settings.
set -eu
cd "$(dirname "$0")/../.."
root=$(pwd -P)
lab=no
cards=no
quiet=no
for arg in "$@"; do
  case $arg in
    --lab) lab=yes ;;
    --images) lab=yes cards=yes ;;
    --quiet) quiet=yes ;;
    -h | --help)
      echo 'usage: dev.sh [--lab] [--images] [--quiet]
  --lab    also Docker Engine, nmap, nftables and the like (as root), and the images
  --images the same, and what makes images of cards and boots them (QEMU)
  --quiet  tell only what takes time or fails'
      exit 0
      ;;
    *)
      echo "setup: unknown option $arg (there are --lab, --images and --quiet)" >&2
      exit 2
      ;;
  esac
done

cache=$root/.cache
log=$cache/setup.log
mkdir -p "$cache"

tell() { [ "$quiet" = yes ] || echo "setup: $*" >&2; }

fail() { # what, how to mend it
  echo "setup: $1" >&2
  echo "       $2" >&2
  exit 1
}

# Runs a command with its output in the log, telling every few seconds that it goes on; on failure shows the log's end.
step() { # what, how to mend it, command...
  what=$1 mend=$2
  shift 2
  begun=$(date +%s)
  : > "$log"
  "$@" > "$log" 2>&1 < /dev/null &
  job=$!
  told=no
  while kill -0 "$job" 2> /dev/null; do
    sleep 0.2
    seconds=$(($(date +%s) - begun))
    if [ "$told" != "$seconds" ] && { [ "$seconds" -eq 2 ] || { [ "$seconds" -gt 0 ] && [ $((seconds % 15)) -eq 0 ]; }; }; then
      echo "setup: $what … $seconds s" >&2
      told=$seconds
    fi
  done
  if wait "$job"; then
    [ "$told" = no ] || echo "setup: $what: done in $(($(date +%s) - begun)) s" >&2
  else
    echo "setup: $what failed; the end of $log:" >&2
    tail -n 15 "$log" | sed 's/^/  | /' >&2
    echo "       $mend" >&2
    exit 1
  fi
}

is_root() { [ "$(id -u)" -eq 0 ]; }

node_modules() {
  command -v npm > /dev/null || fail 'npm is missing' 'Install Node.js 20 or newer with npm.'
  if [ ! -f node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    step 'npm ci' 'Check that npm reaches its registry (npm ping), then run again.' npm ci --loglevel=error --no-audit --no-fund
    touch node_modules/.package-lock.json
  fi
  PATH=$root/node_modules/.bin:$PATH
  export PATH
  case $(node --version) in
    v2[4-9].* | v[3-9]?.*) ;;
    *) fail "Node is $(node --version), 24 is needed" \
      'There is an npm package of Node 24 for Linux on x64 and arm64 only; on others install Node 24.' ;;
  esac
}

# tap compiles itself for the plugins that .taprc names; a stamp tells for which settings that was done.
test_runner() {
  stamp=.tap/built-for
  wanted=$(cat .taprc node_modules/tap/package.json | cksum)
  if [ "$(cat "$stamp" 2> /dev/null)" != "$wanted" ]; then
    step 'building the test runner' 'Remove .tap and node_modules, then run again.' tap build
    echo "$wanted" > "$stamp"
  fi
}

# command:package pairs; a package is installed when its command is missing.
tools='dockerd:docker.io nmap:nmap nft:nftables tcpdump:tcpdump arping:iputils-arping ip:iproute2 iptables:iptables
mmdebstrap:mmdebstrap ssh:openssh-client sshpass:sshpass openssl:openssl ssh-audit:ssh-audit
dnsmasq:dnsmasq-base tinyproxy:tinyproxy-bin sfdisk:fdisk mkfs.vfat:dosfstools mcopy:mtools zstd:zstd
mksquashfs:squashfs-tools mke2fs:e2fsprogs swtpm:swtpm tpm2_create:tpm2-tools'

# Beside those, for making and booting images of cards.
card_tools='qemu-system-x86_64:qemu-system-x86
qemu-system-aarch64:qemu-system-arm qemu-aarch64-static:qemu-user-static arch-test:arch-test'

packages() {
  PATH=$PATH:/usr/sbin:/sbin
  export PATH
  missing=
  for pair in $tools; do
    command -v "${pair%%:*}" > /dev/null || missing="$missing ${pair#*:}"
  done
  command -v docker > /dev/null || missing="$missing docker.io docker-cli"
  [ "$cards" = no ] || [ -f /usr/share/OVMF/OVMF_CODE_4M.fd ] || missing="$missing ovmf"
  [ "$cards" = no ] || [ -f /usr/share/AAVMF/AAVMF_CODE.fd ] || missing="$missing qemu-efi-aarch64"
  [ -f /usr/share/keyrings/debian-archive-keyring.gpg ] || missing="$missing debian-archive-keyring"
  [ -n "$missing" ] || return 0
  command -v apt-get > /dev/null || fail "missing:$missing" 'This is no Debian or Ubuntu: install these by its own means, then run again.'
  is_root || fail "missing:$missing" 'Run as root, or have them installed: apt-get install'"$missing"
  export DEBIAN_FRONTEND=noninteractive
  step 'apt-get update' 'Check the sources in /etc/apt and the network.' apt-get -q update
  # docker-cli is a package of its own only in later releases.
  known=
  for package in $missing; do
    if apt-cache show "$package" > /dev/null 2>&1; then known="$known $package"; fi
  done
  # shellcheck disable=SC2086 # a list of words
  step "apt-get install$known" 'Mend what apt says above, then run again.' \
    apt-get -q install -y --no-install-recommends $known
}

# Lets this kernel start programs of the other architecture through QEMU, as systemd does where it runs. Without it only
# images of this machine's own kind can be made; on arm64 not even those of decoys, which pretend a server of amd64.
programs_of_other() {
  case $(uname -m) in
    aarch64) other=amd64 of=x86_64 ;;
    *) other=arm64 of=aarch64 ;;
  esac
  arch-test "$other" > /dev/null 2>&1 && return 0
  if is_root; then
    register=/proc/sys/fs/binfmt_misc/register
    {
      [ -e $register ] || mount -t binfmt_misc binfmt_misc ${register%/*}
      cat "/usr/lib/binfmt.d/qemu-$of.conf" > $register
    } 2> /dev/null || :
    arch-test "$other" > /dev/null 2>&1 ||
      echo "setup: this kernel takes no programs of $other (binfmt_misc): no image for such boxes can be made here" >&2
  else
    echo "setup: programs of $other are registered by root alone: run this as root to make images for such boxes" >&2
  fi
}

# The build of root file systems asks apt for the machine's own mirrors; its lists may have been cleaned away.
apt_lists() {
  command -v apt-get > /dev/null || return 0
  [ -z "$(apt-get indextargets 'Created-By: Packages' 'Origin: Debian' --format x 2> /dev/null)" ] || return 0
  # shellcheck disable=SC1091
  [ "$(. /etc/os-release && echo "$ID")" = debian ] && is_root || return 0
  step 'apt-get update' 'Check the sources in /etc/apt and the network.' apt-get -q update
}

engine_answers() { docker info > /dev/null 2>&1; }

engine() {
  engine_answers && return 0
  is_root || fail 'the Docker Engine does not answer' 'Start it, or run as root, or join the group docker.'
  if [ -d /run/systemd/system ]; then
    step 'starting Docker' 'See: journalctl -u docker' systemctl start docker
  fi
  engine_answers && return 0
  [ -z "${DOCKER_HOST:-}" ] || fail "the Docker Engine at DOCKER_HOST=$DOCKER_HOST does not answer" \
    'Start it there, or unset DOCKER_HOST to have one started on this machine.'
  engine_log=/var/log/marshlight-dockerd.log
  engine_pid=$(cat /var/run/docker.pid 2> /dev/null || :)
  if [ "$(cat "/proc/${engine_pid:-none}/comm" 2> /dev/null)" = dockerd ]; then
    # It runs and is slow to answer; a second one would only be in its way.
    tell 'waiting for the Docker Engine that runs'
    : >> "$engine_log"
  else
    tell "starting dockerd in the background, log in $engine_log"
    rm -f /var/run/docker.pid
    setsid dockerd > "$engine_log" 2>&1 < /dev/null &
    engine_pid=$!
  fi
  tries=0
  until engine_answers; do
    tries=$((tries + 1))
    if [ "$tries" -ge 150 ] || ! kill -0 "$engine_pid" 2> /dev/null; then
      echo "setup: the Docker Engine did not start; the end of $engine_log:" >&2
      tail -n 15 "$engine_log" | sed 's/^/  | /' >&2
      fail 'no Docker Engine, no lab' 'It needs root, iptables and overlay or vfs storage: a container without privileges cannot run it.'
    fi
    [ $((tries % 10)) -ne 0 ] || echo "setup: waiting for the Docker Engine … $((tries / 5)) s" >&2
    sleep 0.2
  done
}

node_modules
test_runner
# shellcheck disable=SC2016
step 'building the bundles' 'See the error above; `npm run types` may tell more.' node provisioning/build/bundle.ts
if [ "$cards" = yes ]; then tools="$tools $card_tools"; fi
if [ "$(uname -m)" = aarch64 ]; then tools="$tools qemu-x86_64-static:qemu-user-static arch-test:arch-test"; fi
if [ "$lab" = yes ]; then
  packages
  if [ "$cards" = yes ] || [ "$(uname -m)" = aarch64 ]; then programs_of_other; fi
  apt_lists
  engine
  if [ "$quiet" = yes ]; then node provisioning/build/images.ts --quiet; else node provisioning/build/images.ts; fi
fi
tell 'ready'
