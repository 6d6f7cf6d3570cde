#!/bin/sh
# What a decoy needs of Debian's servers, below $1: programs, the modules that marshlight_web/apache.py loads, their types and
# icons, and the libraries that the file $2 does not name. Whatever else their packages hold stays out of the image, but what dpkg says of
# them: by that the SBOM of an image for appliances knows them.
set -eu
to=$1 known=$2
modules='access_compat alias auth_basic authn_core authn_file authz_core authz_host authz_user autoindex deflate dir env
  filter headers mime mpm_event negotiation reqtimeout rewrite setenvif socache_shmcb ssl status'

programs='/usr/sbin/nginx /usr/sbin/apache2'
settings=
for name in $modules; do
  programs="$programs /usr/lib/apache2/modules/mod_$name.so"
  if [ -f "/etc/apache2/mods-available/$name.conf" ]; then settings="$settings /etc/apache2/mods-available/$name.conf"; fi
done
# shellcheck disable=SC2086
cp --parents -r $programs $settings /etc/nginx/mime.types /etc/mime.types /usr/share/apache2/icons "$to"
# shellcheck disable=SC2086
ldd $programs | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p' | sort -u | while read -r library; do
  if ! grep -qx "$(basename "$library")" "$known"; then
    mkdir -p "$to/usr/lib/$(basename "$(dirname "$library")")"
    cp -L "$library" "$to/usr/lib/$(basename "$(dirname "$library")")/"
  fi
done

mkdir -p "$to/var/lib/dpkg/status.d"
(cd "$to" && find usr etc -type f -printf '/%p\n') > /gathered.files
xargs dpkg-query --search < /gathered.files > /gathered.owners
sed 's/:.*//' /gathered.owners | sort -u | while read -r package; do
  dpkg-query --status "$package" > "$to/var/lib/dpkg/status.d/$package"
done
