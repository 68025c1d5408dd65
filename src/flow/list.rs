//! Recency lists threaded through the flow table's slots: touching, removing and looking at the
//! oldest are all constant time.

/// No slot.
pub(super) const NONE: u32 = u32::MAX;

/// A slot's neighbours in its list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    pub(super) older: u32,
    pub(super) newer: u32,
}

impl Link {
    pub(super) const LOOSE: Self = Self { older: NONE, newer: NONE };
}

/// Something that holds the links of slots.
pub(super) trait Links {
    fn link(&mut self, slot: u32) -> Option<&mut Link>;
}

/// The two ends of a list.
#[derive(Debug, Clone, Copy)]
pub(super) struct List {
    pub(super) oldest: u32,
    newest: u32,
}

impl List {
    pub(super) const EMPTY: Self = Self { oldest: NONE, newest: NONE };

    /// Appends `slot` as the newest.
    pub(super) fn push(&mut self, links: &mut impl Links, slot: u32) {
        if let Some(link) = links.link(slot) {
            *link = Link { older: self.newest, newer: NONE };
        }
        match links.link(self.newest) {
            Some(link) => link.newer = slot,
            None => self.oldest = slot,
        }
        self.newest = slot;
    }

    /// Takes `slot` out.
    pub(super) fn remove(&mut self, links: &mut impl Links, slot: u32) {
        let Some(link) = links.link(slot) else { return };
        let Link { older, newer } = std::mem::replace(link, Link::LOOSE);
        match links.link(older) {
            Some(link) => link.newer = newer,
            None => self.oldest = newer,
        }
        match links.link(newer) {
            Some(link) => link.older = older,
            None => self.newest = older,
        }
    }

    /// Makes `slot` the newest.
    pub(super) fn touch(&mut self, links: &mut impl Links, slot: u32) {
        if self.newest != slot {
            self.remove(links, slot);
            self.push(links, slot);
        }
    }
}
