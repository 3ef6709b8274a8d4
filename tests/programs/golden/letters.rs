//! Counts the words of generated letters, and keeps the counts.
use std::collections::HashMap;

fn write_letter(number: usize) -> String {
    let mut text = String::new();
    for word in 0..200 {
        text.push_str(&format!("word{} ", (number * 31 + word * 17) % 977));
    }
    text
}

fn count_words(letters: &[String]) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for letter in letters {
        for word in letter.split(' ') {
            *counts.entry(word.to_string()).or_insert(0) += 1;
        }
    }
    counts
}

fn main() {
    let letters: Vec<String> = (0..300).map(write_letter).collect();
    let counts = count_words(&letters);
    let boxed: &'static mut HashMap<String, usize> = Box::leak(Box::new(counts));
    println!("{}", boxed.len());
}
