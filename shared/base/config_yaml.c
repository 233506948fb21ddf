#include "base/config_yaml.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"

#include <yaml.h>

struct reader {
    yaml_parser_t parser;
    const char *path, *text;
    size_t n;
    int nodes;
    struct err *err;
};

static int refuse(struct reader *r, yaml_mark_t mark, const char *why)
{
    return err_set(r->err, ERR_CONF, "%s:%zu:%zu: %s", r->path, mark.line + 1, mark.column + 1, err_tr(why));
}

/* The commonest slip, which the library calls a character that cannot start a token. */
static bool is_tab_in_line(const struct reader *r, size_t line)
{
    const char *p = r->text, *end = r->text + r->n;

    for (; line > 0 && p < end; p++)
        line -= *p == '\n';
    while (p < end && *p == ' ')
        p++;
    return p < end && *p == '\t';
}

/* A reader error (bytes that are no UTF-8, control characters) tells a byte offset, the others a mark. */
static int refuse_syntax(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    const char *problem = p->problem ? p->problem : "not YAML";
    yaml_mark_t mark = p->problem_mark;

    if (p->error == YAML_READER_ERROR) {
        mark = (yaml_mark_t){ 0 };
        for (size_t i = 0; i < p->problem_offset && i < r->n; i++) {
            mark.column = r->text[i] == '\n' ? 0 : mark.column + 1;
            mark.line += r->text[i] == '\n';
        }
    }
    return refuse(r, mark, is_tab_in_line(r, mark.line) ? "a tab: YAML is indented with spaces" : problem);
}

static int next_event(struct reader *r, yaml_event_t *event)
{
    if (!yaml_parser_parse(&r->parser, event))
        return refuse_syntax(r);
    return 0;
}

void node_free(struct node *node)
{
    while (node) {
        struct node *next = node->next;

        node_free(node->first);
        if (node->text)
            explicit_bzero(node->text, strlen(node->text));
        free(node->text);
        free(node->key);
        free(node);
        node = next;
    }
}

/* Anchor and tag of the three events that begin a node lie in different places. */
static int check_plain(struct reader *r, const yaml_event_t *e)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;

    if (e->type == YAML_ALIAS_EVENT)
        return refuse(r, e->start_mark, "an alias (*name) is not supported here: write the value out");
    if (e->type == YAML_SCALAR_EVENT) {
        anchor = e->data.scalar.anchor;
        tag = e->data.scalar.tag;
    } else if (e->type == YAML_MAPPING_START_EVENT) {
        anchor = e->data.mapping_start.anchor;
        tag = e->data.mapping_start.tag;
    } else if (e->type == YAML_SEQUENCE_START_EVENT) {
        anchor = e->data.sequence_start.anchor;
        tag = e->data.sequence_start.tag;
    }
    if (anchor)
        return refuse(r, e->start_mark, "an anchor (&name) is not supported here: write the value out");
    if (tag)
        return refuse(r, e->start_mark, "a tag (!name) is not supported here");
    if (++r->nodes > NODES_MAX)
        return refuse(r, e->start_mark, "too much for a configuration");
    return 0;
}

static int read_node(struct reader *r, yaml_event_t *event, int depth, struct node **ret);

static int check_key(struct reader *r, const yaml_event_t *e, const struct node *map)
{
    const char *key = (const char *)e->data.scalar.value;
    struct buf shown;

    if (e->type != YAML_SCALAR_EVENT)
        return refuse(r, e->start_mark, "a key must be a single word");
    if (strlen(key) != e->data.scalar.length)
        return refuse(r, e->start_mark, "a key with a NUL byte");
    for (const struct node *n = map->first; n; n = n->next) {
        if (strcmp(n->key, key) == 0) {
            buf_init(&shown, 4096);
            text_mask(str_of(key), &shown);
            err_set(r->err, ERR_CONF, "%s:%zu:%zu: \"%.64s\" is here a second time (first in line %u)",
                r->path, e->start_mark.line + 1, e->start_mark.column + 1, buf_cstr(&shown), n->line);
            buf_fini(&shown);
            return -1;
        }
    }
    return 0;
}

