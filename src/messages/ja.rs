//! 日本語.

mod digest;

use super::{BadLetter, Catalogue, Code, Explanation, Labels, LetterKind, RowReason, thousands};
use crate::domain::menu::DateForm;

pub(super) static CATALOGUE: Catalogue = Catalogue {
    subject_good: "[正常] {name} {records}件を送信しました({at})",
    subject_recovered: "[復旧] {name} {records}件を送信しました({at})",
    subject_partial: "[一部エラー] {name} {left}件を送信していません({at})",
    subject_cut: "[一部エラー] {name} 一部のファイルが受け付けられていません({at})",
    subject_held: "[確認待ち] {name}を止めています({reason})",
    subject_failed: "[エラー] {name}を送信できませんでした({at})",
    subject_unknown: "[要確認] {name} 届いたか確認できません({at})",
    subject_cancelled: "[取消] {name}を取り消しました({at})",
    subject_refused: "[一部エラー] {name} {missing}件が取り込まれていません({at})",
    subject_not_imported: "[エラー] {name}は取り込まれませんでした({at})",
    subject_unconfirmed: "[要確認] {name} 取り込まれたかどうか分かりません({at})",
    subject_test: "[テスト] renkeiからのメールです",
    lead_good: "{menu}を{target}に送信し、受け付けられました。",
    lead_imported: "{menu}を{target}に送信し、取込が完了しました。",
    lead_refused: "{total}件のうち{imported}件は取り込まれました。\n残り{missing}件は、内容を直して再送してください。",
    lead_unconfirmed: "{menu}を{target}に送信し、受け付けられましたが、取込の結果を確認できませんでした。\n取り込まれていることも、取り込まれていないこともあります。",
    no_need_to_repeat: "取り込まれた{imported}件を送り直す必要はありません。",
    lead_partial: "{total}件のうち{sent}件は送信し、受け付けられました。\n残り{left}件は送信していません。内容を直して再送してください。",
    lead_cut: "CSV{batches}ファイルのうち{taken}ファイルは受け付けられました。\n残りは受け付けられていません。",
    lead_held: "まだ何も送信していません。{target}のデータは変わっていません。",
    lead_failed: "{menu}は{target}に取り込まれていません。{target}のデータは変わっていません。",
    lead_unknown: "{menu}を{target}に送信しましたが、届いたかどうかを確認できていません。\n取り込まれている場合も、取り込まれていない場合もあります。",
    lead_cancelled: "{menu}の送信を取り消しました。{target}には何も送信していません。",
    test: "このメールが届いていれば、renkeiのメール設定は正しく動いています。\n対応は不要です。",
    recovered: "復旧しました。{since}から続いていたエラーは解消しています。",
    untold: "前回のお知らせのあと、同じエラーがほかに{untold}回ありました。",
    taken_is_done: "受け付けられた{sent}件については、対応は不要です。",
    nothing_to_do: "対応は不要です。",
    heading_why: "理由:",
    heading_held: "止めた理由:",
    heading_steps: "対応していただくこと",
    heading_choice: "どちらかを選んでください",
    choices: &[
        "誤りの場合 → 「送信しない」を選び(renkei run refuse {run})、取得元を直して再実行",
        "正しい場合 → 内容を確かめて「送信する」を選ぶ(renkei run approve {run})",
    ],
    more_rows: "ほか{more}件",
    label: Labels {
        records: "件数",
        time: "時刻",
        actor: "実行者",
        result: "結果",
        next: "次回",
        source: "取得元",
        memo: "メモ",
        row: "行",
        column: "項目",
        reason: "理由",
    },
    records: "{records}件(CSV {files}ファイル)",
    result_accepted: "受付済(取込結果は未確認)",
    result_imported: "取込完了 {imported}件",
    unconfirmed: "※取込の成否は{target}側でご確認ください。",
    by_timer: "タイマー「{timer}」(設定者:{user})",
    seisan: "「楽楽精算」",
    receiver: "連携先",
    run_number: "実行番号:{run}",
    http_status: "HTTPステータス:{status}",
    error_code: "エラーコード:{code}",
    reason_code: "理由コード:{code}",
    detail: "詳細(システム担当者向け):",
    held_because,
    row_line: "{line}行目",
    row_reason,
    explain,
    digest: &digest::WORDS,
};

