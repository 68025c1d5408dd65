//! `plainsight live`: capture from an interface and judge what was seen.

use super::audit::{code, opened, stopped};
use crate::cli::args::LiveArgs;
use crate::cli::fault::Fault;
use crate::cli::progress::{self, Show};
use crate::cli::standing::Standing;
use crate::cli::{meant, output};
use plainsight::audit::{self, Audit};
use plainsight::capture::{CaptureError, Live, LiveOptions, Watch};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// Captures until told to end, and answers the exit code.
pub fn run(l: &LiveArgs) -> Result<u8, Fault> {
    let gates = meant::gates(&l.judging.fail_on)?;
    if l.write.as_ref().is_some_and(|p| p.as_os_str() == "-") {
        return Err(Fault::Usage("-w needs a file: standard output carries the report".to_owned()));
    }
    let user = l.user.as_deref().map(wanted).transpose()?;
    let watch = Arc::new(Watch::default());
    // The interface is all that needs privileges; what the user names is touched without them.
    let options = LiveOptions {
        interface: l.interface.clone(),
        filter: l.filter.clone(),
        snaplen: l.snaplen,
        count: l.count,
    };
    let limits = meant::limits(&l.running.limits)?;
    let mut source = Live::open(options, watch.clone(), &limits).map_err(failed)?;
    user.as_ref().map(become_user).transpose()?;
    let work = meant::live(l, limits)?;
    meant::outputs(&l.judging.outputs)?;
    prepare(&mut source, l)?;
    listen(watch.clone())?;
    if !l.running.quiet {
        let until = l.count.map_or("Ctrl-C".to_owned(), |n| format!("{n} frames or Ctrl-C"));
        eprintln!("plainsight: capturing on {} until {until}", l.interface);
    }
    judge(l, &work, source, &watch, &gates)
}

/// Files that the capture reads and writes.
fn prepare(source: &mut Live, l: &LiveArgs) -> Result<(), Fault> {
    for path in &l.keylog {
        source.follow(path).map_err(failed)?;
        if !path.exists() && !l.running.quiet {
            eprintln!("plainsight: the key log {} is not there yet; waiting for it", path.display());
        }
    }
    l.write.as_deref().map(|p| source.write_to(p).map_err(failed)).transpose()?;
    Ok(())
}

/// Captures, judges and reports. What was seen before a failure is reported too.
fn judge(
    l: &LiveArgs,
    work: &meant::Work,
    source: Live,
    watch: &Arc<Watch>,
    gates: &[meant::Gate],
) -> Result<u8, Fault> {
    let line = progress::line(if l.running.quiet { Show::Never } else { Show::Auto });
    let progress = |bytes| {
        line.set_message(format!(
            "{} frames, {}, {} dropped",
            watch.frames.load(Relaxed),
            indicatif::HumanBytes(bytes),
            watch.dropped.load(Relaxed)
        ));
        line.tick();
    };
    let standing = Standing::default();
    let news = |so_far: &Audit| {
        for told in standing.news(so_far).iter().filter(|_| !l.running.quiet) {
            line.suspend(|| eprintln!("{told}"));
        }
    };
    let done = audit::watch(&work.plan, &work.planting, Box::new(source), &progress, &news);
    line.finish_and_clear();
    let done = done.map_err(stopped)?;
    let mut report = done.report();
    report.keys = meant::followed(&l.keylog);
    report.keys.extend(meant::named(&l.own));
    output::report(&report, &l.judging.outputs)?;
    if let Some(reason) = watch.failure() {
        return Err(Fault::Input(reason));
    }
    opened(&done, &report, "session", "start the capture before the app connects")?;
    Ok(code(&report, gates, None))
}

fn failed(e: CaptureError) -> Fault {
    match e {
        CaptureError::Filter { .. } => Fault::Usage(e.to_string()),
        other => Fault::Input(other.to_string()),
    }
}

/// The first Ctrl-C (or termination) ends the capture and leads to the report, the second ends at once.
fn listen(watch: Arc<Watch>) -> Result<(), Fault> {
    let heard = move || {
        if watch.stop.swap(true, Relaxed) {
            std::process::exit(130);
        }
    };
    ctrlc::set_handler(heard).map_err(|e| Fault::Input(format!("Ctrl-C cannot be listened to: {e}")))
}

/// The user to become, if that is possible.
fn wanted(name: &str) -> Result<nix::unistd::User, Fault> {
    if !nix::unistd::geteuid().is_root() {
        return Err(Fault::Usage(format!("--user {name}: only root can become another user")));
    }
    match nix::unistd::User::from_name(name) {
        Ok(Some(user)) => Ok(user),
        Ok(None) => Err(Fault::Usage(format!("--user {name}: there is no such user"))),
        Err(e) => Err(Fault::Usage(format!("--user {name}: the user cannot be looked up: {e}"))),
    }
}

#[cfg(not(target_vendor = "apple"))]
fn become_user(user: &nix::unistd::User) -> Result<(), Fault> {
    use nix::unistd::{ROOT, setgid, setgroups, setuid};
    let dropped = setgroups(&[user.gid]).and_then(|()| setgid(user.gid)).and_then(|()| setuid(user.uid));
    dropped.map_err(|e| Fault::Input(format!("--user {}: privileges cannot be dropped: {e}", user.name)))?;
    match !user.uid.is_root() && setuid(ROOT).is_ok() {
        true => Err(Fault::Input(format!("--user {}: privileges came back; not going on", user.name))),
        false => Ok(()),
    }
}

#[cfg(target_vendor = "apple")]
fn become_user(user: &nix::unistd::User) -> Result<(), Fault> {
    Err(Fault::Usage(format!("--user {}: not supported on this system", user.name)))
}
