/* n numbers pushed to a std::vector: as it grows, and with capacity reserved.
 *
 * expect as_it_comes: allocs log2(n) + 1; bytes 4 * (2 * n - 1)
 * expect reserved: allocs 1; bytes 4 * n */
#include "measure.h"

#include <vector>

static void push(std::vector<int> &numbers, size_t n) {
    for (size_t i = 0; i < n; i++)
        numbers.push_back(static_cast<int>(i));
    used(numbers.data());
}

static void as_it_comes(size_t n) {
    std::vector<int> numbers;
    push(numbers, n);
}

static void reserved(size_t n) {
    std::vector<int> numbers;
    numbers.reserve(n);
    push(numbers, n);
}

int main(int argc, char **argv) {
    static const struct variant variants[] = {{"as_it_comes", as_it_comes}, {"reserved", reserved}, {nullptr, nullptr}};
    return measure(argc, argv, variants);
}
