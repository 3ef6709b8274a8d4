// A maze of templates, inlined or not, with long function names. //@ marks the lines on the
// allocation's stack.
#include <cstdlib>
#include <map>
#include <string>

void *volatile kept;
static volatile int stays;

#define OF_ITS_OWN __attribute__((noipa))

template <int N, typename T> struct Maze {
    OF_ITS_OWN static void walk(T by) {
        Maze<N - 1, std::map<int, T>>::walk({}); //@ walk
        stays = stays + static_cast<int>(sizeof by);
    }
};

template <typename T> struct Maze<0, T> {
    OF_ITS_OWN static void walk(T) {
        const auto deepest = [](auto size) __attribute__((always_inline)) {
            kept = std::malloc(size); //@ lambda
        };
        deepest(5005UL); //@ end
        stays = stays + 1;
    }
};

namespace outer {
namespace {
struct Word {
    OF_ITS_OWN const Word &operator+=(const char *more) {
        text.reserve(6006); //@ reserve
        text += more;
        return *this;
    }
    std::string text;
};
} // namespace
} // namespace outer

int main() {
    Maze<3, const char *>::walk("in"); //@ main walk
    outer::Word word;
    word += "more"; //@ main word
    return 0;
}
