/* cut_vfs.h - a disk that forgets: an SQLite VFS over the ordinary one that keeps of each file what was
 * synced. At a cut everything ends; afterwards of the writes that were not synced each is there, or is not,
 * or is there in part (whole sectors of it), in any mixture, as a disk that loses its power leaves them. One
 * thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

void cut_vfs_install(void); /* the default VFS from then on */
void cut_vfs_remove(void);
/* A new disk; the cut comes with the n-th write, truncation, sync or removal from now on (0: never). */
void cut_vfs_begin(uint64_t seed, unsigned at);
bool cut_vfs_is_cut(void);
unsigned cut_vfs_steps(void); /* of them so far */
/* Between two lives: what the disk holds is put into the files. All connections are closed. */
void cut_vfs_power_on(unsigned at);
