//! Where boxes stand: layers from left to right, each group in a block of its own.
//!
//! A node stands one column to the right of what it requires. An arrow that crosses columns
//! passes each of them in a slot of its own, so that it runs between boxes and not behind them.

use std::collections::BTreeMap;

use super::Picture;

/// The height of a box.
pub const BOX: f64 = 24.0;
/// Between two boxes of a column.
const GAP: f64 = 8.0;
/// What an arrow that passes takes of a column.
const LANE: f64 = 4.0;
/// Between two columns.
const AISLE: f64 = 56.0;
/// Around the contents of a block, and between blocks.
const MARGIN: f64 = 16.0;
/// Above the contents of a block: its name.
pub const HEADING: f64 = 28.0;
/// Above everything: the title.
const TITLE: f64 = 44.0;
/// How often columns are put in order again. More did not make drawings better.
const SWEEPS: usize = 6;
/// With more arrows than this all go straight: nobody follows one by eye any more.
const MAX_ARROWS: usize = 20_000;

/// A rectangle.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rect {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

/// Where everything stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    pub width: f64,
    pub height: f64,
    /// For each group.
    pub blocks: Vec<Rect>,
    /// For each node.
    pub boxes: Vec<Rect>,
    /// For each arrow of each node, the points that it goes through.
    pub arrows: Vec<Vec<Vec<(f64, f64)>>>,
}

/// Something in a column: a box, or an arrow on its way.
struct Slot {
    column: usize,
    height: f64,
    y: f64,
    left: Vec<usize>,
    right: Vec<usize>,
    node: Option<usize>,
}

/// A block while it is laid out, by itself.
struct Block {
    slots: Vec<Slot>,
    /// The slots of each column, from top to bottom.
    columns: Vec<Vec<usize>>,
    /// The slots that an arrow (node, position) passes, from the right to the left.
    lanes: BTreeMap<(usize, usize), Vec<usize>>,
    /// Left and width of each column.
    places: Vec<(f64, f64)>,
    width: f64,
    height: f64,
}

/// Lays a picture out. `widths` has the width of each box.
pub fn layout(picture: &Picture, widths: &[f64], headings: &[f64]) -> Layout {
    let arrows: usize = picture.nodes.iter().map(|n| n.requires.len()).sum();
    let layers = layers(picture);
    let blocks: Vec<Block> = (0..picture.groups.len())
        .map(|group| {
            let mut block = Block::new(picture, group, &layers, arrows <= MAX_ARROWS);
            block.untangle();
            block.stack();
            block.measure(widths, headings.get(group).copied().unwrap_or(0.0));
            block
        })
        .collect();
    let places = pack(&blocks);
    let mut boxes = vec![Rect::default(); picture.nodes.len()];
    for (block, place) in blocks.iter().zip(&places) {
        for slot in &block.slots {
            let Some(node) = slot.node else { continue };
            let (left, _) = block.places[slot.column];
            let width = widths.get(node).copied().unwrap_or(0.0);
            boxes[node] = Rect { x: place.x + left, y: place.y + slot.y, width, height: BOX };
        }
    }
    let right = |f: fn(&Rect) -> f64| places.iter().map(f).fold(0.0, f64::max);
    Layout {
        width: right(|r| r.x + r.width) + MARGIN,
        height: right(|r| r.y + r.height).max(TITLE) + MARGIN,
        arrows: route(picture, &blocks, &places, &boxes),
        blocks: places,
        boxes,
    }
}

/// The column of each node: one more than the highest of what it requires in its group. On a
/// cycle, which only a graph that nobody compiled can have, what is seen last counts for
/// nothing.
fn layers(picture: &Picture) -> Vec<usize> {
    let same = |at: usize, to: usize| picture.nodes[at].group == picture.nodes[to].group && at != to;
    let count = picture.nodes.len();
    let mut users = vec![Vec::new(); count];
    let mut open = vec![0usize; count];
    for (at, node) in picture.nodes.iter().enumerate() {
        for arrow in node.requires.iter().filter(|a| same(at, a.to)) {
            users[arrow.to].push(at);
            open[at] += 1;
        }
    }
    let mut layers = vec![0; count];
    let mut done = vec![false; count];
    let mut queue: Vec<usize> = (0..count).filter(|&at| open[at] == 0).collect();
    let mut rest = 0..count;
    loop {
        let Some(at) = queue.pop() else {
            match rest.find(|&at| !done[at]) {
                Some(at) => queue.push(at),
                None => return layers,
            }
            continue;
        };
        if std::mem::replace(&mut done[at], true) {
            continue;
        }
        for &user in users[at].iter().filter(|&&user| !done[user]) {
            layers[user] = layers[user].max(layers[at] + 1);
            open[user] = open[user].saturating_sub(1);
            if open[user] == 0 {
                queue.push(user);
            }
        }
    }
}

