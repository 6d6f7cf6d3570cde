"""The pretended host's shell and commands: no import of Cowrie or Twisted in here but in the bridge."""
