//! Overlapping windows of bits, counted in one order of the bits of a byte.

/// The order in which a byte's bits are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BitOrder {
    /// Least significant first: deflate, brotli, zstd.
    Lsb,
    /// Most significant first: bzip2, JPEG, MP3, AAC.
    Msb,
}

/// Counts of all windows of 10 bits, 12 from 1,024 bytes on.
#[derive(Debug, Clone)]
pub struct Windows {
    cells: Vec<u32>,
}

impl Windows {
    /// Counts every window that ends in `bytes`; none under four bytes.
    pub fn count(bytes: &[u8], order: BitOrder) -> Self {
        let width: u32 = if bytes.len() < 1024 { 10 } else { 12 };
        let mask = (1usize << width) - 1;
        let mut cells = vec![0u32; 1 << width];
        let mut state = 0usize;
        let mut seen = 0u32;
        for &b in if bytes.len() < 4 { &[] } else { bytes } {
            let b = if order == BitOrder::Lsb { b.reverse_bits() } else { b };
            for shift in (0..8).rev() {
                state = state << 1 & mask | usize::from(b >> shift & 1);
                seen += 1;
                if seen >= width {
                    cells[state] += 1;
                }
            }
        }
        Self { cells }
    }

    /// How often each window came; its newest bit is the lowest.
    pub fn cells(&self) -> &[u32] {
        &self.cells
    }

    /// The same windows for contexts of 11, 9 ... 3 bits (those that there are), the longest first. Dropping
    /// the oldest bit of a window halves the table; every fold codes the same bits, those that end a full window.
    pub fn folds(&self) -> Vec<Vec<u32>> {
        let mut out = Vec::with_capacity(5);
        let mut cells = self.cells.clone();
        while cells.len() >= 8 {
            let (low, high) = cells.split_at(cells.len() / 2);
            let half: Vec<u32> = low.iter().zip(high).map(|(a, b)| a + b).collect();
            if cells.len().trailing_zeros().is_multiple_of(2) {
                out.push(cells);
            }
            cells = half;
        }
        out
    }

    /// How unequally the bit after each context falls, in standard deviations of fair bits, for contexts of
    /// 3, 5, 7 and 9 bits.
    pub fn imbalance(folds: &[Vec<u32>]) -> [f64; 4] {
        let mut out = [0.0; 4];
        for (slot, cells) in out.iter_mut().zip(folds.iter().rev()) {
            let (mut sum, mut contexts) = (0.0, 0.0);
            for pair in cells.chunks_exact(2) {
                let total = f64::from(pair[0] + pair[1]);
                if total > 0.0 {
                    sum += (f64::from(pair[0]) - f64::from(pair[1])).powi(2) / total - 1.0;
                    contexts += 2.0;
                }
            }
            *slot = sum / f64::max(contexts, 1.0).sqrt();
        }
        out
    }
}
