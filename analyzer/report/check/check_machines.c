/* vbtrace check for machines: JUnit, SARIF, annotations of GitHub. */
#include "check_report.h"

#include "analyzer/base/allocate.h"
#include "analyzer/base/json.h"
#include "analyzer/base/utf8.h"

#include <stdlib.h>
#include <string.h>

/* Text of XML, attributes included. */
static void put_xml(FILE *out, const char *text) {
    char *printable = vbt_utf8_printable(text, strlen(text));
    for (const char *at = printable; *at != '\0'; at++)
        switch (*at) {
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '&':
            fputs("&amp;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        default:
            putc(*at, out);
        }
    free(printable);
}

/* problem: NULL if it passed. Takes ownership of it. */
static void put_case(FILE *out, const char *name, char *problem, char *path) {
    fputs("  <testcase classname=\"vbtrace.check\" name=\"", out);
    put_xml(out, name);
    if (problem == NULL) {
        fputs("\"/>\n", out);
    } else {
        fputs("\">\n    <failure message=\"", out);
        put_xml(out, problem);
        fputs("\">", out);
        put_xml(out, path != NULL ? path : problem);
        fputs("</failure>\n  </testcase>\n", out);
    }
    free(problem);
    free(path);
}

/* Did a limit do what it should? In a self-test it should fail. */
static bool is_good(const struct vbt_gate *gate, size_t i) { return gate->results[i].holds != gate->planted; }

void vbt_check_junit_print(const struct vbt_gate *gate, FILE *out) {
    size_t failed = gate->refused;
    for (size_t i = 0; i < gate->count; i++)
        failed += !is_good(gate, i);
    fprintf(
        out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n <testsuite name=\"vbtrace\" tests=\"%zu\" failures=\"%zu\">\n",
        gate->count + gate->unlikes.count, failed);
    for (size_t i = 0; i < gate->unlikes.count; i++)
        put_case(out, gate->unlikes.rows[i].fact, gate->unlikes.rows[i].allowed ? NULL : vbt_check_unlike(&gate->unlikes.rows[i]),
                 NULL);
    for (size_t i = 0; i < gate->count; i++) {
        const struct vbt_gate_result *r = &gate->results[i];
        bool good = is_good(gate, i);
        put_case(out, r->limit->text, good ? NULL : vbt_check_sentence(r), good ? NULL : vbt_check_path(gate, r));
    }
    fputs(" </testsuite>\n</testsuites>\n", out);
}

/* {"ruleId", "level", "message", "locations"} */
static json_t *sarif_result(const char *rule, char *message, const char *file, int64_t line) {
    json_t *result = json_object(), *text = json_object(), *locations = json_array();
    json_object_set_new(text, "text", vbt_json_text(message));
    json_object_set_new(result, "ruleId", json_string(rule));
    json_object_set_new(result, "level", json_string("error"));
    json_object_set_new(result, "message", text);
    if (file != NULL)
        json_array_append_new(locations, json_pack("{s:{s:{s:o}, s:{s:I}}}", "physicalLocation", "artifactLocation", "uri",
                                                   vbt_json_text(file), "region", "startLine", (json_int_t)line));
    json_object_set_new(result, "locations", locations);
    free(message);
    return result;
}

void vbt_check_sarif_print(const struct vbt_gate *gate, FILE *out) {
    json_t *results = json_array();
    for (size_t i = 0; i < gate->unlikes.count; i++)
        if (!gate->unlikes.rows[i].allowed)
            json_array_append_new(results, sarif_result("environment", vbt_check_unlike(&gate->unlikes.rows[i]), NULL, 0));
    for (size_t i = 0; i < gate->count; i++) {
        char *file = NULL;
        int64_t line = 0;
        if (is_good(gate, i))
            continue;
        bool known = vbt_check_place(gate, &gate->results[i], &file, &line);
        json_array_append_new(results, sarif_result("limit", vbt_check_sentence(&gate->results[i]), known ? file : NULL, line));
        free(file);
    }
    json_t *rules = json_pack("[{s:s, s:{s:s}}, {s:s, s:{s:s}}]", "id", "environment", "shortDescription", "text",
                              "The baseline was made in another environment", "id", "limit", "shortDescription", "text",
                              "A limit on memory does not hold");
    json_t *log = json_pack("{s:s, s:s, s:[{s:{s:{s:s, s:s, s:o}}, s:o}]}", "$schema",
                            "https://json.schemastore.org/sarif-2.1.0.json", "version", "2.1.0", "runs", "tool", "driver", "name",
                            "vbtrace", "version", VBT_VERSION, "rules", rules, "results", results);
    char *text = json_dumps(log, JSON_INDENT(1));
    fprintf(out, "%s\n", text);
    free(text);
    json_decref(log);
}

/* Characters that mean something in a property or in a message. */
static void put_escaped(FILE *out, const char *text, const char *special) {
    char *printable = vbt_utf8_printable(text, strlen(text));
    for (const char *at = printable; *at != '\0'; at++)
        if (strchr(special, *at) != NULL)
            fprintf(out, "%%%02X", (unsigned)*at);
        else
            putc(*at, out);
    free(printable);
}

static void put_annotation(FILE *out, const char *file, int64_t line, char *message) {
    fputs("::error ", out);
    if (file != NULL) {
        fputs("file=", out);
        put_escaped(out, file, "%,:");
        fprintf(out, ",line=%lld,", (long long)line);
    }
    fputs("title=vbtrace check::", out);
    put_escaped(out, message, "%");
    putc('\n', out);
    free(message);
}

void vbt_check_github_print(const struct vbt_gate *gate, FILE *out) {
    char *verdict = vbt_check_verdict(gate);
    for (size_t i = 0; i < gate->unlikes.count; i++)
        if (!gate->unlikes.rows[i].allowed)
            put_annotation(out, NULL, 0, vbt_check_unlike(&gate->unlikes.rows[i]));
    for (size_t i = 0; i < gate->count; i++) {
        char *file = NULL;
        int64_t line = 0;
        if (is_good(gate, i))
            continue;
        bool known = vbt_check_place(gate, &gate->results[i], &file, &line);
        put_annotation(out, known ? file : NULL, line, vbt_check_sentence(&gate->results[i]));
        free(file);
    }
    fprintf(out, "%s\n", verdict);
    free(verdict);
}
