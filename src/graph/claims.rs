//! What nodes hold on their targets and nobody else may: a path, a port, a name.

use ecow::EcoString;
use rustc_hash::FxHashMap;

use crate::diag::codes::graph::CLAIM_CLASH;
use crate::diag::{Diagnostic, Place};

use super::id;
use super::node::LOCAL;

/// Who holds what, kept up to date while nodes come, change and go.
#[derive(Clone, Debug, Default)]
pub struct Claims {
    /// By target and claim: the nodes that hold it, sorted; one, if nothing is wrong.
    holders: FxHashMap<(EcoString, EcoString), Holders>,
    /// How many are held by more than one.
    clashing: usize,
}

// Nearly every claim has one holder, and there are as many claims as nodes: no list for that.
#[derive(Clone, Debug)]
enum Holders {
    One(EcoString),
    Several(Vec<EcoString>),
}

impl Holders {
    fn all(&self) -> &[EcoString] {
        match self {
            Holders::One(id) => std::slice::from_ref(id),
            Holders::Several(ids) => ids,
        }
    }

    fn of(mut ids: Vec<EcoString>) -> Option<Self> {
        match ids.len() {
            0 => None,
            1 => ids.pop().map(Holders::One),
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
    /// Says that a node that is to exist holds these claims on its target. Absent nodes hold
    /// nothing: what is present takes over from them.
    pub fn add(&mut self, node: &EcoString, target: &EcoString, claims: impl IntoIterator<Item = EcoString>) {
        for claim in claims {
            self.change(target, claim, |ids| {
                if let Err(at) = ids.binary_search(node) {
                    ids.insert(at, node.clone());
                }
            });
        }
    }

    /// Says that a node holds these claims no more.
    pub fn remove(
        &mut self,
        node: &EcoString,
        target: &EcoString,
        claims: impl IntoIterator<Item = EcoString>,
    ) {
        for claim in claims {
            self.change(target, claim, |ids| ids.retain(|id| id != node));
        }
    }

    fn change(&mut self, target: &EcoString, claim: EcoString, change: impl FnOnce(&mut Vec<EcoString>)) {
        let key = (target.clone(), claim);
        let mut ids = self.holders.get(&key).map_or(Vec::new(), |h| h.all().to_vec());
        self.clashing -= usize::from(ids.len() > 1);
        change(&mut ids);
        self.clashing += usize::from(ids.len() > 1);
        match Holders::of(ids) {
            Some(holders) => self.holders.insert(key, holders),
            None => self.holders.remove(&key),
        };
    }

    /// The node that holds a claim on a target; of several the least by id.
    pub fn holder(&self, target: &EcoString, claim: &EcoString) -> Option<&EcoString> {
        self.holders.get(&(target.clone(), claim.clone()))?.all().first()
    }

    /// Everything that more than one node holds, by target and claim.
    pub fn clashes(&self) -> Vec<Clash> {
        if self.clashing == 0 {
            return Vec::new();
        }
        let several = self.holders.iter().filter_map(|((target, claim), holders)| match holders {
            Holders::Several(nodes) => {
                Some(Clash { target: target.clone(), claim: claim.clone(), nodes: nodes.clone() })
            }
            Holders::One(_) => None,
        });
        let mut clashes: Vec<Clash> = several.collect();
        clashes.sort();
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
        target => format!("`{}`", id::short(target)),
    };
    let all: Vec<String> = clash.nodes.iter().map(|node| format!("`{}`", id::short(node))).collect();
    // `path:/etc/motd` reads "path `/etc/motd`".
    let what = match clash.claim.split_once(':') {
        Some((kind, rest)) => format!("{kind} `{rest}`"),
        None => format!("`{}`", clash.claim),
    };
    let both = if others.len() > 1 { "all" } else { "both" };
    let message = format!("{} {both} hold the {what} on {on}", all.join(" and "));
    let at = made(first);
    let label = |node: &EcoString| format!("`{}` is made here", id::short(node));
    let mut diagnostic = Diagnostic::new(CLAIM_CLASH, at.model, message).at(label(first));
    let data = |diagnostic: Diagnostic, node: &EcoString, at: Made| match at.data {
        Some(place) => diagnostic.label(place, format!("`{}` comes from here", id::short(node))),
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
        assert_eq!(claims.clashes(), [clash.clone()]);
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
        assert_eq!(claims.holder(&host, &path), Some(&text("m::A[x=1]")));
        claims.remove(&text("m::A[x=1]"), &host, [path.clone(), text("port:80")]);
        assert_eq!(claims.holder(&host, &path), None);
    }
}
