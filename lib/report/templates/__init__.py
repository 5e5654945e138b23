"""Templates, styles and scripts of the HTML pages."""
