//! The `plainsight` program.

#![forbid(unsafe_code)]

mod cli;

/// Fields are many and small: an allocator made for that takes a tenth off the whole run.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    cli::main()
}
