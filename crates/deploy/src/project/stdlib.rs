//! The standard library, which is part of the program.

/// Its modules: the file's name below `stdlib/` and its text, sorted by name.
pub fn modules() -> &'static [(&'static str, &'static str)] {
    MODULES
}

/// The text of a file of it, as it is called in places: `std:net.gops`.
pub fn text(file: crate::base::FileId) -> Option<&'static str> {
    let name = file.path().strip_prefix("std:")?;
    MODULES.iter().find(|(of, _)| *of == name).map(|(_, text)| *text)
}

macro_rules! modules {
    ($($name:literal)*) => {
        static MODULES: &[(&str, &str)] =
            &[$((concat!($name, ".gops"), include_str!(concat!("../../../../stdlib/", $name, ".gops")))),*];
    };
}

modules! { "files" "history" "host" "ids" "net" "semver" "text" "time" "units" }
