/* See binary.h. */
#include "binary.h"

#include "debug_files.h"
#include "elf_starts.h"
#include "analyzer/base/allocate.h"
#include "format/count.h"

#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A trace may name any path: only regular files are opened, and opening never blocks. */
static int open_regular(const char *path, int64_t *changed_ns) {
    int fd = path[0] == '/' ? open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1;
    struct stat status;
    if (fd < 0)
        return -1;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        close(fd);
        return -1;
    }
    *changed_ns = (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec;
    return fd;
}

/* This process's vdso as a file. */
static int open_vdso(void) {
    const char *image = (const char *)getauxval(AT_SYSINFO_EHDR);
    if (image == NULL)
        return -1;
    const ElfW(Ehdr) *header = (const ElfW(Ehdr) *)image;
    size_t size = header->e_shoff + (size_t)header->e_shnum * header->e_shentsize; /* the linker puts the section headers last */
    int fd = memfd_create("vdso", MFD_CLOEXEC);
    if (fd >= 0 && write(fd, image, size) != (ssize_t)size) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* A server that has not answered after this time is not asked again. */
enum { SILENCE = 8 /* seconds */ };
static bool no_answer;

/* An empty value means none. A server is given up after 10 seconds, not the usual 90, unless the
 * environment says otherwise; on a terminal, slow downloads show their progress. */
bool vbt_binary_asks_network(void) {
    const char *urls = getenv("DEBUGINFOD_URLS");
    if (no_answer || urls == NULL || urls[strspn(urls, " ")] == '\0')
        return false;
    setenv("DEBUGINFOD_TIMEOUT", "10", 0);
    if (isatty(STDERR_FILENO))
        setenv("DEBUGINFOD_PROGRESS", "1", 0);
    return true;
}

/* Is there something where a debug link may point to? *special: that is no file. */
static bool link_leads_somewhere(const char *file, const char *link, bool *special) {
    static const char *const patterns[] = {"%.*s/%s", "%.*s/.debug/%s", "/usr/lib/debug%.*s/%s"};
    const char *slash = file != NULL ? strrchr(file, '/') : NULL;
    bool found = false;
    for (size_t i = 0; slash != NULL && link != NULL && i < VBT_COUNT(patterns); i++) {
        char *path = vbt_text(patterns[i], (int)(slash - file), file, link);
        found = found || access(path, R_OK) == 0;
        *special = *special || vbt_debug_file_is_special(file, path);
        free(path);
    }
    return found;
}

/* libdwfl's own search ends by loading debuginfod's client, which takes longer than all the rest of
 * a report. So it is skipped if there is no server to ask and no file to find. */
static int find_debuginfo(Dwfl_Module *file, void **data, const char *name, Dwarf_Addr base, const char *path, const char *link,
                          GElf_Word checksum, char **found) {
    bool special = false, somewhere = link_leads_somewhere(path, link, &special);
    int fd = dwfl_build_id_find_debuginfo(file, data, name, base, path, link, checksum, found);
    if (fd >= 0 || special || !(vbt_binary_asks_network() || somewhere))
        return fd;
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    fd = dwfl_standard_find_debuginfo(file, data, name, base, path, link, checksum, found);
    clock_gettime(CLOCK_MONOTONIC, &after);
    no_answer = no_answer || (fd < 0 && after.tv_sec - before.tv_sec >= SILENCE);
    return fd;
}

static Dwfl *begin(void) {
    static char *debug_path; /* NULL: where Debian and others keep separate debug files */
    static const Dwfl_Callbacks callbacks = {
        .find_elf = dwfl_build_id_find_elf,
        .find_debuginfo = find_debuginfo,
        .section_address = dwfl_offline_section_address,
        .debuginfo_path = &debug_path,
    };
    Dwfl *dwfl = dwfl_begin(&callbacks);
    if (dwfl != NULL)
        dwfl_report_begin(dwfl);
    return dwfl;
}

static bool is_module(Elf *elf, const struct vbt_model_module *module) {
    const void *id;
    ssize_t size = dwelf_elf_gnu_build_id(elf, &id);
    return size == (ssize_t)module->build_id_size && memcmp(id, module->build_id, module->build_id_size) == 0;
}

/* Opens the file for all questions from now on, if it is an ELF file with the module's build id, or
 * if that is unknown. Takes ownership of the descriptor. */
static bool take(struct vbt_binary *b, const struct vbt_model_module *module, const char *path, int fd) {
    GElf_Addr bias;
    b->dwfl = begin();
    b->file = b->dwfl != NULL ? dwfl_report_elf(b->dwfl, path, path, fd, 0, true) : NULL;
    if (b->file == NULL)
        close(fd);
    if (b->dwfl != NULL)
        dwfl_report_end(b->dwfl, NULL, NULL);
    Elf *elf = b->file != NULL ? dwfl_module_getelf(b->file, &bias) : NULL;
    if (elf != NULL && (module->build_id_size == 0 || is_module(elf, module)))
        return true;
    dwfl_end(b->dwfl);
    b->dwfl = NULL;
    b->file = NULL;
    return false;
}

/* Programs also map and run files of their own format, such as the image of a Lisp system. Those
 * have no names to read. */
static bool is_other_format(const char *path) {
    char start[SELFMAG];
    int64_t changed_ns;
    int fd = open_regular(path, &changed_ns);
    bool is_elf = fd >= 0 && pread(fd, start, sizeof start, 0) == (ssize_t)sizeof start && memcmp(start, ELFMAG, SELFMAG) == 0;
    if (fd >= 0)
        close(fd);
    return fd >= 0 && !is_elf;
}

/* A separate debug file can be used instead of the file: it has the same addresses, symbols and
 * lines. */
static bool find_debug_file(struct vbt_binary *b, const struct vbt_model_module *module) {
    char path[sizeof "/usr/lib/debug/.build-id/" + 2 * VBT_BUILD_ID_MAX + sizeof "/.debug"] = "/usr/lib/debug/.build-id/";
    char *at = path + strlen(path);
    int64_t changed_ns;
    for (uint32_t i = 0; i < module->build_id_size; i++) {
        static const char digits[] = "0123456789abcdef";
        *at++ = digits[module->build_id[i] >> 4];
        *at++ = digits[module->build_id[i] & 15];
        if (i == 0)
            *at++ = '/';
    }
    strcpy(at, ".debug");
    int fd = open_regular(path, &changed_ns);
    return fd >= 0 && take(b, module, module->path, fd);
}

/* debuginfod also serves the files themselves. */
static bool find_by_build_id(struct vbt_binary *b, const struct vbt_model_module *module) {
    if (module->id == 0 || !vbt_binary_asks_network() || (b->dwfl = begin()) == NULL)
        return false;
    GElf_Addr bias;
    b->file = dwfl_report_module(b->dwfl, module->path, module->linked, module->linked + (module->end - module->start));
    bool found = b->file != NULL && dwfl_module_report_build_id(b->file, module->build_id, (size_t)module->build_id_size, 0) == 0;
    dwfl_report_end(b->dwfl, NULL, NULL);
    if (found && dwfl_module_getelf(b->file, &bias) != NULL && bias == 0)
        return true;
    dwfl_end(b->dwfl);
    b->dwfl = NULL;
    b->file = NULL;
    return false;
}

static bool is_vdso(const char *path) { return strncmp(path, "linux-vdso.so", 13) == 0 || strncmp(path, "linux-gate.so", 13) == 0; }

void vbt_binary_open(struct vbt_binary *b, const struct vbt_model_module *module) {
    int64_t changed_ns = 0;
    *b = (struct vbt_binary){.state = VBT_BINARY_SAME};
    bool vdso = is_vdso(module->path) && module->build_id_size > 0; /* another kernel's vdso is of no use */
    int fd = vdso ? open_vdso() : open_regular(module->path, &changed_ns);
    if (fd >= 0 && take(b, module, module->path, fd)) {
        b->changed_ns = module->build_id_size == 0 ? changed_ns : 0;
    } else if (fd >= 0 && module->build_id_size == 0 && is_other_format(module->path)) {
        b->changed_ns = changed_ns;
        return;
    } else if (module->build_id_size < 2 || !(find_debug_file(b, module) || find_by_build_id(b, module))) {
        b->state = fd >= 0 ? VBT_BINARY_REPLACED : VBT_BINARY_GONE;
        return;
    }
    b->inlines = vbt_inlines_new(b->file);
}

void vbt_binary_close(struct vbt_binary *b) {
    vbt_inlines_free(b->inlines);
    vbt_elf_symbols_free(&b->functions);
    dwfl_end(b->dwfl);
    *b = (struct vbt_binary){0};
}

bool vbt_binary_linked(const struct vbt_binary *b, uint64_t position, uint64_t *address) {
    GElf_Addr bias;
    Elf *elf = b->file != NULL ? dwfl_module_getelf(b->file, &bias) : NULL;
    size_t count = 0;
    if (elf == NULL || elf_getphdrnum(elf, &count) != 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr segment;
        if (gelf_getphdr(elf, (int)i, &segment) == NULL || segment.p_type != PT_LOAD)
            continue;
        if (position >= segment.p_offset && position - segment.p_offset < segment.p_filesz) {
            *address = position - segment.p_offset + segment.p_vaddr;
            return true;
        }
    }
    return false;
}

uint64_t vbt_binary_start(const struct vbt_binary *b, uint64_t address) {
    GElf_Addr bias;
    Elf *elf = b->file != NULL ? dwfl_module_getelf(b->file, &bias) : NULL;
    return elf != NULL ? vbt_elf_start(elf, address) : address;
}

const char *vbt_binary_function(struct vbt_binary *b, uint64_t address) {
    if (b->file == NULL)
        return NULL;
    if (!b->functions_read) {
        b->functions_read = true;
        vbt_elf_symbols_read(&b->functions, b->file);
    }
    const struct vbt_elf_symbol *symbol = vbt_elf_symbols_find(&b->functions, address);
    return symbol != NULL ? symbol->name : NULL;
}
