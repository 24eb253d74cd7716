//! The standard library, which is part of the program.

/// Its modules: the file's name below `stdlib/` and its text, sorted by name.
pub fn modules() -> &'static [(&'static str, &'static str)] {
    MODULES
}

macro_rules! modules {
    ($($name:literal)*) => {
        static MODULES: &[(&str, &str)] =
            &[$((concat!($name, ".gops"), include_str!(concat!("../../../../stdlib/", $name, ".gops")))),*];
    };
}

modules! { "files" "history" "host" "ids" "net" "semver" "text" "time" "units" }
