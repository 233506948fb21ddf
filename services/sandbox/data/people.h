/* people.h - Russian names: given names, patronymics and surnames agree in sex. Constant data; any thread. */
#pragma once

#include "base/str.h"

#include "arena.h"

#include <stdbool.h>
#include <stdint.h>

struct person {
    bool woman;
    const char *name;
    const char *father;         /* a man's name: the patronymic is made of it */
    unsigned surname;           /* index */
};

struct person person_pick(uint64_t h);
const char *person_patronymic(const struct person *p);      /* "Сергеевич", "Сергеевна" */
struct str person_surname(const struct person *p, struct arena *a);      /* "Ковалёв", "Ковалёва", "Шевченко" */
const char *person_latin(const struct person *p);           /* "kovalev": for e-mail */
