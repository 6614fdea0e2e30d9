//! config.yaml as written, then a checked Config.
