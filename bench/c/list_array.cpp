/* n numbers stored and added up: in a linked list, in an array.
 *
 * expect linked_list: allocs n; bytes 24 * n
 * expect array: allocs 1; bytes 8 * n */
#include "measure.h"

#include <list>
#include <memory>
#include <numeric>

static void linked_list(size_t n) {
    std::list<long> numbers;
    for (size_t i = 0; i < n; i++)
        numbers.push_back(static_cast<long>(i));
    long sum = std::accumulate(numbers.begin(), numbers.end(), 0L);
    used(&sum);
}

static void array(size_t n) {
    std::unique_ptr<long[]> numbers(new long[n]);
    for (size_t i = 0; i < n; i++)
        numbers[i] = static_cast<long>(i);
    long sum = std::accumulate(numbers.get(), numbers.get() + n, 0L);
    used(&sum);
}

int main(int argc, char **argv) {
    static const struct variant variants[] = {{"linked_list", linked_list}, {"array", array}, {nullptr, nullptr}};
    return measure(argc, argv, variants);
}
