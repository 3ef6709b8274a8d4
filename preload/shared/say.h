/* Messages to the user at the terminal. */
#ifndef VBT_SAY_H
#define VBT_SAY_H

/* Remembers which file standard error is now: a program may close it and open another file in its
 * place, which must not be written to. */
void vbt_say_init(void);

/* Formats one line "vbtrace: ..." and writes it to standard error, if that is still the file it was
 * at the start. Understands %s, %.*s, %d, %u, %ld, %lu and %%; allocates nothing, keeps errno. */
void vbt_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same into a buffer, without the prefix and the newline, truncated to fit. Returns the
 * length. */
int vbt_format(char *out, int size, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
