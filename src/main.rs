//! The program `draft`: reads the arguments, does one thing, ends with an exit code.

fn main() {}
