"""
What a session wrote into the tree, by whatever command, goes where Cowrie's captured files go.

    View.written -> contents_written (bounded) -> redirFiles of the terminal -> Cowrie: digest, event
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..tree.view import View

#: Files and bytes that one session may leave; a single file, and all of them.
MOST_FILES, LARGEST_FILE, MOST_BYTES = 64, 8 << 20, 32 << 20


def keep_written(view: View, terminal: Any) -> None:
    from cowrie.core.artifact import temp_download_path

    for path, data in view.contents_written(MOST_FILES, LARGEST_FILE, MOST_BYTES):
        name = temp_download_path("redir")
        with open(name, "wb") as file:
            file.write(data)
        terminal.redirFiles.add((name, path))
    view.written.clear()
