//! A batch → 楽楽精算: client, answer → verdict, the account's request slots.
