//! Settings files: parse, plan, apply, export; sealing of secrets.
