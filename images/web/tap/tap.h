/*
 * What a real web server hears, told to the process that started it: laid under the server by LD_PRELOAD, so that the
 * server itself stays as its distribution made it.
 *
 *   accept -> admitted, or closed at once        read, recv, SSL_read -> what came, in the clear        close -> gone
 *                                     \                     |                                            /
 *                                      one record each, of at most PIPE_BUF bytes, into a pipe; never waits
 */
#ifndef MARSHLIGHT_TAP_H
#define MARSHLIGHT_TAP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Kinds of records; images/web/marshlight_web/tap.py reads them. */
enum { OPENED = 'O', REFUSED = 'R', PLAIN = 'P', CLEAR = 'C', TLS_FAILED = 'F', CUT = 'X', CLOSED = 'Z' };

/* Whether the calling thread is inside of OpenSSL: what is read there is not yet in the clear. */
extern __thread int tap_inside_tls;
/* The connection that this thread read from last: that is how OpenSSL's own objects are tied to one. */
extern __thread int tap_last_read;

void tap_tell(int fd, char kind, const void *data, size_t length);
int tap_knows(int fd);

/* The server's name as the persona has it, in place of the installed one (name.c). */
const char *tap_name_from(void);
const char *tap_name_to(void);
const char *tap_name_of_apache(void);
char *tap_renamed(const char *data, size_t length, size_t *made);

#endif
