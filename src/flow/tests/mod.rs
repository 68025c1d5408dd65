//! Tests of the flow table, one file per concern.
