#!/usr/bin/env python3
"""Writes the demo's three lists, always the same: python3 examples/demo/generate.py

Everybody in them is invented: names are drawn from two short lists, addresses end in example.jp. What is not invented
is the trouble: 髙 and 﨑, ① and ㈱, 〜 and −, half-width kana, a が in two code points, quotes, commas and line ends
inside a field, a file in Shift_JIS.
"""

import csv
import io
import pathlib

HERE = pathlib.Path(__file__).parent


class Dice:
    """A generator of our own (Numerical Recipes' LCG), so that no version of Python changes the lists."""

    def __init__(self, seed):
        self.state = seed

    def below(self, number):
        self.state = (self.state * 1664525 + 1013904223) % 2**32
        return (self.state >> 8) * number >> 24

    def one_of(self, things):
        return things[self.below(len(things))]


def write(name, rows, charset="utf-8"):
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n" if charset != "utf-8" else "\n").writerows(rows)
    (HERE / name).write_bytes(text.getvalue().encode(charset))


# Three levels, parents before children: 楽楽精算 needs the parent to be there already.
TREE = {
    "経営企画本部": {"経営企画部": ["企画課"], "広報部": []},
    "管理本部": {"総務部": ["総務課", "法務課"], "人事部": ["採用課", "労務課"], "経理部": ["経理課", "財務課"]},
    "営業本部": {
        "東日本営業部": ["札幌営業所", "仙台営業所", "東京第一営業課", "東京第二営業課"],
        "西日本営業部": ["大阪営業課", "広島営業所", "福岡営業所"],
        "海外営業部": ["アジア課", "欧米課"],
    },
    "開発本部": {"製品開発部": ["設計課", "試験課"], "情報システム部": ["運用課", "ﾈｯﾄﾜｰｸ課"]},
    "製造本部": {"川﨑工場": ["製造課", "品質管理課"], "髙槻工場": ["製造課", "品質管理課"]},
}


def departments():
    rows, leaves = [["部門コード", "部門名", "上位部門コード", "表示順"]], []
    for one, (top, middle) in enumerate(TREE.items(), 1):
        rows.append([f"{one}000", top, "", len(rows) * 10])
        for two, (name, sections) in enumerate(middle.items(), 1):
            rows.append([f"{one}{two}00", name, f"{one}000", len(rows) * 10])
            if not sections:
                leaves.append(f"{one}{two}00")
            for three, section in enumerate(sections, 1):
                rows.append([f"{one}{two}{three:02}", section, f"{one}{two}00", len(rows) * 10])
                leaves.append(f"{one}{two}{three:02}")
    return rows, leaves