/* One member, whose key is `event`; the caller deletes that. */
static int read_member(
    struct reader *r, const yaml_event_t *event, struct node *map, int depth, struct node **ret)
{
    yaml_event_t value;

    if (check_plain(r, event) < 0 || check_key(r, event, map) < 0 || next_event(r, &value) < 0)
        return -1;

    int result = read_node(r, &value, depth, ret);
    yaml_event_delete(&value);
    if (result < 0)
        return -1;
    (*ret)->key = xstrdup((const char *)event->data.scalar.value);
    (*ret)->line = (unsigned)event->start_mark.line + 1;
    (*ret)->column = (unsigned)event->start_mark.column + 1;
    return 0;
}

/* What stands between the start of a map or list (already read) and its end. */
static int read_children(struct reader *r, struct node *parent, int depth)
{
    const yaml_event_type_t end = parent->kind == NODE_MAP ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT;
    struct node **tail = &parent->first;

    for (;;) {
        yaml_event_t event;
        int result = 0;

        if (next_event(r, &event) < 0)
            return -1;
        const bool ended = event.type == end;
        if (!ended && parent->kind == NODE_MAP)
            result = read_member(r, &event, parent, depth, tail);
        else if (!ended)
            result = read_node(r, &event, depth, tail);
        yaml_event_delete(&event);
        if (ended || result < 0)
            return result;
        tail = &(*tail)->next;
    }
}

/* The node that `event` begins; the caller deletes the event. */
static int read_node(struct reader *r, yaml_event_t *event, int depth, struct node **ret)
{
    if (check_plain(r, event) < 0)
        return -1;
    if (depth > NODES_DEPTH_MAX)
        return refuse(r, event->start_mark, "too deep for a configuration");

    struct node *node = xcalloc(1, sizeof(*node));
    node->line = (unsigned)event->start_mark.line + 1;
    node->column = (unsigned)event->start_mark.column + 1;
    if (event->type == YAML_SCALAR_EVENT) {
        node->text = xstrndup((const char *)event->data.scalar.value, event->data.scalar.length);
        *ret = node;
        return 0;
    }
    node->kind = event->type == YAML_MAPPING_START_EVENT ? NODE_MAP : NODE_LIST;
    if (read_children(r, node, depth + 1) < 0) {
        node_free(node);
        return -1;
    }
    *ret = node;
    return 0;
}

/* Stream start, document start, root, document end, stream end: the root is kept. */
static int read_stream(struct reader *r, struct node **ret)
{
    struct node *root = NULL;
    yaml_event_type_t type;

    do {
        yaml_event_t event;
        int result = 0;

        if (next_event(r, &event) < 0) {
            node_free(root);
            return -1;
        }
        type = event.type;
        if (type == YAML_DOCUMENT_START_EVENT && root)
            result = refuse(r, event.start_mark, "a second document: put everything into one");
        else if (type == YAML_SCALAR_EVENT || type == YAML_MAPPING_START_EVENT ||
                 type == YAML_SEQUENCE_START_EVENT || type == YAML_ALIAS_EVENT)
            result = read_node(r, &event, 0, &root);
        yaml_event_delete(&event);
        if (result < 0) {
            node_free(root);
            return -1;
        }
    } while (type != YAML_STREAM_END_EVENT);
    *ret = root;
    return 0;
}

int node_read(const char *text, size_t n, const char *path, struct node **ret, struct err *err)
{
    struct reader r = { .path = path, .text = text, .n = n, .err = err };

    if (!yaml_parser_initialize(&r.parser))
        return err_set(err, ERR_TEMP, "%s: no memory for the YAML parser", path);
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, n);

    int result = read_stream(&r, ret);
    yaml_parser_delete(&r.parser);
    return result;
}