fn held_because(code: Code) -> &'static str {
    match code {
        Code::Empty => "0件",
        Code::DuplicateKeys => "キーの重複",
        _ => "送信前チェック",
    }
}

fn row_reason(reason: &RowReason) -> String {
    let number = |number: &u64| thousands(*number);
    match reason {
        RowReason::Letters { letters, more } => {
            let mut told: Vec<String> = letters.iter().map(letter).collect();
            if *more > 0 {
                told.push(format!("ほか{}文字", number(more)));
            }
            told.join("、")
        }
        RowReason::Required => "必須ですが、空です".to_owned(),
        RowReason::NotInMap => "置換表(replace.map)にない値です".to_owned(),
        RowReason::NotADate { form } => format!("日付として読めません(形式:{})", date_form(form)),
        RowReason::DateNotWritable => "日付を送信用の形式に変換できません".to_owned(),
        RowReason::NoMatch { pattern } => format!("決められた形式(正規表現 {pattern})に合っていません"),
        RowReason::TooManyChars { has, most } => format!("{}文字あります(上限{}文字)", number(has), number(most)),
        RowReason::TooManyBytes { has, most } => {
            format!("Shift_JISで{}バイトあります(上限{}バイト)", number(has), number(most))
        }
        RowReason::RowBytes { has, most } => {
            format!("1件で{}バイトあります(1ファイルの上限は見出し行を除き{}バイト)", number(has), number(most))
        }
        RowReason::RowLines { has, most } => {
            format!("1件で{}行あります(1ファイルの上限は見出し行を除き{}行)", number(has), number(most))
        }
        RowReason::Repeated { first } => format!("取得元の{first}行目と同じ値です"),
        RowReason::Said { text } => text.clone(),
    }
}

fn letter(letter: &BadLetter) -> String {
    let code = letter.code_point();
    match letter.kind {
        LetterKind::Control => format!("制御文字({code})が含まれています"),
        LetterKind::PrivateUse => format!("外字({code})は送信できません"),
        LetterKind::NotInShiftJis => {
            let shown = match letter.shown.as_str() {
                "" => format!("目に見えない文字({code})"),
                shown => format!("「{shown}」({code})"),
            };
            let advice = match letter.suggestion.as_deref() {
                None => String::new(),
                Some("") => "(候補:削除)".to_owned(),
                Some(" ") => "(候補:空白)".to_owned(),
                Some(text) => format!("(候補:「{text}」)"),
            };
            format!("{shown}はShift_JISにありません{advice}")
        }
    }
}

/// `%Y/%m/%d` as people write it: `YYYY/MM/DD`; a form with other places stays as it is.
fn date_form(form: &str) -> String {
    if form == DateForm::WAREKI {
        return "和暦".to_owned();
    }
    let words = [("%Y", "YYYY"), ("%m", "MM"), ("%d", "DD"), ("%H", "hh"), ("%M", "mm"), ("%S", "ss")];
    let read = words.iter().fold(form.to_owned(), |form, (place, word)| form.replace(place, word));
    if read.contains('%') { form.to_owned() } else { read }
}

const RUN_AGAIN: &str = "直したあと、もう一度実行する(次のタイマーを待っても構いません)";

