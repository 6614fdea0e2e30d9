//! The one place where everything is put together; main, tests and demo share it.
