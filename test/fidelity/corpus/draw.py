"""
Draws the lines of nl2bash.txt and atomic.txt: `python3 draw.py <all.cm of nl2bash> <linux-sh-tests.json>`.

What may be drawn: one line; only the tools below, which a bare Debian has; no other host, no path that a bare Debian
lacks, nothing that waits, deletes outside the folder of samples or walks the whole tree. The seed is fixed, so that the
same sources give the same lines.
"""

import json
import random
import re
import sys

TOOLS = set(
    "awk basename cat cd chmod chown cksum comm cp cut date df diff dirname du echo egrep env expand expr fgrep file find "
    "fold getconf grep head hostname id join ln ls md5sum mkdir mktemp mv nl od paste printenv printf pwd readlink "
    "realpath rev rm rmdir sed seq sha1sum sha256sum sort split stat tac tail tar tee touch tr true uname uniq wc whoami "
    "xargs yes gzip gunzip zcat cmp groups test sleep".split()
)
WORD = re.compile(r"(?:^|[|;&(`]\s*|\$\(|\bxargs (?:-\S+ )*|-exec(?:dir)? )([A-Za-z_./][\w./-]*)")
NOT = re.compile(
    r"xargs rm|\bping\b|\bmktemp\b|\+%s|\bhostname [A-Za-z]|\b(ssh|scp|rsync|sudo|while|for|http|ftp|read|history|mail|watch|PathTo\w*|svn|git|shutdown|reboot|dd|mkfs)\b|/dev/(sd|hd|tcp|mapper)|~|"
    r"\bsleep [0-9]{2}|(^|\s)/(\s|$|home|root|usr|opt|path|proc|sys|mnt|data|etc/(?!passwd|group|hosts|os-release|shells))|tail -[fF]|/dev/null &|\bfind \$|-ok\b|\bfind /|"
    r"yes\b(?!.*head)|\bmore\b|\bless\b|\bxargs vi|#|\btop\b|rm -rf? (/|\*)|\$\{?[A-Z_a-z0-9]+|-[acm](min|time|newer)|-newer|-size|-inum|\bdu\b|\bdf\b|ls -[a-zA-Z]*[lsi]|-ls\b|-printf|stat\b"
)


def nl2bash(path, count):
    with open(path, encoding="utf-8") as file:
        lines = sorted({line.strip() for line in file})
    fitting = [
        line
        for line in lines
        if 8 <= len(line) <= 120 and line.isascii() and not NOT.search(line) and all(word in TOOLS for word in WORD.findall(line))
    ]
    drawn = {}
    # A third of the source are find commands: no more than a quarter of what is drawn.
    for line in random.Random("marshlight corpus 1").sample(fitting, len(fitting)):
        kind = WORD.findall(line)[0] if WORD.findall(line) else ""
        if sum(kind == other for other in drawn.values()) < (count // 4 if kind == "find" else count // 12):
            drawn[line] = kind
        if len(drawn) == count:
            break
    return sorted(drawn)


HARM = re.compile(
    r"http|PathTo|sudo|apt|yum|dnf|install|curl|wget|ssh\b|scp|nc |ncat|telnet|systemctl|service|insmod|modprobe|/dev/(sd|tcp|mem)|mkfs|"
    r"shutdown|reboot|kill|iptables|ufw|passwd -|useradd|adduser|usermod|userdel|auditctl|sleep|dd |ping|while|for |tcpdump|tshark|python|"
    r"rsync|aws|gcloud|docker|kubectl|gcc|rm -rf /|find /|grep -r|history|chattr|at |FreeBSD|pfctl|sysrc|visudo|tee|gsettings|xwd|nohup|\bpw\b|openssl|7z|zip|#\{|sysrq|/proc/|poweroff|halt|swapoff|date [0-9]|chsh"
)


def atomic(path, count):
    with open(path, encoding="utf-8") as file:
        tests = json.load(file)
    lines = [line.strip() for test in tests for line in test["command"].split("\n")]
    fitting = sorted({line for line in lines if 6 <= len(line) <= 160 and line.isascii() and not HARM.search(line)})
    whole = [line for line in fitting if not re.search(r"^(if|then|else|fi|do|done|for|\}|\{|export|#)|[{\\]$|\$[A-Za-z_{(]|<<", line)]
    return sorted(random.Random("marshlight corpus 1").sample(whole, min(count, len(whole))))


if __name__ == "__main__":
    for name, lines in (("nl2bash.txt", nl2bash(sys.argv[1], 150)), ("atomic.txt", atomic(sys.argv[2], 60))):
        with open(name, "w", encoding="utf-8") as file:
            file.write("".join(f"{line}\n" for line in lines))
