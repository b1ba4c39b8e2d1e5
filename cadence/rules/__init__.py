"""Pure rules: plain values in, a decision out; no imports from other packages of the project."""
