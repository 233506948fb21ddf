/* writer - commits the rows of readings to the database; see README.md */
#include "writer.h"

#include "services/ports.h"

static const struct setting settings[] = {
    SET_SECRET(struct writer, database_url, "DATABASE_URL",
        "database: sqlite:///relative, sqlite:////absolute or postgresql://user:password@host/database; "
        "empty: potok.db in POTOK_HOME"),
    SET_INT(struct writer, database_threads, "DATABASE_POOL_SIZE", "1", 1, 16,
        "connections that write; more than one helps no SQLite database"),
    SET_STR(
        struct writer, bus_writer, "BUS_WRITER", "ipc", "where rows are taken: ipc or tcp://127.0.0.1:port"),
    SET_STR(struct writer, bus_scheduler, "BUS_SCHEDULER", "ipc",
        "where the scheduler is: ipc or tcp://127.0.0.1:port"),
    SET_END,
};

int main(int argc, char **argv)
{
    return app_main(argc, argv,
        &(struct app_def){ .name = "writer",
            .about = "commits the rows of readings to the database",
            .metrics_port = PORT_writer,
            .settings = settings,
            .state_size = sizeof(struct writer),
            .start = writer_start,
            .stop_soon = writer_stop_soon,
            .stop = writer_stop,
            .ready = writer_ready,
            .busy = writer_busy,
            .detail = writer_detail });
}
