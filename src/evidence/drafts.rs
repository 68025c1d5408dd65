//! The conversations of one flow: one or two as a rule, so a list in order of their keys.

use super::{Content, ConversationKey, Draft, OTHERS};
use crate::model::Timestamp;

/// Conversations of one flow that are kept apart. Behind a proxy each request may name another service.
const APART: usize = 512;

#[derive(Debug, Clone, Default)]
pub(super) struct Drafts(Vec<Draft>);

impl Drafts {
    /// The conversation of that name, opened at `at` if need be. Those beyond the bound stand together, and
    /// none of them makes a claim.
    pub fn of(&mut self, endpoint: &str, path: &str, content: Content, at: Timestamp) -> &mut Draft {
        let place = match self.place(endpoint, path, &content) {
            Err(_) if self.0.len() >= APART => self.place(OTHERS, path, &content),
            place => place,
        };
        let place = match place {
            Ok(known) => known,
            Err(new) => {
                let beyond = self.0.len() >= APART;
                let endpoint = if beyond { OTHERS } else { endpoint }.to_owned();
                let key = ConversationKey { endpoint, path: path.to_owned(), content };
                // Few flows carry more than one, and room for four would be most of what a flow takes.
                self.0.reserve_exact(if self.0.is_empty() { 1 } else { self.0.len() });
                self.0.insert(new, Draft { limited: beyond, ..Draft::new(key, at) });
                new
            }
        };
        &mut self.0[place]
    }

    fn place(&self, endpoint: &str, path: &str, content: &Content) -> Result<usize, usize> {
        let wanted = (endpoint, path, content);
        self.0.binary_search_by(|d| {
            let key = &d.key;
            (key.endpoint.as_str(), key.path.as_str(), &key.content).cmp(&wanted)
        })
    }

    /// What is known of a conversation.
    pub fn find(&mut self, key: &ConversationKey) -> Option<&mut Draft> {
        let at = self.place(&key.endpoint, &key.path, &key.content).ok()?;
        self.0.get_mut(at)
    }

    /// Takes a conversation out.
    pub fn remove(&mut self, key: &ConversationKey) -> Option<Draft> {
        let at = self.place(&key.endpoint, &key.path, &key.content).ok()?;
        Some(self.0.remove(at))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names, in order.
    pub fn keys(&self) -> impl Iterator<Item = &ConversationKey> {
        self.0.iter().map(|d| &d.key)
    }

    /// All of them, in order of their names.
    pub fn into_list(self) -> Vec<Draft> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_has_one_and_the_rest_stand_together_without_a_claim() {
        let mut drafts = Drafts::default();
        for round in 1..=2 {
            for n in 0..2 * APART {
                let draft = drafts.of(&format!("s{n}.example:443"), "http1", Content::Opaque, Timestamp(7));
                draft.messages += 1;
                assert_eq!(draft.limited, n >= APART, "{round} {n}");
            }
        }
        assert_eq!(drafts.keys().count(), APART + 1);
        assert!(drafts.keys().is_sorted());
        let key = |endpoint: &str| ConversationKey {
            endpoint: endpoint.into(),
            path: "http1".into(),
            content: Content::Opaque,
        };
        assert_eq!(drafts.find(&key(OTHERS)).map(|d| d.messages), Some(2 * APART as u64));
        assert_eq!(drafts.remove(&key("s3.example:443")).map(|d| d.messages), Some(2));
        assert!(drafts.find(&key("s3.example:443")).is_none());
        assert_eq!(drafts.into_list().len(), APART);
    }
}
