"""What people ask the published marts, and the pages that describe them."""
