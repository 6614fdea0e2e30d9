#!/usr/bin/env python3
"""Writes the source files of the charset tests, with Python's own codecs and iconv: programs that share no code with
the reader under test. Run it in this folder; the files are committed beside it.

Each list has the same rows where its charset has the letters: those beyond (é, emoji) are in the Unicode files alone.
"""

import subprocess
from pathlib import Path

HERE = Path(__file__).parent
PLAIN = "社員コード,氏名,フリガナ,備考\r\n007,佐藤 太郎,サトウ タロウ,\"引用\"\"符\"\"と,区切り\"\r\n8,﨑山 髙子,ヤマザキ タカコ,①〜ﾊﾝｶｸ\r\n"
# JIS X 0208 alone, for the codecs that know no vendor's letters.
STRICT = PLAIN.replace("﨑", "崎").replace("髙", "高").replace("①", "1").replace("〜", "ー")
ISO_2022_JP = STRICT.replace("ﾊﾝｶｸ", "ハンカク")
UNICODE = PLAIN + "9,José 𠮷野😀,ヨシノ,\r\n"


def iconv(text: str, charset: str) -> bytes:
    return subprocess.run(["iconv", "-f", "UTF-8", "-t", charset], input=text.encode(), capture_output=True, check=True).stdout


FILES = {
    "utf8.csv": UNICODE.encode("utf-8"),
    "utf8-bom.csv": UNICODE.encode("utf-8-sig"),
    "utf16le.csv": b"\xff\xfe" + UNICODE.encode("utf-16-le"),
    "utf16be.csv": b"\xfe\xff" + iconv(UNICODE, "UTF-16BE"),
    "sjis.csv": PLAIN.replace("〜", "~").encode("cp932"),
    "sjis-iconv.csv": iconv(PLAIN.replace("〜", "~"), "CP932"),
    "euc-jp.csv": STRICT.encode("euc_jp"),
    "euc-jp-iconv.csv": iconv(STRICT, "EUC-JP"),
    "iso-2022-jp.csv": ISO_2022_JP.encode("iso2022_jp"),
    "iso-2022-jp-iconv.csv": iconv(ISO_2022_JP, "ISO-2022-JP"),
}

if __name__ == "__main__":
    for name, content in FILES.items():
        (HERE / name).write_bytes(content)
