"""The report as one self-contained HTML file: no network, no script, light, dark and on paper."""
