//! The eleven masters that the import API takes (RAKUS help page), and which parameters have an effect on which.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A master of 楽楽精算, by its masterId.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Master {
    /// 0 社員マスタ
    Employees,
    /// 1 部門マスタ
    Departments,
    /// 2 役職マスタ
    Positions,
    /// 3 支払先マスタ
    Payees,
    /// 4 プロジェクトマスタ
    Projects,
    /// 18 承認者の設定
    Approvers,
    /// 81–85 汎用マスタ1–5
    General(u8),
}

impl Master {
    /// All eleven.
    pub const ALL: [Self; 11] = [
        Self::Employees,
        Self::Departments,
        Self::Positions,
        Self::Payees,
        Self::Projects,
        Self::Approvers,
        Self::General(1),
        Self::General(2),
        Self::General(3),
        Self::General(4),
        Self::General(5),
    ];

    /// The master of that masterId, if it is one of the eleven.
    #[must_use]
    pub fn from_id(id: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|master| i64::from(master.id()) == id)
    }

    /// Its masterId.
    #[must_use]
    pub fn id(self) -> u8 {
        match self {
            Self::Employees => 0,
            Self::Departments => 1,
            Self::Positions => 2,
            Self::Payees => 3,
            Self::Projects => 4,
            Self::Approvers => 18,
            Self::General(number) => 80 + number,
        }
    }

    /// Whether duplicateKey may only be 1 (update); that is so for 承認者の設定.
    #[must_use]
    pub fn only_updates(self) -> bool {
        self == Self::Approvers
    }

    /// Whether sendPasswordEmail has an effect; on 社員マスタ only.
    #[must_use]
    pub fn sends_passwords(self) -> bool {
        self == Self::Employees
    }

    /// Whether createCategory has an effect; on 支払先, プロジェクト and 汎用マスタ.
    #[must_use]
    pub fn has_categories(self) -> bool {
        matches!(self, Self::Payees | Self::Projects | Self::General(_))
    }
}

impl fmt::Display for Master {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Employees => out.pad("社員マスタ"),
            Self::Departments => out.pad("部門マスタ"),
            Self::Positions => out.pad("役職マスタ"),
            Self::Payees => out.pad("支払先マスタ"),
            Self::Projects => out.pad("プロジェクトマスタ"),
            Self::Approvers => out.pad("承認者の設定"),
            Self::General(number) => write!(out, "汎用マスタ{number}"),
        }
    }
}
