//! The builtins: one row each, with its signature, what it does, and an example that a test
//! evaluates. The evaluator has one arm for each in `eval::builtins`.
//!
//! Chosen from what jsonnet's and Inmanta's standard libraries offer. Left out on purpose: clocks, randomness, the environment and every other I/O; functions of floats
//! whose last bit depends on the machine (`log`, `sin`, `exp`); digests that are broken (`md5`,
//! `sha1`); source text of other languages (Python, XML from lists); and what an expression says
//! as well (`std.objectHas` is `in`, `std.makeArray` a comprehension, `std.format` an
//! interpolation, `inlineif` is `if`).

/// One row of the table.
#[derive(Debug)]
pub struct BuiltinInfo {
    /// Which.
    pub builtin: Builtin,
    /// Its name in models. Several rows may share a name: the first whose receiver and
    /// arguments fit is meant.
    pub name: &'static str,
    /// `list<T>.map(f: (T) => U) -> list<U>`.
    ///
    /// - Single capitals are type variables. `K` is a type that can be a key; `N` is `int`,
    ///   `float`, `duration` or `size` (one of them for all `N` of a signature); `O` has an order:
    ///   `N`, `bool`, `string`, an enum, a reference, or a list or optional of these; any other
    ///   letter is any type.
    /// - `seq<T>` is a `list<T>`, a `set<T>` or, for int, a range.
    /// - `a?: T` may be left out; parameters are given in order, or by name.
    /// - `{a: T, b: U}` is a record without a declared type; `(T, U) => V` a function value.
    /// - A brace literal as a receiver is checked against the receiver's type: `{"a": 1}.len()`.
    /// - A row with a receiver is called as `x.name(…)`, or as `name(x, …)`; one without only
    ///   as `name(…)`.
    pub signature: &'static str,
    /// What it does.
    pub docs: &'static str,
    /// An expression that is true.
    pub example: &'static str,
}

impl Builtin {
    /// Its row.
    pub fn info(self) -> &'static BuiltinInfo {
        &BUILTINS[self as usize]
    }
}

macro_rules! builtins {
    ($($builtin:ident = $name:literal $signature:literal, $docs:literal, $example:literal;)*) => {
        /// A builtin function.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[allow(missing_docs)]
        pub enum Builtin { $($builtin),* }

        /// All rows, in the order of the reference.
        pub static BUILTINS: &[BuiltinInfo] = &[$(BuiltinInfo {
            builtin: Builtin::$builtin,
            name: $name,
            signature: $signature,
            docs: $docs,
            example: $example,
        }),*];
    };
}

