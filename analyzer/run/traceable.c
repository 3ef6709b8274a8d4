/* See traceable.h. */
#include "traceable.h"

#include "analyzer/base/allocate.h"
#include "format/count.h"

#include <fcntl.h>
#include <gelf.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#if defined(__x86_64__)
enum { OUR_MACHINE = EM_X86_64 };
#elif defined(__aarch64__)
enum { OUR_MACHINE = EM_AARCH64 };
#endif

/* Does the kernel run a file of this mode and owner with other privileges than the user's? Then the
 * loader preloads nothing. */
static bool changes_rights(mode_t mode, uid_t owner, gid_t group, uid_t user, gid_t user_group) {
    bool by_group = (mode & S_ISGID) != 0 && (mode & S_IXGRP) != 0; /* without permission to execute, setgid means something else */
    return ((mode & S_ISUID) != 0 && owner != user) || (by_group && group != user_group);
}

/* Why the loader would run in secure-execution mode, or NULL. */
static const char *careful(const char *path) {
    struct stat status;
    struct statvfs system;
    if (stat(path, &status) != 0 || (statvfs(path, &system) == 0 && (system.f_flag & ST_NOSUID) != 0))
        return NULL;
    if (changes_rights(status.st_mode, status.st_uid, status.st_gid, getuid(), getgid()))
        return (status.st_mode & S_ISUID) != 0 ? "is setuid" : "is setgid";
    if (getuid() != 0 && getxattr(path, "security.capability", NULL, 0) > 0)
        return "has file capabilities";
    return NULL;
}

static const char *machine_name(const GElf_Ehdr *header) {
    static const struct {
        GElf_Half machine;
        const char *name;
    } known[] = {{EM_386, "32-bit x86"}, {EM_X86_64, "x86-64"}, {EM_ARM, "32-bit ARM"}, {EM_AARCH64, "aarch64"},
                 {EM_RISCV, "RISC-V"},   {EM_PPC64, "POWER"},   {EM_S390, "s390x"},     {EM_MIPS, "MIPS"}};
    if (header->e_machine == EM_X86_64 && header->e_ident[EI_CLASS] == ELFCLASS32)
        return "x32";
    for (size_t i = 0; i < VBT_COUNT(known); i++)
        if (known[i].machine == header->e_machine)
            return known[i].name;
    return "another architecture";
}

/* Stores the path of the loader that the file asks for; "" if it asks for none. */
static void read_loader(Elf *elf, char *loader, size_t size) {
    size_t count = 0;
    loader[0] = '\0';
    elf_getphdrnum(elf, &count);
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr part;
        if (gelf_getphdr(elf, (int)i, &part) == NULL || part.p_type != PT_INTERP)
            continue;
        Elf_Data *data = elf_getdata_rawchunk(elf, (int64_t)part.p_offset, part.p_filesz, ELF_T_BYTE);
        if (data != NULL && data->d_size > 0)
            snprintf(loader, size, "%.*s", (int)data->d_size, (const char *)data->d_buf);
    }
}

/* The sanitizer that the name of a symbol or library reveals, or NULL. */
static const char *sanitizer_of(const char *name) {
    static const struct {
        const char *start, *name;
    } known[] = {
        {"__asan_init", "AddressSanitizer"}, {"__tsan_init", "ThreadSanitizer"},      {"__msan_init", "MemorySanitizer"},
        {"__lsan_init", "LeakSanitizer"},    {"__hwasan_init", "HWAddressSanitizer"}, {"libasan.so", "AddressSanitizer"},
        {"libtsan.so", "ThreadSanitizer"},   {"liblsan.so", "LeakSanitizer"},         {"libhwasan.so", "HWAddressSanitizer"},
    };
    for (size_t i = 0; name != NULL && i < VBT_COUNT(known); i++)
        if (strncmp(name, known[i].start, strlen(known[i].start)) == 0)
            return known[i].name;
    return NULL;
}

