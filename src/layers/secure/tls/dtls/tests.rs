//! DTLS against recordings of our own.
