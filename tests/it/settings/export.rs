//! An export is what a person would write, and applying it changes nothing.

use super::{EXAMPLE, load_all, loaded, text};
use proptest::prelude::*;
use renkei::domain::menu::Menu;
use renkei::settings::secrets::Resolver;
use renkei::settings::{self, Entities, Plan};
use serde_json::{Value, json};

fn resolver() -> Resolver {
    Resolver::new("/nonexistent/renkei.key")
}

/// Loads an export again, with these entities stored, and tells what would change.
fn again(entities: &Entities) -> Result<Plan, String> {
    let yaml = settings::export(entities);
    let loaded = load_all(&[text("/elsewhere/export.yaml", &yaml)], entities, false);
    let loaded = loaded.map_err(|findings| format!("{findings}\n{yaml}"))?;
    Ok(Plan::between(entities, &loaded.entities, true, &resolver()))
}

#[test]
fn the_example_comes_out_as_one_would_write_it() {
    let yaml = settings::export(&loaded(EXAMPLE).entities);
    insta::assert_snapshot!(yaml);
}

#[test]
fn every_example_in_the_repository_survives_an_export() {
    for example in [
        EXAMPLE,
        include_str!("../../../examples/settings.yaml"),
        include_str!("../../../examples/confirm.yaml"),
        include_str!("../../../examples/mapping.yaml"),
        include_str!("../../../examples/files.yaml"),
        include_str!("../../../examples/demo/settings.yaml"),
    ] {
        let entities = loaded(example).entities;
        let plan = again(&entities).unwrap();
        assert!(plan.is_empty(), "{}", plan.render(false));
        assert_eq!(plan.unchanged, entities.integrations.len() + entities.menus.len() + entities.timers.len());
    }
    assert!(again(&Entities::default()).unwrap().is_empty());
}

#[test]
fn every_key_survives_an_export() {
    let yaml = include_str!("../../data/settings/every_key.yaml");
    let entities = loaded(yaml).entities;
    let exported = settings::export(&entities);
    let plan = again(&entities).unwrap();
    assert!(plan.is_empty(), "{}\n{exported}", plan.render(false));
    // Each key of the reference that takes a value stands in it, so that none is forgotten here.
    for key in settings::keys() {
        let name = key.rsplit('.').next().unwrap();
        let elsewhere = ["format", "daily", "missing_column"];
        assert!(exported.contains(&format!("{name}:")) || elsewhere.contains(&name), "{key}\n{exported}");
    }
    // A reader that knows YAML 1.1's words too finds the same texts.
    let other: Value = serde_yaml::from_str(&exported).unwrap();
    assert_eq!(other["menus"][0]["name"], "true");
    assert_eq!(other["menus"][0]["columns"][3]["header"], "改\n行");
    assert_eq!(other["timers"][0]["name"], "1");
}

proptest! {
    #[test]
    fn any_text_survives_an_export(texts in proptest::collection::vec("\\PC{0,12}|[ -~\\n\\t\\r]{0,12}|(yes|no|~|null|0x1F|1e3|12:30|<<|- a|# b|\\.inf|\u{85}|\u{2028}|あ)", 3)) {
        let form = json!({
            "name": "m",
            "source": { "records": {} },
            "key": [],
            "columns": [{ "header": "a", "constant": texts[0] }, { "header": "b", "constant": texts[1] }, { "header": "c", "field": texts[2] }],
        });
        let menu = Menu::check(serde_json::from_value(form).unwrap()).unwrap().0;
        let entities = Entities { menus: vec![menu], ..Entities::default() };
        let plan = again(&entities).map_err(TestCaseError::fail)?;
        prop_assert!(plan.is_empty(), "{}\n{}", plan.render(false), settings::export(&entities));
        // Another reader of YAML agrees.
        let other: Value = serde_yaml::from_str(&settings::export(&entities)).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(&other["menus"][0]["columns"][0]["constant"], &json!(texts[0]));
    }
}
