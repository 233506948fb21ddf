/* facts.h - what `potok doctor` knows before it judges: gathered by thin probes (look_*.c), judged by pure functions
 * (judge_*.c). Plain data; facts_fini() frees what is owned. */
#pragma once

#include "base/err.h"
#include "db/look.h"
#include "findings.h"
#include "home.h"
#include "portal/webhooks_look.h"

#include <stdint.h>

/* ---- this machine ---- */

struct place {                  /* a folder, and the file system it lies in */
    const char *what;           /* "POTOK_HOME", "DATABASE_URL" */
    char path[600];             /* the folder, or the nearest one above it that is there */
    bool there;                 /* the folder itself */
    int refused;                /* errno of a probe file; 0 = it can be written */
    unsigned mode;              /* rights of the folder */
    bool foreign;               /* it belongs to another user */
    uint64_t free_bytes, files_free;
    bool files_told;            /* the file system has a number of files */
    long kind;                  /* statfs f_type */
};

enum port_state { PORT_FREE, PORT_OURS, PORT_TAKEN, PORT_WRONG };

struct port {
    bool webhooks;              /* GATEWAY_LISTEN; else METRICS_LISTEN */
    char service[33], address[128], why[ERR_TEXT_SIZE];
    enum port_state state;
    bool wished;                /* the setting says so; else a taken port is replaced by a free one */
};

struct odd_name {               /* a variable of the environment that looks like a setting and is none */
    char name[64], guess[64];   /* guess "": only its beginning is ours */
};

#define FACTS_PORTS_MAX 16
#define FACTS_ODD_MAX 16

struct machine_facts {
    struct place home, database;        /* database: of the folder of an SQLite file */
    char database_file[600];            /* "": it is no file */
    bool file_there, file_foreign, file_writable;
    unsigned file_mode;
    uint64_t files_most;                /* RLIMIT_NOFILE */
    uint64_t memory_most_bytes;         /* of the cgroup; 0 = no limit */
    int up_pid;                         /* as absence_up_pid() */
    int alive, stale;                   /* services with a pid file: running, gone */
    char socket_error[ERR_TEXT_SIZE];             /* the run folder's path is too long for sockets; "" = fits */
    struct port ports[FACTS_PORTS_MAX];
    int port_count;
    struct odd_name odd[FACTS_ODD_MAX];
    int odd_count;
};

/* ---- a portal ---- */

enum call { CALL_PROFILE, CALL_SCOPE, CALL_TIME, CALL_TIME_2, CALL_TIME_3, CALL_LISTS, CALLS };

struct call_facts {
    bool asked;
    bool unstarted, unconnected;    /* of an application: no scheduler runs, or it has no access: see failure */
    int status;                 /* 0: no answer, see failure */
    char failure[ERR_TEXT_SIZE];
    bool json;                  /* the body is a JSON object */
    char code[64], description[200];    /* of its error; both empty: none */
    bool refused;               /* it holds an error */
    char location[512];
    uint64_t took_ms;
};

struct list_facts {             /* may the entity be read? */
    const char *entity;
    bool told;
    char code[64], description[200];
    bool refused;
    int rows;
};

struct portal_facts {
    char name[40], url[330];    /* masked */
    char identity[280];         /* webhook_identity() */
    uint32_t drain_per_s, burst;
    struct call_facts calls[CALLS];
    char refusal[ERR_TEXT_SIZE];    /* of an application: why its last login came to nothing, with the host; "" = none did */
    char user[120], user_id[24], user_zone[64];
    bool user_known, admin;
    char scopes[512];           /* " crm user ": each between blanks */
    bool scopes_known, operating;
    bool clock_known;
    int64_t ahead_ms;           /* our clock against the portal's: positive = ours is fast */
    int offset_min;             /* the portal's time zone */
    struct list_facts lists[CONFIG_ENTITIES_MAX];
    int list_count;
};

/* ---- all ---- */

struct facts {
    const struct home *home;    /* NULL: the configuration is wrong */
    struct err config_error;
    int portal_count;
    bool deep;
    struct machine_facts machine;
    struct db_look database;
    bool database_looked;
    struct err database_error;  /* kind ERR_NONE: it answered */
    struct portal_facts *portals;
    struct webhooks_look webhooks;
    bool webhooks_looked;
};

void look_machine(struct machine_facts *m, const struct home *home);
/* Asks all portals side by side; each call has a deadline. */
void look_portals(struct facts *f, const struct home *home);
void look_database(struct facts *f);
void facts_fini(struct facts *f);

/* Judgements: one row of the table of checks each. */
typedef void judge(const struct facts *f, struct findings *out);
judge judge_config, judge_environment, judge_home, judge_disk, judge_file_system, judge_limits, judge_services,
    judge_ports, judge_sockets, judge_database, judge_database_rights, judge_tables, judge_identity, judge_damage,
    judge_portal, judge_webhook, judge_scope, judge_entities, judge_budget, judge_clock,
    judge_events;
