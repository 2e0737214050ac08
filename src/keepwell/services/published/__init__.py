"""What the pages read: copies of the published results and of the data behind them, which never wait for a writer."""
