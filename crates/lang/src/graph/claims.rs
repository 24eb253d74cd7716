//! What nodes hold on their targets and nobody else may: a path, a port, a name.

use std::collections::hash_map::Entry;

use ecow::EcoString;
use rustc_hash::FxHashMap;

use crate::diag::codes::graph::CLAIM_CLASH;
use crate::diag::{Diagnostic, Place};

use super::id;
use super::node::LOCAL;

/// Who holds what, kept up to date while nodes come, change and go.
#[derive(Clone, Debug, Default)]
pub struct Claims {
    /// By target, then by claim.
    targets: FxHashMap<EcoString, FxHashMap<EcoString, Holders>>,
    /// How many claims are held by more than one node.
    clashing: usize,
    /// For how many claims the table of the first target has room.
    expected: usize,
    /// What nodes use together with others, and nobody may hold: by target, then by claim.
    shared: FxHashMap<EcoString, FxHashMap<EcoString, Holders>>,
}

/// The nodes that hold a claim. Nearly every claim has one, and there are as many claims as
/// nodes: no list for that.
#[derive(Clone, Debug)]
enum Holders {
    One(EcoString),
    /// At least two, sorted.
    Several(Vec<EcoString>),
}

impl Holders {
    fn all(&self) -> &[EcoString] {
        match self {
            Holders::One(id) => std::slice::from_ref(id),
            Holders::Several(ids) => ids,
        }
    }

    fn add(&mut self, node: &EcoString) {
        if let Err(at) = self.all().binary_search(node) {
            let mut ids = self.all().to_vec();
            ids.insert(at, node.clone());
            *self = Holders::Several(ids);
        }
    }

    /// What is left without a node.
    fn without(&self, node: &EcoString) -> Option<Self> {
        let mut ids: Vec<_> = self.all().iter().filter(|id| *id != node).cloned().collect();
        match ids.len() {
            0 | 1 => ids.pop().map(Holders::One),
            _ => Some(Holders::Several(ids)),
        }
    }
}

/// A claim with more than one holder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Clash {
    /// The target.
    pub target: EcoString,
    /// The claim, as the handler has it: `path:/etc/motd`.
    pub claim: EcoString,
    /// The nodes, at least two, sorted.
    pub nodes: Vec<EcoString>,
}

impl Claims {
    /// No claims yet, of about so many, nearly all on one target.
    pub fn expecting(claims: usize) -> Self {
        Claims { expected: claims, ..Claims::default() }
    }

    /// Says that a node that is to exist holds these claims on its target. Absent nodes hold
    /// nothing: what is present takes over from them.
    pub fn add(&mut self, node: &EcoString, target: &EcoString, claims: impl IntoIterator<Item = EcoString>) {
        let of_target = match self.targets.get_mut(target) {
            Some(claims) => claims,
            None => {
                let room = std::mem::take(&mut self.expected);
                let claims = FxHashMap::with_capacity_and_hasher(room, Default::default());
                self.targets.entry(target.clone()).or_insert(claims)
            }
        };
        for claim in claims {
            match of_target.entry(claim) {
                Entry::Vacant(free) => {
                    free.insert(Holders::One(node.clone()));
                }
                Entry::Occupied(mut held) => {
                    let before = held.get().all().len();
                    held.get_mut().add(node);
                    self.clashing += usize::from(before == 1 && held.get().all().len() > 1);
                }
            }
        }
    }

    /// Says that a node that is to exist uses this together with others, so that none may hold it.
    pub fn share(
        &mut self,
        node: &EcoString,
        target: &EcoString,
        shares: impl IntoIterator<Item = EcoString>,
    ) {
        let mut shares = shares.into_iter().peekable();
        if shares.peek().is_none() {
            return;
        }
        let of_target = self.shared.entry(target.clone()).or_default();
        for share in shares {
            match of_target.entry(share) {
                Entry::Vacant(free) => {
                    free.insert(Holders::One(node.clone()));
                }
                Entry::Occupied(mut users) => users.get_mut().add(node),
            }
        }
    }

    /// What one node holds and others use together.
    fn shared_clashes(&self) -> impl Iterator<Item = Clash> + '_ {
        let clash = |target: &EcoString, claim: &EcoString, users: &Holders| {
            let holders = self.targets.get(target)?.get(claim)?;
            let mut nodes: Vec<EcoString> = holders.all().iter().chain(users.all()).cloned().collect();
            nodes.sort();
            nodes.dedup();
            (nodes.len() > 1).then(|| Clash { target: target.clone(), claim: claim.clone(), nodes })
        };
        let all = self.shared.iter();
        all.flat_map(move |(target, shares)| shares.iter().filter_map(move |(s, u)| clash(target, s, u)))
    }

    /// Says that a node holds these claims no more.
    pub fn remove(
        &mut self,
        node: &EcoString,
        target: &EcoString,
        claims: impl IntoIterator<Item = EcoString>,
    ) {
        let Some(of_target) = self.targets.get_mut(target) else { return };
        for claim in claims {
            let Entry::Occupied(mut held) = of_target.entry(claim) else { continue };
            let before = held.get().all().len();
            match held.get().without(node) {
                Some(left) => {
                    self.clashing -= usize::from(before > 1 && left.all().len() == 1);
                    held.insert(left);
                }
                None => {
                    held.remove();
                }
            }
        }
        if of_target.is_empty() {
            self.targets.remove(target);
        }
    }

    /// The node that holds a claim on a target; of several the least by id.
    pub fn holder(&self, target: &str, claim: &str) -> Option<&EcoString> {
        self.targets.get(target)?.get(claim)?.all().first()
    }

    /// Everything that more than one node holds, by target and claim.
    pub fn clashes(&self) -> Vec<Clash> {
        if self.clashing == 0 && self.shared.is_empty() {
            return Vec::new();
        }
        let several = |target: &EcoString, (claim, holders): (&EcoString, &Holders)| match holders {
            Holders::Several(nodes) => {
                Some(Clash { target: target.clone(), claim: claim.clone(), nodes: nodes.clone() })
            }
            Holders::One(_) => None,
        };
        let targets = self.targets.iter();
        let mut clashes: Vec<Clash> =
            targets.flat_map(|(target, claims)| claims.iter().filter_map(|c| several(target, c))).collect();
        clashes.extend(self.shared_clashes());
        clashes.sort();
        clashes.dedup_by(|b, a| a.target == b.target && a.claim == b.claim);
        clashes
    }
}

