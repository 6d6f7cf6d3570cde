#!/bin/sh
# Makes a Debian 12 or 13 (64 bit Raspberry Pi OS of these) machine an appliance. See --help.
set -eu
deb=
pubkey=
signature=
images=
token=
controller=
security=no
dry=no
only_verify=no

usage() {
  echo 'usage: install.sh --deb FILE|URL --pubkey FILE [--token-file FILE|-] [more]
  --deb FILE|URL     the agent’s package, as `marshlight image deb` makes it
  --pubkey FILE      public key of who signed it; a URL is taken only with it
  --signature FILE   its signature (default: beside the package, .minisig)
  --images DIR       folder with decoys.tar and decoys.list, the decoys’ images
  --token-file FILE  invitation (`marshlight agents invite`): enrol, then start;
                     - for standard input
  --controller H:P   instead of the address that the invitation names
  --security-updates set up that Debian’s security updates come by themselves
  --verify           only say whether the package is what was signed
  --dry-run          only say what would be done
Packages that it needs come by this machine’s own apt settings. Running it again
upgrades; an agent that is enrolled stays so.'
}

fail() { # what, how to mend it
  echo "install: $1" >&2
  echo "         $2" >&2
  exit 1
}

misused() {
  echo "install: $1" >&2
  usage >&2
  exit 2
}

tell() { echo "install: $*"; }

# Runs a command, or says it.
run() {
  if [ "$dry" = yes ]; then echo "would run: $*"; else "$@"; fi
}

value() { [ "$#" -ge 2 ] && [ -n "$2" ] || misused "$1 needs a value"; }

while [ "$#" -gt 0 ]; do
  case $1 in
    --deb) value "$@"; deb=$2; shift ;;
    --pubkey) value "$@"; pubkey=$2; shift ;;
    --signature) value "$@"; signature=$2; shift ;;
    --images) value "$@"; images=$2; shift ;;
    --token-file) value "$@"; token=$2; shift ;;
    --controller) value "$@"; controller=$2; shift ;;
    --security-updates) security=yes ;;
    --verify) only_verify=yes ;;
    --dry-run) dry=yes ;;
    -h | --help) usage; exit 0 ;;
    *) misused "unknown option $1" ;;
  esac
  shift
done

[ -n "$deb" ] || misused '--deb is missing'
[ "$only_verify" = no ] || [ -n "$pubkey" ] || misused '--verify wants --pubkey'
work=$(mktemp -d)
# apt reads the package as a user of its own.
chmod 755 "$work"
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

fetch() { # address, file
  if command -v curl > /dev/null; then
    curl --fail --silent --show-error --location --retry 3 --connect-timeout 20 --output "$2" "$1"
  elif command -v wget > /dev/null; then
    wget --no-verbose --tries=3 --timeout=20 --output-document="$2" "$1"
  else
    fail 'neither curl nor wget is here' 'apt-get install curl; or copy the package to this machine and name the file.'
  fi
}

case $deb in
  *://*)
    [ -n "$pubkey" ] ||
      fail 'a package from the network is taken only with --pubkey' 'Copy the public key to this machine by a way that you trust.'
    name=${deb##*/}
    name=${name%%[?#]*}
    case $name in
      *[!A-Za-z0-9._+~-]* | '' | .*) fail "$deb names no file" 'The address ends with the name of the package.' ;;
    esac
    tell "fetching $name"
    fetch "$deb" "$work/$name" || fail "$deb was not fetched" 'Check the address and the network of this machine.'
    if [ -z "$signature" ]; then
      signature=$work/$name.minisig
      fetch "${deb%%[?#]*}.minisig" "$signature" ||
        fail "${deb%%[?#]*}.minisig was not fetched" 'The signature belongs beside the package; or name its file with --signature.'
    fi
    deb=$work/$name
    ;;
  *) [ -f "$deb" ] || fail "$deb is not here" 'Copy the package to this machine, or build it: marshlight image deb.' ;;
esac
signature=${signature:-$deb.minisig}

altered() { fail "$deb is not what was signed: $1" 'Get it again from where it was made; do not install it.'; }
unsigned() { fail "$deb cannot be verified: $1" 'Get it again together with its signature; do not install it.'; }
bytes() { wc -c < "$1" | tr -d ' '; }

# Signatures of minisign, prehashed (jedisct1.github.io/minisign): "ED", the key's id in 8 bytes, then 64 of Ed25519 over
# BLAKE2b-512 of the file; another 64 over these and the trusted words, which name the file. Openssl does without minisign.
verify() {
  command -v openssl > /dev/null || fail 'openssl is not here' 'apt-get install openssl'
  [ -s "$pubkey" ] || fail "$pubkey is not here, or empty" 'It is the file that ends with .pub beside the signing key.'
  [ -s "$signature" ] || unsigned "there is no $signature"
  sed -n '/^untrusted comment: /!{p;q;}' "$pubkey" | base64 -d > "$work/key" 2> /dev/null || true
  [ "$(bytes "$work/key")" = 42 ] && [ "$(head -c 2 "$work/key")" = Ed ] ||
    fail "$pubkey is no public key of minisign" 'It is the file that ends with .pub beside the signing key.'
  sed -n 2p "$signature" | base64 -d > "$work/signed" 2> /dev/null || true
  sed -n 4p "$signature" | base64 -d > "$work/signed-words" 2> /dev/null || true
  words=$(sed -n '3s/^trusted comment: //p' "$signature" | tr -d '\r')
  [ "$(bytes "$work/signed")" = 74 ] && [ "$(head -c 2 "$work/signed")" = ED ] && [ "$(bytes "$work/signed-words")" = 64 ] ||
    unsigned "$signature is no signature of minisign"

  head -c 10 "$work/key" | tail -c 8 > "$work/id"
  head -c 10 "$work/signed" | tail -c 8 | cmp -s - "$work/id" || altered 'it is signed by another key'
  # A public key of Ed25519 as openssl reads it (RFC 8410).
  { printf '\060\052\060\005\006\003\053\145\160\003\041\000'; tail -c 32 "$work/key"; } > "$work/key.der"
  openssl pkey -pubin -inform DER -in "$work/key.der" -out "$work/key.pem"
  tail -c 64 "$work/signed" > "$work/signature"
  { cat "$work/signature"; printf %s "$words"; } > "$work/words"
  holds "$work/words" "$work/signed-words" || altered 'its signature was altered, or is of another key'
  openssl dgst -blake2b512 -binary "$deb" > "$work/hash"
  holds "$work/hash" "$work/signature" || altered 'its content is not what was signed'
  case $words in
    file:*) [ "${words#file:}" = "$(basename "$deb")" ] || altered "what was signed is called ${words#file:}" ;;
  esac
  tell "$(basename "$deb") is what the key’s owner signed"
}