builtins! {
    // Text.
    StringLen = "len" "string.len() -> int", "The number of Unicode scalar values.", r#""añb".len() == 3"#;
    StringIsEmpty = "is_empty" "string.is_empty() -> bool", "Whether it has no characters.",
        r#""".is_empty()"#;
    StringContains = "contains" "string.contains(part: string) -> bool", "Whether `part` stands in it.",
        r#""example".contains("amp")"#;
    StartsWith = "starts_with" "string.starts_with(prefix: string) -> bool", "Whether it starts with `prefix`.",
        r#""/srv/www".starts_with("/srv")"#;
    EndsWith = "ends_with" "string.ends_with(suffix: string) -> bool", "Whether it ends with `suffix`.",
        r#""a.conf".ends_with(".conf")"#;
    Split = "split" "string.split(separator: string, most?: int) -> list<string>",
        "The parts between the separators; with an empty separator, the characters. With `most`, so many parts at most: the last one is what is left.",
        r#""a,b,,c".split(",") == ["a", "b", "", "c"] and "a:b:c".split(":", most: 2) == ["a", "b:c"]"#;
    SplitOnce = "split_once" "string.split_once(separator: string) -> {after: string, before: string}?",
        "What stands before and after the first separator; null without one.",
        r#""key=a=b".split_once("=")?.after == "a=b""#;
    SplitLast = "split_last" "string.split_last(separator: string) -> {after: string, before: string}?",
        "What stands before and after the last separator; null without one.",
        r#""a.b.c".split_last(".")?.before == "a.b""#;
    Lines = "lines" "string.lines() -> list<string>",
        "Its lines without their ends (`\\n` or `\\r\\n`); a final line end adds no empty line.",
        r#""a\nb\n".lines() == ["a", "b"]"#;
    Words = "words" "string.words() -> list<string>", "The parts between white space.",
        r#"" a  b ".words() == ["a", "b"]"#;
    Chars = "chars" "string.chars() -> list<string>", "Its Unicode scalar values, one string each.",
        r#""añ".chars() == ["a", "ñ"]"#;
    StringIndexOf = "index_of" "string.index_of(part: string) -> int?",
        "The position of the first `part`, in characters; null without one.",
        r#""a=b".index_of("=") == 1"#;
    IndexesOf = "indexes_of" "string.indexes_of(part: string) -> list<int>",
        "Where `part` stands, also where it overlaps itself.", r#""banana".indexes_of("ana") == [1, 3]"#;
    StringCount = "count" "string.count(part: string) -> int", "How often `part` stands in it, without overlaps.",
        r#""banana".count("an") == 2"#;
    Trim = "trim" "string.trim(chars?: string) -> string",
        "Without white space, or without any of `chars`, at both ends.", r#""--a--".trim("-") == "a""#;
    TrimStart = "trim_start" "string.trim_start(chars?: string) -> string",
        "Without white space, or without any of `chars`, at the start.", r#"" a ".trim_start() == "a ""#;
    TrimEnd = "trim_end" "string.trim_end(chars?: string) -> string",
        "Without white space, or without any of `chars`, at the end.", r#""/srv//".trim_end("/") == "/srv""#;
    RemovePrefix = "remove_prefix" "string.remove_prefix(prefix: string) -> string",
        "Without `prefix`, if it starts with it.", r#""v1.2".remove_prefix("v") == "1.2""#;
    RemoveSuffix = "remove_suffix" "string.remove_suffix(suffix: string) -> string",
        "Without `suffix`, if it ends with it.", r#""a.gz".remove_suffix(".gz") == "a""#;
    Upper = "upper" "string.upper() -> string", "In upper case, by Unicode, the same in every locale.",
        r#""straße".upper() == "STRASSE""#;
    Lower = "lower" "string.lower() -> string", "In lower case, by Unicode, the same in every locale.",
        r#""ÄB".lower() == "äb""#;
    Title = "title" "string.title() -> string",
        "The first letter of each word in upper case, the rest as it is; words end at what is no letter or digit.",
        r#""web-site one".title() == "Web-Site One""#;
    Capitalize = "capitalize" "string.capitalize() -> string", "The first letter in upper case, the rest as it is.",
        r#""a site".capitalize() == "A site""#;
    Replace = "replace" "string.replace(from: string, to: string) -> string", "With every `from` replaced by `to`.",
        r#""a.b.c".replace(".", "-") == "a-b-c""#;
    ReplaceMatches = "replace_matches" "string.replace_matches(pattern: string, to: string) -> string",
        "With every match of a regular expression replaced; `$1` and `${name}` in `to` stand for groups.",
        r#""a1b22".replace_matches(r"[0-9]+", "_") == "a_b_""#;
    StringRepeat = "repeat" "string.repeat(count: int) -> string", "So many times, one after the other.",
        r#""ab".repeat(2) == "abab""#;
    PadStart = "pad_start" "string.pad_start(width: int, fill?: string) -> string",
        "With `fill` (a space) before it until it has `width` characters.", r#""7".pad_start(3, "0") == "007""#;
    PadEnd = "pad_end" "string.pad_end(width: int, fill?: string) -> string",
        "With `fill` (a space) after it until it has `width` characters.", r#""a".pad_end(3, ".") == "a..""#;
    Matches = "matches" "string.matches(pattern: string) -> bool",
        "Whether the whole string matches a regular expression.", r#""web-1".matches(r"[a-z]+-[0-9]+")"#;
    Captures = "captures" "string.captures(pattern: string) -> list<string>?",
        "If the whole string matches: all of it, then each group of the regular expression (empty if it took no part); else null.",
        r#""web-1".captures(r"([a-z]+)-([0-9]+)") == ["web-1", "web", "1"]"#;
    FindMatches = "find_matches" "string.find_matches(pattern: string) -> list<string>",
        "Every match of a regular expression, from left to right, without overlaps.",
        r#""a1b22".find_matches(r"[0-9]+") == ["1", "22"]"#;
    StringReversed = "reversed" "string.reversed() -> string", "Its characters from the last to the first.",
        r#""abc".reversed() == "cba""#;
    Indent = "indent" "string.indent(width: int) -> string",
        "With so many spaces before each line that is not empty.", r#""a\n\nb".indent(2) == "  a\n\n  b""#;
    Dedent = "dedent" "string.dedent() -> string",
        "Without the white space that all lines that are not empty start with.", r#""  a\n    b".dedent() == "a\n  b""#;
    CodePoints = "code_points" "string.code_points() -> list<int>", "The numbers of its Unicode scalar values.",
        r#""aé".code_points() == [97, 233]"#;
    FromCodePoints = "from_code_points" "list<int>.from_code_points() -> string",
        "The string of these Unicode scalar values.", r#"[97, 233].from_code_points() == "aé""#;
    StringBytes = "bytes" "string.bytes() -> list<int>", "The bytes of its UTF-8.", r#""é".bytes() == [195, 169]"#;
    FromBytes = "from_bytes" "list<int>.from_bytes() -> string", "The text of these bytes, which are UTF-8.",
        r#"[195, 169].from_bytes() == "é""#;
    ShellQuoted = "shell_quoted" "string.shell_quoted() -> string", "As one word of a POSIX shell: in quotes, unless it needs none.",
        r#""it's".shell_quoted() == r"'it'\''s'""#;
    XmlEscaped = "xml_escaped" "string.xml_escaped() -> string",
        "With `<`, `>`, `&` and quotes as XML and HTML want them.", r#""a<b".xml_escaped() == "a&lt;b""#;

    // Lists and sets.
    ListLen = "len" "seq<T>.len() -> int", "The number of elements.", "[1, 2].len() == 2";
    ListIsEmpty = "is_empty" "seq<T>.is_empty() -> bool", "Whether it has no elements.", "not [1].is_empty()";
    ListContains = "contains" "seq<T>.contains(value: T) -> bool", "Whether one of its elements equals `value`.",
        "[1, 2].contains(2)";
    ListIndexOf = "index_of" "list<T>.index_of(value: T) -> int?",
        "The index of the first element that equals `value`; null without one.", "[5, 6].index_of(6) == 1";
    First = "first" "seq<T>.first() -> T?", "The first element; null if there is none.", "[1, 2].first() == 1";
    Last = "last" "seq<T>.last() -> T?", "The last element; null if there is none.", "[1, 2].last() == 2";
    ListGet = "get" "list<T>.get(index: int) -> T?",
        "The element at an index; null if there is none.", "[1, 2].get(7) == null";
    ListMap = "map" "seq<T>.map(f: (T) => U) -> list<U>", "What `f` makes of each element.",
        "[1, 2].map(x => x + 1) == [2, 3]";
    FlatMap = "flat_map" "seq<T>.flat_map(f: (T) => seq<U>) -> list<U>",
        "All that `f` makes of each element, one after the other.", "[1, 2].flat_map(x => [x, x * 10]) == [1, 10, 2, 20]";
    ListFilter = "filter" "seq<T>.filter(f: (T) => bool) -> list<T>", "The elements for which `f` is true.",
        "[1, 2, 3].filter(x => x > 1) == [2, 3]";
    FilterMap = "filter_map" "seq<T>.filter_map(f: (T) => U?) -> list<U>",
        "What `f` makes of each element, where it is not null.",
        r#"["1", "x"].filter_map(s => s.parse_int()) == [1]"#;
    Compact = "compact" "seq<T?>.compact() -> list<T>", "The elements that are not null.",
        "[1, null, 2].compact() == [1, 2]";
    Fold = "fold" "seq<T>.fold(start: U, f: (U, T) => U) -> U",
        "`start`, then what `f` makes of it and each element in turn.", "[1, 2, 3].fold(10, (sum, x) => sum + x) == 16";
    Any = "any" "seq<T>.any(f: (T) => bool) -> bool", "Whether `f` is true for one of the elements.",
        "[1, 2].any(x => x > 1)";
    All = "all" "seq<T>.all(f: (T) => bool) -> bool", "Whether `f` is true for all elements.",
        "[1, 2].all(x => x > 0)";
    Find = "find" "seq<T>.find(f: (T) => bool) -> T?", "The first element for which `f` is true; null without one.",
        "[1, 2, 3].find(x => x > 1) == 2";
    ListCount = "count" "seq<T>.count(f: (T) => bool) -> int", "For how many elements `f` is true.",
        "[1, 2, 3].count(x => x > 1) == 2";
    Sorted = "sorted" "seq<O>.sorted() -> list<O>", "From the least to the greatest; equal ones keep their order.",
        "[3, 1, 2].sorted() == [1, 2, 3]";
    SortedBy = "sorted" "seq<T>.sorted(by: (T) => O) -> list<T>",
        "From the least to the greatest by what `by` makes of each; equal ones keep their order.",
        r#"["bb", "a"].sorted(by: s => s.len()) == ["a", "bb"]"#;
    Unique = "unique" "seq<T>.unique() -> list<T>", "Each element once, where it stands first.",
        "[2, 1, 2].unique() == [2, 1]";
    UniqueBy = "unique" "seq<T>.unique(by: (T) => U) -> list<T>",
        "The first element of those of which `by` makes the same.", "[1, 2, 3].unique(by: x => x % 2) == [1, 2]";
    Duplicates = "duplicates" "seq<T>.duplicates() -> list<T>", "Each element that stands there more than once, once.",
        "[2, 1, 2, 2].duplicates() == [2]";
    Flatten = "flatten" "seq<seq<T>>.flatten() -> list<T>", "The elements of the elements.",
        "[[1], [], [2, 3]].flatten() == [1, 2, 3]";
    ListReversed = "reversed" "seq<T>.reversed() -> list<T>", "From the last to the first.",
        "[1, 2].reversed() == [2, 1]";
    Zip = "zip" "seq<T>.zip(other: seq<U>) -> list<{first: T, second: U}>",
        "Pairs of elements with the same index, as many as the shorter one has.",
        r#"[1, 2].zip(["a", "b"])[1].second == "b""#;
    Enumerate = "enumerate" "seq<T>.enumerate(start?: int) -> map<int, T>",
        "Each element by its index, from `start` (0): `for i, x in xs.enumerate()`.",
        r#"["a", "b"].enumerate()[1] == "b""#;
    GroupBy = "group_by" "seq<T>.group_by(f: (T) => K) -> map<K, list<T>>",
        "The elements by what `f` makes of them, in their order.",
        "[1, 2, 3].group_by(x => x % 2)[1] == [1, 3]";
    IndexBy = "index_by" "seq<T>.index_by(f: (T) => K) -> map<K, T>",
        "Each element by what `f` makes of it; the same for two is an error.",
        r#"["a", "bb"].index_by(s => s.len())[2] == "bb""#;
    Take = "take" "seq<T>.take(count: int) -> list<T>", "The first elements, at most `count`.",
        "[1, 2, 3].take(2) == [1, 2]";
    Skip = "skip" "seq<T>.skip(count: int) -> list<T>", "All but the first `count` elements.",
        "[1, 2, 3].skip(2) == [3]";
    Chunks = "chunks" "seq<T>.chunks(size: int) -> list<list<T>>",
        "Lists of `size` elements each, the last one of what is left.", "[1, 2, 3].chunks(2) == [[1, 2], [3]]";
    ListWithout = "without" "list<T>.without(values: seq<T>) -> list<T>", "The elements that equal none of `values`.",
        "[1, 2, 3].without([2]) == [1, 3]";
    WithoutAt = "without_at" "list<T>.without_at(index: int) -> list<T>", "Without the element at this place.",
        r#"["a", "b", "a"].without_at(0) == ["b", "a"]"#;
    ListRepeat = "repeat" "list<T>.repeat(count: int) -> list<T>", "So many times, one after the other.",
        "[1, 2].repeat(2) == [1, 2, 1, 2]";
    ListSum = "sum" "seq<N>.sum() -> N", "All of them added; of none, 0.", "[1, 2, 3].sum() == 6";
    ListMin = "min" "seq<O>.min() -> O?", "The least element; null if there is none.", "[2, 1].min() == 1";
    ListMinBy = "min" "seq<T>.min(by: (T) => O) -> T?",
        "The first element of which `by` makes the least; null if there is none.",
        r#"["bb", "a"].min(by: s => s.len()) == "a""#;
    ListMax = "max" "seq<O>.max() -> O?", "The greatest element; null if there is none.", "[2, 1].max() == 2";
    ListMaxBy = "max" "seq<T>.max(by: (T) => O) -> T?",
        "The first element of which `by` makes the greatest; null if there is none.",
        r#"["bb", "a"].max(by: s => s.len()) == "bb""#;
    Average = "average" "seq<float>.average() -> float?", "The sum, divided by the number; null if there is none.",
        "[1.0, 2.0].average() == 1.5";
    Join = "join" "seq<string>.join(separator?: string) -> string", "One after the other, `separator` between them.",
        r#"["a", "b"].join(", ") == "a, b""#;
    ToSet = "to_set" "seq<T>.to_set() -> set<T>", "Each element once, in order.", "[2, 1, 2].to_set().len() == 2";
    ToList = "to_list" "seq<T>.to_list() -> list<T>", "The elements in order.", "[2, 1].to_set().to_list() == [1, 2]";
    ToMap = "to_map" "seq<{key: K, value: T}>.to_map() -> map<K, T>",
        "The map of these entries; the same key twice is an error.",
        r#"{"a": 1}.entries().to_map()["a"] == 1"#;
    Union = "union" "seq<T>.union(other: seq<T>) -> set<T>", "What is in either.",
        "[1, 2].union([2, 3]).to_list() == [1, 2, 3]";
    Intersection = "intersection" "seq<T>.intersection(other: seq<T>) -> set<T>", "What is in both.",
        "[1, 2].intersection([2, 3]).to_list() == [2]";
    Difference = "difference" "seq<T>.difference(other: seq<T>) -> set<T>", "What is not in `other`.",
        "[1, 2].difference([2, 3]).to_list() == [1]";
    IsSubset = "is_subset" "seq<T>.is_subset(other: seq<T>) -> bool", "Whether all of it is in `other`.",
        "[1].is_subset([1, 2])";
    Range = "range" "range(start: int, end: int, step?: int) -> list<int>",
        "The ints from `start` up to, not with, `end`, `step` (1) apart; down if `step` is negative.",
        "range(1, 7, 2) == [1, 3, 5]";

    // Maps.
    MapLen = "len" "map<K, V>.len() -> int", "The number of entries.", r#"{"a": 1}.len() == 1"#;
    MapIsEmpty = "is_empty" "map<K, V>.is_empty() -> bool", "Whether it has no entries.",
        r#"not {"a": 1}.is_empty()"#;
    MapContains = "contains" "map<K, V>.contains(key: K) -> bool", "Whether it has this key.",
        r#"{"a": 1}.contains("a")"#;
    MapGet = "get" "map<K, V>.get(key: K) -> V?", "The value of a key; null without one.",
        r#"{"a": 1}.get("b") == null"#;
    Keys = "keys" "map<K, V>.keys() -> list<K>", "The keys in order.", r#"{"b": 1, "a": 2}.keys() == ["a", "b"]"#;
    Values = "values" "map<K, V>.values() -> list<V>", "The values in the order of their keys.",
        r#"{"b": 1, "a": 2}.values() == [2, 1]"#;
    Entries = "entries" "map<K, V>.entries() -> list<{key: K, value: V}>", "The entries in the order of their keys.",
        r#"{"a": 1}.entries()[0].key == "a""#;
    MergeDeep = "merge" "merge(a: any, b: any) -> any",
        "Mappings merged at every level, `b` before `a`; any other value of `b` takes the place of that of `a`.",
        r#"merge("a: {x: 1}".from_yaml(), "a: {y: 2}".from_yaml()).a?.x == 1"#;
    MergePatch = "merge_patch" "merge_patch(a: any, patch: any) -> any",
        "A JSON merge patch (RFC 7396): mappings are merged at every level, and null takes a key out.",
        r#"merge_patch("a: 1\nb: 2".from_yaml(), "a: null\nc: 3".from_yaml()) == "b: 2\nc: 3".from_yaml()"#;
    Prune = "prune" "prune(value: any) -> any",
        "Without what is null, an empty list or an empty mapping, at every level.",
        r#"prune("a: [null]\nb: {c: {}}\nd: 0".from_yaml()) == "d: 0".from_yaml()"#;
    MapMerge = "merge" "map<K, V>.merge(other: map<K, V>) -> map<K, V>",
        "The entries of both; where both have a key, that of `other`.",
        r#"{"a": 1, "b": 1}.merge({"b": 2}) == {"a": 1, "b": 2}"#;
    MapWithout = "without" "map<K, V>.without(keys: seq<K>) -> map<K, V>", "Without the entries of these keys.",
        r#"{"a": 1, "b": 2}.without(["a"]) == {"b": 2}"#;
    MapWithoutKey = "without" "map<K, V>.without(key: K) -> map<K, V>", "Without the entry of this key.",
        r#"{"a": 1, "b": 2}.without("a") == {"b": 2}"#;
    MapFilter = "filter" "map<K, V>.filter(f: (K, V) => bool) -> map<K, V>", "The entries for which `f` is true.",
        r#"{"a": 1, "b": 2}.filter((k, v) => v > 1) == {"b": 2}"#;
    MapValues = "map_values" "map<K, V>.map_values(f: (V) => U) -> map<K, U>",
        "What `f` makes of each value, under the same keys.", r#"{"a": 1}.map_values(v => v + 1) == {"a": 2}"#;
    MapCompact = "compact" "map<K, V?>.compact() -> map<K, V>", "The entries whose value is not null.",
        r#"{"a": 1, "b": null}.compact() == {"a": 1}"#;

    // Numbers.
    Abs = "abs" "N.abs() -> N", "Without its sign.", "(-3).abs() == 3";
    Sign = "sign" "N.sign() -> int", "-1, 0 or 1.", "(-3).sign() == -1";
    Floor = "floor" "float.floor() -> int", "The next int down.", "(-1.5).floor() == -2";
    Ceil = "ceil" "float.ceil() -> int", "The next int up.", "1.2.ceil() == 2";
    Round = "round" "float.round() -> int", "The nearest int; a half goes away from zero.", "2.5.round() == 3";
    RoundTo = "round" "float.round(digits: int) -> float", "The nearest float with so many decimals (at most 15).",
        "3.14159.round(2) == 3.14";
    Fixed = "fixed" "float.fixed(digits: int) -> string", "With exactly so many decimals (at most 100).",
        r#"2.5.fixed(2) == "2.50""#;
    Clamp = "clamp" "O.clamp(min: O, max: O) -> O", "The nearest value between `min` and `max`.",
        "12.clamp(0, 10) == 10";
    Min2 = "min" "min(a: O, b: O) -> O", "The lesser one.", "min(2, 1) == 1";
    Max2 = "max" "max(a: O, b: O) -> O", "The greater one.", "max(2, 1) == 2";
    Pow = "pow" "int.pow(exponent: int) -> int", "Multiplied by itself; the exponent is not negative.",
        "2.pow(10) == 1024";
    Sqrt = "sqrt" "float.sqrt() -> float", "The square root; of a negative number an error.", "9.0.sqrt() == 3.0";
    Modulo = "modulo" "int.modulo(by: int) -> int", "The remainder that is never negative.", "(-1).modulo(8) == 7";
    DivCeil = "div_ceil" "int.div_ceil(by: int) -> int", "The quotient, rounded up.", "7.div_ceil(2) == 4";
    BitAnd = "bit_and" "int.bit_and(other: int) -> int", "The bits that both have.", "6.bit_and(3) == 2";
    BitOr = "bit_or" "int.bit_or(other: int) -> int", "The bits that either has.", "6.bit_or(3) == 7";
    BitXor = "bit_xor" "int.bit_xor(other: int) -> int", "The bits that one alone has.", "6.bit_xor(3) == 5";
    ShiftLeft = "shift_left" "int.shift_left(bits: int) -> int", "Multiplied by two so often; an overflow is an error.",
        "1.shift_left(10) == 1024";
    ShiftRight = "shift_right" "int.shift_right(bits: int) -> int", "Divided by two so often, rounded down.",
        "1024.shift_right(10) == 1";
    StringToInt = "int" "string.int(base?: int) -> int",
        "The int that it spells, in base 10 or another one up to 36; anything else is an error.",
        r#""ff".int(16) == 255"#;
    FloatToInt = "int" "float.int() -> int", "Without its fraction.", "(-1.9).int() == -1";
    ParseInt = "parse_int" "string.parse_int(base?: int) -> int?",
        "The int that it spells, in base 10 or another one up to 36; else null.", r#""x".parse_int() == null"#;
    IntToFloat = "float" "int.float() -> float", "The same as a float.", "2.float() == 2.0";
    StringToFloat = "float" "string.float() -> float", "The float that it spells; anything else is an error.",
        r#""1.5".float() == 1.5"#;
    ParseFloat = "parse_float" "string.parse_float() -> float?", "The float that it spells; else null.",
        r#""1e3".parse_float() == 1000.0"#;
    ToBase = "to_base" "int.to_base(base: int) -> string", "Its digits in a base from 2 to 36, in lower case.",
        r#"493.to_base(8) == "755""#;
    ToString = "string" "T.string() -> string", "As in an interpolation; a list or record as JSON.",
        r#"1h30m.string() == "1h30m""#;
    ParseSize = "size" "string.size() -> size", "The size that it spells; anything else is an error.",
        r#""2GiB".size() == 2048MiB"#;
    SizeBytes = "bytes" "size.bytes() -> int", "The number of bytes.", "2KiB.bytes() == 2048";
    ParseDuration = "duration" "string.duration() -> duration", "The duration that it spells; anything else is an error.",
        r#""90m".duration() == 1h30m"#;
    Seconds = "seconds" "duration.seconds() -> int", "The number of whole seconds.", "1500ms.seconds() == 1";
    Milliseconds = "milliseconds" "duration.milliseconds() -> int", "The number of whole milliseconds.",
        "1s.milliseconds() == 1000";

    // Documents.
    ToJson = "to_json" "T.to_json() -> string",
        "As canonical JSON: keys sorted, no white space; durations, sizes and enums as in an interpolation; null fields of structs and records left out.",
        r##"{b: 1h, a: [1, 2]}.to_json() == r#"{"a":[1,2],"b":"1h"}"#"##;
    ToJsonPretty = "to_json" "T.to_json(indent: int) -> string",
        "As JSON over several lines, each level indented by so many spaces.", r#"[1].to_json(2) == "[\n  1\n]""#;
    FromJson = "from_json" "string.from_json() -> any", "The value of a JSON text.",
        r#""{\"a\": 1}".from_json().a == 1"#;
    ToYaml = "to_yaml" "T.to_yaml() -> string", "As YAML in block style, keys sorted.",
        r#"{a: ["x", "yes"]}.to_yaml() == "a:\n  - x\n  - \"yes\"\n""#;
    ToYamlStream = "to_yaml_stream" "seq<T>.to_yaml_stream() -> string",
        "Several YAML documents in one text, each after a line `---`.",
        r#"[1, 2].to_yaml_stream() == "---\n1\n---\n2\n""#;
    FromYaml = "from_yaml" "string.from_yaml() -> any", "The value of a YAML text of one document.",
        r#""a: [1]".from_yaml().a == [1]"#;
    ToToml = "to_toml" "T.to_toml() -> string", "As TOML, keys sorted; a null has no place in it.",
        r#"{a: 1, t: {b: "x"}}.to_toml() == "a = 1\n\n[t]\nb = \"x\"\n""#;
    FromToml = "from_toml" "string.from_toml() -> any", "The value of a TOML text; dates are strings.",
        r#""a = 1".from_toml().a == 1"#;
    ToIni = "to_ini" "T.to_ini() -> string",
        "As an INI file: scalars first, then a section for each mapping; a list repeats its key.",
        r#"{a: 1, s: {b: true}}.to_ini() == "a = 1\n\n[s]\nb = true\n""#;
    Base64 = "base64" "string.base64() -> string", "Its UTF-8 bytes in base 64, padded.", r#""hi".base64() == "aGk=""#;
    FromBase64 = "from_base64" "string.from_base64() -> string", "The text of base 64, which must be UTF-8.",
        r#""aGk=".from_base64() == "hi""#;
    IsBase64 = "is_base64" "string.is_base64() -> bool", "Whether it is base 64, with its padding.",
        r#""YQ==".is_base64() and not "YQ".is_base64()"#;
    StringHex = "hex" "string.hex() -> string", "Its UTF-8 bytes as hexadecimal digits.", r#""hi".hex() == "6869""#;
    IntHex = "hex" "int.hex() -> string", "As hexadecimal digits in lower case.", r#"255.hex() == "ff""#;
    FromHex = "from_hex" "string.from_hex() -> string", "The text of hexadecimal digits, which must be UTF-8.",
        r#""6869".from_hex() == "hi""#;
    UrlEncoded = "url_encoded" "string.url_encoded() -> string",
        "With everything but letters, digits and `-._~` as `%` and hexadecimal digits.",
        r#""a b/ü".url_encoded() == "a%20b%2F%C3%BC""#;
    UrlDecoded = "url_decoded" "string.url_decoded() -> string", "With every `%` and two digits as that byte.",
        r#""a%20b".url_decoded() == "a b""#;
    Sha256 = "sha256" "string.sha256() -> string", "The SHA-256 of its UTF-8 bytes, in hexadecimal digits.",
        r#""".sha256().starts_with("e3b0c442")"#;
    Sha512 = "sha512" "string.sha512() -> string", "The SHA-512 of its UTF-8 bytes, in hexadecimal digits.",
        r#""".sha512().starts_with("cf83e135")"#;
    Crc32 = "crc32" "string.crc32() -> int", "The CRC-32 (of zlib) of its UTF-8 bytes.",
        r#""123456789".crc32() == 3421780262"#;
    Uuid5 = "uuid5" "uuid5(namespace: string, name: string) -> string",
        "The UUID of a name in a namespace: `dns`, `url`, `oid`, `x500` or a UUID.",
        r#"uuid5("dns", "python.org") == "886313e1-3b8a-5372-9b90-0c9aee199e5d""#;
    Kind = "kind" "kind(value: any) -> string",
        "`null`, `bool`, `int`, `float`, `string`, `duration`, `size`, `list` or `map`.", r#"kind([1]) == "list""#;

    // Paths.
    Basename = "basename" "string.basename() -> string", "The last part of a path.", r#""/a/b.txt".basename() == "b.txt""#;
    Dirname = "dirname" "string.dirname() -> string", "A path without its last part; `.` without a folder.",
        r#""/a/b.txt".dirname() == "/a""#;
    Extension = "extension" "string.extension() -> string?",
        "What follows the last dot of the last part of a path; null without one.", r#""/a/b.tar.gz".extension() == "gz""#;
    JoinPath = "join_path" "string.join_path(part: string) -> string",
        "The path of `part` in a folder, without `.`, `..` and doubled slashes; an absolute `part` stays as it is.",
        r#""/srv/www".join_path("../a") == "/srv/a""#;
    Relative = "relative" "string.relative(base: string) -> string", "The way from `base` to a path, both absolute or both not.",
        r#""/srv/a/b".relative("/srv/c") == "../a/b""#;

    // Networks.
    IsIp = "is_ip" "string.is_ip() -> bool", "Whether it is an IPv4 or IPv6 address.", r#""2001:db8::1".is_ip()"#;
    IsIpv4 = "is_ipv4" "string.is_ipv4() -> bool", "Whether it is an IPv4 address.", r#""192.0.2.1".is_ipv4()"#;
    IsIpv6 = "is_ipv6" "string.is_ipv6() -> bool", "Whether it is an IPv6 address.", r#"not "192.0.2.1".is_ipv6()"#;
    IsNetwork = "is_network" "string.is_network() -> bool",
        "Whether it is an IPv4 or IPv6 network: an address, `/`, a prefix length, and no bit of a host.",
        r#""10.0.0.0/8".is_network() and not "10.0.0.1/8".is_network()"#;
    IsMac = "is_mac" "string.is_mac() -> bool", "Whether it is a MAC address of six bytes, with `:` or `-`.",
        r#""02:00:00:00:00:0a".is_mac()"#;
    Network = "network" "string.network() -> string", "The network that an address with a prefix length is in.",
        r#""10.1.2.3/16".network() == "10.1.0.0/16""#;
    NetworkAddress = "network_address" "string.network_address() -> string", "The first address of a network.",
        r#""10.1.2.3/16".network_address() == "10.1.0.0""#;
    Broadcast = "broadcast" "string.broadcast() -> string", "The last address of a network.",
        r#""10.1.0.0/16".broadcast() == "10.1.255.255""#;
    Netmask = "netmask" "string.netmask() -> string", "The mask of a network, as an address.",
        r#""10.1.0.0/16".netmask() == "255.255.0.0""#;
    PrefixLength = "prefix_length" "string.prefix_length() -> int", "The prefix length of a network.",
        r#""10.1.0.0/16".prefix_length() == 16"#;
    Hosts = "hosts" "string.hosts() -> list<string>",
        "The addresses for hosts of a network: without the first and last one of IPv4, and the first one of IPv6, where there are more than two.",
        r#""192.0.2.0/30".hosts() == ["192.0.2.1", "192.0.2.2"]"#;
    Subnet = "subnet" "string.subnet(prefix_length: int, index: int) -> string",
        "The network with that prefix length and number inside of a network; from the end if negative.",
        r#""10.0.0.0/16".subnet(24, 3) == "10.0.3.0/24""#;
    NthHost = "nth_host" "string.nth_host(index: int) -> string",
        "The address with that number in a network (0 is the network's own); from the end if negative.",
        r#""10.0.0.0/24".nth_host(5) == "10.0.0.5""#;
    ContainsIp = "contains_ip" "string.contains_ip(address: string) -> bool",
        "Whether an address, or a whole network, is in a network.", r#""10.0.0.0/8".contains_ip("10.2.0.0/16")"#;
    Overlaps = "overlaps" "string.overlaps(other: string) -> bool", "Whether two networks have an address in common.",
        r#""10.0.0.0/8".overlaps("10.2.0.0/16")"#;
    IpAdd = "ip_add" "string.ip_add(count: int) -> string", "The address so many after (or before) an address.",
        r#""10.0.0.255".ip_add(1) == "10.0.1.0""#;
    IpVersion = "ip_version" "string.ip_version() -> int", "4 or 6, of an address or a network.",
        r#""::1".ip_version() == 6"#;
    ReverseName = "reverse_name" "string.reverse_name() -> string", "The name of an address in the reverse DNS.",
        r#""192.0.2.1".reverse_name() == "1.2.0.192.in-addr.arpa""#;
    Mac = "mac" "string.mac() -> string", "A MAC address in lower case with `:`; anything else is an error.",
        r#""02-00-00-00-00-0A".mac() == "02:00:00:00:00:0a""#;
    LocalMac = "local_mac" "string.local_mac() -> string",
        "A locally administered MAC address made from any text, always the same one.",
        r#""web-1".local_mac().starts_with("02:")"#;

    // Values that are written back: these fill `assigned` fields and stand nowhere else.
    FreeInt = "free_int" "free_int(range: seq<int>, used: seq<int>) -> int",
        "The first int of `range` that is not in `used`; none left is an error. Only in what fills an `assigned` field.",
        "free_int(1..=9, used: [1, 2]) == 3";
    RandomString = "random_string" "random_string(length: int) -> string",
        "So many random letters and digits. Only in what fills an `assigned` field.", "random_string(8).len() == 8";
    RandomUuid = "uuid" "uuid() -> string", "A random UUID (version 4). Only in what fills an `assigned` field.",
        "uuid().len() == 36";
    Pin = "pin" "pin(value: T) -> T",
        "What `value` is when the field is filled first; it stays so. Only in what fills an `assigned` field.",
        "pin(1) == 1";
}

impl Builtin {
    /// Whether it may stand in what fills an `assigned` field and nowhere else: what it gives
    /// is written down once, or it would differ from run to run.
    pub fn fills(self) -> bool {
        matches!(self, Builtin::FreeInt | Builtin::RandomString | Builtin::RandomUuid | Builtin::Pin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_complete_and_in_order() {
        for (at, row) in BUILTINS.iter().enumerate() {
            assert_eq!(row.builtin as usize, at);
            assert_eq!(row.builtin.info().name, row.name);
            let before = row.signature.split('(').next().unwrap_or_default();
            let method = before.rsplit('.').next().unwrap_or_default();
            assert_eq!(method, row.name, "{}", row.signature);
            assert!(row.docs.ends_with('.'), "{}", row.docs);
            assert!(row.signature.contains(" -> "), "{}", row.signature);
        }
    }

    #[test]
    fn two_rows_of_a_name_differ_in_their_signature() {
        for (at, row) in BUILTINS.iter().enumerate() {
            assert!(!BUILTINS[..at].iter().any(|r| r.signature == row.signature), "{}", row.signature);
        }
    }
}
