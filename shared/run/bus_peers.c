#include "run/bus_plug.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/mem.h"
#include "run/lock.h"

enum { PEERS_MAX = 256 };

void bus_peers_connect(struct bus_plug *plug, const char *endpoint)
{
    if (plug->peer_count == PEERS_MAX || bus_sock_connect(plug->sock, endpoint) < 0)
        return;
    plug->peers = xrealloc(plug->peers, (size_t)(plug->peer_count + 1) * sizeof(*plug->peers));
    plug->peers[plug->peer_count++] = (struct peer){ xstrdup(endpoint), true };
    log_ev(LOG_DEBUG, "bus.connected", kv_s("plug", plug->name), kv_s("to", endpoint));
}

static void drop_peer(struct bus_plug *plug, int i)
{
    log_ev(LOG_DEBUG, "bus.dropped", kv_s("plug", plug->name), kv_s("to", plug->peers[i].endpoint));
    bus_sock_disconnect(plug->sock, plug->peers[i].endpoint);
    free(plug->peers[i].endpoint);
    plug->peers[i] = plug->peers[--plug->peer_count];
}

static void saw_peer(struct bus_plug *plug, const char *path)
{
    char endpoint[BUS_PATH_MAX + 8];

    snprintf(endpoint, sizeof(endpoint), "ipc://%s", path);
    for (int i = 0; i < plug->peer_count; i++) {
        if (strcmp(plug->peers[i].endpoint, endpoint) == 0) {
            plug->peers[i].seen = true;
            return;
        }
    }
    bus_peers_connect(plug, endpoint);
}

/* The socket file's binder lives: its lock is held. A killed one leaves its files behind. */
static bool is_alive(const char *run_dir, const char *file, char ret_path[static BUS_PATH_MAX + 1])
{
    char lock[BUS_PATH_MAX + 1];
    int n = snprintf(ret_path, BUS_PATH_MAX + 1, "%s/%s", run_dir, file);

    if (n > BUS_PATH_MAX)
        return false;
    snprintf(lock, sizeof(lock), "%.*s.lock", n - (int)strlen(".sock"), ret_path);
    return lock_is_held(lock);
}

static int64_t born_ns(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? st.st_mtim.tv_sec * 1000000000L + st.st_mtim.tv_nsec : 0;
}

/* Of two schedulers one is active: the one that bound last, even where a stopped process holds its lock
 * still. */
static bool wants_newest(const struct bus_plug *plug)
{
    return plug->def.newest || plug->def.kind == BUS_DEALER_CONNECT;
}

void bus_peers_scan(struct bus_plug *plug, const char *run_dir)
{
    char path[BUS_PATH_MAX + 1], newest[BUS_PATH_MAX + 1] = "";
    int64_t newest_ns = 0;
    DIR *dir = opendir(run_dir);

    for (int i = 0; i < plug->peer_count; i++)
        plug->peers[i].seen = false;
    for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;) {
        if (!bus_place_matches(e->d_name, plug->def.service, plug->def.plug) ||
            !is_alive(run_dir, e->d_name, path))
            continue;
        if (!wants_newest(plug)) {
            saw_peer(plug, path);
        } else if (born_ns(path) >= newest_ns) {
            newest_ns = born_ns(path);
            memcpy(newest, path, sizeof(newest));
        }
    }
    if (newest[0] != '\0')
        saw_peer(plug, newest);
    for (int i = plug->peer_count; i-- > 0;)
        if (!plug->peers[i].seen)
            drop_peer(plug, i);
    if (dir != NULL)
        closedir(dir);
}

void bus_peers_free(struct bus_plug *plug)
{
    for (int i = 0; i < plug->peer_count; i++)
        free(plug->peers[i].endpoint);
    free(plug->peers);
    plug->peers = NULL;
    plug->peer_count = 0;
}
