//! The word that somebody probably meant, for keys and for values of closed lists.

/// The known word that somebody probably meant: full-width letters and capitals are folded, and up to a third of the
/// letters may be wrong.
pub(crate) fn nearest<'k>(written: &str, known: &[&'k str]) -> Option<&'k str> {
    use unicode_normalization::UnicodeNormalization;
    let fold = |text: &str| -> Vec<char> {
        let letters = text.nfkc().flat_map(char::to_lowercase).take(64);
        letters.map(|c| if c == '-' { '_' } else { c }).collect()
    };
    let written = fold(written);
    known
        .iter()
        .map(|word| (distance(&written, &fold(word)), *word))
        .filter(|(distance, word)| *distance <= word.chars().count().max(3) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// Letters to change, add, drop or swap.
fn distance(left: &[char], right: &[char]) -> usize {
    let mut rows = vec![(0..=right.len()).collect::<Vec<usize>>()];
    for (i, a) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in right.iter().enumerate() {
            let mut best = (rows[i][j] + usize::from(a != b)).min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && left[i - 1] == *b && right[j - 1] == *a {
                best = best.min(rows[i - 1][j - 1] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows.last().and_then(|row| row.last()).copied().unwrap_or_default()
}
