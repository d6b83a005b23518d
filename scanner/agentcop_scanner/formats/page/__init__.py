"""The parts of the HTML report; `as_html` puts them together."""
