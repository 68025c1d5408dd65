//! placeholder command line
use plainsight::audit::{Plan, peel, run};
use plainsight::evidence::Canary;
use plainsight::keys::KeyStore;
use std::sync::Arc;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let mut it = args.iter().skip(2);
    let (mut caps, mut keys, mut canaries, mut json) = (vec![], KeyStore::default(), vec![], None);
    let mut reveal = false;
    while let Some(a) = it.next() {
        match a.as_str() {
            "--keylog" => {
                let f = it.next().unwrap();
                keys.add_keylog(&std::fs::read(f).unwrap(), f);
            }
            "--canary-file" => {
                for l in std::fs::read_to_string(it.next().unwrap()).unwrap().lines() {
                    canaries.push(Canary { text: l.into(), label: None, control: false });
                }
            }
            "--json" => json = it.next().cloned(),
            "--reveal" => reveal = true,
            f => caps.push(f.into()),
        }
    }
    let plan = Plan {
        captures: caps,
        keys: Arc::new(keys),
        canaries,
        ruleset: Arc::new(plainsight::ruleset::embedded()),
        limits: Default::default(),
        threads: 2,
        reveal,
    };
    if args[1] == "peel" {
        peel(&plan, &mut std::io::stdout()).unwrap();
        return;
    }
    let a = run(&plan, &|_| {}).unwrap();
    let convs: Vec<_> = a.drafts.iter().zip(&a.judgements).map(|(d, j)| serde_json::json!({"endpoint": d.key.endpoint, "protocol": d.key.path, "content": d.key.content, "verdict": j.verdict, "grade": j.grade, "weighs": j.weighs, "messages": d.messages, "reason": j.reason, "evidence": d.evidence, "coverage": d.coverage})).collect();
    let rep = serde_json::json!({"schema": "x", "summary": a.summary, "conversations": convs, "findings": a.findings, "notes": a.notes});
    match json {
        Some(f) => std::fs::write(f, serde_json::to_string_pretty(&rep).unwrap()).unwrap(),
        None => println!("{}", serde_json::to_string_pretty(&rep).unwrap()),
    }
}
