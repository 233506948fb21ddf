/* What is in an answer: shapes.def against the portal, member by member. */
#include "tests/unit/sandbox/ask.h"

#define NOBODY KINDS

struct shape {
    const char *method, *body;
    enum which whose;
    const char *place, *members;
};
static const struct shape SHAPES[] = {
#define SHAPE(method, body, whose, place, members) { method, body, whose, place, members },
#include "tests/unit/sandbox/shapes.def"
#undef SHAPE
};

static struct portal *open_all(void)
{
    struct portal_options o = ask_options();

    o.store.counts[QUOTE] = o.store.counts[INVOICE] = o.store.counts[SMART] = 20;
    return ask_open_with(o);
}

/* What was seen of one shape: where its members begin, and of how many objects there were. */
#define MEMBERS_MOST 120
struct sight {
    const struct shape *shape;
    const char *names[MEMBERS_MOST];
    size_t seen[MEMBERS_MOST], count, objects;
};

static void sight_open(struct sight *ret, const struct shape *shape)
{
    *ret = (struct sight){ .shape = shape };
    for (const char *p = shape->members; *p != '\0'; p += strspn(p, " ")) {
        CHECK(ret->count < MEMBERS_MOST);
        ret->names[ret->count++] = p;
        p += strcspn(p, " ");
    }
}

static bool is_called(const char *member, const char *name)
{
    const size_t n = strcspn(member, ":");

    return strlen(name) == n && memcmp(member, name, n) == 0;
}

static char letter_of(const json_t *v)
{
    static const char letters[] = { [JSON_OBJECT] = 'o',
        [JSON_ARRAY] = 'a',
        [JSON_STRING] = 's',
        [JSON_INTEGER] = 'n',
        [JSON_REAL] = 'n',
        [JSON_TRUE] = 'b',
        [JSON_FALSE] = 'b',
        [JSON_NULL] = '0' };

    return letters[json_typeof(v)];
}

static bool is_of_somebody(const char *name)
{
    return strncmp(name, "UF_", 3) == 0 || strncmp(name, "ufCrm", 5) == 0 ||
           strncmp(name, "PARENT_ID_", 10) == 0 || strncmp(name, "parentId", 8) == 0;
}

static void see_member(struct sight *s, const char *name, const json_t *v)
{
    for (size_t i = 0; i < s->count; i++) {
        const char *types = s->names[i] + strcspn(s->names[i], ":");
        if (!is_called(s->names[i], name))
            continue;
        if (memchr(types, letter_of(v), strcspn(types, " ?")) == NULL)
            fail_msg("%s %s: %s is %c", s->shape->method, s->shape->place, name, letter_of(v));
        s->seen[i]++;
        return;
    }
    fail_msg("%s %s: %s is no member", s->shape->method, s->shape->place, name);
}

static void see(struct sight *s, json_t *object)
{
    const char *name;
    json_t *v;

    if (!json_is_object(object))
        fail_msg("%s %s: no object", s->shape->method, s->shape->place);
    s->objects++;
    json_object_foreach(object, name, v) {
        if (!is_of_somebody(name))
            see_member(s, name, v);
    }
}

/* Every object at the place. */
static void walk(struct sight *s, json_t *at, const char *place)
{
    char name[64];
    const char *key;
    json_t *one;
    size_t i;

    place += *place == '.';
    if (*place == '\0') {
        see(s, at);
    } else if (strncmp(place, "[]", 2) == 0) {
        json_array_foreach(at, i, one)
            walk(s, one, place + 2);
    } else if (strncmp(place, "{}", 2) == 0) {
        json_object_foreach(at, key, one)
            walk(s, one, place + 2);
    } else {
        const size_t n = strcspn(place, ".[{");
        snprintf(name, sizeof(name), "%.*s", (int)n, place);
        one = json_object_get(at, name);
        if (one != NULL)
            walk(s, one, place + n);
    }
}

static void ask_one(struct portal *p, struct sight *s, const char *method, uint32_t id)
{
    const char *at = strchr(s->shape->body, '$');
    char *body = at == NULL ? xstrdup(s->shape->body)
                            : xasprintf("%.*s%u%s", (int)(at - s->shape->body), s->shape->body, id, at + 1);
    json_t *answer = ask(p, method, body);

    if (json_object_get(answer, "error") != NULL)
        fail_msg("%s %s: %s", method, body, ask_error(answer));
    walk(s, answer, s->shape->place);
    json_decref(answer);
    free(body);
}

static void ask_all(struct portal *p, struct sight *s, const char *method)
{
    const struct crm *crm = s->shape->whose != NOBODY ? &p->store.crm[s->shape->whose] : NULL;

    for (uint32_t n = 0; n < (crm != NULL ? crm->count : 1); n++)
        ask_one(p, s, method, crm != NULL ? crm->ids[n] : 0);
}

static void check(struct portal *p, const struct shape *shape)
{
    static const char *const names[] = { "deal", "contact", "company", "lead" };
    const char *star = strchr(shape->method, '*');
    struct sight s;
    char method[60];

    sight_open(&s, shape);
    for (size_t i = 0; i < (star != NULL ? ARRAY_SIZE(names) : 1); i++) {
        snprintf(method, sizeof(method), "%.*s%s%s", star != NULL ? (int)(star - shape->method) : 0,
            shape->method, star != NULL ? names[i] : "", star != NULL ? star + 1 : shape->method);
        ask_all(p, &s, method);
    }
    if (s.objects == 0)
        fail_msg("%s %s: nothing is there", shape->method, shape->place);
    for (size_t i = 0; i < s.count; i++) {
        const size_t n = strcspn(s.names[i], " ");
        if (s.seen[i] != s.objects && s.names[i][n - 1] != '?')
            fail_msg("%s %s: %.*s is in %zu of %zu", shape->method, shape->place, (int)n, s.names[i],
                s.seen[i], s.objects);
    }
}

TEST(every_answer_has_the_members_that_are_told_and_no_other)
{
    struct portal *p = open_all();

    for (size_t i = 0; i < ARRAY_SIZE(SHAPES); i++)
        check(p, &SHAPES[i]);
    ask_close(p);
}

TEST_MAIN(CASE(every_answer_has_the_members_that_are_told_and_no_other))
