//! Evaluation: values, builtins, strata, budgets. Pure and deterministic.
