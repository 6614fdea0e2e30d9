//! 日本語.

mod digest;

use super::{Catalogue, Code, Explanation, Labels};

pub(super) static CATALOGUE: Catalogue = Catalogue {
    subject_good: "[正常] {name} {records}件を送信しました({at})",
    subject_recovered: "[復旧] {name} {records}件を送信しました({at})",
    subject_partial: "[一部エラー] {name} {left}件を送信していません({at})",
    subject_cut: "[一部エラー] {name} 一部のファイルが受け付けられていません({at})",
    subject_held: "[確認待ち] {name}を止めています({reason})",
    subject_failed: "[エラー] {name}を送信できませんでした({at})",
    subject_unknown: "[要確認] {name} 届いたかどうか分かりません({at})",
    subject_cancelled: "[取消] {name}を取り消しました({at})",
    subject_test: "[テスト] renkeiからのメールです",
    lead_good: "{menu}を{target}に送信し、受け付けられました。",
    lead_imported: "{menu}を{target}に送信し、取込が完了しました。",
    lead_partial: "{total}件のうち{sent}件は送信し、受け付けられました。\n残り{left}件は送信していません。内容を直して再送してください。",
    lead_cut: "CSV{batches}ファイルのうち{taken}ファイルは受け付けられました。\n残りは受け付けられていません。",
    lead_held: "まだ何も送信していません。{target}のデータは変わっていません。",
    lead_failed: "{menu}は{target}に取り込まれていません。{target}のデータは変わっていません。",
    lead_unknown: "{menu}を{target}に送信しましたが、読み取れる応答がありませんでした。\n届いていることも、届いていないこともあります。",
    lead_cancelled: "{menu}の送信を取り消しました。{target}には何も送信していません。",
    test: "このメールが届いていれば、renkeiのメール設定は正しく動いています。\n対応は不要です。",
    recovered: "復旧しました。{since}から続いていたエラーは解消しています。",
    untold: "前回のお知らせのあと、同じエラーがほかに{untold}回ありました。",
    nothing_to_do: "対応は不要です。",
    heading_why: "理由:",
    heading_steps: "対応していただくこと",
    heading_choice: "どちらかを選んでください",
    choices: &[
        "誤りの場合 → 「送信しない」(renkei run refuse {run})を選び、取得元を直して再実行してください",
        "正しい場合 → 内容を確かめて「送信する」(renkei run approve {run})",
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
    result_imported: "取込完了 {records}件",
    unconfirmed: "※取込の成否は{target}側でご確認ください。",
    by_timer: "タイマー「{timer}」(設定者:{user})",
    seisan: "「楽楽精算」",
    receiver: "連携先",
    run_number: "実行番号:{run}",
    http_status: "HTTPステータス:{status}",
    error_code: "エラーコード:{code}",
    detail: "詳細(システム担当者向け):",
    held_because,
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
            "取得元のファイルを読めませんでした。",
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
            "取得元のファイルが表として読めませんでした(列数の不一致、途中で切れた行など)。",
            &["下の詳細にある行を取得元で確かめて直す", RUN_AGAIN],
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
            "Shift_JISで書けない文字があります。文字が失われないように、そのままでは送信しません。",
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
            "サーバーのディスクに送信用のファイルを書けませんでした。",
            &["ディスクの空き容量と権限をシステム担当者が確かめる", RUN_AGAIN],
        ),
        Code::SpoolDamaged => {
            ("保管していた送信用のファイルがなくなったか、書き換えられています。", &["再送ではなく、新しく実行する"])
        }
        Code::Rejected => (
            "連携先がファイルを受け付けませんでした。",
            &[
                "下の詳細にある連携先の応答を確かめる",
                "項目名・パラメータが連携先の「CSV取込の設定」と合っているか確かめて直す",
                RUN_AGAIN,
            ],
        ),
        Code::DeniedToken => (
            "APIトークンが受け付けられませんでした。再発行されたか、期限が切れた可能性があります。",
            &["連携先のadminユーザーに、APIトークンが変わっていないか確かめる", "新しいトークンを設定する", RUN_AGAIN],
        ),
        Code::DeniedRoute => (
            "プロキシまたは接続元IPアドレスの制限により、連携先に届きませんでした。",
            &["連携先のIPアドレス制限と社内のプロキシの設定をシステム担当者が確かめる", RUN_AGAIN],
        ),
        Code::Maintenance => (
            "連携先がメンテナンス中でした。時間をおいて試しましたが、終わりませんでした。",
            &["メンテナンスが終わってから、もう一度実行する(次のタイマーを待っても構いません)"],
        ),
        Code::Throttled => (
            "連携先のリクエスト数の上限に達していました。時間をおいて試しましたが、受け付けられませんでした。",
            &["同じアカウントにほかのシステムが多くのリクエストを送っていないか確かめる", "もう一度実行する"],
        ),
        Code::Unreachable => (
            "連携先に接続できませんでした。何も送信していません。",
            &["ネットワークとURLをシステム担当者が確かめる(renkei check --connect)", RUN_AGAIN],
        ),
        Code::Unknown => (
            "送信したあと、連携先から読み取れる応答がありませんでした。",
            &["連携先の画面で、取り込まれているか確かめる", "取り込まれていなければ、もう一度実行する"],
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
            ("決められた時間内に終わりませんでした。", &["連携先の応答が遅くなっていないか確かめる", RUN_AGAIN])
        }
        Code::Interrupted => (
            "送信の途中でrenkeiが停止しました。送信中だったファイルは、届いていることも届いていないこともあります。",
            &["連携先の画面で、取り込まれているか確かめる", "取り込まれていなければ、もう一度実行する"],
        ),
        Code::Internal => ("renkeiの内部で想定外のことが起きました。", &["実行番号を添えてシステム担当者に連絡する"]),
    };
    Explanation { what, steps }
}
