// Input of the C++ compiler in bench/run native: a template that uses much of the standard library,
// instantiated many times.
#include <algorithm>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

template <int N>
struct Kind {
    struct Entry {
        std::string name;
        std::vector<int> values;
        std::variant<int, double, std::string> choice;
    };

    std::map<std::string, std::shared_ptr<Entry>> by_name;
    std::unordered_map<int, std::vector<Entry>> by_number;

    int sum() const {
        int total = N;
        for (const auto &[number, entries] : by_number)
            for (const auto &entry : entries)
                total += std::visit([](const auto &chosen) { return static_cast<int>(sizeof chosen); }, entry.choice) + number;
        return total;
    }

    void add(const std::string &text) {
        std::istringstream words(text);
        std::string word;
        while (words >> word) {
            auto entry = std::make_shared<Entry>(Entry{word, std::vector<int>(N), N});
            by_number[static_cast<int>(word.size())].push_back(*entry);
            by_name.emplace(word, std::move(entry));
        }
        auto &entries = by_number[N];
        std::sort(entries.begin(), entries.end(), [](const Entry &a, const Entry &b) { return a.name < b.name; });
    }
};
