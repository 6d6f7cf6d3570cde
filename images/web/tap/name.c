/*
 * The name of a server of another version than the installed one: "nginx/1.18.0 (Ubuntu)" for "nginx/1.22.1", where
 * nginx writes it, in its place among the headers and below its own error pages. Apache's is a matter of apache.c.
 */
#define _GNU_SOURCE
#include "tap.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { LONGEST = 256, LARGEST = 1 << 16, MOST_WAITED_MS = 2000 };

static char names[2][LONGEST];
static char file_of_names[4096];
static pid_t read_by, first_process;

/* nginx empties its environment later. */
__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("MARSHLIGHT_NAMES");
  snprintf(file_of_names, sizeof file_of_names, "%s", path ? path : "");
  first_process = getpid();
}

/* Read again by each process: a server that was given another persona has new ones. Empty: the name stays. */
static const char *name(int which, int again) {
  if (read_by != getpid() || again) {
    char text[2 * LONGEST] = {0};
    int file = open(file_of_names, O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
      if (syscall(SYS_read, file, text, sizeof text - 1) < 0) text[0] = 0;
      close(file);
    }
    char *rest = strchr(text, '\n');
    if (rest) *rest++ = 0;
    if (rest && strchr(rest, '\n')) *strchr(rest, '\n') = 0;
    snprintf(names[0], LONGEST, "%s", rest ? text : "");
    snprintf(names[1], LONGEST, "%s", rest ? rest : "");
    read_by = getpid();
  }
  return names[which];
}

const char *tap_name_from(void) { return name(0, 0); }
const char *tap_name_to(void) { return name(1, 0); }
/* Where a configuration is read, never in a process that answers: NULL there. */
const char *tap_name_of_apache(void) { return first_process == getpid() ? name(1, 1) : NULL; }

/* A head with the right length and name, and the error page below it; NULL where there is nothing to change. */
char *tap_renamed(const char *data, size_t length, size_t *made) {
  const char *from = tap_name_from(), *to = tap_name_to();
  char header[LONGEST + 16], below[LONGEST + 32], number[32];
  if (!*from || length < 16 || length > LARGEST || memcmp(data, "HTTP/1.", 7) != 0) return NULL;
  snprintf(header, sizeof header, "\r\nServer: %s\r\n", from);
  snprintf(below, sizeof below, "<hr><center>%s</center>", from);
  const char *end = memmem(data, length, "\r\n\r\n", 4);
  const char *server = memmem(data, length, header, strlen(header));
  if (!end || !server || server > end) return NULL;
  const char *page = data[9] >= '3' ? memmem(end, length - (size_t)(end - data), below, strlen(below)) : NULL;
  /* nginx tells its name before the length; what is copied goes forward only. */
  const char *size = page ? memmem(server, (size_t)(end - server), "\r\nContent-Length: ", 18) : NULL;
  long more = (long)strlen(to) - (long)strlen(from);
  char *result = malloc(length + 2 * LONGEST), *at = result;
  if (!result) return NULL;
  const char *done = data;
#define COPY(until) (memcpy(at, done, (size_t)((until) - done)), at += (until) - done, done = (until))
#define PUT(text) (memcpy(at, text, strlen(text)), at += strlen(text))
  COPY(server + 10);
  PUT(to);
  done += strlen(from);
  if (size) {
    char *rest;
    COPY(size + 18);
    snprintf(number, sizeof number, "%ld", strtol(done, &rest, 10) + more);
    PUT(number);
    done = rest;
  }
  if (page) {
    COPY(page + 12);
    PUT(to);
    done += strlen(from);
  }
  COPY(data + length);
  *made = (size_t)(at - result);
  return result;
}

/* Whole or not at all: who asked counts in the length of his own text. */
static int put_whole(int fd, const char *data, size_t length) {
  size_t sent = 0;
  while (sent < length) {
    ssize_t now = syscall(SYS_write, fd, data + sent, length - sent);
    struct pollfd room = {fd, POLLOUT, 0};
    if (now > 0) sent += (size_t)now;
    else if (errno == EAGAIN && sent == 0) return -1;
    else if (errno != EINTR && (errno != EAGAIN || poll(&room, 1, MOST_WAITED_MS) != 1)) {
      errno = EPIPE;
      return -1;
    }
  }
  return 0;
}

ssize_t writev(int fd, const struct iovec *pieces, int count) {
  static ssize_t (*real)(int, const struct iovec *, int);
  if (!real) real = (ssize_t(*)(int, const struct iovec *, int))dlsym(RTLD_NEXT, "writev");
  size_t length = 0, made;
  if (!tap_knows(fd) || count < 1 || pieces[0].iov_len < 16 || memcmp(pieces[0].iov_base, "HTTP/1.", 7) != 0)
    return real(fd, pieces, count);
  for (int i = 0; i < count; i++) length += pieces[i].iov_len;
  char *whole = length <= LARGEST ? malloc(length) : NULL;
  if (!whole) return real(fd, pieces, count);
  size_t at = 0;
  for (int i = 0; i < count; at += pieces[i++].iov_len) memcpy(whole + at, pieces[i].iov_base, pieces[i].iov_len);
  char *renamed = tap_renamed(whole, length, &made);
  free(whole);
  if (!renamed) return real(fd, pieces, count);
  int failed = put_whole(fd, renamed, made);
  int why = errno;
  free(renamed);
  errno = why;
  return failed ? -1 : (ssize_t)length;
}

