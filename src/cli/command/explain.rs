//! `plainsight explain`: what an id means, how to check it, how to mend it.

use crate::cli::args::ExplainArgs;
use crate::cli::fault::Fault;
use crate::cli::output;
use plainsight::report::explain::{ALL, find};

/// Prints one explanation, or the list of all.
pub fn run(e: &ExplainArgs) -> Result<u8, Fault> {
    let Some(id) = &e.id else {
        let list: String = ALL.iter().map(|x| format!("{:<28} {}\n", x.id, x.title)).collect();
        return output::say(&list).map(|()| 0);
    };
    let Some(x) = find(id) else {
        return Err(Fault::Usage(format!("nothing is called {id:?}; `plainsight explain` lists what is")));
    };
    let text = format!(
        "{}: {}\n\n{}\n\nHow to check: {}\n\nWhat to do: {}\n",
        x.id, x.title, x.meaning, x.check, x.fix
    );
    output::say(&text).map(|()| 0)
}