fn explain(code: Code) -> Explanation {
    let (what, steps): (&'static str, &'static [&'static str]) = match code {
        Code::SettingsInvalid => {
            ("設定が見つからないか、正しくありません。", &["「renkei check」で設定の誤りを確かめて直す", RUN_AGAIN])
        }
        Code::SecretMissing => (
            "APIトークンなどの秘密情報を読み取れませんでした。",
            &["環境変数またはファイルに秘密情報があるかをシステム担当者が確かめる", RUN_AGAIN],
        ),
        Code::SourceMissing => {
            ("取得元のファイルがありません。", &["取得元のシステムがファイルを出力しているか確かめる", RUN_AGAIN])
        }
        Code::SourceUnreadable => (
            "取得元のファイルを読み取れませんでした。",
            &["ファイルの場所と読み取り権限をシステム担当者が確かめる", RUN_AGAIN],
        ),
        Code::SourceStale => (
            "取得元のファイルが新しくなっていません。古いファイルを再び送らないように止めました。",
            &["取得元のシステムの出力処理が動いたか確かめる", RUN_AGAIN],
        ),
        Code::SourceGrowing => (
            "取得元のファイルがまだ書き込まれている途中でした。",
            &["出力が終わったか確かめる", "起動時刻を出力のあとにずらすか、wait_untilを設定する", RUN_AGAIN],
        ),
        Code::SourceCharset => (
            "取得元のファイルの文字コードを正しく読み取れませんでした。",
            &["ファイルが壊れていないか、文字コードの設定(charset)が合っているか確かめる", RUN_AGAIN],
        ),
        Code::SourceMalformed => (
            "取得元のファイルを表として読み取れませんでした(列数の不一致、途中で切れた行など)。",
            &["下の詳細にある行を取得元で確かめて直す", RUN_AGAIN],
        ),
        Code::SourceTooLarge => (
            "取得元の件数または大きさが上限を超えています。別のファイルを読んでいるおそれがあります。",
            &[
                "取得元が正しいか確かめる",
                "正しければ、上限(most_rows)を上げるか、展開したファイルを指定する",
                RUN_AGAIN,
            ],
        ),
        Code::SourceNeverImported => (
            "このメニューのレコードがまだ一度も取り込まれていません。",
            &["「renkei records import」でレコードを取り込む", RUN_AGAIN],
        ),
        Code::MissingColumn => (
            "必要な項目(列)が取得元にありません。列の名前が変わった可能性があります。",
            &["取得元の列名を元に戻すか、メニューの項目の設定を直す", RUN_AGAIN],
        ),
        Code::Empty => ("今回の件数は0件です。取得元が空になっているおそれがあります。", &["取得元の件数を確かめる"]),
        Code::DuplicateKeys => (
            "キー項目の値が同じレコードが2件以上あります。あとの行が前の行を上書きするおそれがあります。",
            &["上の一覧のレコードを取得元で確かめる"],
        ),
        Code::KeyNotFound => {
            ("指定されたキーのレコードが取得元にありません。", &["キーの値を確かめて、もう一度実行する"])
        }
        Code::Unmappable => (
            "Shift_JISにない文字が使われています。文字化けや欠落を防ぐため、このままでは送信しません。",
            &["上の一覧の文字を取得元で直すか、置換表(replacements)に登録する", RUN_AGAIN],
        ),
        Code::RowRule => {
            ("項目のきまり(必須・文字数・日付など)に合わない行があります。", &["上の一覧の行を取得元で直す", RUN_AGAIN])
        }
        Code::RowTooLarge => (
            "1件だけで1ファイルの上限を超えるレコードがあります。",
            &["下のレコードの内容を取得元で確かめる", RUN_AGAIN],
        ),
        Code::SpoolUnwritable => (
            "サーバーのディスクに送信用のファイルを書き込めませんでした。",
            &["ディスクの空き容量と権限をシステム担当者が確かめる", RUN_AGAIN],
        ),
        Code::SpoolDamaged => {
            ("保管していた送信用のファイルがなくなったか、書き換えられています。", &["再送ではなく、新しく実行する"])
        }
        Code::Rejected => (
            "{target}がファイルを受け付けませんでした。",
            &[
                "下の詳細にある{target}の応答を確かめる",
                "項目名・パラメータが{target}の「CSV取込の設定」と合っているか確かめて直す",
                RUN_AGAIN,
            ],
        ),
        Code::DeniedToken => (
            "APIトークンが受け付けられませんでした。再発行されたか、期限が切れた可能性があります。",
            &[
                "{target}のadminユーザーに、APIトークンが変わっていないか確かめる",
                "新しいトークンを設定する",
                RUN_AGAIN,
            ],
        ),
        Code::DeniedRoute => (
            "プロキシまたは接続元IPアドレスの制限により、{target}に届きませんでした。",
            &["{target}のIPアドレス制限と社内のプロキシの設定をシステム担当者が確かめる", RUN_AGAIN],
        ),
        Code::Maintenance => (
            "{target}がメンテナンス中でした。時間をおいて再試行しましたが、終了しませんでした。",
            &["メンテナンスが終わってから、もう一度実行する(次のタイマーを待っても構いません)"],
        ),
        Code::Throttled => (
            "{target}のリクエスト数の上限に達していました。時間をおいて再試行しましたが、受け付けられませんでした。",
            &["同じアカウントにほかのシステムが多くのリクエストを送っていないか確かめる", "もう一度実行する"],
        ),
        Code::Unreachable => (
            "{target}に接続できなかったため、送信できませんでした。",
            &["ネットワークとURLをシステム担当者が確かめる(renkei check --connect)", RUN_AGAIN],
        ),
        Code::Unknown => (
            "送信したあと、{target}から結果を読み取れる応答がありませんでした。",
            &["{target}の画面で、取り込まれているか確かめる", "取り込まれていなければ、もう一度実行する"],
        ),
        Code::ImportRefused => (
            "連携先はファイルを受け付けましたが、取込の際にエラーとしました。",
            &[
                "上に行があればその行を、なければ連携先の「CSV取込」の結果を確かめる",
                "内容または項目・パラメータの設定を直す",
                RUN_AGAIN,
            ],
        ),
        Code::RowRefused => (
            "連携先の取込で、受け付けられなかった行があります。",
            &[
                "取得元で上の行を直す(新しい部門などであれば、先にそのマスタを連携する)",
                "直した行だけを送る(renkei run start メニュー名 --key キー)か、次のタイマーを待つ",
            ],
        ),
        Code::ConfirmLimit => (
            "ファイルは受け付けられましたが、決められた時間内に取込の結果が分かりませんでした。",
            &["連携先の画面で、取り込まれているか確かめる", "取り込まれていなければ、もう一度実行する"],
        ),
        Code::ConfirmDenied => (
            "ファイルは受け付けられましたが、取込の結果の問い合わせが断られました。",
            &[
                "連携先の画面で、取り込まれているか確かめる",
                "問い合わせのトークン(confirmのheaders)と接続元IPアドレスの制限をシステム担当者が確かめる",
            ],
        ),
        Code::ConfirmUnnamed => (
            "ファイルは受け付けられましたが、応答に取込の番号がなく、結果を問い合わせられませんでした。",
            &[
                "連携先の画面で、取り込まれているか確かめる",
                "番号の場所の設定(confirmのid)が応答に合っているかシステム担当者が確かめる",
            ],
        ),
        Code::Overtaken => (
            "より新しいデータがすでに送信されています。古いデータで上書きしないように止めました。",
            &["対応は不要です。古いデータをあえて送る場合のみ「--force」を付けて再送してください"],
        ),
        Code::Cancelled => ("利用者が取り消しました。", &["必要であれば、もう一度実行する"]),
        Code::Refused => ("利用者が「送信しない」を選びました。", &["取得元を直して、もう一度実行する"]),
        Code::Overlap => {
            ("同じメニューの前の実行がまだ終わっていませんでした。", &["前の実行の状況を確かめる(renkei run list)"])
        }
        Code::Leader => (
            "先に実行するタイマーが正常に終わらなかったため、実行を見送りました。",
            &[
                "先に実行するタイマーのメールまたは実行履歴で、原因を確かめて直す",
                "「renkei run retry 実行番号 --with-followers」で、先のものと合わせて実行し直す(次のタイマーを待っても構いません)",
            ],
        ),
        Code::TooLate => (
            "開始の期限までに始められませんでした。",
            &["前の実行に時間がかかっていないか確かめる", "必要であれば、もう一度実行する"],
        ),
        Code::TimeLimit => {
            ("制限時間内に終わりませんでした。", &["{target}の応答が遅くなっていないか確かめる", RUN_AGAIN])
        }
        Code::Interrupted => (
            "送信の途中でrenkeiが停止しました。送信中だったファイルが届いたかどうかは、確認できていません。",
            &["{target}の画面で、取り込まれているか確かめる", "取り込まれていなければ、もう一度実行する"],
        ),
        Code::Internal => ("renkeiの内部で想定外のことが起きました。", &["実行番号を添えてシステム担当者に連絡する"]),
    };
    Explanation { what, steps }
}
