/* russian.h - errors in the words of people: the hook of err.h for this program. Constant table (russian.def); any thread. */
#pragma once

#include <stddef.h>

/* Takes effect where the language is Russian; call it after say_init(). */
void russian_init(void);
/* The format or text in Russian, or the argument itself. */
const char *russian(const char *english) __attribute__((format_arg(1)));
/* A whole message, as another process wrote it in English: found by its format and put together again. ret is `english` itself
 * where no format fits, or where people speak English. */
const char *russian_message(const char *english, char *ret, size_t size);
/* The same, cut to what fits. */
void russian_in_place(char *text, size_t size);
