"""What the scripts run, one module a program."""
