"""One run as a page, as Markdown and as JUnit."""
