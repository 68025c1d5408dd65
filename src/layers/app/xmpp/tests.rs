//! What a stream becomes, as the engine's observers see it.

use super::*;
use crate::layers::REGISTRY;
use crate::model::Arrival;
use crate::peel::{Leaf, NodeRef, Sink, Surroundings, Tree, Unit};

const HEAD: &str = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";

/// Writes down layers, notes and leaves with their text.
#[derive(Default)]
struct Seen(Vec<String>);

impl Sink for Seen {
    fn layer(&mut self, node: &NodeRef<'_>, _at: Arrival) {
        self.0.push(format!("layer {}", node.path()));
    }
    fn leaf(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>) {
        let text = String::from_utf8_lossy(leaf.bytes);
        self.0.push(format!("{} {}{}={text}", node.path(), node.field(), leaf.field));
    }
    fn note(&mut self, _node: &NodeRef<'_>, code: &'static str, _at: Arrival) {
        self.0.push(format!("note {code}"));
    }
}

fn lines(turns: &[(Side, &[u8])], step: usize) -> Vec<String> {
    let (mut around, mut sink) = (Surroundings::new(&REGISTRY, 5222), Seen::default());
    let mut tree = Tree::new(Unit::Stream);
    let mut env = around.env(&mut sink);
    for (side, bytes) in turns {
        bytes.chunks(step).for_each(|chunk| tree.feed(&mut env, *side, chunk));
    }
    tree.finish(&mut env);
    sink.0
}

fn client(stanzas: &str) -> Vec<String> {
    lines(&[(Side::Client, format!("{HEAD}{stanzas}").as_bytes())], usize::MAX)
}

fn has(lines: &[String], what: &str) -> bool {
    lines.iter().any(|l| l.contains(what))
}

#[test]
fn entities_and_sections_are_one_text() {
    let seen =
        client("<message to='b@x'><body>a &lt;b&gt; &#x41;&amp;<![CDATA[ </body> & ]]>end</body></message>");
    assert!(has(&seen, "message.body") && has(&seen, "a <b> A& </body> & end"), "{seen:#?}");
    assert!(has(&seen, "message.@to"));
}

#[test]
fn any_cut_gives_the_same() {
    let text = format!(
        "{HEAD}<message to='b'><body>see you at six</body></message><presence><status>away</status></presence>"
    );
    let whole = lines(&[(Side::Client, text.as_bytes())], usize::MAX);
    assert!(has(&whole, "presence.status"));
    for step in 1..text.len() {
        assert_eq!(lines(&[(Side::Client, text.as_bytes())], step), whole, "{step}");
    }
}

#[test]
fn hostile_nesting_is_bounded_and_its_text_is_seen() {
    let deep = format!("<message>{}secret words{}</message>", "<a>".repeat(5000), "</a>".repeat(5000));
    let seen = client(&deep);
    assert!(has(&seen, "secret words"));
    assert!(seen.iter().all(|l| l.len() < 2000));
}

#[test]
fn a_message_with_broken_markup_keeps_what_was_read() {
    let seen = client("<message><body>see you at six &nosuch; <b =></c></body></message><iq id='1'/>");
    assert!(has(&seen, "see you at six &nosuch;") && has(&seen, "iq.@id"), "{seen:#?}");
}

#[test]
fn both_sides_go_on_in_tls() {
    let asks = format!("{HEAD}<starttls xmlns='{TLS}'/>");
    let agrees = format!("{HEAD}<proceed xmlns='{TLS}'/>");
    let hello = b"\x16\x03\x01\x00\x05hello";
    let turns =
        [(Side::Client, asks.as_bytes()), (Side::Server, agrees.as_bytes()), (Side::Client, &hello[..])];
    assert!(has(&lines(&turns, 3), "xmpp/tls"));
    // The server's side was not recorded.
    assert!(has(&lines(&[turns[0], turns[2]], 7), "xmpp/tls"));
    // A word from the client is no agreement.
    let fake = format!("{HEAD}<proceed xmlns='{TLS}'/><message><body>see you at six</body></message>");
    assert!(has(&lines(&[(Side::Client, fake.as_bytes())], 5), "see you at six"));
}

#[test]
fn prefixes_declared_outside_reach_an_element_that_goes_on_whole() {
    let seen =
        client("<message xmlns:e='jabber:x:encrypted'><e:x>not base64!</e:x><body>hi</body></message>");
    assert!(has(&seen, "xmlns:e='jabber:x:encrypted'"), "{seen:#?}");
}

#[test]
fn a_bosh_body_holds_stanzas() {
    let text = b"<body rid='1' xmlns='http://jabber.org/protocol/httpbind'><message to='b' xmlns='jabber:client'><body>see you</body></message></body>";
    let http = format!(
        "POST /http-bind HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n",
        text.len()
    );
    let seen = lines(&[(Side::Client, http.as_bytes()), (Side::Client, text)], usize::MAX);
    assert!(has(&seen, "xmpp-stanzas") && has(&seen, "message.body"), "{seen:#?}");
}

#[test]
fn a_subject_is_a_topic_only_where_nothing_else_is_said() {
    let topic = client("<message from='r@c' type='groupchat'><subject>summer party</subject></message>");
    assert!(has(&topic, "message.topic=summer party"), "{topic:#?}");
    for beside in
        ["<body>yes</body>", "<encrypted xmlns='urn:xmpp:omemo:2'/>", "<x xmlns='jabber:x:encrypted'>a</x>"]
    {
        let seen = client(&format!("<message to='b@x'><subject>at noon</subject>{beside}</message>"));
        assert!(has(&seen, "message.subject=at noon"), "{seen:#?}");
    }
}
