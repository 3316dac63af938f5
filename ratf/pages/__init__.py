"""What all pages share: templates, words, axes, lines and the live view."""