impl Block {
    fn new(picture: &Picture, group: usize, layers: &[usize], with_lanes: bool) -> Self {
        let mut block = Block {
            slots: Vec::new(),
            columns: Vec::new(),
            lanes: BTreeMap::new(),
            places: Vec::new(),
            width: 0.0,
            height: 0.0,
        };
        let members: Vec<usize> = picture.group(group).map(|(at, _)| at).collect();
        let slot_of: BTreeMap<usize, usize> =
            members.iter().map(|&at| (at, block.add(layers[at], BOX, Some(at)))).collect();
        for &at in &members {
            for (position, arrow) in picture.nodes[at].requires.iter().enumerate() {
                let (Some(&from), Some(&to)) = (slot_of.get(&at), slot_of.get(&arrow.to)) else { continue };
                let (right, left) = (layers[at], layers[arrow.to]);
                if right <= left {
                    continue;
                }
                let mut last = from;
                let mut lane = Vec::new();
                if with_lanes {
                    for column in (left + 1..right).rev() {
                        let slot = block.add(column, LANE, None);
                        block.link(slot, last);
                        lane.push(slot);
                        last = slot;
                    }
                }
                block.link(to, last);
                block.lanes.insert((at, position), lane);
            }
        }
        block
    }

    fn add(&mut self, column: usize, height: f64, node: Option<usize>) -> usize {
        let slot = self.slots.len();
        self.slots.push(Slot { column, height, y: 0.0, left: Vec::new(), right: Vec::new(), node });
        if self.columns.len() <= column {
            self.columns.resize_with(column + 1, Vec::new);
        }
        self.columns[column].push(slot);
        slot
    }

    fn link(&mut self, left: usize, right: usize) {
        self.slots[left].right.push(right);
        self.slots[right].left.push(left);
    }

    /// Orders the columns so that few arrows cross: each slot goes to the middle of what it is
    /// linked with in the column before, in turn from both sides.
    fn untangle(&mut self) {
        let mut rank = vec![0.0; self.slots.len()];
        let renumber = |rank: &mut Vec<f64>, column: &[usize]| {
            for (at, &slot) in column.iter().enumerate() {
                rank[slot] = at as f64;
            }
        };
        for column in &self.columns {
            renumber(&mut rank, column);
        }
        for sweep in 0..SWEEPS {
            let forth = sweep % 2 == 0;
            let count = self.columns.len();
            for step in 1..count {
                let at = if forth { step } else { count - 1 - step };
                let mut column = std::mem::take(&mut self.columns[at]);
                let middle = |slot: usize| {
                    let slot_ = &self.slots[slot];
                    mean(if forth { &slot_.left } else { &slot_.right }, |s| rank[s])
                };
                // Slots without a link stay near to where they were.
                let mut keyed: Vec<(f64, usize)> =
                    column.iter().map(|&slot| (middle(slot).unwrap_or(rank[slot]), slot)).collect();
                keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
                column = keyed.into_iter().map(|(_, slot)| slot).collect();
                renumber(&mut rank, &column);
                self.columns[at] = column;
            }
        }
    }

    /// Gives every slot its height in the column: as near as can be to the middle of what it is
    /// linked with, in the order that the column has.
    fn stack(&mut self) {
        for column in &self.columns {
            let mut y = 0.0;
            for &slot in column {
                self.slots[slot].y = y;
                y += self.slots[slot].height + GAP;
            }
        }
        let count = self.columns.len();
        // The last sweep goes left: what is required stands in the middle of its users.
        for sweep in 0..=SWEEPS {
            let leftwards = sweep % 2 == 0;
            for step in 0..count {
                let at = if leftwards { count - 1 - step } else { step };
                self.settle(at, leftwards);
            }
        }
        let top = self.slots.iter().map(|s| s.y).fold(f64::INFINITY, f64::min);
        for slot in &mut self.slots {
            slot.y += MARGIN + HEADING - top;
        }
    }

