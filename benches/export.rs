//! How fast rows in memory become batches on the disk: 1,000,000 rows × 9 columns, about 120 MB of UTF-8, with hashes of
//! the files and the search for duplicate keys. `cargo bench --bench export [ROWS]`.
#![expect(clippy::print_stdout, reason = "a benchmark tells its result")]
#![expect(clippy::unwrap_used, reason = "a benchmark may stop at the first surprise")]

use renkei::clock::Clock;
use renkei::domain::integration::{CsvForm, Limits};
use renkei::domain::menu::Menu;
use renkei::domain::record::{Block, Header};
use renkei::export::{self, Plan};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::ops::ControlFlow;

const NAMES: [&str; 9] =
    ["社員コード", "社員名", "フリガナ", "部門コード", "部門名", "役職", "メールアドレス", "入社日", "備考"];

/// Some thousand rows, given again and again with fresh numbers, so that reading them costs nothing.
fn blocks(rows: u64) -> Vec<Block> {
    let mut blocks = vec![Block::with_room(NAMES.len())];
    for n in 0..rows {
        let fresh = blocks.last().is_none_or(Block::is_full);
        if fresh {
            blocks.push(Block::with_room(NAMES.len()));
        }
        let Some(block) = blocks.last_mut() else { continue };
        let code = format!("{:07}", 1_000_000 + n * 7 % 9_000_000);
        let mail = format!("taro.yamada{n}@example.co.jp");
        let memo = if n % 50 == 0 { "東京都千代田区, \"本社\"" } else { "通勤手当あり" };

        let fields = [&code, "山田 太郎", "ヤマダ タロウ", "D0123", "営業推進本部", "主任", &mail, "2019/04/01", memo];
        block.push_row(n + 2, fields);
    }
    blocks
}

fn menu(settings: Value) -> Menu {
    let mut form = json!({ "name": "社員一覧", "source": { "records": {} }, "key": ["社員コード"] });
    form.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    serde_json::from_value(form).unwrap()
}

fn main() {
    let rows = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(1_000_000);
    let blocks = blocks(rows);
    let header = Header::new(NAMES.map(str::to_owned).to_vec());
    let clock = Clock::system();
    let trimmed: Vec<Value> =
        NAMES.iter().map(|name| json!({ "header": name, "trim": true, "max_bytes": 60 })).collect();
    let cases = [
        ("as they are, Shift_JIS", json!({}), json!({})),
        ("as they are, UTF-8", json!({}), json!({ "charset": "utf8" })),
        ("a replacement table", json!({}), json!({ "replacements": { "髙": "高", "㈱": "(株)" } })),
        ("trim and max_bytes in each column", json!({ "columns": trimmed }), json!({})),
        ("order_by", json!({ "order_by": [{ "header": "メールアドレス" }] }), json!({})),
    ];
    for (name, settings, csv) in cases {
        let csv: CsvForm = serde_json::from_value(csv).unwrap();
        let plan = Plan::new(&menu(settings), &csv, &Limits::default(), &header, None).unwrap();
        let best = (0..3)
            .map(|_| {
                let folder = tempfile::tempdir_in(".").unwrap();
                let begun = clock.elapsed();
                let rows = blocks.iter().map(|block| Ok::<_, Infallible>(block.clone()));
                let exported = export::write(&plan, rows, folder.path(), |_| ControlFlow::Continue(())).unwrap();
                (clock.elapsed() - begun, exported.bytes, exported.batches.len())
            })
            .min()
            .unwrap();
        println!("{name}: {rows} rows, {} bytes in {} files, best of 3: {:.3} s", best.1, best.2, best.0.as_secs_f64());
    }
}
