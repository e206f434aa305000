"""The paper's tables and figures: what they take, the runs behind them, and their files."""