    /// Moves the slots of a column towards their links. Slots that would overlap form a bundle
    /// that stands where its members want to be on average.
    fn settle(&mut self, at: usize, towards_right: bool) {
        struct Bundle {
            slots: Vec<usize>,
            /// The sum of the tops that the members want the bundle to have.
            wanted: f64,
            height: f64,
        }
        let mut bundles: Vec<Bundle> = Vec::new();
        for &slot in &self.columns[at] {
            let this = &self.slots[slot];
            let links = if towards_right { &this.right } else { &this.left };
            let centre = mean(links, |s| self.slots[s].y + self.slots[s].height / 2.0);
            let wanted = centre.map_or(this.y, |c| c - this.height / 2.0);
            let mut bundle = Bundle { slots: vec![slot], wanted, height: this.height + GAP };
            while let Some(above) = bundles.last() {
                let bottom = above.wanted / above.slots.len() as f64 + above.height;
                if bottom <= bundle.wanted / bundle.slots.len() as f64 {
                    break;
                }
                let Some(mut above) = bundles.pop() else { break };
                above.wanted += bundle.wanted - above.height * bundle.slots.len() as f64;
                above.height += bundle.height;
                above.slots.append(&mut bundle.slots);
                bundle = above;
            }
            bundles.push(bundle);
        }
        for bundle in bundles {
            let mut y = bundle.wanted / bundle.slots.len() as f64;
            for slot in bundle.slots {
                self.slots[slot].y = y;
                y += self.slots[slot].height + GAP;
            }
        }
    }

    fn measure(&mut self, widths: &[f64], heading: f64) {
        let mut x = MARGIN;
        for column in &self.columns {
            let nodes = column.iter().filter_map(|&slot| self.slots[slot].node);
            let width = nodes.filter_map(|n| widths.get(n)).copied().fold(0.0, f64::max);
            self.places.push((x, width));
            x += width + AISLE;
        }
        self.width = (x - AISLE + MARGIN).max(heading + 2.0 * MARGIN);
        let bottom = self.slots.iter().map(|s| s.y + s.height).fold(HEADING, f64::max);
        self.height = bottom + MARGIN;
    }
}

fn mean(of: &[usize], value: impl Fn(usize) -> f64) -> Option<f64> {
    let sum: f64 = of.iter().map(|&s| value(s)).sum();
    (!of.is_empty()).then(|| sum / of.len() as f64)
}

/// Puts the blocks side by side, in as many columns as make the picture about as wide as high.
fn pack(blocks: &[Block]) -> Vec<Rect> {
    let mut best: Option<(f64, Vec<Rect>)> = None;
    for columns in 1..=blocks.len().min(12) {
        let places = pack_into(blocks, columns);
        let far = |f: fn(&Rect) -> f64| places.iter().map(f).fold(1.0, f64::max);
        let (width, height) = (far(|r| r.x + r.width), far(|r| r.y + r.height));
        let badness = (width / height / 1.4).ln().abs();
        if best.as_ref().is_none_or(|(least, _)| badness < *least) {
            best = Some((badness, places));
        }
    }
    best.map(|(_, places)| places).unwrap_or_default()
}

fn pack_into(blocks: &[Block], columns: usize) -> Vec<Rect> {
    // In order, each into the column that ends highest.
    let mut ends = vec![TITLE; columns];
    let mut widths = vec![0.0f64; columns];
    let mut chosen = Vec::with_capacity(blocks.len());
    for block in blocks {
        let column = (0..columns).min_by(|&a, &b| ends[a].total_cmp(&ends[b])).unwrap_or(0);
        chosen.push((column, ends[column]));
        ends[column] += block.height + MARGIN;
        widths[column] = widths[column].max(block.width);
    }
    let left = |column: usize| MARGIN + widths[..column].iter().map(|w| w + MARGIN).sum::<f64>();
    let place = |(block, (column, y)): (&Block, (usize, f64))| Rect {
        x: left(column),
        y,
        width: widths[column],
        height: block.height,
    };
    blocks.iter().zip(chosen).map(place).collect()
}

/// The points of each arrow, from the box that requires to the one that is required.
fn route(picture: &Picture, blocks: &[Block], places: &[Rect], boxes: &[Rect]) -> Vec<Vec<Vec<(f64, f64)>>> {
    let one = |at: usize, position: usize, to: usize| {
        let (from, onto, group) = (boxes[at], boxes[to], picture.nodes[at].group);
        let mut points = vec![(from.x, from.y + BOX / 2.0)];
        let lane = blocks[group].lanes.get(&(at, position));
        for &slot in lane.into_iter().flatten() {
            let slot = &blocks[group].slots[slot];
            let (left, width) = blocks[group].places[slot.column];
            let y = places[group].y + slot.y + slot.height / 2.0;
            points.push((places[group].x + left + width, y));
            points.push((places[group].x + left, y));
        }
        points.push((onto.x + onto.width, onto.y + BOX / 2.0));
        points
    };
    let of_node = |(at, node): (usize, &super::Drawn)| {
        node.requires.iter().enumerate().map(|(position, arrow)| one(at, position, arrow.to)).collect()
    };
    picture.nodes.iter().enumerate().map(of_node).collect()
}
