//! Times as arguments: RFC 3339, a date, or an age such as `30d`.

use std::time::{Duration, SystemTime};

/// The first time that RFC 3339 cannot express, in seconds since 1970.
const YEAR_10000: u64 = 253_402_300_800;

const EXPECTED: &str = "expected an age such as 30d, 12h or 2w, a date such as 2026-01-31, or a time \
                        such as 2026-01-31T12:00:00Z";

/// Parses a time: RFC 3339, a date (its beginning in UTC), or an age such as `30d`, `12h` or `2w`.
/// An earlier time than 1970 becomes 1970.
pub fn parse(text: &str) -> Result<SystemTime, &'static str> {
    let is_date = |text: &str| {
        let shape = |c: char| if c.is_ascii_digit() { 'd' } else { c };
        text.chars().map(shape).eq("dddd-dd-dd".chars())
    };
    let time = if is_date(text) {
        humantime::parse_rfc3339(&format!("{text}T00:00:00Z")).ok()
    } else if text.get(..10).is_some_and(is_date) {
        with_offset(text)
    } else {
        // `m` could be minutes or months, and 0 needs a unit too.
        let is_unit = |c: char| "hdwy".contains(c);
        if !text.contains(is_unit)
            || text.contains(|c| !(is_unit(c) || c == ' ' || char::is_ascii_digit(&c)))
        {
            return Err(EXPECTED);
        }
        let age = humantime::parse_duration(text).map_err(|_| EXPECTED)?;
        SystemTime::now().checked_sub(age).or(Some(SystemTime::UNIX_EPOCH))
    };
    let time = time.ok_or(EXPECTED)?.max(SystemTime::UNIX_EPOCH);
    let is_in_range =
        time.duration_since(SystemTime::UNIX_EPOCH).is_ok_and(|since| since.as_secs() < YEAR_10000);
    if is_in_range { Ok(time) } else { Err(EXPECTED) }
}

/// A time with `Z` or an offset such as `+02:00`.
fn with_offset(text: &str) -> Option<SystemTime> {
    let text = text.to_ascii_uppercase().replacen(' ', "T", 1);
    if text.ends_with('Z') {
        return humantime::parse_rfc3339(&text).ok();
    }
    let (local, offset) = text.split_at_checked(text.len().checked_sub("+00:00".len())?)?;
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let number = |digits: &str, limit: u64| {
        let is_number = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_digit());
        digits.parse::<u64>().ok().filter(|number| is_number && *number < limit)
    };
    let (hours, minutes) = (number(hours, 24)?, number(minutes, 60)?);
    let length = Duration::from_secs(hours * 3600 + minutes * 60);
    let local = humantime::parse_rfc3339(&format!("{local}Z")).ok()?;
    match offset.as_bytes()[0] {
        b'+' => local.checked_sub(length),
        b'-' => local.checked_add(length),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_rfc3339_date_or_age() {
        for (text, expected) in [
            ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"),
            ("2026-01-31 12:00:00Z", "2026-01-31T12:00:00Z"),
            ("2026-01-31t12:00:00.5z", "2026-01-31T12:00:00.500000000Z"),
            ("2026-01-31T12:00:00+02:00", "2026-01-31T10:00:00Z"),
            ("2026-01-31T23:30:00-05:30", "2026-02-01T05:00:00Z"),
            ("2026-01-31", "2026-01-31T00:00:00Z"),
            ("1970-01-01T00:00:00+02:00", "1970-01-01T00:00:00Z"),
            ("1000y", "1970-01-01T00:00:00Z"),
        ] {
            let time = parse(text).unwrap();
            assert_eq!(humantime::format_rfc3339(time).to_string(), expected, "{text}");
        }
        for (text, days) in [("30d", 30.0), ("12h", 0.5), ("2w", 14.0), ("1d 12h", 1.5)] {
            let age = parse(text).unwrap().elapsed().unwrap().as_secs_f64() / 86400.0;
            assert!((age - days).abs() < 0.001, "{text}: {age}");
        }
    }

    #[test]
    fn other_times_are_rejected() {
        for text in [
            "",
            "30",
            "-30d",
            "0",
            "1m",
            "1M",
            "90min",
            "yesterday",
            "2026-02-30",
            "2026-1-1",
            "31.01.2026",
            "2026-01-31T12:00",
            "2026-01-31T12:00:00",
            "2026-01-31T12:00:00+2:00",
            "2026-01-31T12:00:00+99:00",
            "2026-01-31T12:00:00ä02:00",
            "2026-01-31Z",
            "9999-12-31T23:59:59-01:00",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
