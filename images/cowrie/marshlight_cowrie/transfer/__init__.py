"""Files over SSH, on the tree: the sftp subsystem and the old scp protocol. Pure but for `hook`."""
