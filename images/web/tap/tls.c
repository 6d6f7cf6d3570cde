/* What came through TLS, as the server's own OpenSSL deciphered it. */
#define _GNU_SOURCE
#include "tap.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/* Of OpenSSL 3's binary interface; its headers would be one more thing to fetch for five lines. */
typedef struct ssl_st SSL;
enum { SSL_ERROR_SSL = 1, CONTROL_MODE = 33, MOVING_WRITE_BUFFER = 2, INDEX_OF_SSL = 0 };

static void *symbol(const char *library, const char *name) {
  void *handle = dlopen(library, RTLD_LAZY | RTLD_NOLOAD);
  void *found = handle ? dlsym(handle, name) : NULL;
  /* Without its own function the server would do something else than it says. */
  if (!found) abort();
  return found;
}

typedef int greeting(SSL *);
typedef int reading(SSL *, void *, int);
typedef int writing(SSL *, const void *, int);

#define REAL(type, name) \
  static type *real; \
  if (!real) real = (type *)symbol("libssl.so.3", #name)

static int place(void) {
  static int index = -1;
  if (index < 0) {
    int (*make)(int, long, void *, void *, void *, void *) = symbol("libcrypto.so.3", "CRYPTO_get_ex_new_index");
    index = make(INDEX_OF_SSL, 0, NULL, NULL, NULL, NULL);
  }
  return index;
}

static void tie(SSL *ssl, int fd) {
  int (*set)(SSL *, int, void *) = symbol("libssl.so.3", "SSL_set_ex_data");
  set(ssl, place(), (void *)(intptr_t)(fd + 1));
}

static int tied(const SSL *ssl) {
  void *(*get)(const SSL *, int) = symbol("libssl.so.3", "SSL_get_ex_data");
  return (int)(intptr_t)get(ssl, place()) - 1;
}

static int greeted(SSL *ssl, greeting *greet) {
  tap_last_read = -1;
  tap_inside_tls = 1;
  int done = greet(ssl);
  tap_inside_tls = 0;
  if (tap_last_read >= 0) tie(ssl, tap_last_read);
  int (*error_of)(const SSL *, int) = symbol("libssl.so.3", "SSL_get_error");
  if (done <= 0 && error_of(ssl, done) == SSL_ERROR_SSL && tied(ssl) >= 0) {
    unsigned long (*last)(void) = symbol("libcrypto.so.3", "ERR_peek_last_error");
    const char *(*words)(unsigned long) = symbol("libcrypto.so.3", "ERR_reason_error_string");
    const char *why = words(last());
    tap_tell(tied(ssl), TLS_FAILED, why ? why : "", why ? strlen(why) : 0);
  }
  return done;
}

int SSL_do_handshake(SSL *ssl) {
  REAL(greeting, SSL_do_handshake);
  return tap_inside_tls ? real(ssl) : greeted(ssl, real);
}

int SSL_accept(SSL *ssl) {
  REAL(greeting, SSL_accept);
  return greeted(ssl, real);
}

int SSL_read(SSL *ssl, void *data, int length) {
  REAL(reading, SSL_read);
  tap_inside_tls = 1;
  int got = real(ssl, data, length);
  tap_inside_tls = 0;
  if (got > 0) tap_tell(tied(ssl), CLEAR, data, (size_t)got);
  return got;
}

int SSL_write(SSL *ssl, const void *data, int length) {
  REAL(writing, SSL_write);
  size_t made;
  char *renamed = tap_renamed(data, (size_t)length, &made);
  if (!renamed) return real(ssl, data, length);
  long (*control)(SSL *, int, long, void *) = symbol("libssl.so.3", "SSL_ctrl");
  /* Tried again, it is the same text in another place. */
  control(ssl, CONTROL_MODE, MOVING_WRITE_BUFFER, NULL);
  int sent = real(ssl, renamed, (int)made);
  free(renamed);
  return sent > 0 ? length : sent;
}
