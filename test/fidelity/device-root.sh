#!/bin/sh
# Runs on a lab host: writes the root of a small device as a tar file. It holds BusyBox with a link for each applet,
# dropbear to reach it by, the libraries of both, and the few files of a firmware. PASSWORD: root's.
set -eu
root=$(mktemp -d)
cd "$root"
chmod 755 .
mkdir -p bin sbin usr/bin usr/sbin usr/lib usr/share etc/config etc/init.d etc/rc.d etc/dropbear dev/pts home lib mnt overlay proc rom root run sys tmp www
ln -s tmp var
chmod 1777 tmp
chmod 555 proc sys
# As a firmware links them: by a path that also holds where the root is mounted elsewhere.
cp /bin/busybox bin/busybox
busybox --list-full | while read -r path; do
  case $path in
    bin/*) ln -sf busybox "$path" ;;
    sbin/*) ln -s ../bin/busybox "$path" ;;
    usr/*) ln -s ../../bin/busybox "$path" ;;
  esac
done
cp -f /bin/busybox bin/busybox
cp /usr/sbin/dropbear usr/sbin/dropbear
for library in $(ldd /bin/busybox /usr/sbin/dropbear | grep -o '/lib[^ ]*' | grep -v ':$' | sort -u); do
  mkdir -p ".${library%/*}"
  cp -L "$library" ".$library"
done
printf 'root:%s\n' "$PASSWORD" | chpasswd
grep '^root:' /etc/shadow > etc/shadow
chmod 600 etc/shadow
printf 'root:x:0:0:root:/root:/bin/ash\nnobody:x:65534:65534:nobody:/:/bin/false\n' > etc/passwd
printf 'root:x:0:\nnogroup:x:65534:\n' > etc/group
printf '/bin/ash\n' > etc/shells
cat > etc/profile << 'END'
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
export HOME=$(grep -e "^${USER:-root}:" /etc/passwd | cut -d ":" -f 6)
END
tar -c .
