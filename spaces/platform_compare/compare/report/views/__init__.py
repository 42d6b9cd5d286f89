"""Parts of a report as HTML, and races as the page shows them."""
