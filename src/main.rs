//! Arguments → cli → exit code, nothing else.

fn main() -> std::process::ExitCode {
    renkei::cli::run()
}
