//! Two ends compared, and how sizes follow the length of the text.

use super::head::sentence;
use super::page::Page;
use super::{columns, section, table, table_end};
use crate::report::dto::{LengthLaw, Report};
use crate::report::ends;

/// What became of messages between two ends.
pub fn vantages(page: &mut Page, r: &Report) {
    let Some(v) = &r.vantages else { return };
    section(page, "vantages", "Two ends compared");
    page.wrap("<p>", &sentence(&ends::clock(v)), "</p>\n");
    if !v.ways.is_empty() {
        table(page, "Messages looked for at the other end", "");
        columns(page, &ends::WAYS);
        ends::ways(v).iter().for_each(|cells| row(page, cells));
        table_end(page);
    }
    page.raw("<ul class=\"plain\">\n");
    for line in ends::further(v) {
        page.wrap("<li>", &sentence(&line), "</li>\n");
    }
    page.raw("</ul>\n</section>\n");
}

/// The length law with a plot for each conversation.
pub fn lengths(page: &mut Page, r: &Report) {
    const PLOTS: usize = 12;
    if r.lengths.is_empty() {
        return;
    }
    section(page, "lengths", "How sizes follow the text");
    page.raw("<p>Ciphertext that grows with the text tells its length to everybody on the path.</p>\n");
    table(page, "Sizes of ciphertexts", "");
    columns(page, &ends::LAWS);
    ends::laws(r).iter().for_each(|cells| row(page, cells));
    table_end(page);
    r.lengths.iter().take(PLOTS).for_each(|l| plot(page, l));
    page.raw("</section>\n");
}

fn row(page: &mut Page, cells: &[String]) {
    for (i, cell) in cells.iter().enumerate() {
        let (open, close) = if i == 0 { ("<tr><th scope=\"row\">", "</th>") } else { ("<td>", "</td>") };
        page.wrap(open, cell, close);
    }
    page.raw("</tr>\n");
}

fn plot(page: &mut Page, l: &LengthLaw) {
    const WIDE: f64 = 340.0;
    const HIGH: f64 = 120.0;
    let dots = ends::dots(l);
    let most = |pick: fn(&(u64, u64)) -> u64| dots.iter().map(pick).max().unwrap_or(0).max(1) as f64;
    let (x_most, y_most) = (most(|d| d.0), most(|d| d.1));
    let (x, y) = ends::axes(l);
    page.raw("<figure><svg viewBox=\"0 0 360 140\" width=\"360\" role=\"img\" aria-label=\"");
    page.text(&format!("{y} over {x}"));
    page.raw("\"><path d=\"M10 6V130H356\" fill=\"none\" stroke=\"currentColor\"/>");
    for (a, b) in dots.iter().take(200) {
        let (cx, cy) = (10.0 + *a as f64 / x_most * WIDE, 130.0 - *b as f64 / y_most * HIGH);
        page.raw("<circle r=\"2.6\" fill=\"currentColor\" cx=\"").text(&format!("{cx:.1}"));
        page.raw("\" cy=\"").text(&format!("{cy:.1}")).raw("\"/>");
    }
    page.raw("</svg><figcaption>");
    page.text(&format!("{} {}: 0 to {x_most} {x}; upwards 0 to {y_most} {y}.", l.conversation, l.format));
    page.raw("</figcaption></figure>\n");
}
