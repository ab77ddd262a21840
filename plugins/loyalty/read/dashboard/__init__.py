"""The dashboard: the figures of the report in a browser, with filters, the rows behind them, and downloads."""
