/* value.h - the values of a message, as the columns that the database has take them: mostly of the same kind, and of
 * another one where the portal's field was retyped or somebody altered the column (fit.h). On a database thread. */
#pragma once

#include "apply.h"
#include "proto/wire.h"

enum value_fit {
    VALUE_BAD,          /* not of the kind that the message says: the message is broken */
    VALUE_FITS,
    VALUE_UNFIT         /* *ret is NULL: it goes to the rejects */
};

/* Takes the value of the message's column `i` at the cursor; made text of it in a->made, where value_room() made room. */
enum value_fit value_take(struct apply *a, struct wire *w, int i, struct db_val *ret);
/* All values of a row, NULL where one does not fit its column. VALUE_UNFIT: the row has no room for some (ret_out), which are
 * NULL, too. VALUE_BAD: *ret_bad tells the column. */
enum value_fit values_take(struct apply *a, const struct entry *e, struct db_val *ret, bool *ret_out, int *ret_bad);
/* Before the values of a row are taken: those of the row before it are gone. */
void value_room(struct apply *a, const struct entry *e);
