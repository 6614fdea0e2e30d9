//! What systemd is told, over a real socket by the real binary: ready, alive, stopping.

use assert_cmd::cargo::CommandCargoExt as _;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::Duration;

/// The next message that says one of the words.
fn heard(socket: &UnixDatagram, word: &str) -> String {
    let mut bytes = [0; 4096];
    loop {
        let length = socket.recv(&mut bytes).unwrap_or_else(|error| panic!("{word} was never said: {error}"));
        let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
        if text.lines().any(|line| line == word) {
            return text;
        }
        let known = ["READY=1", "WATCHDOG=1", "STOPPING=1"];
        assert!(text.lines().all(|line| known.contains(&line) || line.starts_with("STATUS=")), "{text}");
    }
}

#[test]
fn systemd_hears_that_it_is_ready_alive_and_stopping() {
    let folder = tempfile::tempdir().unwrap();
    let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut command = Command::cargo_bin("renkei").unwrap();
    command.current_dir(folder.path()).arg("serve").env_remove("RENKEI_CONFIG").env_remove("WATCHDOG_PID");
    command.env("NOTIFY_SOCKET", folder.path().join("notify")).env("WATCHDOG_USEC", "200000");
    let mut daemon = command.stdout(Stdio::null()).spawn().unwrap();
    assert!(heard(&socket, "READY=1").contains("STATUS=ready"));
    heard(&socket, "WATCHDOG=1");
    heard(&socket, "WATCHDOG=1");
    assert!(Command::new("kill").args(["-TERM", &daemon.id().to_string()]).status().unwrap().success());
    assert!(heard(&socket, "STOPPING=1").contains("STATUS=stopping"));
    assert!(daemon.wait().unwrap().success());
}
