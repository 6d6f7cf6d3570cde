"""The SSH transport of the persona: what an OpenSSH of its version announces, answers and takes its time for."""
