/* PROCESSES, PROCESS_TICKS and PROCESS_COUNTERS: what a merged trace keeps of its processes. */
#ifndef VBT_DECODE_PROCESSES_H
#define VBT_DECODE_PROCESSES_H

#include "decode_payload.h"

char *vbt_decode_processes(struct vbt_payload *payload);
char *vbt_decode_process_ticks(struct vbt_payload *payload);
char *vbt_decode_process_counters(struct vbt_payload *payload);
void vbt_decode_processes_finish(struct vbt_model *model);

#endif
