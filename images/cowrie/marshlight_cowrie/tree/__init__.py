"""The pretended host's file system; see README.md. No import of Cowrie or Twisted in here."""

from .trees import Trees, open_tree

__all__ = ["Trees", "open_tree"]
