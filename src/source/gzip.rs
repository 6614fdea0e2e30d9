//! gzip, unpacked while it is read, whatever the file is called. Data that end in the middle, that do not fit their
//! check sum or that go on with something else are errors, and so is a file that unpacks to more than any list: it is
//! noticed while it unpacks, piece by piece, so that a bomb costs neither memory nor disk.

use flate2::bufread::MultiGzDecoder;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read as _, Seek as _};

/// The two bytes with which such a file begins.
pub(super) const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// How much a packed file may become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bounds {
    /// Bytes.
    most: u64,
    /// So many times the packed bytes that were read for it.
    ratio: u64,
    /// Up to so many bytes the ratio is not asked: a short list may well be the same row again and again.
    ratio_from: u64,
}

/// Lists of people and departments shrink to a fifth or a tenth; what gzip can do at best is 1,032 times.
const BOUNDS: Bounds = Bounds { most: 4 << 30, ratio: 200, ratio_from: 16 << 20 };

/// Why no more can be unpacked.
#[derive(Debug)]
pub(super) enum Broken {
    /// The operating system's reason.
    Io(std::io::Error),
    /// The data's own.
    Data(Fault),
}

/// What is wrong with packed data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// They end in the middle.
    Cut(Reached),
    /// They are no gzip data, or not those that were packed.
    Damaged(Reached),
    /// More bytes than any list has.
    Large,
    /// Many times the bytes that they are packed in.
    Dense(Reached),
}

/// How far a file was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reached {
    /// Bytes of the file.
    packed: u64,
    /// Bytes that they became.
    unpacked: u64,
}

impl Fault {
    /// Whether the file is too much rather than wrong.
    pub(super) fn is_too_large(self) -> bool {
        matches!(self, Self::Large | Self::Dense(_))
    }

    /// What was found in a file of so many bytes, and how to mend it.
    pub(super) fn words(self, size: u64) -> (String, &'static str) {
        let unpack = "see that it is the right file; if it is, unpack it and name the unpacked file in path:";
        match self {
            Self::Cut(Reached { packed, unpacked }) => (
                format!(
                    "the gzip data end in the middle, at byte {packed} of {size} and after {unpacked} unpacked bytes"
                ),
                "the file was cut: let its writer pack it to the end, or transfer it anew",
            ),
            Self::Damaged(Reached { packed, unpacked }) => (
                format!("the gzip data are damaged before byte {packed} of {size}, after {unpacked} unpacked bytes"),
                "pack or transfer the file anew",
            ),
            Self::Large => ("it unpacks to more than 4 GiB".to_owned(), unpack),
            Self::Dense(Reached { packed, unpacked }) => {
                (format!("its first {packed} bytes unpack to {unpacked}, over {} times as many", BOUNDS.ratio), unpack)
            }
        }
    }
}

/// The unpacked bytes of a file, of all its members one after another.
#[derive(Debug)]
pub(super) struct Gzip {
    /// `None` after an error: the decoder itself would go on as if it had come to an end.
    decoder: Option<MultiGzDecoder<BufReader<File>>>,
    unpacked: u64,
    bounds: Bounds,
}

impl Gzip {
    /// A file that stands at its first byte.
    pub(super) fn new(file: File) -> Self {
        Self::within(file, BOUNDS)
    }

    fn within(file: File, bounds: Bounds) -> Self {
        let file = BufReader::with_capacity(64 * 1024, file);
        Self { decoder: Some(MultiGzDecoder::new(file)), unpacked: 0, bounds }
    }

    /// Reads until `piece` has `most` more bytes or there are no more; true at the end.
    pub(super) fn read(&mut self, piece: &mut Vec<u8>, most: usize) -> Result<bool, Broken> {
        let read = self.read_on(piece, most);
        if read.is_err() {
            self.decoder = None;
        }
        read
    }

