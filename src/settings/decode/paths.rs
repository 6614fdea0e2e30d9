//! Relative paths start at the settings file's folder and are stored complete, so that a daemon with another working
//! directory finds the same files.

use crate::domain::secret::{Part, SecretText};
use std::path::{Path, PathBuf};

/// What is wrong, and how to mend it.
type Refusal = (String, String);

/// The folder of a settings file.
#[derive(Debug, Clone)]
pub(in crate::settings) struct Base {
    folder: PathBuf,
}

impl Base {
    /// Of a settings file.
    pub(in crate::settings) fn of(file: &Path) -> Self {
        let parent = file.parent().unwrap_or(Path::new(""));
        // An empty path has no absolute form of its own: it is the working directory.
        let folder =
            std::path::absolute(parent).or_else(|_| std::env::current_dir()).unwrap_or_else(|_| PathBuf::from("/"));
        Self { folder }
    }

    /// A path as the store keeps it.
    pub(super) fn complete(&self, path: &str) -> Result<String, Refusal> {
        if path.starts_with("~/") {
            let what = "~ is not read here: the daemon has another home".to_owned();
            return Err((what, "write the full path".to_owned()));
        }
        // An empty path is the domain's fault to tell, not this folder.
        if path.is_empty() || Path::new(path).is_absolute() {
            return Ok(path.to_owned());
        }
        let folder = self.folder.to_str().ok_or_else(|| {
            let what = "the settings file's folder has a name that is not UTF-8".to_owned();
            (what, "write full paths, or move the file".to_owned())
        })?;
        Ok(joined(folder, path))
    }

    /// A source's path, in which the folder's own `[`, `*` and `?` must not become a glob.
    pub(super) fn complete_pattern(&self, path: &str) -> Result<String, Refusal> {
        if path.is_empty() || Path::new(path).is_absolute() || path.starts_with("~/") {
            return self.complete(path);
        }
        self.complete("x")?;
        let folder = self.folder.to_string_lossy();
        let literal: String =
            folder.chars().map(|c| if "*?[".contains(c) { format!("[{c}]") } else { c.to_string() }).collect();
        Ok(joined(&literal, path))
    }

    /// A text whose `${file:…}` references are complete.
    pub(super) fn secret(&self, text: SecretText) -> Result<SecretText, Refusal> {
        let parts = text.parts().iter().map(|part| {
            Ok(match part {
                Part::File(path) => Part::File(self.complete(path)?),
                other => other.clone(),
            })
        });
        Ok(SecretText::from_parts(parts.collect::<Result<_, Refusal>>()?))
    }
}

/// `./` at the start of a relative path says nothing.
fn joined(folder: &str, path: &str) -> String {
    let path = path.trim_start_matches("./");
    format!("{}/{path}", folder.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_start_at_the_file_and_a_strange_folder_is_no_glob() {
        let base = Base::of(Path::new("/etc/renkei[1]/settings.yaml"));
        assert_eq!(base.complete("./a/b.pem").unwrap(), "/etc/renkei[1]/a/b.pem");
        assert_eq!(base.complete("/x").unwrap(), "/x");
        assert_eq!(base.complete_pattern("in/*.csv").unwrap(), "/etc/renkei[[]1]/in/*.csv");
        assert_eq!(base.complete("../x").unwrap(), "/etc/renkei[1]/../x");
        assert!(base.complete("~/x").is_err());
        let text = SecretText::parse("Bearer ${file:token}").unwrap();
        assert_eq!(base.secret(text).unwrap().notation(), "Bearer ${file:/etc/renkei[1]/token}");
    }

    #[test]
    fn a_file_in_the_working_directory_gives_a_complete_path() {
        let here = std::env::current_dir().unwrap();
        let base = Base::of(Path::new("settings.yaml"));
        assert_eq!(base.complete("a.csv").unwrap(), here.join("a.csv").to_str().unwrap());
    }
}
