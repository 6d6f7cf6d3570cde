"""
What makes a host of the Red Hat family out of the Debian one: derived, for no such system is at hand when the image is
made. Debian's package tools and records go, their counterparts come; the rest of /usr is the same software.
"""

from __future__ import annotations

IDS = ("rhel", "centos", "rocky", "almalinux", "fedora", "ol", "amzn")
GONE = (
    *("/etc/apt", "/etc/dpkg", "/etc/debian_version", "/etc/debconf.conf", "/etc/bash.bashrc", "/etc/adduser.conf"),
    *("/etc/deluser.conf", "/etc/alternatives/README", "/etc/default/useradd", "/etc/network", "/etc/ucf.conf", "/etc/ufw"),
    *("/var/lib/dpkg", "/var/lib/apt", "/var/lib/ucf", "/var/cache/apt", "/var/log/apt", "/usr/lib/apt", "/usr/lib/dpkg"),
    *("/usr/share/debconf", "/usr/share/dpkg", "/usr/share/lintian", "/etc/cron.daily/apt-compat", "/etc/cron.daily/dpkg"),
)
TOOLS = "add-apt-repository apt apt-cache apt-cdrom apt-config apt-get apt-key apt-mark aptitude dpkg dpkg-deb dpkg-divert"
MORE = "dpkg-maintscript-helper dpkg-query dpkg-realpath dpkg-split dpkg-statoverride dpkg-trigger debconf tasksel ucf"
PROGRAMS = {"rpm": 22_888, "dnf-3": 2_094, "rpmkeys": 18_600, "firewall-cmd": 152_417, "subscription-manager": 1_126}
LINKS = {"/usr/bin/dnf": "dnf-3", "/usr/bin/yum": "dnf-3", "/etc/system-release": "redhat-release"}
FOLDERS = ("/etc/yum.repos.d", "/etc/sysconfig", "/etc/sysconfig/network-scripts", "/etc/dnf", "/var/lib/rpm", "/etc/pki", "/etc/pki/rpm-gpg")


def gone() -> list[str]:
    return [*GONE, *(f"/usr/bin/{name}" for name in f"{TOOLS} {MORE}".split())]
