/* See elf_starts.h. */
#include "elf_starts.h"

#include "analyzer/base/arrays/binary_search.h"

#include <dwarf.h>
#include <stdbool.h>
#include <string.h>

/* The header holds the version, the encodings of the pointer to .eh_frame, of the number of rows
 * and of the rows, and then these. Linkers write 4-byte numbers relative to the section; no other
 * encoding is read here. */
enum { VERSION = 1, HEADER = 12, ROW = 8 };

struct starts {
    const uint8_t *rows; /* {first address, its rule}, relative to the section, in ascending order */
    size_t count;
    uint64_t section; /* linked address */
};

/* The address that a row begins with. */
static uint64_t address_of(const struct starts *s, const void *row) {
    int32_t start;
    memcpy(&start, row, sizeof start);
    return s->section + (uint64_t)(int64_t)start;
}

static bool read_section(Elf *elf, const GElf_Phdr *segment, struct starts *s) {
    Elf_Data *data = elf_getdata_rawchunk(elf, (int64_t)segment->p_offset, segment->p_filesz, ELF_T_BYTE);
    const uint8_t *bytes = data != NULL ? data->d_buf : NULL;
    if (bytes == NULL || data->d_size < HEADER || bytes[0] != VERSION || bytes[1] != (DW_EH_PE_pcrel | DW_EH_PE_sdata4) ||
        bytes[2] != DW_EH_PE_udata4 || bytes[3] != (DW_EH_PE_datarel | DW_EH_PE_sdata4))
        return false;
    uint32_t count;
    memcpy(&count, bytes + 8, sizeof count);
    size_t room = (data->d_size - HEADER) / ROW;
    *s = (struct starts){.rows = bytes + HEADER, .count = count < room ? count : room, .section = segment->p_vaddr};
    return s->count > 0;
}

static bool find_section(Elf *elf, struct starts *s) {
    size_t count = 0;
    const char *ident = elf_getident(elf, NULL);
    if (ident == NULL || ident[EI_DATA] != ELFDATA2LSB || elf_getphdrnum(elf, &count) != 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr segment;
        if (gelf_getphdr(elf, (int)i, &segment) != NULL && segment.p_type == PT_GNU_EH_FRAME)
            return read_section(elf, &segment, s);
    }
    return false;
}

struct wanted {
    const struct starts *in;
    uint64_t address;
};

static bool starts_up_to(const void *row, const void *value) {
    const struct wanted *wanted = value;
    return address_of(wanted->in, row) <= wanted->address;
}

uint64_t vbt_elf_start(Elf *elf, uint64_t address) {
    struct starts s;
    if (!find_section(elf, &s))
        return address;
    size_t before = vbt_rows_before(s.rows, s.count, ROW, starts_up_to, &(struct wanted){&s, address});
    return before > 0 ? address_of(&s, s.rows + ROW * (before - 1)) : address;
}
