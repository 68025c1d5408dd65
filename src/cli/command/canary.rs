//! `plainsight canary`: texts to plant. The one place of the program that asks for randomness.

use crate::cli::args::CanaryAction;
use crate::cli::fault::Fault;
use crate::cli::output;
use plainsight::evidence::planting::{Order, mint};
use std::io::Write;
use std::path::Path;

/// Mints a plan.
pub fn run(action: &CanaryAction) -> Result<u8, Fault> {
    let CanaryAction::New { out, count, longest, seed } = action;
    let seed = match seed {
        Some(seed) => seed.clone(),
        None => fresh()?,
    };
    let order = Order { messages: usize::from(*count), longest: usize::from(*longest) };
    let plan = mint(&seed, order);
    match out.as_deref().filter(|p| p.as_os_str() != "-") {
        None => output::say(&plan.page())?,
        Some(path) => {
            write(path, &plan.page())?;
            let name = path.display();
            eprintln!(
                "plainsight: {} texts are in {name}, with what to do with them; afterwards give it with --plan {name}",
                plan.texts.len()
            );
        }
    }
    Ok(0)
}

/// A plan that texts were already typed from is worth more than a new one: it is not overwritten.
fn write(path: &Path, text: &str) -> Result<(), Fault> {
    let name = path.display().to_string();
    let file = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = file.map_err(|e| match e.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Fault::Input(format!("{name} is already there and may be in use; name another file"))
        }
        _ => Fault::write(&name, &e),
    })?;
    file.write_all(text.as_bytes()).map_err(|e| Fault::write(&name, &e))
}

/// Sixteen bytes of the system's randomness, in hexadecimal.
fn fresh() -> Result<String, Fault> {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes).map_err(|e| {
        Fault::Input(format!("the system gives no randomness ({e}); name a seed of your own with --seed"))
    })?;
    Ok(bytes.iter().map(|b| format!("{b:02x}")).collect())
}
