//! renkei's own tables: the only SQL on them.
