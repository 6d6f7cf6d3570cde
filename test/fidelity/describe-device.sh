#!/bin/sh
# Runs on a small device: what a decoy needs to know of it to pretend to be it, a word and a value a line.
echo "banner $(busybox | sed -n '1s/ multi-call binary.*//p')"
echo "applets $(busybox --list | tr '\n' ' ')"
echo "release $(uname -r)"
echo "build $(uname -v)"
echo "machine $(uname -m)"
echo "system $(uname -o)"
echo "cores $(nproc)"
echo "memory $(sed -n 's/^MemTotal: *\([0-9]*\).*/\1/p' /proc/meminfo)"
echo "cpu $(sed -n '/^model name/{s/.*: //p;q}' /proc/cpuinfo)"
echo "boot $(sed -n 's/^btime //p' /proc/stat)"
echo "first $(tr '\0' ' ' < /proc/1/cmdline)"
