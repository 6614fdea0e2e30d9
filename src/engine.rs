//! Planner, dispatcher, executor, recovery, alarm: thin loops around the pure decisions.
