"""Who gets in by a key, and what the account's sshd_config says about it: pure, on a View of the tree."""
