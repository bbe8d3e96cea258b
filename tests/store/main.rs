//! scratch
mod traces;
