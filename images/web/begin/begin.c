/*
 * Starts what it is told to so that the kernel can keep one copy of the pages that web decoys have in common: the same
 * layout of memory and the same hash seed in each, and pages may be merged (docs/decisions/0010). Children have it from
 * their parent, so nginx and Apache too. What a kernel refuses is done without.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <unistd.h>

/* linux/prctl.h from 6.4 on. */
#define SET_MEMORY_MERGE 67

static const char *const same_in_all[][2] = {
    {"PYTHONHASHSEED", "0"},
    {"MALLOC_ARENA_MAX", "1"},
    /* malloc marks what waits in its cache with a number drawn at the start of each process. */
    {"GLIBC_TUNABLES", "glibc.malloc.tcache_count=0"},
};
/* By these the size of the first objects would differ from decoy to decoy, and with it the place of all later ones. */
static const char *const varying[] = {"HOSTNAME", "HOME", "MARSHLIGHT_POD"};

int main(int count, char **words) {
  int layout = personality(0xffffffff);
  if (layout != -1) personality((unsigned long)layout | ADDR_NO_RANDOMIZE);
  prctl(SET_MEMORY_MERGE, 1, 0, 0, 0);
  for (size_t i = 0; i < sizeof same_in_all / sizeof *same_in_all; i++) setenv(same_in_all[i][0], same_in_all[i][1], 1);
  for (size_t i = 0; i < sizeof varying / sizeof *varying; i++) unsetenv(varying[i]);
  if (count < 2) return 64;
  execvp(words[1], words + 1);
  perror(words[1]);
  return 127;
}
