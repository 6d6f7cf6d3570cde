"""
Python as far as intruders write it at a prompt: their text is read into a tree by `ast`, and the tree is walked here.

    program (command line, prompt) -> machine: statements -> expressions -> operations | methods | names, modules*
                                                                  |
                                                 bounds (what it may take), things (what is not a plain value)

Nothing of theirs is ever compiled, and no attribute of a real object is ever looked up by a name of theirs: plain values
have the methods of `methods`, all else is a Thing with a dictionary.
"""
