//! Fields that name devices, and what is concluded of them.

use super::*;
use crate::model::Timestamp;

fn sent(accounts: &[&str], device: &str) -> Sent {
    Sent {
        origin: Origin::at(Timestamp(0)),
        guard: Guard::Confidential,
        endpoint: "a:1".into(),
        path: "tls".into(),
        accounts: accounts.iter().map(|a| (*a).to_owned()).collect(),
        device: device.into(),
    }
}

fn ghosts(devices: &Devices) -> usize {
    devices.evidence().len()
}

#[test]
fn matrix_fields_name_devices_and_recipients_by_id_and_by_key() {
    let to = "/_matrix/client/v3/sendToDevice/m.room.encrypted/7";
    let found = |field: &str, value: &str| matrix(field, field.rsplit('.').next().unwrap(), value, to);
    let user = "@ann:chat.example";
    let listed =
        |device: &str| Some(Found::Listed { account: user.into(), device: device.into(), whole: Whole::Yes });
    let recipient = |device: &str| Some(Found::Recipient { account: user.into(), device: device.into() });
    assert_eq!(found(&format!("$.device_keys.{user}.PHONE.device_id"), "PHONE"), listed("PHONE"));
    let key = format!("$.device_keys.{user}.PHONE.keys.curve25519:PHONE");
    assert_eq!(found(&key, "b2+/Wk"), listed("b2+/Wk"));
    assert_eq!(found("$.device_keys.device_id", "PHONE"), Some(Found::Own("PHONE".into())));
    assert_eq!(found(&format!("$.messages.{user}.PHONE.algorithm"), "m.olm"), recipient("PHONE"));
    let key = format!("$.messages.{user}.PHONE.ciphertext.b2+/Wk.type");
    assert_eq!(found(&key, "0"), recipient("b2+/Wk"));
    assert_eq!(found(&format!("$.messages.{user}.*.algorithm"), "m.olm"), None);
    let plain = matrix("$.messages.a.b.algorithm", "algorithm", "m.olm", "/other");
    assert_eq!(plain, None);
}

#[test]
fn signal_fields_name_devices_of_the_account_in_the_path() {
    let account = "8f4e";
    let listed = |whole| Some(Found::Listed { account: account.into(), device: "2".into(), whole });
    let of = |field: &str, path: &str, side| signal(field, "2", path, side);
    assert_eq!(of("$.devices[1].deviceId", "/v2/keys/8f4e/*", Side::Server), listed(Whole::Yes));
    assert_eq!(of("$.devices[0].deviceId", "/v2/keys/8f4e/2", Side::Server), listed(Whole::No));
    assert_eq!(of("$.missingDevices[0]", "/v1/messages/8f4e", Side::Server), listed(Whole::No));
    let recipient = Some(Found::Recipient { account: account.into(), device: "2".into() });
    let field = "$.messages[3].destinationDeviceId";
    assert_eq!(of(field, "/v1/messages/8f4e?story=false", Side::Client), recipient);
    assert_eq!(of(field, "/v1/messages/8f4e", Side::Server), None);
    assert_eq!(of("$.devices[1].deviceId", "/devices", Side::Server), None);
}

#[test]
fn only_what_a_whole_list_of_every_account_does_not_name_is_told() {
    let mut devices = Devices::default();
    devices.list("a:1", "ann", "1", Whole::Yes);
    devices.sent(sent(&["ann"], "1"));
    assert_eq!(ghosts(&devices), 0);
    devices.sent(sent(&["ann"], "9"));
    assert_eq!(ghosts(&devices), 1);
    // Of an account without a list, and of one of which a part was asked for, nothing is said.
    devices.sent(sent(&["ben"], "9"));
    devices.list("a:1", "cleo", "1", Whole::No);
    devices.sent(sent(&["cleo"], "9"));
    devices.sent(sent(&["ann", "ben"], "9"));
    assert_eq!(ghosts(&devices), 1);
    devices.list("a:1", "ben", "2", Whole::Yes);
    assert_eq!(ghosts(&devices), 3);
    // Another service's lists name nobody here.
    devices.list("b:1", "ann", "9", Whole::Yes);
    assert_eq!(ghosts(&devices), 3);
    devices.own.insert(("a:1".into(), "9".into()));
    assert_eq!(ghosts(&devices), 0);
}

#[test]
fn beyond_the_bounds_nothing_is_concluded_and_the_order_of_joining_does_not_matter() {
    let mut full = Devices::default();
    full.sent(sent(&["ann"], "9"));
    full.list("a:1", "ann", "1", Whole::Yes);
    for n in 0..=LISTS {
        full.list("a:1", &n.to_string(), "1", Whole::Yes);
    }
    assert_eq!(ghosts(&full), 0);
    let part = |n: usize| {
        let mut devices = Devices::default();
        devices.list("a:1", "ann", &n.to_string(), Whole::Yes);
        devices.sent(sent(&["ann"], &(n * 2).to_string()));
        devices
    };
    let joined = |order: &mut dyn Iterator<Item = usize>| {
        let mut all = Devices::default();
        order.for_each(|n| all.merge(part(n)));
        all
    };
    let forwards = joined(&mut (0..20));
    assert_eq!(forwards, joined(&mut (0..20).rev()));
    assert_eq!(ghosts(&forwards), 10);
    let mut with = forwards.clone();
    with.merge(full.clone());
    full.merge(forwards);
    assert_eq!((ghosts(&with), ghosts(&full)), (0, 0));
}
