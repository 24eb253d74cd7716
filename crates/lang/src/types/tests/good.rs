//! Models without a mistake.

use super::model;

fn assert_good(files: &[(&str, &str)]) {
    let model = model(files);
    assert!(model.checked.diagnostics.is_empty(), "{}", model.report());
}

#[test]
fn the_standard_library_and_the_examples_have_no_mistake() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");
    for entry in std::fs::read_dir(folder).expect("the examples are there") {
        let path = entry.expect("they can be listed").path().join("model/main.gops");
        let text = std::fs::read_to_string(&path).expect("it can be read");
        assert_good(&[("model/main.gops", &text)]);
    }
}
