"""One folder a tab. Adding a folder adds the tab, deleting it removes the tab; no other file changes."""
