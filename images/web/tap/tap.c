/* Connections: counted when they are accepted, heard while they last, told when they end. */
#define _GNU_SOURCE
#include "tap.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MOST_FILES = 4096, MOST_TOLD = 1 << 20 };

/* As tap.py unpacks it. A gap in `number` tells that the pipe was full. */
struct record {
  uint32_t length, process, connection, number;
  char kind, unused[3];
};

static struct connection {
  uint32_t id, number, told, place;
} connections[MOST_FILES];

/* Who is connected to any of the server's processes: they share it, as the first of them made it. */
static struct place {
  _Atomic uint32_t source;
  uint32_t process;
} *places;

__thread int tap_inside_tls;
__thread int tap_last_read = -1;

static _Atomic uint32_t accepted;
static uint32_t most = 128, most_of_source = 32;
static int out = -1;

static uint32_t number_of(const char *name, uint32_t otherwise) {
  const char *text = getenv(name);
  long number = text ? strtol(text, NULL, 10) : 0;
  return number > 0 && number < 1 << 20 ? (uint32_t)number : otherwise;
}

__attribute__((constructor)) static void begin(void) {
  most = number_of("MARSHLIGHT_MAX_CONNECTIONS", most);
  most_of_source = number_of("MARSHLIGHT_MAX_CONNECTIONS_PER_SOURCE", most_of_source);
  out = (int)number_of("MARSHLIGHT_TAP", 0);
  places = mmap(NULL, most * sizeof *places, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  /* Without it nobody could be let in at all. */
  if (places == MAP_FAILED) abort();
}

int tap_knows(int fd) { return fd >= 0 && fd < MOST_FILES && connections[fd].id != 0; }

static void put(struct connection *one, char kind, const void *data, size_t length) {
  char bytes[PIPE_BUF];
  struct record head = {(uint32_t)length, (uint32_t)getpid(), one->id, one->number++, kind, {0}};
  int kept = errno;
  if (out <= 0) return;
  memcpy(bytes, &head, sizeof head);
  if (length > 0) memcpy(bytes + sizeof head, data, length);
  /* Not by write(): the pipe does not wait, and what does not fit shows as a gap. */
  syscall(SYS_write, out, bytes, sizeof head + length);
  errno = kept;
}

void tap_tell(int fd, char kind, const void *data, size_t length) {
  const size_t most_at_once = PIPE_BUF - sizeof(struct record);
  struct connection *one = &connections[fd];
  const char *from = data;
  if (!tap_knows(fd) || one->told > MOST_TOLD) return;
  do {
    size_t piece = length < most_at_once ? length : most_at_once;
    put(one, kind, from, piece);
    one->told += (uint32_t)piece;
    from += piece;
    length -= piece;
  } while (length > 0 && one->told <= MOST_TOLD);
  if (one->told > MOST_TOLD) put(one, CUT, NULL, 0);
}

/* A place for one more of that source, or `most` where there is none. */
static uint32_t place_for(uint32_t source) {
  uint32_t same = 0, free_one = most;
  for (uint32_t i = 0; i < most; i++) {
    uint32_t there = places[i].source;
    if (there == 0) free_one = i;
    else same += there == source;
  }
  uint32_t nobody = 0;
  if (same >= most_of_source || free_one == most || !atomic_compare_exchange_strong(&places[free_one].source, &nobody, source))
    return most;
  places[free_one].process = (uint32_t)getpid();
  return free_one;
}

/* Processes that were killed leave nothing by themselves. */
static void forget_the_dead(void) {
  for (uint32_t i = 0; i < most; i++)
    if (places[i].source != 0 && places[i].process != 0 && kill((pid_t)places[i].process, 0) != 0 && errno == ESRCH)
      places[i].source = 0;
}

/* Whether there is room for it. */
static int enter(int fd, const struct sockaddr_in *source) {
  struct connection *one = &connections[fd];
  struct { uint32_t source, target; uint16_t source_port, target_port; } told = {0};
  struct sockaddr_in target = {0};
  socklen_t size = sizeof target;
  uint32_t place = place_for(source->sin_addr.s_addr);
  if (place == most) {
    forget_the_dead();
    place = place_for(source->sin_addr.s_addr);
  }
  memset(one, 0, sizeof *one);
  one->place = place;
  if (place != most) one->id = ++accepted;
  getsockname(fd, (struct sockaddr *)&target, &size);
  told.source = source->sin_addr.s_addr;
  told.source_port = source->sin_port;
  told.target = target.sin_addr.s_addr;
  told.target_port = target.sin_port;
  put(one, one->id ? OPENED : REFUSED, &told, sizeof told);
  return one->id != 0;
}

static void leave(int fd) {
  if (!tap_knows(fd)) return;
  put(&connections[fd], CLOSED, NULL, 0);
  connections[fd].id = 0;
  places[connections[fd].place].process = 0;
  places[connections[fd].place].source = 0;
}

static void heard(int fd, const void *data, ssize_t length) {
  if (length <= 0 || !tap_knows(fd)) return;
  tap_last_read = fd;
  /* Plain HTTP on the port of HTTPS is read by OpenSSL too; a record of TLS begins with its type, which is no letter. */
  int words = connections[fd].told == 0 && *(const signed char *)data >= 'A';
  if (!tap_inside_tls || words) tap_tell(fd, PLAIN, data, (size_t)length);
}

#define REAL(name) \
  static __typeof__(&name) real; \
  if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

int accept4(int fd, struct sockaddr *address, socklen_t *size, int flags) {
  REAL(accept4);
  struct sockaddr_in own;
  socklen_t own_size = sizeof own;
  int got = real(fd, address, size, flags);
  if (got < 0) return got;
  if (got < MOST_FILES && getpeername(got, (struct sockaddr *)&own, &own_size) == 0 && own.sin_family == AF_INET &&
      !enter(got, &own)) {
    close(got);
    errno = EAGAIN;
    return -1;
  }
  return got;
}

int accept(int fd, struct sockaddr *address, socklen_t *size) { return accept4(fd, address, size, 0); }

int close(int fd) {
  REAL(close);
  leave(fd);
  return real(fd);
}

ssize_t recv(int fd, void *data, size_t length, int flags) {
  REAL(recv);
  ssize_t got = real(fd, data, length, flags);
  if (!(flags & MSG_PEEK)) heard(fd, data, got);
  return got;
}

ssize_t read(int fd, void *data, size_t length) {
  REAL(read);
  ssize_t got = real(fd, data, length);
  heard(fd, data, got);
  return got;
}