/// What made a node: the constructor, and the data that caused it.
#[derive(Clone, Copy, Debug)]
pub struct Made {
    /// The constructor in the model.
    pub model: Place,
    /// The element in the data.
    pub data: Option<Place>,
}

/// The error of a clash, which names what made each of the nodes.
pub fn clash_error(clash: &Clash, made: &mut dyn FnMut(&EcoString) -> Made) -> Option<Diagnostic> {
    let (first, others) = clash.nodes.split_first()?;
    let on = match clash.target.as_str() {
        LOCAL => "the machine that deploys".to_owned(),
        target => format!("`{}`", id::shown(target)),
    };
    let all: Vec<String> = clash.nodes.iter().map(|node| format!("`{}`", id::shown(node))).collect();
    // `path:/etc/motd` reads "path `/etc/motd`".
    let what = match clash.claim.split_once(':') {
        Some((kind, rest)) => format!("{kind} `{rest}`"),
        None => format!("`{}`", clash.claim),
    };
    let both = if others.len() > 1 { "all" } else { "both" };
    let message = format!("{} {both} hold the {what} on {on}", all.join(" and "));
    let at = made(first);
    let label = |node: &EcoString| format!("`{}` is made here", id::shown(node));
    let mut diagnostic = Diagnostic::new(CLAIM_CLASH, at.model, message).at(label(first));
    let data = |diagnostic: Diagnostic, node: &EcoString, at: Made| match at.data {
        Some(place) => diagnostic.label(place, format!("`{}` comes from here", id::shown(node))),
        None => diagnostic,
    };
    diagnostic = data(diagnostic, first, at);
    for node in others {
        let at = made(node);
        diagnostic = data(diagnostic.label(at.model, label(node)), node, at);
    }
    Some(diagnostic.help("make one of them, or give one another place"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{FileId, Span};

    fn text(text: &str) -> EcoString {
        text.into()
    }

    #[test]
    fn claims_come_and_go() {
        let mut claims = Claims::default();
        let (host, path) = (text("H[name=h1]"), text("path:/etc/motd"));
        claims.add(&text("B[]"), &host, [path.clone()]);
        claims.add(&text("B[]"), &host, [path.clone()]);
        claims.add(&text("A[]"), &text(LOCAL), [path.clone()]);
        assert_eq!(claims.clashes(), []);
        claims.add(&text("m::A[x=1]"), &host, [path.clone(), text("port:80")]);
        assert_eq!(claims.holder(&host, &path), Some(&text("B[]")));
        let clash =
            Clash { target: host.clone(), claim: path.clone(), nodes: vec![text("B[]"), text("m::A[x=1]")] };
        assert_eq!(claims.clashes(), std::slice::from_ref(&clash));
        let place = |at| Place::span(FileId::new("model/a.gops"), Span::at(at));
        let error = clash_error(&clash, &mut |id| Made {
            model: place(id.len()),
            data: id.starts_with('m').then(|| Place::File(FileId::new("slices/a.yaml"))),
        });
        let error = error.unwrap();
        assert_eq!(error.message, "`B[]` and `A[x=1]` both hold the path `/etc/motd` on `H[name=h1]`");
        let labels: Vec<_> =
            error.labels.iter().map(|l| (l.place.file().path(), l.message.as_str())).collect();
        assert_eq!(
            labels,
            [
                ("model/a.gops", "`B[]` is made here"),
                ("model/a.gops", "`A[x=1]` is made here"),
                ("slices/a.yaml", "`A[x=1]` comes from here")
            ]
        );
        claims.remove(&text("B[]"), &host, [path.clone()]);
        assert_eq!(claims.clashes(), []);
        // Any number may share what nobody holds.
        claims.share(&text("C[]"), &host, [text("path:/etc/hosts"), path.clone()]);
        claims.share(&text("D[]"), &host, [text("path:/etc/hosts")]);
        let nodes = vec![text("C[]"), text("m::A[x=1]")];
        assert_eq!(claims.clashes(), [Clash { target: host.clone(), claim: path.clone(), nodes }]);
        assert_eq!(claims.holder(&host, &path), Some(&text("m::A[x=1]")));
        claims.remove(&text("m::A[x=1]"), &host, [path.clone(), text("port:80")]);
        assert_eq!(claims.holder(&host, &path), None);
    }
}
