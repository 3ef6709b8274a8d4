/* A catalogue of books: an index of its words, and answers that are made for each question. */
#include <cstdio>
#include <map>
#include <string>
#include <vector>

struct Book {
    std::string title;
    std::vector<int> pages;
};

static std::map<std::string, std::vector<const Book *>> words;

static std::vector<Book> *read_books(int count) {
    auto *books = new std::vector<Book>; /* never freed */
    for (int i = 0; i < count; i++)
        books->push_back({"the collected letters, volume " + std::to_string(i), std::vector<int>(static_cast<size_t>(i % 40))});
    return books;
}

static void index_words(const std::vector<Book> &books) {
    for (const Book &book : books)
        for (size_t at = 0; at < book.title.size(); at += 4)
            words[book.title.substr(at, 4)].push_back(&book);
}

static size_t answer(const std::string &question) {
    std::vector<std::string> titles;
    for (const auto &[word, books] : words)
        if (word.find(question) != std::string::npos)
            for (const Book *book : books)
                titles.push_back(book->title);
    return titles.size();
}

int main() {
    index_words(*read_books(3000));
    size_t found = 0;
    for (const char *question : {"let", "vol", "9", "the"})
        found += answer(question);
    std::printf("%zu\n", found);
    words.clear();
}
