//! Everything that settings hold, as plain lists: what the store has, or what files want.

use crate::domain::calendar::CompanyDays;
use crate::domain::integration::Integration;
use crate::domain::menu::Menu;
use crate::domain::timer::Timer;

/// Integrations, menus and timers, and the company's days. References between them are ids.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Entities {
    /// システム連携設定
    pub integrations: Vec<Integration>,
    /// メニュー
    pub menus: Vec<Menu>,
    /// タイマー
    pub timers: Vec<Timer>,
    /// The company's days; `None` where nothing is said of them.
    pub calendar: Option<CompanyDays>,
}