FAMILY = """佐藤 サトウ sato,鈴木 スズキ suzuki,髙橋 タカハシ takahashi,高橋 タカハシ takahashi,田中 タナカ tanaka,伊藤 イトウ ito,渡邊 ワタナベ watanabe
渡邉 ワタナベ watanabe,山本 ヤマモト yamamoto,中村 ナカムラ nakamura,小林 コバヤシ kobayashi,加藤 カトウ kato,吉田 ヨシダ yoshida,山﨑 ヤマサキ yamasaki,山崎 ヤマザキ yamazaki
濵田 ハマダ hamada,德永 トクナガ tokunaga,黑川 クロカワ kurokawa,石塚 イシヅカ ishizuka,松本 マツモト matsumoto,井上 イノウエ inoue,木村 キムラ kimura,齋藤 サイトウ saito
斎藤 サイトウ saito,清水 シミズ shimizu,阿部 アベ abe,森 モリ mori,池田 イケダ ikeda,橋本 ハシモト hashimoto,石川 イシカワ ishikawa,小笠原 オガサワラ ogasawara
長谷川 ハセガワ hasegawa,五十嵐 イガラシ igarashi,曽我部 ソガベ sogabe,能登谷 ノトヤ notoya,表 オモテ omote"""
GIVEN = """翔太 ショウタ,健一 ケンイチ,大輔 ダイスケ,拓也 タクヤ,直樹 ナオキ,誠 マコト,浩 ヒロシ,隆 タカシ,蓮 レン,悠斗 ユウト,陽菜 ヒナ,美咲 ミサキ
さくら サクラ,葵 アオイ,結衣 ユイ,七海 ナナミ,恵子 ケイコ,裕子 ユウコ,智子 トモコ,久美子 クミコ,彩 アヤ,麻衣 マイ,琴音 コトネ,千尋 チヒロ,純 ジュン,薫 カオル"""
# A が, ば or プ in two code points, as files from a Mac have them.
DECOMPOSED = {"ガ": "カ\u3099", "バ": "ハ\u3099", "ブ": "フ\u3099", "ダ": "タ\u3099", "デ": "テ\u3099"}
POSITIONS = ["", "", "", "", "", "", "主任", "主任", "係長", "課長", "部長"]
NOTES = [
    "通勤経路① 自宅〜本社",
    "定期区間 品川−川崎",
    "ﾊﾝｶｸで登録された備考",
    "通称 \"ケン\"、社内表記に使用",
    "東京, 大阪, 福岡を兼務",
    "出向中\n(復帰予定 2027年4月)",
    "旧姓 德永、社内では黑川",
    "時短勤務 9:30〜16:30 ㈱みなと商会に常駐",
    "か\u3099くしゅう休暇を取得",
]


def employees(leaves):
    dice = Dice(20261124)
    family = [entry.split() for line in FAMILY.splitlines() for entry in line.split(",")]
    given = [entry.split() for line in GIVEN.splitlines() for entry in line.split(",")]
    rows = [["社員コード", "社員名", "フリガナ", "メールアドレス", "部門コード", "役職", "入社日", "在職区分", "備考"]]
    for number in range(1, 1204):
        (name, kana, latin), (first, first_kana) = dice.one_of(family), dice.one_of(given)
        reading = f"{kana} {first_kana}"
        if dice.below(25) == 0:
            reading = "".join(DECOMPOSED.get(letter, letter) for letter in reading)
        # Who leaves stays in the list as 退職: nobody is ever deleted from the master.
        joined = f"{1990 + dice.below(37)}/{1 + dice.below(12):02}/{1 + dice.below(28):02}"
        note = NOTES[dice.below(len(NOTES))] if dice.below(12) == 0 else ""
        state = "退職" if dice.below(40) == 0 else "在職"
        blank = "\u3000" if dice.below(60) == 0 else ""
        rows.append([
            f"{1000 + number}", f"{name}\u3000{first}{blank}", reading, f"{latin}.{1000 + number}@example.jp",
            dice.one_of(leaves), dice.one_of(POSITIONS), joined, state, note,
        ])
    return rows


def projects():
    dice = Dice(4)
    places = ["札幌", "仙台", "東京", "横浜", "川﨑", "名古屋", "大阪", "神戸", "髙松", "福岡"]
    works = ["新店舗", "倉庫改修", "基幹刷新", "展示会", "採用広報", "設備更新", "海外出張", "保守(月額)"]
    rows = [["プロジェクトコード", "プロジェクト名", "カテゴリ", "開始日", "終了日", "備考"]]
    for number in range(1, 301):
        year, month = 2024 + dice.below(3), 1 + dice.below(12)
        note = dice.one_of(["", "", "", "㈱みなと商会", "第①期", "見積 \"A\" 案, 予備費込み", "期間 1月～3月"])
        rows.append([
            f"P{year % 100}-{number:04}", f"{dice.one_of(places)}{dice.one_of(works)}", dice.one_of(["社内", "受託", "共同"]),
            f"{year}/{month:02}/01", f"{year + 1}/{month:02}/28", note,
        ])
    return rows


if __name__ == "__main__":
    tree, leaves = departments()
    write("departments.csv", tree)
    write("employees.csv", employees(leaves))
    write("projects.csv", projects(), "cp932")