static const char *sanitizer_in(Elf *elf, Elf_Scn *section, const GElf_Shdr *header) {
    Elf_Data *data = elf_getdata(section, NULL);
    size_t count = data != NULL && header->sh_entsize > 0 ? header->sh_size / header->sh_entsize : 0;
    const char *found = NULL;
    for (size_t i = 0; i < count && found == NULL; i++) {
        GElf_Dyn entry;
        GElf_Sym symbol;
        if (header->sh_type != SHT_DYNAMIC && gelf_getsym(data, (int)i, &symbol) != NULL)
            found = sanitizer_of(elf_strptr(elf, header->sh_link, symbol.st_name));
        else if (header->sh_type == SHT_DYNAMIC && gelf_getdyn(data, (int)i, &entry) != NULL && entry.d_tag == DT_NEEDED)
            found = sanitizer_of(elf_strptr(elf, header->sh_link, entry.d_un.d_val));
    }
    return found;
}

/* The sanitizer that a program was built with, linked in or as a library; NULL: none. */
static const char *sanitizer(Elf *elf) {
    const char *found = NULL;
    for (Elf_Scn *section = NULL; found == NULL && (section = elf_nextscn(elf, section)) != NULL;) {
        GElf_Shdr header;
        if (gelf_getshdr(section, &header) != NULL &&
            (header.sh_type == SHT_DYNSYM || header.sh_type == SHT_SYMTAB || header.sh_type == SHT_DYNAMIC))
            found = sanitizer_in(elf, section, &header);
    }
    return found;
}

/* Is it a dynamic loader, which runs the program that its command line names? */
static bool is_loader(Elf *elf) {
    bool found = false;
    for (Elf_Scn *section = NULL; !found && (section = elf_nextscn(elf, section)) != NULL;) {
        GElf_Shdr header;
        Elf_Data *data =
            gelf_getshdr(section, &header) != NULL && header.sh_type == SHT_DYNAMIC ? elf_getdata(section, NULL) : NULL;
        GElf_Dyn entry;
        for (int i = 0; data != NULL && !found && gelf_getdyn(data, i, &entry) != NULL; i++) {
            const char *name = entry.d_tag == DT_SONAME ? elf_strptr(elf, header.sh_link, entry.d_un.d_val) : NULL;
            found = name != NULL && (strncmp(name, "ld-linux", 8) == 0 || strncmp(name, "ld64.so", 7) == 0);
        }
    }
    return found;
}

static char *wrong_with(const char *path, Elf *elf) {
    GElf_Ehdr header;
    if (elf_kind(elf) != ELF_K_ELF || gelf_getehdr(elf, &header) == NULL)
        return vbt_text("%s: expected a program, found a damaged one", path);
    if (header.e_machine != OUR_MACHINE || header.e_ident[EI_CLASS] != ELFCLASS64)
        return vbt_text("%s: is built for %s, this vbtrace for %s", path, machine_name(&header),
                        machine_name(&(GElf_Ehdr){.e_machine = OUR_MACHINE}));
    char loader[256];
    read_loader(elf, loader, sizeof loader);
    if (loader[0] == '\0' && is_loader(elf))
        return NULL;
    if (loader[0] == '\0')
        return vbt_text("%s: is statically linked, so nothing can be preloaded into it", path);
    if (strstr(loader, "musl") != NULL)
        return vbt_text("%s: uses the C library musl, libvbtrace.so needs glibc", path);
    const char *found = sanitizer(elf);
    if (found != NULL)
        return vbt_text("%s: is built with %s, which replaces malloc as vbtrace does; build it without", path, found);
    return NULL;
}

/* Opens a file; NULL: it cannot be read. */
static Elf *begin(const char *path, int *fd) {
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0)
        return NULL;
    elf_version(EV_CURRENT);
    Elf *elf = elf_begin(*fd, ELF_C_READ_MMAP, NULL);
    if (elf == NULL)
        close(*fd);
    return elf;
}

bool vbt_is_loader(const char *path) {
    int fd;
    Elf *elf = begin(path, &fd);
    if (elf == NULL)
        return false;
    char loader[256];
    read_loader(elf, loader, sizeof loader);
    bool found = loader[0] == '\0' && is_loader(elf);
    elf_end(elf);
    close(fd);
    return found;
}

char *vbt_untraceable(const char *path) {
    const char *rights = careful(path);
    if (rights != NULL)
        return vbt_text("%s: %s, so the loader would not preload libvbtrace.so; copy it, or run as its owner", path, rights);
    int fd;
    Elf *elf = begin(path, &fd);
    if (elf == NULL)
        return NULL;
    char *wrong = wrong_with(path, elf);
    elf_end(elf);
    close(fd);
    return wrong;
}
