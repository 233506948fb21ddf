/* uuid.h - UUIDv7 (RFC 9562): correlation ids that sort by time. Any thread. */
#pragma once

#define UUID_SIZE 37            /* text with NUL */
void uuid7(char ret[static UUID_SIZE]);
