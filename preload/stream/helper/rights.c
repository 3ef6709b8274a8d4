/* See rights.h. What the program has is read from /proc, where the kernel shows user and group ids
 * in the reader's user namespace: this is right even if the program has moved to another one. */
#include "rights.h"

#include "preload/base/proc.h"
#include "preload/base/sys.h"
#include "preload/process/process.h"
#include "preload/shared/say.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>

enum { GROUPS = 256 };

enum { REAL, EFFECTIVE, SAVED, OF_FILES, IDS };

/* As /proc/PID/status shows them. */
struct rights {
    uint32_t users[IDS], groups[IDS];
    uint32_t more_groups[GROUPS];
    uint32_t more_groups_count;
    uint64_t inheritable, permitted, effective, bounding;
    uint64_t no_new_privileges, seccomp, seccomp_filters;
};

static struct rights have;

/* The number after blanks; *at is then after it. */
static uint64_t decimal(const char **at) {
    uint64_t value = 0;
    for (*at += strspn(*at, " \t"); **at >= '0' && **at <= '9'; ++*at)
        value = value * 10 + (uint64_t)(**at - '0');
    return value;
}

/* The text after a name at the start of a line; "" if the kernel does not show it. */
static const char *after(const char *text, const char *name) {
    size_t size = strlen(name);
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, size) == 0)
            return line + size;
    }
    return "";
}

static uint64_t count_after(const char *text, const char *name) {
    const char *at = after(text, name);
    return decimal(&at);
}

static uint64_t set_after(const char *text, const char *name) {
    const char *at = after(text, name);
    at += strspn(at, " \t");
    return vbt_hexadecimal(&at);
}

static void ids(const char *text, const char *name, uint32_t out[IDS]) {
    const char *at = after(text, name);
    for (int i = 0; i < IDS; i++)
        out[i] = (uint32_t)decimal(&at);
}

/* False if there are more than fit. */
static bool more_groups(const char *text, struct rights *out) {
    const char *at = after(text, "Groups:");
    for (at += strspn(at, " \t"); *at >= '0' && *at <= '9'; at += strspn(at, " \t")) {
        if (out->more_groups_count == GROUPS)
            return false;
        out->more_groups[out->more_groups_count++] = (uint32_t)decimal(&at);
    }
    return true;
}

/* process: "self" or the program's id. False if /proc does not say, or says more than fits. */
static bool read_rights(const char *process, struct rights *out) {
    char path[64];
    memset(out, 0, sizeof *out);
    vbt_format(path, sizeof path, "/proc/%s/status", process);
    const char *text = vbt_proc_text(path, NULL);
    ids(text, "Uid:", out->users);
    ids(text, "Gid:", out->groups);
    out->inheritable = set_after(text, "CapInh:");
    out->permitted = set_after(text, "CapPrm:");
    out->effective = set_after(text, "CapEff:");
    out->bounding = set_after(text, "CapBnd:");
    out->no_new_privileges = count_after(text, "NoNewPrivs:");
    out->seccomp = count_after(text, "Seccomp:");
    out->seccomp_filters = count_after(text, "Seccomp_filters:");
    return *after(text, "Uid:") != '\0' && more_groups(text, out);
}

static bool of_program(struct rights *out) {
    char process[16];
    vbt_format(process, sizeof process, "%d", vbt_pid);
    return read_rights(process, out);
}

void vbt_rights_begin(void) { read_rights("self", &have); }

static void set_capabilities(const struct rights *wanted) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
    for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
        data[i].effective = (uint32_t)(wanted->effective >> 32 * i);
        data[i].permitted = (uint32_t)(wanted->permitted >> 32 * i);
        data[i].inheritable = (uint32_t)(wanted->inheritable >> 32 * i);
    }
    vbt_sys(SYS_capset, &header, data);
}

static void drop_from_bounding_set(uint64_t gone) {
    for (int capability = 0; capability < 64; capability++)
        if (gone >> capability & 1)
            vbt_sys(SYS_prctl, PR_CAPBSET_DROP, capability);
}

/* In an order in which each step is still permitted. */
static void become(const struct rights *wanted) {
    drop_from_bounding_set(have.bounding & ~wanted->bounding);
    if (have.more_groups_count != wanted->more_groups_count ||
        memcmp(have.more_groups, wanted->more_groups, sizeof have.more_groups) != 0)
        vbt_sys(SYS_setgroups, wanted->more_groups_count, wanted->more_groups);
    if (memcmp(have.groups, wanted->groups, sizeof have.groups) != 0) {
        vbt_sys(SYS_setresgid, wanted->groups[REAL], wanted->groups[EFFECTIVE], wanted->groups[SAVED]);
        vbt_sys(SYS_setfsgid, wanted->groups[OF_FILES]);
    }
    if (memcmp(have.users, wanted->users, sizeof have.users) != 0) {
        vbt_sys(SYS_setresuid, wanted->users[REAL], wanted->users[EFFECTIVE], wanted->users[SAVED]);
        vbt_sys(SYS_setfsuid, wanted->users[OF_FILES]);
    }
    set_capabilities(wanted);
    if (wanted->no_new_privileges != 0)
        vbt_sys(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* Has the helper no right to files that the program lacks? */
static bool is_within_files(const struct rights *wanted) {
    return memcmp(have.users, wanted->users, sizeof have.users) == 0 &&
           memcmp(have.groups, wanted->groups, sizeof have.groups) == 0 && have.more_groups_count == wanted->more_groups_count &&
           memcmp(have.more_groups, wanted->more_groups, sizeof have.more_groups) == 0 &&
           ((have.permitted & ~wanted->permitted) | (have.effective & ~wanted->effective)) == 0;
}

/* And no other one? */
static bool is_within(const struct rights *wanted) {
    return is_within_files(wanted) && (have.inheritable & ~wanted->inheritable) == 0 &&
           have.no_new_privileges >= wanted->no_new_privileges;
}

enum vbt_rights vbt_rights_follow(bool same_users, void (*before)(void)) {
    static struct rights wanted;
    if (!of_program(&wanted))
        return VBT_RIGHTS_UNKNOWN;
    if (wanted.seccomp != have.seccomp || wanted.seccomp_filters != have.seccomp_filters)
        return VBT_RIGHTS_SANDBOX;
    if (!same_users)
        wanted.permitted = wanted.effective = wanted.inheritable = 0; /* they apply in the other one */
    wanted.permitted &= have.permitted;
    wanted.effective &= wanted.permitted;
    wanted.inheritable &= have.inheritable;
    if (is_within(&wanted))
        return VBT_RIGHTS_EQUAL;
    if (!is_within_files(&wanted))
        before();
    become(&wanted);
    return read_rights("self", &have) && is_within(&wanted) ? VBT_RIGHTS_EQUAL : VBT_RIGHTS_UNKNOWN;
}
