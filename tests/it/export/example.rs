//! The example of the steps, loaded and run.

use super::*;
use renkei::domain::failure::Code;
use renkei::settings::secrets::Resolver;
use renkei::settings::{self, Against, Entities};
use renkei::yaml::Text;

const NAMES: [&str; 9] = ["社員番号", "姓", "名", "カナ", "メール", "区分", "部署", "入社日", "退職日"];

fn trial() -> Trial {
    let text =
        Text { path: "/etc/renkei/mapping.yaml".into(), text: include_str!("../../../examples/mapping.yaml").into() };
    let resolver = Resolver::new("/nonexistent/renkei.key").with_variables([("SEISAN_TOKEN", "t0p")]);
    let against = Against { stored: &Entities::default(), prune: false, resolver: &resolver };
    let entities = settings::load(&[text], &against).unwrap_or_else(|findings| panic!("{findings}")).entities;
    Trial { menu: entities.menus[0].clone(), ..Trial::new(&NAMES, json!({})) }
}

#[test]
fn the_example_of_the_steps_does_what_it_says() {
    let rows = [
        vec!["１２３", "佐藤 ", "花子", "ｻﾄｳ ﾊﾅｺ", "Hanako@Example.JP", "1", "310", "令和6年4月1日", ""],
        vec!["45", "山田", "", "ヤマダ", "", "2", " ", "H31.4.30", " "],
        vec!["46", "鈴木", "一郎", "", "hanako@example.jp", "1", "", "", "R8.3.31"],
        vec!["x", "", "", "", "", "9", "", "soon", ""],
    ];
    assert_eq!(
        trial().text(&rows),
        "社員コード,社員名,フリガナ,メールアドレス,雇用区分,部署コード,入社日,会社\r\n\
         000123,佐藤 花子,サトウ ハナコ,hanako@example.jp,正社員,310,2024/04/01,株式会社アクメ\r\n\
         000045,山田,ヤマダ,,契約社員,000,2019/04/30,株式会社アクメ\r\n"
    );
}

#[test]
fn what_breaks_its_rules_is_told_by_key_column_and_rule_and_without_the_value() {
    let rows = [vec!["12a", "", " ", "ナ", "at home", "1", "310", "2024/04/01", ""]];
    let failure = trial().refusal(&rows);
    let told: Vec<_> =
        failure.rows.iter().map(|row| (row.key.as_str(), row.column.as_str(), row.reason.to_string())).collect();
    let expected = [
        ("社員コード", "does not match the pattern [0-9]{6}"),
        ("社員名", "is empty, but required"),
        ("メールアドレス", "does not match the pattern [^@ ]+@[^@ ]+"),
        ("入社日", "is no date of the form wareki"),
    ];
    let expected: Vec<_> = expected.iter().map(|(column, why)| ("00012a", *column, (*why).to_owned())).collect();
    assert_eq!((failure.code, told), (Code::RowRule, expected));
    assert!(!format!("{failure:?}").contains("at home") && !format!("{failure:?}").contains("2024/04/01"));
}
