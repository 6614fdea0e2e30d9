//! "Did you mean …?": the known name that is closest to one that is not known. It only ever suggests.

use unicode_normalization::UnicodeNormalization as _;

/// The closest of `names`: the same but for width, case and blanks, or a few letters apart. `None` if nothing is near.
pub(super) fn closest<'n>(wanted: &str, names: &'n [String]) -> Option<&'n str> {
    let wanted = plain(wanted);
    let most = (wanted.len() / 3).max(1);
    names
        .iter()
        .map(|name| (distance(&wanted, &plain(name)), name.as_str()))
        .filter(|&(apart, _)| apart <= most && apart < wanted.len())
        .min_by_key(|&(apart, _)| apart)
        .map(|(_, name)| name)
}

fn plain(name: &str) -> Vec<char> {
    name.nfkc()
        .flat_map(char::to_lowercase)
        .filter(|letter| !letter.is_whitespace() && !matches!(letter, '_' | '-' | '\u{FEFF}'))
        .collect()
}

/// How many letters have to be put in, taken away or changed.
fn distance(left: &[char], right: &[char]) -> usize {
    let mut costs: Vec<usize> = (0..=right.len()).collect();
    for (row, l) in left.iter().enumerate() {
        let mut diagonal = row;
        costs[0] = row + 1;
        for (column, r) in right.iter().enumerate() {
            let change = diagonal + usize::from(l != r);
            diagonal = costs[column + 1];
            costs[column + 1] = change.min(diagonal + 1).min(costs[column] + 1);
        }
    }
    costs[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_recognised_and_a_stranger_is_not() {
        let names: Vec<String> = ["社員コード", "社員名", "emp_no", "ﾒｰﾙ"].map(str::to_owned).to_vec();
        assert_eq!(closest("社員コ一ド", &names), Some("社員コード"));
        assert_eq!(closest("社員番号", &names), None);
        assert_eq!(closest("Emp No", &names), Some("emp_no"));
        assert_eq!(closest("メール", &names), Some("ﾒｰﾙ"));
        assert_eq!(closest("部門", &names), None);
        assert_eq!(closest("x", &[]), None);
    }
}
