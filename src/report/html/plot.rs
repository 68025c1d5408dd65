//! Entropy against length, drawn: measured bits per byte over the length of each opaque field, beside
//! what uniformly random bytes of that length show.

use super::page::Page;
use super::{columns, section, table, table_end};
use crate::evidence::randomness::null_mean_sd;
use crate::report::dto::{Randomness, Report};
use crate::report::prose;

const LEFT: f64 = 52.0;
const RIGHT: f64 = 704.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 284.0;
/// Points drawn and rows listed at most.
const POINTS: usize = 500;

/// The section with the plot and its figures.
pub fn randomness(page: &mut Page, r: &Report) {
    let all: Vec<&Randomness> = r.randomness.iter().filter(|m| m.length > 0).take(POINTS).collect();
    if all.is_empty() {
        return;
    }
    section(page, "randomness", "How random the opaque fields look");
    page.raw(
        "<p>Random-looking bytes may be encrypted, compressed or just random. A field under the band is ",
    );
    page.raw("not well encrypted; one inside it is not thereby encrypted at all.</p>\n<figure>\n");
    let frame = Frame::around(&all);
    frame.draw(page, &all);
    let below = all.iter().filter(|m| outside(m)).count();
    page.raw("<figcaption>Band: mean ± 3 standard deviations of uniform bytes. ● inside, ◇ outside it: ");
    page.text(&prose::thousands(below as u64))
        .raw(" of ")
        .text(&prose::count(all.len() as u64, "measurement"));
    page.raw(".</figcaption>\n</figure>\n<details><summary>The figures</summary>\n");
    table(page, "Measured fields", "");
    columns(page, &["Field", "Bytes", "Bits per byte", "Expected", "Standard deviation", "Looks like"]);
    for m in all {
        page.wrap("<tr><th scope=\"row\">", &m.field, " <span class=\"id\">").text(&m.conversation);
        page.raw("</span></th>");
        for text in [
            prose::thousands(m.length),
            format!("{:.3}", m.bits_per_byte),
            format!("{:.3}", m.expected),
            format!("{:.4}", m.sd),
        ] {
            page.wrap("<td class=\"num\">", &text, "</td>");
        }
        page.wrap("<td>", &m.class.replace('-', " "), "</td>").raw("</tr>\n");
    }
    table_end(page);
    page.raw("</details>\n</section>\n");
}

fn outside(m: &Randomness) -> bool {
    // Entropy is kept to a thousandth, so nothing closer than that is told apart.
    !(m.bits_per_byte - m.expected).abs().le(&(3.0 * m.sd + 0.001))
}

/// The part of the plane that is shown: lengths by powers of two, bits per byte.
struct Frame {
    short: i32,
    long: i32,
    low: f64,
}

impl Frame {
    fn around(all: &[&Randomness]) -> Self {
        let power = |n: u64| (n.max(2) as f64).log2();
        let short = all.iter().map(|m| power(m.length)).fold(6.0, f64::min).floor().max(1.0);
        let long = all.iter().map(|m| power(m.length)).fold(10.0, f64::max).ceil().min(40.0);
        let lowest = all.iter().map(|m| m.bits_per_byte.min(m.expected)).fold(8.0, f64::min);
        let edge = null_mean_sd(2usize.pow(short as u32)).0;
        let low = (lowest.min(edge) - 0.3).floor().clamp(0.0, 7.0);
        Self { short: short as i32, long: long as i32, low }
    }

    fn x(&self, length: f64) -> f64 {
        let share =
            (length.max(1.0).log2() - f64::from(self.short)) / f64::from((self.long - self.short).max(1));
        LEFT + share.clamp(0.0, 1.0) * (RIGHT - LEFT)
    }

    fn y(&self, bits: f64) -> f64 {
        let share = (bits - self.low) / (8.0 - self.low);
        BOTTOM - share.clamp(0.0, 1.0) * (BOTTOM - TOP)
    }

