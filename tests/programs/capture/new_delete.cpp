// C++'s operators new and delete, in sections with known counts.
#include "vbtrace.h"

#include <new>
#include <stdexcept>
#include <vector>

struct alignas(128) Wide {
    char bytes[256];
};

struct Node {
    long value;
    virtual ~Node() = default;
};

enum { N = 1000 };

template <typename Work> static void section(const char *label, Work work) {
    vbtrace_begin(label, N);
    for (int i = 0; i < N; i++)
        work(i);
    vbtrace_end(label);
}

static Node *nodes[N];
static int *volatile numbers[N];
static Wide *volatile wide[N];

int main() {
    section("new", [](int i) { nodes[i] = new Node; });                         // 1 of 16 bytes each
    section("delete", [](int i) { delete nodes[i]; });                          // 1 free each
    section("new[]", [](int i) { numbers[i] = new int[10]; });                  // 1 of 40 bytes each
    section("delete[]", [](int i) { delete[] numbers[i]; });                    // 1 free each
    section("aligned new", [](int i) { wide[i] = new Wide; });                  // 1 of 256 bytes each
    section("aligned delete", [](int i) { delete wide[i]; });                   // 1 free each
    section("nothrow new", [](int i) { numbers[i] = new (std::nothrow) int; }); // 1 of 4 bytes each
    int caught = 0;
    section("exception", [&](int i) { // thrown, caught, freed: nothing stays
        try {
            throw i;
        } catch (int) {
            caught++;
        }
    });
    std::vector<int> growing;
    section("vector", [&](int i) { growing.push_back(i); }); // doubles: 1, 2, 4, ... 1024 ints are 11 blocks, 10 of them freed
    int refused = 0;
    section("too much", [&](int) {
        try {
            numbers[0] = new int[PTRDIFF_MAX / 8];
        } catch (const std::bad_alloc &) {
            refused++;
        }
    });
    return caught == N && refused == N ? 0 : 1;
}
