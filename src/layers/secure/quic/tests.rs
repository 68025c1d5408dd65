//! Vectors of RFC 9001 appendix A.
