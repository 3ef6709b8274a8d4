/* A std::string of n pieces of 16 characters: passed and returned by value for every piece,
 * appended to, appended to with room reserved.
 *
 * expect by_value: allocs 2 * n - 1; bytes 24 * n * (n - 1) + 2 * n + 29
 * expect appended: allocs doublings(30, 16 * n) + 1;
 *                  bytes 30 * (2 ** (doublings(30, 16 * n) + 1) - 1) + doublings(30, 16 * n) + 1
 * expect reserved: allocs 1; bytes 16 * n + 1 */
#include "measure.h"

#include <string>

static const std::string piece = "0123456789abcdef";

/* The copy has no spare capacity, so appending to it allocates once more. */
static std::string with_piece(std::string text) {
    text += piece;
    return text;
}

static void by_value(size_t n) {
    std::string text;
    for (size_t i = 0; i < n; i++)
        text = with_piece(text);
    used(text.data());
}

static void append(std::string &text, size_t n) {
    for (size_t i = 0; i < n; i++)
        text += piece;
    used(text.data());
}

static void appended(size_t n) {
    std::string text;
    append(text, n);
}

static void reserved(size_t n) {
    std::string text;
    text.reserve(16 * n);
    append(text, n);
}

int main(int argc, char **argv) {
    static const struct variant variants[] = {
        {"by_value", by_value}, {"appended", appended}, {"reserved", reserved}, {nullptr, nullptr}};
    return measure(argc, argv, variants);
}
