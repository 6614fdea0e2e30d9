//! What people usually write for a letter that Windows-31J lacks: 𠮷 → 吉, é → e, ㉑ → 21.
//!
//! A suggestion is for a human to read and to decide on; nothing here is ever applied to data. Where there is no usual
//! stand-in (emoji, Korean, Thai, …) there is no suggestion. Kanji come from a list of variants met in Japanese personal
//! names, company names and addresses, each with the form commonly accepted in its place; the rest is computed from
//! Unicode's own decompositions.

use std::collections::HashMap;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::findings::is_invisible;
use super::letters::Letters;
use super::{Replacements, encode_whole};

/// What to write instead of a letter that cannot be written; empty for one that is best left out.
pub(super) fn suggest(character: char) -> Option<String> {
    if let Some(kanji) = KANJI.get(&character) {
        return Some(kanji.to_string());
    }
    if let Some(text) = sign(character) {
        return Some(text.to_owned());
    }
    if let '❶'..='❿' = character {
        let number = u32::from(character) - u32::from('❶') + u32::from('①');
        return char::from_u32(number).map(String::from);
    }
    let compatible: String = character.nfkc().collect();
    if let Some(text) = usable(character, &compatible) {
        return Some(text);
    }
    let base: String = character.nfkd().filter(|&c| !is_combining_mark(c)).collect();
    if let Some(text) = usable(character, &base) {
        return Some(text);
    }
    (is_invisible(character) || is_combining_mark(character)).then(String::new)
}

/// The text as it would be written, if it can be and says something.
fn usable(character: char, text: &str) -> Option<String> {
    let text = text.replace('\u{2044}', "/");
    let only_blanks = text.chars().all(char::is_whitespace);
    if text.is_empty() || (only_blanks && !character.is_whitespace()) || text.chars().any(char::is_control) {
        return None;
    }
    let none = Replacements::default();
    let folded: String = Letters::new(&none, &text).map(|letter| letter.character).collect();
    encode_whole(&folded, &mut Vec::new()).then_some(folded)
}

/// Signs, kana and Latin letters whose stand-in Unicode does not know.
fn sign(character: char) -> Option<&'static str> {
    Some(match character {
        '€' => "EUR",
        '₩' => "KRW",
        '₤' => "￡",
        '©' => "(C)",
        '®' => "(R)",
        '℗' => "(P)",
        '–' | '‒' => "-",
        '⸺' | '⎯' => "―",
        '∼' | '⁓' | '˜' => "～",
        '•' | '·' | '⋅' | '∙' | '‧' => "・",
        '∕' | '⧸' => "／",
        '∶' => "：",
        '«' => "《",
        '»' => "》",
        '‹' => "〈",
        '›' => "〉",
        '„' => "“",
        '‚' => "‘",
        '¦' => "￤",
        '¯' => "￣",
        '¡' => "！",
        '¿' => "？",
        '➡' | '➔' => "→",
        '⬅' => "←",
        '⬆' => "↑",
        '⬇' => "↓",
        '⭐' => "★",
        '⭕' => "○",
        '⚫' => "●",
        '⚪' => "○",
        '✕' | '✖' | '❌' => "×",
        '☎' | '☏' | '📞' => "TEL",
        '\u{3099}' => "゛",
        '\u{309A}' => "゜",
        'ゔ' => "ヴ",
        'ゕ' => "ヵ",
        'ゖ' => "ヶ",
        'ヷ' => "ヴァ",
        'ヸ' => "ヴィ",
        'ヹ' => "ヴェ",
        'ヺ' => "ヴォ",
        'ゟ' => "より",
        'ヿ' => "コト",
        '〻' => "々",
        'Æ' => "AE",
        'æ' => "ae",
        'Œ' => "OE",
        'œ' => "oe",
        'ß' => "ss",
        'ẞ' => "SS",
        'Ø' => "O",
        'ø' => "o",
        'Đ' | 'Ð' => "D",
        'đ' | 'ð' => "d",
        'Ł' => "L",
        'ł' => "l",
        'Þ' => "Th",
        'þ' => "th",
        'Ħ' => "H",
        'ħ' => "h",
        'ı' => "i",
        _ => return None,
    })
}

static KANJI: LazyLock<HashMap<char, char>> = LazyLock::new(|| {
    let pair = |word: &str| {
        let mut letters = word.chars();
        Some((letters.next()?, letters.next()?))
    };
    VARIANTS.split(' ').filter_map(pair).collect()
});

