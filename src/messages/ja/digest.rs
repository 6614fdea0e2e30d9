//! 朝のまとめ.

use crate::domain::morning::{NeedKind, NoteKind};
use crate::domain::run::{RunState, SkipReason};
use crate::messages::DigestWords;

pub(super) static WORDS: DigestWords = DigestWords {
    subject_good: "[朝のまとめ] 対応は不要です({good}/{due}件)",
    subject_act: "[朝のまとめ] 要対応 {needs}件",
    lead: "{from}から{to}までの起動予定は{due}件で、そのうち{good}件が正常に終わりました。",
    lead_none: "{from}から{to}まで、起動予定はありませんでした。",
    act: "対応していただくことが{needs}件あります。",
    line: "{due}件 = 実行 {run}件 + 見送り {skipped}件 + 取りやめ {superseded}件 + 不明 {unexplained}件",
    runs: "終了 {ended}件、終わっていないもの {open}件",
    by_hand: "{by_hand}件(うち正常 {by_hand_good}件)",
    label_slots: "起動予定",
    label_runs: "その実行",
    label_by_hand: "手動の実行",
    head: ["タイマー", "起動予定", "結果"],
    count: "{count}件",
    comma: "、",
    runs_in: "{state} {count}",
    skipped: "見送り {count}({reason})",
    superseded: "取りやめ {count}",
    unexplained: "不明 {count}",
    heading_notes: "お知らせ",
    heading_off: "スイッチが「OFF」のタイマー(長い順)",
    off: "{timer}({days}日前から)",
    off_until: "{timer}({days}日前から。{until}に自動で「ON」になります)",
    everything: "すべて",
    footer: "同じ内容は「renkei today」で確かめられます。",
    state,
    reason,
    need,
    note,
};

fn state(state: RunState) -> &'static str {
    match state {
        RunState::Queued => "開始待ち",
        RunState::Running => "実行中",
        RunState::Waiting => "再試行待ち",
        RunState::Held => "確認待ち",
        RunState::Confirming => "取込確認中",
        RunState::Accepted | RunState::Imported => "正常",
        RunState::Partial => "一部エラー",
        RunState::Failed => "エラー",
        RunState::Unknown => "要確認",
        RunState::Cancelled => "取消",
        RunState::Skipped => "実行の見送り",
    }
}

fn reason(reason: SkipReason) -> &'static str {
    match reason {
        SkipReason::Missed => "renkeiの停止中に過ぎた",
        SkipReason::CaughtUpByLater => "あとの回にまとめた",
        SkipReason::TooOld => "古くなりすぎた",
        SkipReason::Overlap => "前の実行が続いていた",
        SkipReason::AlreadyQueued => "すでに待っている実行があった",
        SkipReason::Paused => "一時停止中",
        SkipReason::Stopped => "連携停止期間",
        SkipReason::ClosedDay => "休業日",
        SkipReason::Leader => "先に実行するタイマーが終わらなかった",
        SkipReason::Settings => "メニューまたは連携設定がない",
    }
}

fn need(kind: NeedKind) -> &'static str {
    match kind {
        NeedKind::Ledger => {
            "{about}の起動予定・結果に説明のつかないものがあります({since}、{count}件)。システム担当者が「renkei doctor」で確かめる"
        }
        NeedKind::Held => {
            "{about}が確認待ちです({since}から)。内容を確かめて「送信する」(renkei run approve {run})か「送信しない」(renkei run refuse {run})を選ぶ"
        }
        NeedKind::Unknown => "{about}が届いたかどうか分かりません({since}、{run})。連携先の画面で確かめる",
        NeedKind::Partial => "{about}の一部が送信されていません({since}、{run})。内容を直して再送する",
        NeedKind::Failed => "{about}を送信できていません({since}、{count}回、{run})。原因を直して、もう一度実行する",
        NeedKind::TooLate => "{about}を期限までに始められませんでした({since}、{run})。必要であれば、もう一度実行する",
        NeedKind::Paused => {
            "{about}を一時停止しています({since}から)。原因がなくなったら再開する(renkei integration resume {about})"
        }
        NeedKind::Mail => "メール「{about}」を送れませんでした({since})。メールサーバーの設定を確かめる",
    }
}

fn note(kind: NoteKind) -> &'static str {
    match kind {
        NoteKind::Stop => "連携停止期間中です({about}、{until}まで):{detail}",
        NoteKind::Waiting => "実行{about}は{until}に再試行します",
        NoteKind::Queued => "実行{about}は開始を待っています",
    }
}
