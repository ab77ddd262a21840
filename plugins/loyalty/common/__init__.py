"""What every room needs: errors, settings, the ledger, locks, SQL quoting, checksums, the log of runs."""
