/* mem.h - allocation that aborts: state is durable and the process restarts. Sizes from outside are checked
 * against a limit before they come here. free() gives back. Any thread. */
#pragma once

#include <stddef.h>

void *xmalloc(size_t n) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *p, size_t n) __attribute__((returns_nonnull));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));
char *xstrndup(const char *s, size_t n) __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *format, ...) __attribute__((malloc, returns_nonnull, format(printf, 1, 2)));
/* Large blocks go back to the system when freed (mallopt); called once by app_main() and main of the tools. */
void mem_tune(void);

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
