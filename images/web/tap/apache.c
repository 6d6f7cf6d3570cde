/*
 * The name of an Apache of another version. It keeps it as a text that it copies when it reads its configuration: the
 * copy is given the other words. Older ones begin their error pages with a shorter line; it is put where the longer stands.
 */
#define _GNU_SOURCE
#include "tap.h"

#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char newer[] =
    "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\" \"http://www.w3.org/TR/html4/strict.dtd\">\n<html><head>\n<title>";
static const char older[] = "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<html><head>\n<title>";
/* Seen: 2.4.62 still had the older one, 2.4.68 has the newer. */
enum { LAST_OF_OLDER = 62 };

/* The line in the program's own constants. */
static int find(struct dl_phdr_info *program, size_t size, void *found) {
  (void)size;
  for (int i = 0; i < program->dlpi_phnum; i++) {
    const ElfW(Phdr) *part = &program->dlpi_phdr[i];
    if (part->p_type != PT_LOAD || part->p_flags != PF_R) continue;
    *(void **)found = memmem((void *)(program->dlpi_addr + part->p_vaddr), part->p_memsz, newer, sizeof newer);
    if (*(void **)found) break;
  }
  /* The program itself is the first; its libraries are of no interest. */
  return 1;
}

static void begin_pages_as(const char *name) {
  static char *line;
  if (!line) dl_iterate_phdr(find, &line);
  if (!line) return;
  long page = sysconf(_SC_PAGESIZE);
  char *from = (char *)((uintptr_t)line & ~(uintptr_t)(page - 1));
  size_t length = (size_t)(line + sizeof newer - from);
  int old = strncmp(name, "Apache/2.4.", 11) == 0 && atoi(name + 11) <= LAST_OF_OLDER;
  if (mprotect(from, length, PROT_READ | PROT_WRITE) != 0) return;
  strcpy(line, old ? older : newer);
  mprotect(from, length, PROT_READ);
}

char *apr_pstrdup(void *pool, const char *text) {
  static char *(*real)(void *, const char *);
  if (!real) real = (char *(*)(void *, const char *))dlsym(RTLD_NEXT, "apr_pstrdup");
  if (text && strncmp(text, "Apache/2.", 9) == 0) {
    const char *name = tap_name_of_apache();
    if (name && *name) {
      begin_pages_as(name);
      text = name;
    }
  }
  return real(pool, text);
}
