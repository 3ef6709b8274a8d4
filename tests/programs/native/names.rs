// Allocations under names of Rust: generic, of a trait, in a closure. //@ marks the lines that a stack goes through.
use std::hint::black_box;

trait Shape {
    fn grow(&self, size: usize) -> Vec<u8>;
}

struct Square;

impl Shape for Square {
    #[inline(never)]
    fn grow(&self, size: usize) -> Vec<u8> {
        Vec::with_capacity(black_box(size)) //@ grow
    }
}

#[inline(never)]
fn generic<T: Default + Clone>(count: usize) -> Vec<T> {
    let closure = |n: usize| -> Vec<T> {
        Vec::with_capacity(black_box(n)) //@ closure
    };
    closure(count) //@ generic
}

fn main() {
    let shape: Box<dyn Shape> = Box::new(black_box(Square));
    black_box(shape.grow(7007)); //@ main grow
    black_box(generic::<u64>(1001)); //@ main generic
}
