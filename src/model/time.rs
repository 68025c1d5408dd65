//! Capture time. Nothing outside `cli` and `capture` ever asks a wall clock.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Nanoseconds since 1970-01-01T00:00:00Z, as the capture says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// From whole seconds and nanoseconds, saturating at the ends of the range.
    pub fn new(seconds: i64, nanos: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000_000).saturating_add(nanos))
    }

    /// From seconds since 1970, as recorders write them; `None` unless a number that fits.
    pub fn from_seconds(seconds: f64) -> Option<Self> {
        let nanos = (seconds * 1e9).round();
        (nanos.is_finite() && nanos.abs() < i64::MAX as f64).then_some(Self(nanos as i64))
    }

    /// Reads a date and time of RFC 3339, with any offset and fraction. `None` for anything else.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let (date, time) = text.trim().split_once(['T', 't', ' '])?;
        let mut date = date.splitn(3, '-').map(|n| n.parse::<i64>().ok());
        let (y, m, d) = (date.next()??, date.next()??, date.next()??);
        let zone = time.find(['Z', 'z', '+', '-'])?;
        let (clock, offset) = time.split_at(zone);
        let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
        let mut clock = clock.splitn(3, ':').map(|n| n.parse::<i64>().ok());
        let (h, min, s) = (clock.next()??, clock.next()??, clock.next()??);
        let digits = fraction.get(..fraction.len().min(9))?;
        let nanos = format!("{digits:0<9}").parse::<i64>().ok()?;
        let minutes = match offset.get(1..)?.split_once(':') {
            Some((hours, minutes)) => hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?,
            None if offset.eq_ignore_ascii_case("z") => 0,
            None => return None,
        };
        let minutes = if offset.starts_with('-') { -minutes } else { minutes };
        let fits = (1..=9999).contains(&y) && (1..=12).contains(&m) && (1..=31).contains(&d);
        if !fits || !(0..24).contains(&h) || !(0..60).contains(&min) || !(0..=60).contains(&s) {
            return None;
        }
        Some(Self::new(days(y, m, d) * 86_400 + h * 3600 + min * 60 + s - minutes * 60, nanos))
    }

    /// Seconds since `earlier`, negative if `earlier` is later.
    pub fn since(self, earlier: Self) -> f64 {
        self.0.saturating_sub(earlier.0) as f64 / 1e9
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with milliseconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (secs, nanos) = (self.0.div_euclid(1_000_000_000), self.0.rem_euclid(1_000_000_000));
        let (days, of_day) = (secs.div_euclid(86_400), secs.rem_euclid(86_400));
        let (y, m, d) = civil(days);
        let (h, min, s) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
        write!(f, "{y:04}-{m:02}-{d:02}T{h:02}:{min:02}:{s:02}.{:03}Z", nanos / 1_000_000)
    }
}

/// Days since the epoch to a proleptic Gregorian date (era arithmetic over 400-year cycles).
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let d = doy - (153 * mp + 2) / 5 + 1;
    let m = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(m <= 2), m, d)
}

/// Days since the epoch of a proleptic Gregorian date: the way back.
fn days(y: i64, m: i64, d: i64) -> i64 {
    let y = y - i64::from(m <= 2);
    let yoe = y.rem_euclid(400);
    let doy = (153 * ((m + 9) % 12) + 2) / 5 + d - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    y.div_euclid(400) * 146_097 + doe - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_known_instants() {
        assert_eq!(Timestamp::new(0, 0).to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Timestamp::new(951_782_400, 1_000_000).to_string(), "2000-02-29T00:00:00.001Z");
        assert_eq!(Timestamp::new(-1, 0).to_string(), "1969-12-31T23:59:59.000Z");
    }

    #[test]
    fn reads_what_it_prints_and_what_others_write() {
        for instant in [0, 951_782_400, 1_709_164_800, 4_102_444_799, -86_400, 1_795_436_965] {
            let at = Timestamp::new(instant, 7_000_000);
            assert_eq!(Timestamp::from_rfc3339(&at.to_string()), Some(at), "{instant}");
        }
        let written = "2026-11-23T14:29:25.487444+02:00";
        assert_eq!(Timestamp::from_rfc3339(written), Some(Timestamp(1_795_436_965_487_444_000)));
        for wrong in
            ["", "2026-11-23", "2026-11-23T14:29:25", "2026-13-01T00:00:00Z", "aTb", "2026-11-23T25:00:00Z"]
        {
            assert_eq!(Timestamp::from_rfc3339(wrong), None, "{wrong}");
        }
        assert_eq!(Timestamp::from_seconds(1.5), Some(Timestamp(1_500_000_000)));
        assert_eq!(Timestamp::from_seconds(f64::NAN), None);
    }
}
