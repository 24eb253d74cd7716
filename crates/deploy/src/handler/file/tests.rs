//! Real files, in folders that go with the test.