holds() { # what was signed, signature
  openssl pkeyutl -verify -pubin -inkey "$work/key.pem" -rawin -in "$1" -sigfile "$2" > /dev/null 2>&1
}

if [ -n "$pubkey" ]; then
  verify
else
  tell 'without --pubkey it is not checked who made the package'
fi
[ "$only_verify" = no ] || exit 0

command -v dpkg > /dev/null && command -v apt-get > /dev/null ||
  fail 'this is no Debian' 'The agent installs on Debian 12 and 13 and on Raspberry Pi OS of these.'
release=$(. /etc/os-release && echo "${VERSION_ID:-}")
case ${release%%.*} in
  [0-9] | 10 | 11) fail "this is Debian $release" 'The agent needs 12 or 13: upgrade this machine, or flash an image.' ;;
esac
name=$(dpkg-deb --field "$deb" Package 2> /dev/null) ||
  fail "$deb is no Debian package, or not all of it" 'Copy it again; --verify tells whether it is whole.'
[ "$name" = marshlight-agent ] || fail "$deb is $name, not marshlight-agent" 'Name the agent’s package.'
theirs=$(dpkg-deb --field "$deb" Architecture)
ours=$(dpkg --print-architecture)
case $ours in
  "$theirs") ;;
  amd64 | arm64)
    fail "the package is for $theirs, this machine is $ours" "Build it for this one: marshlight image deb --arch $ours" ;;
  *) fail "the package is for $theirs, this machine is $ours" 'There is an agent for amd64 and arm64 only: a Pi needs the 64 bit system.' ;;
esac
[ -z "$token" ] || [ "$token" = - ] || [ -s "$token" ] ||
  fail "$token is not here, or empty" 'Make one at the centre: marshlight agents invite.'
if [ -n "$images" ]; then
  for file in decoys.tar decoys.list; do
    [ -s "$images/$file" ] || fail "$images/$file is not here" 'The build of the images saves both: npm run images.'
  done
fi
[ "$dry" = yes ] || [ "$(id -u)" -eq 0 ] || fail 'this needs root' 'Run it with sudo.'

# Debian's engine where there is none; another engine that is there satisfies the package as well. What reads standard
# input may not read the invitation.
path=$(realpath "$deb")
tell "installing $(basename "$path")"
export DEBIAN_FRONTEND=noninteractive
if [ "$dry" = no ] && ! apt-get install -y --no-install-recommends --simulate "$path" > /dev/null 2>&1 < /dev/null; then
  apt-get update < /dev/null || fail 'apt-get update failed' 'Check the sources in /etc/apt and the network.'
fi
run apt-get install -y --no-install-recommends --allow-downgrades --reinstall "$path" < /dev/null ||
  fail 'the package or what it needs was not installed' 'Mend what apt says above, then run this again.'

get() { # name of a package; apt's lists may be empty, or so old that they name what is no more
  run apt-get install -y --no-install-recommends --no-upgrade "$1" < /dev/null ||
    { apt-get update < /dev/null && apt-get install -y --no-install-recommends --no-upgrade "$1" < /dev/null; }
}

if [ "$security" = yes ]; then
  tell 'setting up security updates'
  get unattended-upgrades ||
    fail 'security updates were not set up' 'Mend what apt says above, then run this again with the same options.'
  run install -m 0644 /usr/share/marshlight/security-updates.conf /etc/apt/apt.conf.d/52marshlight-security-updates
fi

# Updates are taken from whom this package is from.
[ -z "$pubkey" ] || run install -D -m 0644 "$pubkey" "/usr/share/marshlight/release-keys/$(basename "${pubkey%.pub}").pub"

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
# The key that enrolling makes is to be sealed by the TPM.
if [ "$enrolled" = no ] && [ -e /dev/tpmrm0 ]; then
  tell 'installing what uses the TPM of this machine'
  get tpm2-tools ||
    fail 'what uses the TPM was not installed' 'Mend what apt says above, then run this again with the same options.'
fi
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
