/* What a service does but for serving: help, version, the table of settings, a look at the configuration. */
#include "run/app_private.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

enum { TEXT_MAX_BYTES = 1 << 20 };

static void put(const struct buf *b)
{
    if (b->n > 0)
        fwrite(b->p, 1, b->n, stdout);
}

static int show_help(struct app *app, struct buf *out)
{
    buf_fmt(out, "potok-%s - %s\n\nusage: potok-%s [--help | --version | --check | --settings]\n\n",
        app->def->name, app->def->about ? app->def->about : "", app->def->name);
    buf_str(out, "  --check     read the configuration, show it (secrets masked) and exit: 0 good, 2 not\n"
                 "  --settings  the table of settings, in Markdown\n\n"
                 "Settings come from the environment, NAME_FILE, or settings: in potok.yaml:\n\n");
    settings_help(app->def->settings, out);
    settings_help(app_common_settings(), out);
    return 0;
}

static int show_version(struct app *app, struct buf *out)
{
    buf_fmt(out, "potok-%s %s\n", app->def->name, POTOK_VERSION);
    return 0;
}

static int show_settings(struct app *app, struct buf *out)
{
    settings_markdown(app->def->settings, out);
    settings_markdown(app_common_settings(), out);
    return 0;
}

static void complain(struct app *app, const struct err *err)
{
    fprintf(stderr, "potok-%s: %s\n", app->def->name, err->text);
}

void app_complain_at_terminal(struct app *app, const struct err *err)
{
    if (isatty(STDERR_FILENO))
        complain(app, err);
}

static int show_check(struct app *app, struct buf *out)
{
    struct mistakes all = { 0 };

    app_load(app, &all);
    if (app->def->check != NULL)
        app->def->check(app->config, app->private_->state, &all);
    int code = all.count > 0 ? EXIT_USAGE : 0;

    for (int i = 0; i < all.count; i++)
        complain(app, &all.list[i]);
    if (code == 0) {
        settings_dump(app->def->settings, app->private_->state, out);
        settings_dump(app_common_settings(), &app->private_->set, out);
    }
    mistakes_free(&all);
    app_unload(app);
    return code;
}

static const struct {
    const char *name;
    int (*show)(struct app *app, struct buf *out); /* gives the exit code */
} options[] = {
    { "--help", show_help },
    { "--version", show_version },
    { "--settings", show_settings },
    { "--check", show_check },
};

int app_option(struct app *app, int argc, char **argv)
{
    struct buf out;
    int code = EXIT_USAGE;

    if (argc < 2)
        return -1;
    for (size_t i = 0; i < ARRAY_SIZE(options) && argc == 2; i++) {
        if (strcmp(argv[1], options[i].name) != 0)
            continue;
        buf_init(&out, TEXT_MAX_BYTES);
        code = options[i].show(app, &out);
        put(&out);
        buf_fini(&out);
        return code;
    }
    fprintf(stderr, "potok-%s: unknown argument: %s (see --help)\n", app->def->name, argv[argc == 2 ? 1 : 2]);
    return code;
}