/// Pairs of a variant that Windows-31J lacks and the form that stands in for it, in the order of code points.
const VARIANTS: &str = "\
    㐂喜 㐧第 㑹会 㟁岸 㟢崎 㟨崎 㠀島 㫖旨 㴱深 㵎澗 䂓規 䑓台 䕃蔭 亝斉 伩信 俠侠 \
    俱倶 俻備 倂併 偁称 兑兌 兠兜 內内 净浄 凃塗 减減 凑湊 凞熙 凢凡 凣凡 凴憑 别別 \
    剝剥 劎剣 勑勅 卽即 厡原 叄参 叅参 叓事 吕呂 吞呑 吳呉 吴呉 吿告 呌叫 唘啓 唫吟 \
    啞唖 啟啓 喦岩 喻喩 嘅慨 噓嘘 嚙噛 囊嚢 囙因 囬回 囯国 囶国 圎円 圗図 圡土 坮台 \
    堦階 塟葬 塡填 墖塔 壃疆 壄野 夀寿 夳泰 奌点 姊姉 姧姦 姬姫 姸妍 娛娯 宂冗 宫宮 \
    宻密 寑寝 寕寧 寗寧 寚宝 寜寧 尃専 尔爾 尙尚 屛屏 屢屡 岀出 峀岫 崐崑 嵗歳 \
    巗巌 巢巣 巺巽 帀匝 帒袋 幚幇 幷并 庒庄 廵巡 强強 弻弼 彥彦 徧遍 忩怱 恡吝 惪徳 \
    懀憎 戶戸 户戸 戾戻 扵於 抝拗 揭掲 揷挿 搔掻 摑掴 擊撃 擕携 攢攅 斊斉 斍覚 旉敷 \
    旣既 旪叶 旹時 旾春 晚晩 曆暦 朂勗 朙明 朢望 杮柿 杴枚 枀松 枼葉 柗松 柟楠 柰奈 \
    栅柵 桺柳 梥松 椉乗 榦幹 槀槁 槗橋 槩概 樑梁 欎鬱 步歩 歲歳 歷歴 每毎 毗毘 汙汚 \
    沉沈 涉渉 淚涙 淛浙 渴渇 湻淳 溫温 潄漱 潑溌 瀆涜 灮光 烖災 焰焔 煅鍛 煑煮 熖焔 \
    爕燮 牎窓 猨猿 玅妙 珤宝 琹琴 產産 畒畝 畱留 畵画 瘦痩 皍即 皡皞 盇盍 盌碗 眀明 \
    眾衆 矦侯 硏研 磵澗 礮砲 祘算 禱祷 秊年 秌秋 秐耘 秔粳 稅税 穅糠 窂牢 窻窓 笁竺 \
    筭算 簞箪 糓穀 紏糾 紥紮 絕絶 綘縫 緫総 縂総 縧絛 繡繍 繫繋 羗羌 耊耋 聦聡 聫聯 \
    聮聯 肈肇 肎肯 胷胸 脃脆 脗吻 脫脱 臯皐 臰臭 艣艪 芔卉 芲花 苐第 莭節 萊莱 葊庵 \
    蓱萍 蔣蒋 蔴麻 蕐華 藂叢 藳藁 蘃蕊 蘒萩 蘤花 虗虚 虛虚 虝虎 蚉蚊 蜋螂 蝱虻 蟬蝉 \
    蠟蝋 衅釁 衇脈 衘銜 衟道 袠帙 裠裙 褎袖 覌観 覔覓 觗觝 說説 諐愆 讁謫 豔艶 賔賓 \
    賷齎 趂趁 趐翅 躶裸 軀躯 軄職 輭軟 辝辞 辠罪 辤辞 迊匝 逈迥 逺遠 遬速 邍原 鄉郷 \
    鄊郷 酧酬 醎鹹 醬醤 醱醗 醻酬 鉃鉄 銳鋭 錄録 鍊錬 鍳鑑 鎋轄 鎻鎖 鏁鎖 閱閲 闗関 \
    陁陀 隂陰 雞鶏 雠讎 霛霊 靝天 靣面 鞌鞍 頋顧 頰頬 頹頽 顚顛 飈飆 飡餐 餙飾 饍膳 \
    馿驢 駡罵 騐験 驒騨 骵体 骽腿 鬂鬢 鬦闘 鬬闘 鳯鳳 鴌鳳 鶑鶯 鷗鴎 鸖鶴 鹼鹸 麐麟 \
    麫麺 麯麹 麴麹 麽麼 黃黄 鼔鼓 龟亀 龢和 𠀋丈 𠩤原 𠮟叱 𠮷吉 𡈽土 𢈘鹿 𢌞廻 𢛳徳 \
    𣘺橋 𥡴稽 𦍌羊 𦚰脇 𦥑臼 𩵋魚 𪗱齊 𪚲亀 \
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::characters::{Encoder, encode_plainly};

    #[test]
    fn every_listed_variant_is_needed_and_every_stand_in_can_be_written() {
        let words: Vec<&str> = VARIANTS.split_whitespace().collect();
        assert!(words.len() >= 100);
        assert_eq!(words.len(), KANJI.len(), "a variant is listed twice");
        assert!(words.is_sorted(), "the list is not in the order of code points");
        for word in words {
            let letters: Vec<char> = word.chars().collect();
            assert_eq!(letters.len(), 2, "{word}");
            let writable = |c: char| encode_plainly(&c.to_string(), &mut Vec::new()).is_ok();
            assert!(!writable(letters[0]), "{word}: the variant needs no stand-in");
            assert!(writable(letters[1]), "{word}: the stand-in cannot be written");
        }
    }

    #[test]
    fn every_suggestion_can_be_written_and_only_the_unwritable_gets_one() {
        for character in ('\0'..=char::MAX).filter(|c| !matches!(*c, '\u{AC00}'..='\u{D7A3}')) {
            if let Some(text) = suggest(character) {
                assert!(Encoder::default().encode_field(&text, &mut Vec::new()).is_ok(), "{character:?} → {text:?}");
            }
        }
    }

    #[test]
    fn the_usual_stand_ins_are_known() {
        for (letter, stand_in) in [
            ('𠮷', "吉"),
            ('é', "e"),
            ('Å', "A"),
            ('ế', "e"),
            ('ø', "o"),
            ('™', "TM"),
            ('©', "(C)"),
            ('€', "EUR"),
            ('㉑', "21"),
            ('❷', "②"),
            ('½', "1/2"),
            ('⼤', "大"),
            ('ゔ', "ヴ"),
            ('㋿', "令和"),
            ('\u{A0}', " "),
            ('\u{200B}', ""),
            ('\u{301}', ""),
        ] {
            assert_eq!(suggest(letter).as_deref(), Some(stand_in), "{letter}");
        }
        for letter in ['😀', '한', 'ไ', '们'] {
            assert_eq!(suggest(letter), None, "{letter}");
        }
    }
}
