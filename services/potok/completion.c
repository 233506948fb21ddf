#include "completion.h"

#include "base/mem.h"
#include "proto/entity.h"
#include "up/services.h"

/* What a word of a command may be: words, and sets of them that begin with '@'. A command that is not here
 * takes none. */
static const struct {
    const char *command, *words;
} WORDS[] = {
    { "sync", "@entities" },
    { "verify", "@entities" },
    { "pause", "@entities" },
    { "resume", "@entities" },
    { "schema", "accept widen @entities" },
    { "logs", "@services" },
    { "config", "check show moved @files" },
    { "portal", "list login logout" },
    { "spool", "stats list export check drain" },
    { "completion", "bash" },
    { "help", "@commands" },
};

/* What the value of an option may be; of those that are not here, a file. */
static const struct {
    const char *option, *words;
} VALUES[] = {
    { "--format", "table markdown json" },
    { "--level", "DEBUG INFO WARNING ERROR" },
    { "--portal", "@portals" },
    { "--entities", "@entities" },
    { "--lines", "" },
    { "--code", "" },
    { "--id", "" },
    { "--records", "" },
};

struct script {
    const struct command *const *commands;
    int count;
    struct buf *out;
};

/* ---- lists of words ---- */

static void commands_add(const struct script *s)
{
    for (int i = 0; i < s->count; i++)
        buf_fmt(s->out, "%s%s", i > 0 ? " " : "", s->commands[i]->name);
}

static void entities_add(const struct script *s)
{
    for (int i = 0; i < ENTITY_COUNT; i++)
        buf_fmt(s->out, "%s%s", i > 0 ? " " : "", ENTITIES[i].plural);
}

static void services_add(const struct script *s)
{
    bool any = false;

    for (int i = 0; i < SERVICE_COUNT; i++) {
        if (SERVICES[i].up)
            buf_fmt(s->out, "%s%s", any ? " " : "", SERVICES[i].name);
        any |= SERVICES[i].up != 0;
    }
}

static void portals_add(const struct script *s)
{
    buf_str(s->out,
        "$(\"${COMP_WORDS[0]}\" config show 2>/dev/null | sed -n 's/^portals\\.\\([^.]*\\)\\.url .*/\\1/p')");
}

static void set_add(const struct script *s, struct str name)
{
    static const struct {
        const char *name;
        void (*add)(const struct script *s);
    } sets[] = { { "@commands", commands_add }, { "@entities", entities_add }, { "@services", services_add },
        { "@portals", portals_add } };

    for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
        if (str_is(name, sets[i].name))
            sets[i].add(s);
}

/* words="…": as an assignment of the script; files are asked of bash itself. */
static void words_assign(const struct script *s, const char *words)
{
    bool first = true;

    buf_str(s->out, "words=\"");
    while (*words != '\0') {
        struct str word = { words, strcspn(words, " ") };

        words += word.n + strspn(words + word.n, " ");
        if (str_is(word, "@files"))
            continue;
        if (!first)
            buf_char(s->out, ' ');
        first = false;
        if (word.p[0] == '@')
            set_add(s, word);
        else
            buf_add(s->out, word.p, word.n);
    }
    buf_char(s->out, '"');
}

static const char *words_of(const char *command)
{
    for (size_t i = 0; i < ARRAY_SIZE(WORDS); i++)
        if (strcmp(WORDS[i].command, command) == 0)
            return WORDS[i].words;
    return "";
}

static const char *values_of(const char *option)
{
    for (size_t i = 0; i < ARRAY_SIZE(VALUES); i++)
        if (strcmp(VALUES[i].option, option) == 0)
            return VALUES[i].words;
    return "@files";
}

/* ---- one command ---- */

static void options_assign(const struct script *s, const struct option_def *options)
{
    buf_str(s->out, "options=\"");
    for (; options != NULL && options->name != NULL; options++)
        buf_fmt(s->out, "%s ", options->name);
    buf_str(s->out, "--help\"");
}

static void value_add(const struct script *s, const struct option_def *option)
{
    const char *words = values_of(option->name);

    buf_fmt(s->out, "            %s", option->name);
    if (option->letter != 0)
        buf_fmt(s->out, "|-%c", option->letter);
    buf_str(s->out, ") options=; ");
    words_assign(s, words);
    buf_fmt(s->out, "; files=%s ;;\n", strstr(words, "@files") != NULL ? "1" : "");
}

static void command_add(const struct script *s, const struct command *c)
{
    const char *words = words_of(c->name);
    bool any = false;

    buf_fmt(s->out, "    1:%s)\n        ", c->name);
    options_assign(s, c->options);
    buf_str(s->out, "; ");
    words_assign(s, words);
    buf_str(s->out, strstr(words, "@files") != NULL ? "; files=1\n" : "\n");
    for (const struct option_def *o = c->options; o != NULL && o->name != NULL; o++) {
        if (!o->value)
            continue;
        if (!any)
            buf_str(s->out, "        case $before in\n");
        any = true;
        value_add(s, o);
    }
    buf_str(s->out, any ? "        esac ;;\n" : "        ;;\n");
}

/* "--level=W" comes as three words. */
static const char HEAD[] =
    "# bash completion of potok " POTOK_VERSION ", made by `potok completion bash`\n"
    "_potok() {\n"
    "    local word=${COMP_WORDS[COMP_CWORD]-} before=${COMP_WORDS[COMP_CWORD-1]-} words= options= files=\n"
    "    if [[ $word == = ]]; then\n"
    "        word=\n"
    "    elif [[ $before == = ]]; then\n"
    "        before=${COMP_WORDS[COMP_CWORD-2]-}\n"
    "    fi\n"
    "    ((COMP_CWORD == 1)) && before=\n"
    "    case $((COMP_CWORD > 1)):${COMP_WORDS[1]-} in\n";

static const char TAIL[] = "    esac\n"
                           "    [[ $word == -* ]] && words=$options files=\n"
                           "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
                           "    [[ -z $files ]] || compopt -o default 2>/dev/null || return 0\n"
                           "}\n"
                           "complete -F _potok potok\n";

void completion_bash(const struct command *const *commands, int count, struct buf *out)
{
    struct script s = { commands, count, out };

    buf_str(out, HEAD);
    buf_str(out, "    0:*) ");
    words_assign(&s, "@commands");
    buf_str(out, "; options=\"--help --version\" ;;\n");
    for (int i = 0; i < count; i++)
        command_add(&s, commands[i]);
    buf_str(out, TAIL);
}
