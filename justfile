# Every command that a contributor runs. `just` lists them.

_list:
    @just --list --unsorted

# Build and run the server on an empty directory
serve *options:
    cargo run --release -- serve {{ options }}

# Everything that CI runs, installing what is missing
check:
    cargo xtask test

# One step of it: format, clippy, tidy, deny, tests, build, e2e-js, e2e-browser, e2e-python, compatibility, quickstarts, replay, kill, idle
step name:
    cargo xtask test --only {{ name }}

# The quick part of it, for the time between two edits
quick:
    cargo xtask test --only format --only tidy --only clippy

# Format the code
format:
    cargo fmt --all

# The Rust tests, all or those whose name has a word in it
test *words:
    cargo test --workspace -- {{ words }}

# Load recorded commits and compare every timeline with a model
replay *options:
    cargo build --release --package millpond
    cargo xtask replay {{ options }}

# Let libFuzzer look for inputs that break a target of fuzz/
fuzz target *options:
    cargo xtask fuzz {{ target }} {{ options }}

# Kill a server under load and look for lost writes
kill *options:
    cargo build --release --package millpond
    cargo xtask kill {{ options }}

# Hold ten thousand silent sockets open and talk beside them
idle *options:
    cargo build --release --package millpond
    cargo xtask idle {{ options }}

# Measure what a person with very many messages costs in memory
memory *options:
    cargo build --release --package millpond
    cargo xtask memory {{ options }}

# Do the checks of the privacy connector at the contract's sizes
scale:
    cargo xtask scale

# Write down that long files have become shorter
bless:
    cargo xtask tidy --bless
