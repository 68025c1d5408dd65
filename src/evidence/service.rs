//! Which services are one operator's, as far as their names tell.

/// Whether two endpoints are of one operator: the same host, or the same last two labels of its name.
pub fn same_service(a: &str, b: &str) -> bool {
    // Evidence of older reports does not name the service.
    a.is_empty() || family(host(a)).eq_ignore_ascii_case(family(host(b)))
}

fn host(endpoint: &str) -> &str {
    endpoint.rsplit_once(':').map_or(endpoint, |(host, _)| host)
}

fn family(host: &str) -> &str {
    let named = host.bytes().any(|b| b.is_ascii_alphabetic()) && !host.starts_with('[');
    // Two short labels at the end (`co.uk`) are no name of anybody.
    let mut labels = host.rsplit('.');
    let short = |label: Option<&str>, most: usize| label.is_some_and(|l| l.len() <= most);
    let wide = short(labels.next(), 2) && short(labels.next(), 3);
    let dot = host.rmatch_indices('.').nth(1 + usize::from(wide)).filter(|_| named);
    dot.and_then(|(at, _)| host.get(at + 1..)).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_owner_are_one_service_and_addresses_only_themselves() {
        assert!(same_service("chat.a.example:443", "files.a.example:8443"));
        assert!(!same_service("one.co.uk:1", "two.co.uk:1") && same_service("x.one.co.uk:1", "one.co.uk:2"));
        assert!(!same_service("10.0.0.1:1", "10.9.0.1:1") && same_service("10.0.0.1:1", "10.0.0.1:2"));
    }
}
