"""The script that Streamlit runs for each look at a page."""

from loyalty.read.dashboard.pages import show

show()
