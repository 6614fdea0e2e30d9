//! Tests of: main_job.
