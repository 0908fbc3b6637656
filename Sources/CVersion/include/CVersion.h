#pragma once

/// The git commit that the program was built from; "unknown" unless ADMM_COMMIT was set in the environment of `swift
/// build`.
const char *source_commit(void);