    fn draw(&self, page: &mut Page, all: &[&Randomness]) {
        page.raw("<svg viewBox=\"0 0 720 336\" role=\"img\" aria-labelledby=\"plot-t plot-d\">");
        page.raw("<title id=\"plot-t\">Entropy against length</title><desc id=\"plot-d\">");
        page.raw("Bits per byte of each opaque field over its length, with the band of uniform bytes. ");
        page.raw("The figures stand in the table below.</desc>\n");
        self.grid(page);
        self.band(page);
        for m in all {
            let (x, y) = (self.x(m.length as f64), self.y(m.bits_per_byte));
            match outside(m) {
                false => page.raw("<circle class=\"in\" r=\"4.5\" cx=\"").number(x).raw("\" cy=\"").number(y),
                true => {
                    page.raw("<path class=\"out\" d=\"M").number(x).raw(" ").number(y - 6.0);
                    page.raw("l6 6l-6 6l-6-6z")
                }
            };
            page.raw("\"><title>").text(&m.field).raw(": ").text(&prose::count(m.length, "byte")).raw(", ");
            page.text(&format!("{:.2}", m.bits_per_byte)).raw(" bits per byte</title>");
            page.raw(if outside(m) { "</path>\n" } else { "</circle>\n" });
        }
        page.raw("</svg>\n");
    }

    fn grid(&self, page: &mut Page) {
        let mut bits = self.low;
        while bits <= 8.0 {
            let y = self.y(bits);
            page.raw("<path class=\"grid\" d=\"M").number(LEFT).raw(" ").number(y).raw("H").number(RIGHT);
            page.raw("\"/><text text-anchor=\"end\" x=\"").number(LEFT - 8.0).raw("\" y=\"").number(y + 4.0);
            page.wrap("\">", &format!("{bits:.0}"), "</text>\n");
            bits += 1.0;
        }
        let step = ((self.long - self.short) / 8).max(1);
        for power in (self.short..=self.long).step_by(step as usize) {
            let x = self.x(2f64.powi(power));
            page.raw("<path class=\"grid\" d=\"M").number(x).raw(" ").number(TOP).raw("V").number(BOTTOM);
            page.raw("\"/><text text-anchor=\"middle\" x=\"").number(x).raw("\" y=\"").number(BOTTOM + 18.0);
            page.wrap("\">", &prose::thousands(2u64.saturating_pow(power as u32)), "</text>\n");
        }
        page.raw("<path class=\"axis\" fill=\"none\" d=\"M").number(LEFT).raw(" ").number(TOP).raw("V");
        page.number(BOTTOM).raw("H").number(RIGHT).raw("\"/>\n");
        page.raw("<text text-anchor=\"middle\" x=\"378\" y=\"328\">length of the field in bytes</text>\n");
        page.raw(
            "<text text-anchor=\"middle\" transform=\"translate(14 149) rotate(-90)\">bits per byte</text>\n",
        );
    }

    fn band(&self, page: &mut Page) {
        const STEPS: i32 = 64;
        let at = |i: i32| {
            let power =
                f64::from(self.short) + f64::from(self.long - self.short) * f64::from(i) / f64::from(STEPS);
            let length = 2f64.powf(power).round();
            let (mean, sd) = null_mean_sd(length as usize);
            (self.x(length), mean, sd)
        };
        let curve: Vec<(f64, f64, f64)> = (0..=STEPS).map(at).collect();
        page.raw("<path class=\"band\" d=\"");
        for (i, (x, mean, sd)) in curve.iter().enumerate() {
            page.raw(if i == 0 { "M" } else { "L" }).number(*x).raw(" ").number(self.y(mean + 3.0 * sd));
        }
        for (x, mean, sd) in curve.iter().rev() {
            page.raw("L").number(*x).raw(" ").number(self.y(mean - 3.0 * sd));
        }
        page.raw("z\"/>\n<path class=\"mean\" d=\"");
        for (i, (x, mean, _)) in curve.iter().enumerate() {
            page.raw(if i == 0 { "M" } else { "L" }).number(*x).raw(" ").number(self.y(*mean));
        }
        page.raw("\"/>\n");
    }
}
