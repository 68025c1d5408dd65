//! The words that every other module speaks: time, sides, addresses, origins, trust, values, notes,
//! limits and the byte ledger. No behaviour beyond arithmetic and printing.

mod addr;
mod facts;
mod ledger;
mod limits;
mod media;
mod memo;
mod note;
mod opened;
mod origin;
mod side;
mod time;
mod trust;
mod value;

pub use addr::{Endpoint, FlowKey, Transport};
pub use facts::Facts;
pub use ledger::{Bucket, Ledger};
pub use limits::Limits;
pub use media::media_head;
pub use memo::Memo;
pub use note::{Note, Notes};
pub use opened::{Inside, Opened};
pub use origin::{Arrival, FrameRef, Origin, digest16};
pub use side::{PerSide, Side};
pub use time::Timestamp;
pub use trust::Trust;
pub use value::Value;
