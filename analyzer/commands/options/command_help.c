/* See command_help.h. */
#include "command_help.h"

#include "option_table.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/help_text.h"
#include "analyzer/base/output.h"
#include "analyzer/export/exporter.h"

#include <stdlib.h>

int vbt_help(void) {
    struct vbt_output output;
    vbt_output_begin(&output, NULL);
    fputs("vbtrace shows what every line, function and timed interval of a traced program costs in memory.\n\n"
          "Make a trace:  vbtrace run PROGRAM ...\n"
          "Read it:       vbtrace COMMAND [options] TRACE\n\n"
          "Commands:\n",
          output.stream);
    for (size_t i = 0; i < vbt_command_count; i++)
        fprintf(output.stream, "  %-11s %s\n", vbt_commands[i].name, vbt_commands[i].summary);
    fputs("  help        this text, or that of a command: vbtrace help COMMAND\n\n"
          "Exit status: 0 fine, 2 bad usage or input.\n",
          output.stream);
    return vbt_output_finish(&output);
}

/* Lists those of the command's formats that are of other tools. */
static void print_exports(const struct vbt_command *command, FILE *out) {
    bool any = false;
    for (const char *const *name = command->formats != NULL ? command->formats() : NULL; name != NULL && *name != NULL; name++) {
        const struct vbt_exporter *exporter = vbt_exporter_find(*name);
        if (exporter == NULL)
            continue;
        if (!any)
            fputs("\nFormats of other tools:\n", out);
        any = true;
        char *help = vbt_text("%s (NAME%s)", exporter->help, exporter->extension);
        vbt_help_print(out, exporter->name, help);
        free(help);
    }
}

int vbt_command_help(const struct vbt_command *command) {
    if (command->run_arguments != NULL)
        return command->run_arguments(2, (char *[]){(char *)command->name, (char *)"--help", NULL});
    struct vbt_output output;
    vbt_output_begin(&output, NULL);
    fprintf(output.stream, "Usage: vbtrace %s %s\n\n", command->name, command->usage);
    vbt_help_print_text(output.stream, command->help);
    fputs("\nOptions:\n", output.stream);
    for (size_t i = 0; i < vbt_view_option_count; i++) {
        const struct vbt_view_option *option = &vbt_view_options[i];
        if (!vbt_view_option_is_of(option, command))
            continue;
        char *help = vbt_view_option_help(option, command);
        vbt_help_print_option(output.stream, option->letter, option->name, option->value, help);
        free(help);
    }
    print_exports(command, output.stream);
    return vbt_output_finish(&output);
}

int vbt_help_list(void) {
    struct vbt_output output;
    vbt_output_begin(&output, NULL);
    for (size_t i = 0; i < vbt_command_count; i++) {
        const struct vbt_command *command = &vbt_commands[i];
        if (command->list_options != NULL)
            command->list_options(output.stream);
        for (size_t k = 0; k < vbt_view_option_count; k++) {
            const struct vbt_view_option *option = &vbt_view_options[k];
            if (vbt_view_option_is_of(option, command))
                vbt_help_list_option(output.stream, command->name, option->letter, option->name, option->value);
        }
    }
    return vbt_output_finish(&output);
}
