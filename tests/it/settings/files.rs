//! Files that are no settings at all.

use renkei::{settings, yaml};
use std::fs;
use std::path::{Path, PathBuf};

fn written(folder: &Path, bytes: &[u8]) -> PathBuf {
    let file = folder.join("settings.yaml");
    fs::write(&file, bytes).unwrap();
    file
}

/// The refusal of a file with these bytes, without its path.
fn refusal(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = written(folder.path(), bytes);
    let finding = yaml::read(&file).unwrap_err();
    assert_eq!(finding.file.as_deref(), Some(file.as_path()));
    finding.to_string().replace(&format!("{}:", file.display()), "")
}

#[test]
fn a_byte_order_mark_is_no_fault() {
    let folder = tempfile::tempdir().unwrap();
    let file = written(folder.path(), "\u{feff}menus: []\r\n".as_bytes());
    assert_eq!(yaml::read(&file).unwrap().text, "menus: []\r\n");
}

#[test]
fn another_charset_is_named_with_the_way_to_mend_it() {
    let yaml = "menus:\n  - name: 社員一覧\n";
    let sjis = encoding_rs::SHIFT_JIS.encode_without_sink(yaml);
    let euc = encoding_rs::EUC_JP.encode_without_sink(yaml);
    let jis = encoding_rs::ISO_2022_JP.encode_without_sink(yaml);
    let utf16: Vec<u8> = yaml.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = [&[0xff, 0xfe], utf16.as_slice()].concat();
    for (bytes, place, wanted) in [
        (sjis, "2:11: ", "iconv -f CP932"),
        (euc, "2:11: ", "iconv -f EUC-JP"),
        (jis, "2:11: ", "iconv -f ISO-2022-JP"),
        (marked, "1:1: ", "UTF-16"),
        (utf16, "1:2: ", "UTF-16"),
        (b"PK\x03\x04\xff\xff\x00".to_vec(), "1:", "binary"),
        (b"\x7fELF\x02".to_vec(), "1:1: ", "control character U+007F"),
        ("社\u{e3}".as_bytes()[..4].to_vec(), "1:2: ", "ends inside a letter"),
        (b"a: \xff\xff".to_vec(), "1:4: ", "damaged"),
    ] {
        let found = refusal(&bytes);
        assert!(found.starts_with(place) && found.contains(wanted), "{found}");
    }
}

#[test]
fn a_line_of_100_mb_is_refused_before_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.yaml");
    let file = fs::File::create(&path).unwrap();
    file.set_len(100 * 1024 * 1024).unwrap();
    assert!(yaml::read(&path).unwrap_err().to_string().contains("larger than 8 MB"));
}

#[test]
fn a_directory_and_a_missing_file_are_named_so() {
    let folder = tempfile::tempdir().unwrap();
    assert!(yaml::read(folder.path()).unwrap_err().what.contains("directory"));
    let missing = yaml::read(&folder.path().join("none.yaml")).unwrap_err();
    assert!(missing.what.contains("no such file") && !missing.fix.is_empty());
}

#[test]
fn a_file_that_cannot_be_read_hides_nothing_of_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let good = written(folder.path(), b"menus:\n  - name: a\n    surce: {}\n    integrations: [elsewhere]\n");
    let resolver = super::resolver();
    let against = settings::Against { stored: &settings::Entities::default(), prune: false, resolver: &resolver };
    let findings = settings::load_files(&[folder.path().join("none.yaml"), good], &against).unwrap_err();
    let told = findings.to_string();
    assert!(told.contains("no such file") && told.contains("did you mean source?"), "{told}");
    // It may be the missing file that has the integration.
    assert!(!told.contains("elsewhere"), "{told}");
}

/// The banned call writes `&#…;` for what it cannot map; nothing here is unmappable.
trait EncodeWhole {
    fn encode_without_sink(&'static self, text: &str) -> Vec<u8>;
}

impl EncodeWhole for encoding_rs::Encoding {
    fn encode_without_sink(&'static self, text: &str) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(text.len() * 4 + 16);
        let mut encoder = self.new_encoder();
        let (result, _) = encoder.encode_from_utf8_to_vec_without_replacement(text, &mut bytes, true);
        assert_eq!(result, encoding_rs::EncoderResult::InputEmpty);
        bytes
    }
}