    fn read_on(&mut self, piece: &mut Vec<u8>, most: usize) -> Result<bool, Broken> {
        let Some(decoder) = &mut self.decoder else {
            return Err(Broken::Io(std::io::Error::other("its reading has failed before")));
        };
        let before = piece.len();
        let read = decoder.by_ref().take(most as u64).read_to_end(piece);
        let read_now = piece.len() - before;
        self.unpacked += read_now as u64;
        let packed = {
            let ahead = decoder.get_ref().buffer().len() as u64;
            let mut file = decoder.get_ref().get_ref();
            file.stream_position().map_err(Broken::Io)?.saturating_sub(ahead)
        };
        let reached = Reached { packed, unpacked: self.unpacked };
        if let Err(error) = read {
            return Err(match error.kind() {
                _ if error.raw_os_error().is_some() => Broken::Io(error),
                ErrorKind::UnexpectedEof => Broken::Data(Fault::Cut(reached)),
                _ => Broken::Data(Fault::Damaged(reached)),
            });
        }
        let Bounds { most: most_unpacked, ratio, ratio_from } = self.bounds;
        if self.unpacked > most_unpacked {
            return Err(Broken::Data(Fault::Large));
        }
        if self.unpacked > ratio_from && self.unpacked / ratio > packed {
            return Err(Broken::Data(Fault::Dense(reached)));
        }
        Ok(read_now < most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::{SeekFrom, Write as _};

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.seek(SeekFrom::Start(0)).unwrap();
        file
    }

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    /// Text that does not shrink much.
    fn noise(bytes: usize) -> Vec<u8> {
        let mut state = 1_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            b'0' + u8::try_from((state >> 40) % 64).unwrap()
        };
        (0..bytes).map(|_| next()).collect()
    }

    /// All that is unpacked, in pieces of so many bytes, none of which may be longer.
    fn unpack(gzip: &mut Gzip, piece: usize) -> Result<Vec<u8>, Broken> {
        let mut out = Vec::new();
        loop {
            let before = out.len();
            let over = gzip.read(&mut out, piece)?;
            assert!(out.len() - before <= piece);
            if over {
                return Ok(out);
            }
        }
    }

    #[test]
    fn members_follow_one_another_in_pieces_of_any_size() {
        let (one, two) = (noise(1000), noise(24));
        let bytes = [packed(&one), packed(b""), packed(&two)].concat();
        for piece in [1, 7, 1000, 1024, 5000] {
            assert_eq!(unpack(&mut Gzip::new(file(&bytes)), piece).unwrap(), [&one[..], &two].concat(), "{piece}");
        }
    }

    #[test]
    fn a_file_that_ends_anywhere_but_after_a_member_is_cut() {
        let bytes = [packed(&noise(300)), packed(b"abc")].concat();
        let first = packed(&noise(300)).len();
        for end in (2..bytes.len()).filter(|&end| end != first) {
            let broken = unpack(&mut Gzip::new(file(&bytes[..end])), 100).unwrap_err();
            let Broken::Data(Fault::Cut(Reached { packed, .. })) = broken else { panic!("{end}: {broken:?}") };
            assert_eq!(packed, end as u64);
        }
    }

    #[test]
    fn what_follows_the_last_member_must_be_a_member() {
        for more in [&b"\0\0"[..], b"rubbish, long enough to be a header"] {
            let broken = unpack(&mut Gzip::new(file(&[&packed(b"abc"), more].concat())), 100).unwrap_err();
            assert!(matches!(broken, Broken::Data(Fault::Damaged(_) | Fault::Cut(_))), "{broken:?}");
        }
    }

    #[test]
    fn after_an_error_there_is_no_end() {
        let mut bytes = packed(&noise(300));
        let sum = bytes.len() - 8;
        bytes[sum] ^= 1;
        let mut gzip = Gzip::new(file(&bytes));
        assert!(matches!(unpack(&mut gzip, 100), Err(Broken::Data(Fault::Damaged(Reached { unpacked: 300, .. })))));
        assert!(matches!(unpack(&mut gzip, 100), Err(Broken::Io(_))), "the decoder alone would say that it is over");
    }

    #[test]
    fn a_bomb_ends_at_its_bounds() {
        let bounds = Bounds { most: 1 << 20, ratio: 50, ratio_from: 64 << 10 };
        let within = |text: &[u8]| {
            let mut gzip = Gzip::within(file(&packed(text)), bounds);
            (unpack(&mut gzip, 4096).map(|text| text.len()), gzip.unpacked)
        };
        assert!(matches!(within(&[b'x'; 64 << 10]), (Ok(65_536), _)), "a short list may be as dense as it likes");
        let (dense, read) = within(&vec![b'x'; 10 << 20]);
        assert!(matches!(dense, Err(Broken::Data(Fault::Dense(_)))) && read < 80 << 10, "{dense:?} after {read}");
        assert!(matches!(within(&noise(1 << 20)), (Ok(_), _)));
        let (large, read) = within(&noise(2 << 20));
        assert!(matches!(large, Err(Broken::Data(Fault::Large))) && read <= (1 << 20) + 4096, "{large:?} after {read}");
    }
}
