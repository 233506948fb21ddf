/* CONTROL "access": what the operator brings, or takes back. */
#include "access.h"

#include <string.h>

static int read_command(
    struct scheduler *s, const json_t *args, int *ret_portal, struct access *ret, struct err *err)
{
    const char *name = json_string_value(json_object_get(args, "portal"));
    const char *text = json_string_value(json_object_get(args, "sealed"));
    struct buf sealed;
    int result;

    *ret_portal = name != NULL ? scheduler_portal_of(s, str_of(name)) : -1;
    if (*ret_portal < 0 || text == NULL)
        return err_set(err, ERR_CONF, "access wants a portal and what is given, sealed");
    if (access_of(s, *ret_portal)->offer.any)
        return err_set(err, ERR_TEMP, "something was brought a moment ago and is still looked at: try again");
    buf_init(&sealed, 1 << 16);
    result = seal_bytes(str_of(text), &sealed, err);
    if (result == 0)
        result = offer_open(s, *ret_portal, buf_view(&sealed), ret, err);
    buf_fini(&sealed);
    return result;
}

void access_on_command(struct scheduler *s, struct bus_peer from, const struct msg *m, json_t *args)
{
    struct offer offer = { .peer = from };
    struct access given = { 0 };
    struct err err;
    int portal;

    if (read_command(s, args, &portal, &given, &err) < 0) {
        control_reply(s, from, m->correlation, err.text, NULL);
        return;
    }
    memcpy(offer.correlation, m->correlation, sizeof(offer.correlation));
    offer_begin(s, portal, &given, &offer);
}
