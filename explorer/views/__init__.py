"""Parts of the page that tabs share. They draw what they are given and know no engine."""
