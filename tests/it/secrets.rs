//! Secrets: references are read, literals are sealed, and nothing of them is ever shown.

use renkei::domain::integration::Integration;
use renkei::domain::secret::{Part, SecretText};
use renkei::settings::secrets::{Redactor, Resolver, SecretError, expose_equal, seal_integration};
use secrecy::{ExposeSecret, SecretString};
use std::fs;
use std::path::Path;

fn text(notation: &str) -> SecretText {
    SecretText::parse(notation).unwrap()
}

fn resolver(folder: &Path) -> Resolver {
    Resolver::new(folder.join("data/renkei.key")).with_variables([("TOKEN", "from-env"), ("EMPTY", "")])
}

fn resolved(resolver: &Resolver, notation: &str) -> Result<String, SecretError> {
    resolver.resolve(&text(notation)).map(|secret| secret.expose_secret().to_owned())
}

fn integration(headers: &[(&str, &str)], proxy: Option<&str>) -> Integration {
    let headers: serde_json::Map<_, _> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
    let mut form = serde_json::json!({
        "name": "x", "kind": "generic", "url": "https://example.jp/a", "headers": headers,
    });
    if let Some(proxy) = proxy {
        form["route"] = serde_json::json!({ "proxy": proxy });
    }
    serde_json::from_value(form).unwrap()
}

#[test]
fn references_are_resolved_from_variables_and_files_without_their_last_line_end() {
    let folder = tempfile::tempdir().unwrap();
    let resolver = resolver(folder.path());
    assert_eq!(resolved(&resolver, "Bearer ${env:TOKEN}!").unwrap(), "Bearer from-env!");
    let file = folder.path().join("token");
    for (content, secret) in [("s3cret\n", "s3cret"), ("s3cret\r\n", "s3cret"), ("a\n\n", "a\n"), (" b ", " b ")] {
        fs::write(&file, content).unwrap();
        assert_eq!(resolved(&resolver, &format!("${{file:{}}}", file.display())).unwrap(), secret);
    }
}

#[test]
fn what_cannot_be_had_is_named_with_its_place_and_never_its_value() {
    let folder = tempfile::tempdir().unwrap();
    let resolver = resolver(folder.path());
    let file = folder.path().join("token");
    let reference = format!("${{file:{}}}", file.display());
    assert!(resolved(&resolver, "${env:NONE}").unwrap_err().to_string().contains("NONE"));
    assert!(resolved(&resolver, "${env:EMPTY}").unwrap_err().to_string().contains("not set or empty"));
    assert!(resolved(&resolver, &reference).unwrap_err().to_string().contains("cannot be read"));
    fs::write(&file, "\n").unwrap();
    assert!(resolved(&resolver, &reference).unwrap_err().to_string().contains("is empty"));
    fs::write(&file, b"hunter2\xff").unwrap();
    let error = resolved(&resolver, &reference).unwrap_err();
    assert!(error.to_string().contains("not UTF-8") && !format!("{error:?}").contains("hunter2"));
    fs::write(&file, vec![b'x'; 70_000]).unwrap();
    assert!(resolved(&resolver, &reference).unwrap_err().to_string().contains("64 KB"));
    // The standard library panics at such a name.
    let real = Resolver::new(folder.path().join("key"));
    assert!(resolved(&real, "${env:A=B}").is_err());
}

#[test]
fn what_is_sealed_opens_again_under_the_same_key_file_only() {
    let folder = tempfile::tempdir().unwrap();
    let here = resolver(folder.path());
    let plain = SecretString::from("鍵 hunter2");
    let (one, two) = (here.seal(&plain).unwrap(), here.seal(&plain).unwrap());
    assert!(one != two, "each seal has its own nonce");
    let sealed = SecretText::from_parts(vec![one]);
    assert!(!sealed.notation().contains("hunter2"));
    assert_eq!(resolved(&here, &sealed.notation()).unwrap(), "鍵 hunter2");
    assert!(expose_equal(&sealed, &SecretText::literal("鍵 hunter2"), &here));
    assert!(!expose_equal(&sealed, &SecretText::literal("hunter2"), &here));

    let elsewhere = Resolver::new(folder.path().join("other/renkei.key"));
    let notation = sealed.notation();
    assert!(matches!(resolved(&elsewhere, &notation), Err(SecretError::NoKey(_))));
    elsewhere.seal(&plain).unwrap();
    assert!(matches!(resolved(&elsewhere, &notation), Err(SecretError::OtherKey(_))));
    let mut bent = notation.clone().into_bytes();
    let middle = bent.len() / 2;
    bent[middle] = if bent[middle] == b'A' { b'B' } else { b'A' };
    let bent = String::from_utf8(bent).unwrap();
    assert!(matches!(resolved(&here, &bent), Err(SecretError::OtherKey(_))));
    assert!(matches!(resolved(&here, "${sealed:abc}"), Err(SecretError::Damaged)));
}

