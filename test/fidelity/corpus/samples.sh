# What the drawn lines find in their working folder; run on every host before them.
mkdir -p /tmp/samples && cd /tmp/samples || exit 1
mkdir -p dir1 dir2 src tmp repos1 repos2 dir test1/x
n=0
for f in file filename file1 file2 f1 f2 a b a.txt b.txt A.txt B.txt set1 set2 new.txt text.txt file.txt foo.txt whatever \
  temp.txt list.txt ips.txt ips file1.txt input infile.txt inputfile datafile myfile one.txt two.txt test.1 test.2 test.3 \
  file3 test.txt data.txt log.txt output.txt 1.txt 2.txt; do
  n=$((n + 1))
  printf '%s %d pear\n%d,apple,TERMINATE\nfoo bar baz\n\nthe quick brown fox %d\nfoo bar baz\n10.0.0.%d root\n' \
    "$f" "$n" "$((n % 5))" "$((n * 37 % 11))" "$((n % 3))" > "$f"
done
printf 'one two\nthree four\n' > dir1/x.txt
printf 'one two\nthree five\n' > dir2/x.txt
printf 'only here\n' > dir1/y.txt
printf '#!/bin/sh\necho "test $1"\n' > test.sh
cp test.sh testscript.sh
cp test.sh myscript.sh
printf 'int main(void) { char *p = malloc(3); return 0; }\n' > src/main.c
cp src/main.c main.cpp
printf '#include "foo.h"\n' > src/foo.h
printf '<html><body>foo</body></html>\n' > index.html
printf '<?php echo 1;\n' > restore.php
gzip -c file1 > Input.txt.gz
echo ready
