"""Pure rules: plain values in, a decision out; they import nothing of ours."""