#[test]
#[cfg(unix)]
fn the_key_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let resolver = resolver(folder.path());
    let plain = SecretString::from("x");
    let sealed = SecretText::from_parts(vec![resolver.seal(&plain).unwrap()]).notation();
    let key = resolver.key_file();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(key), 0o600);
    assert_eq!(mode(key.parent().unwrap()), 0o700);
    let written = fs::read(key).unwrap();
    resolver.seal(&plain).unwrap();
    assert_eq!(fs::read(key).unwrap(), written, "a key file is made once");
    for open in [0o640, 0o604, 0o620] {
        fs::set_permissions(key, fs::Permissions::from_mode(open)).unwrap();
        let error = resolved(&resolver, &sealed).unwrap_err().to_string();
        assert!(error.contains("chmod 600"), "{error}");
        assert!(matches!(resolver.seal(&plain), Err(SecretError::OpenKey { .. })));
    }
    fs::set_permissions(key, fs::Permissions::from_mode(0o600)).unwrap();
    for foreign in [&b""[..], b"renkei-key-1:AAAA\n", b"\xff\xfe", b"-----BEGIN KEY-----"] {
        fs::write(key, foreign).unwrap();
        assert!(matches!(resolved(&resolver, &sealed), Err(SecretError::ForeignKey(_))));
        assert!(resolver.seal(&plain).is_err(), "a damaged key file is never replaced");
    }
}

#[test]
fn literals_in_secret_headers_and_proxies_are_sealed_and_nothing_else_is() {
    let folder = tempfile::tempdir().unwrap();
    let resolver = resolver(folder.path());
    let headers = [
        ("X-RS-apitoken", "hunter2"),
        ("Content-Type", "multipart/form-data;"),
        ("Authorization", "Bearer ${env:TOKEN}"),
        ("Cookie", "a=hunter2 ${env:TOKEN}"),
    ];
    let plain = integration(&headers, Some("http://user:hunter2@proxy.example.jp:8080"));
    let sealed = seal_integration(plain.clone(), &resolver).unwrap();
    let stored = serde_json::to_string(&sealed).unwrap();
    assert!(!stored.contains("hunter2") && !stored.contains("user:"), "{stored}");
    for readable in ["multipart/form-data;", "Bearer ${env:TOKEN}", "http://${sealed:", "}@proxy.example.jp:8080"] {
        assert!(stored.contains(readable), "{readable} in {stored}");
    }
    assert!(!format!("{plain:?}").contains("hunter2") && !format!("{sealed:?}").contains("hunter2"));
    // It means the same as before, and sealing again changes nothing.
    for ((_, before), (_, after)) in plain.form().headers.iter().zip(&sealed.form().headers) {
        assert!(expose_equal(before, after, &resolver));
    }
    let proxy = sealed.form().route.proxy.as_ref().unwrap();
    let opened = resolver.resolve(proxy).unwrap();
    assert_eq!(opened.expose_secret(), "http://user:hunter2@proxy.example.jp:8080");
    assert!(seal_integration(sealed.clone(), &resolver).unwrap() == sealed);
}

#[test]
fn the_user_part_of_a_proxy_is_found_however_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let resolver = resolver(folder.path());
    for (proxy, secret) in [
        ("http://proxy:8080", ""),
        ("http://proxy:8080/a@b", ""),
        ("http://hunter2@proxy", "hunter2"),
        ("http://u:hun@ter2@proxy/", "ter2"),
        ("user:hunter2@proxy", "hunter2"),
        ("http://${env:USER}:${env:TOKEN}@proxy", ""),
        ("http://hunter2:${env:TOKEN}@proxy", "hunter2"),
        ("http://${env:USER}:hunter2@proxy", "hunter2"),
    ] {
        let sealed = seal_integration(integration(&[], Some(proxy)), &resolver).unwrap();
        let parts = sealed.form().route.proxy.as_ref().unwrap().clone();
        if secret.is_empty() {
            assert_eq!(parts.notation(), proxy);
        } else {
            assert!(parts.parts().iter().any(|part| matches!(part, Part::Sealed(_))), "{proxy}");
            assert!(!parts.notation().contains(secret), "{proxy}");
        }
        assert!(expose_equal(&parts, &text(proxy), &resolver), "{proxy}");
        assert!(parts.notation().contains("proxy"), "the host stays readable: {proxy}");
    }
}

#[test]
fn known_secrets_are_taken_out_of_an_answer_in_their_usual_disguises() {
    let secrets = ["a/b\"c&d", "user:p%40ss", "a/b"].map(SecretString::from);
    let redactor = Redactor::new(secrets);
    for disguise in
        ["a/b\"c&d", "a\\/b\\\"c&d", "a%2Fb%22c%26d", "YS9iImMmZA==", "user:p%40ss", "x p%40ss y", "p@ss", "a/b"]
    {
        let clean = redactor.redact(&format!("社員 <{disguise}>"));
        assert!(clean.contains("••••") && clean.starts_with("社員 <") && clean.ends_with('>'), "{clean}");
        assert!(!clean.contains("b\"c") && !clean.contains("ss") && !clean.contains("a/b"), "{clean}");
    }
    assert_eq!(redactor.redact_bytes(b"\x8e\xd0 a/b \xff"), [&b"\x8e\xd0 "[..], "••••".as_bytes(), b" \xff"].concat());
    assert_eq!(Redactor::new([SecretString::from("")]).redact("unchanged"), "unchanged");
    assert!(!format!("{redactor:?}").contains("a/b"));
}
